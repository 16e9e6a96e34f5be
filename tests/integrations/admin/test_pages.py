"""The pages beside the forms: test connection and preview."""

from typing import Any

import pytest

from integrations.models import Exchange
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser


@pytest.fixture
def test_page(partner: Partner) -> str:
    return f"externalsystem/{partner.system.pk}/test_connection/"


@pytest.fixture
def preview_page(partner: Partner) -> str:
    return f"process/{partner.process.pk}/open_preview/"


def test_opening_the_test_page_sends_nothing(admin: Browser, test_page: str, httpserver: Any) -> None:
    assert admin.get(test_page).status_code == 200
    assert httpserver.log == []


def test_the_button_calls_the_desk_and_says_what_came(
    transactional_db: None, admin: Browser, test_page: str, httpserver: Any
) -> None:
    httpserver.expect_request("/").respond_with_data("hello")
    page = admin.post(test_page).content.decode()
    assert "The other desk answered." in page
    assert f"no. {Exchange.objects.get().pk}" in page


def test_a_reading_operation_can_be_chosen(admin: Browser, partner: Partner, test_page: str, httpserver: Any) -> None:
    httpserver.expect_request("/tickets").respond_with_json({"tickets": []})
    find = partner.system.operations.get(name="find_ticket")
    assert "The other desk answered." in admin.post(test_page, operation=str(find.pk)).content.decode()
    refused = admin.post(test_page, operation=str(partner.create.pk)).content.decode()
    assert "Select a valid choice" in refused
    assert len(httpserver.log) == 1


def test_a_network_error_is_a_page_not_a_crash(admin: Browser, partner: Partner, test_page: str) -> None:
    partner.system.base_url = "http://127.0.0.1:9"
    partner.system.save()
    answer = admin.post(test_page)
    assert answer.status_code == 200
    assert "No connection to 127.0.0.1" in answer.content.decode()


def test_the_preview_asks_for_a_task_and_an_event(admin: Browser, preview_page: str) -> None:
    page = admin.get(preview_page).content.decode()
    assert "Submit Request (assign, Out)" in page
    assert "Update (update, In)" in page


def test_the_preview_shows_each_step(admin: Browser, desk: Desk, partner: Partner, preview_page: str) -> None:
    task = desk.task(partner.group)
    page = admin.get(preview_page, task=task.number, event="Out|Submit Request|assign").content.decode()
    assert "Would run" in page
    assert "Would not run" in page
    assert "{{ task.number }}" in page
    assert Exchange.objects.count() == 0


def test_what_is_wrong_with_the_question_is_said_at_its_field(
    admin: Browser, desk: Desk, partner: Partner, preview_page: str
) -> None:
    page = admin.get(preview_page, task="9999-1", event="Out|Submit Request|assign").content.decode()
    assert "There is no task with the number" in page
    task = desk.task()
    answer = admin.get(preview_page, task=task.number, event="Out|Submit Request|assign", with_file="on")
    assert "This ticket has no file." in answer.content.decode()


def test_the_only_desk_of_the_process_is_assumed(admin: Browser, desk: Desk, preview_page: str) -> None:
    task = desk.task()
    answer = admin.get(preview_page, task=f"{task.number} {task.title}", event="Out|Submit Request|assign")
    assert answer.context["steps"][0].facts[0] == ("External system", "Partner acme")


def test_values_from_a_ticket_are_escaped(admin: Browser, desk: Desk, preview_page: str) -> None:
    task = desk.task(ticket=desk.ticket("<script>alert(1)</script>"))
    page = admin.get(preview_page, task=task.number, event="Out|Submit Request|assign").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_tasks_are_found_by_number_and_title(admin: Browser, desk: Desk) -> None:
    task = desk.task()
    for words in (task.number, "fire"):
        assert str(task) in admin.get("process/suggest-tasks/", q=words).json()["tasks"]
    assert admin.get("process/suggest-tasks/", q="").json() == {"tasks": []}
