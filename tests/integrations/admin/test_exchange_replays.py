"""Messages without effect get another chance, after a page that says what will happen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.models import Exchange, Outcome
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, messages_of
from tickets import actions
from tickets.models import Note, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    """A task that the partner may not see yet."""
    return desk.task(desk.service_desk)


@pytest.fixture
def send(partner: Partner) -> Callable[..., Any]:
    key = partner.key()

    def send(task: Task, text: str) -> Any:
        return Client().post(
            f"/api/v1/tasks/{task.number}/updates/",
            {"text": text},
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


@pytest.fixture
def refused(task: Task, send: Callable[..., Any]) -> Exchange:
    assert send(task, "We are on our way").status_code == 404
    return Exchange.objects.get(outcome=Outcome.REFUSED)


def give(desk: Desk, task: Task, partner: Partner) -> None:
    actions.assign_task(actor=desk.by_agent, task=Task.objects.get(pk=task.pk), group=partner.group)


def test_a_refused_message_is_mapped_again_once_that_was_confirmed(
    admin: Browser, desk: Desk, partner: Partner, task: Task, refused: Exchange
) -> None:
    give(desk, task, partner)
    address = f"exchange/replay/map-again/?ids={refused.pk}"
    assert address in admin.get(f"exchange/{refused.pk}/change/").content.decode()
    text = admin.get(address).content.decode()
    assert "Nothing has been done yet" in text
    assert "update from Partner acme is mapped again" in text
    assert not Note.objects.filter(body="We are on our way").exists()
    answer = admin.send(address)
    assert Note.objects.filter(body="We are on our way").count() == 1
    again = refused.replays.get()
    assert again.outcome == Outcome.SUCCEEDED
    assert answer.headers["Location"] == f"/admin/integrations/exchange/{again.pk}/change/"


def test_what_is_refused_again_says_why(admin: Browser, refused: Exchange) -> None:
    answer = admin.send(f"exchange/replay/map-again/?ids={refused.pk}")
    assert refused.replays.get().outcome == Outcome.REFUSED
    assert [text for text in messages_of(answer) if "did not work this time either" in text]


def test_a_replayed_message_is_not_replayed_twice(
    admin: Browser, desk: Desk, partner: Partner, task: Task, refused: Exchange
) -> None:
    give(desk, task, partner)
    address = f"exchange/replay/map-again/?ids={refused.pk}"
    admin.send(address)
    admin.post("exchange/replay/map-again/", ids=str(refused.pk))
    assert Note.objects.filter(body="We are on our way").count() == 1
    page = admin.get(address).content.decode()
    assert "was replayed already" in page
    assert "db-button-main" not in page
    assert "replay/map-again" not in admin.get(f"exchange/{refused.pk}/change/").content.decode()


def test_an_echo_that_was_held_back_is_applied_anyway(
    admin: Browser, desk: Desk, partner: Partner, task: Task, send: Callable[..., Any]
) -> None:
    from integrations.echo import remember

    give(desk, task, partner)
    remember(task=task, system=partner.system, text="Please hurry")
    send(task, "Please hurry")
    held = Exchange.objects.get(outcome=Outcome.HELD_BACK)
    address = f"exchange/replay/apply-anyway/?ids={held.pk}"
    assert address in admin.get(f"exchange/{held.pk}/change/").content.decode()
    admin.send(address)
    assert Note.objects.filter(body="Please hurry", task=task).count() == 1


def test_many_at_once_leave_out_what_does_not_fit_and_say_why(
    admin: Browser, desk: Desk, partner: Partner, task: Task, refused: Exchange, send: Callable[..., Any]
) -> None:
    give(desk, task, partner)
    send(task, "A second message")
    fine = Exchange.objects.get(outcome=Outcome.SUCCEEDED)
    chosen = {"action": "map_again", "_selected_action": [refused.pk, fine.pk]}
    asked = admin.client.post("/admin/integrations/exchange/", chosen)
    page = admin.client.get(asked.headers["Location"])
    plan = page.context["plan"]
    assert [line.pk for line in plan.lines] == [refused.pk]
    assert [line.pk for line in plan.left_out] == [fine.pk]
    admin.send(asked.headers["Location"])
    assert set(Note.objects.values_list("body", flat=True)) >= {"We are on our way", "A second message"}
    assert Note.objects.filter(body="A second message").count() == 1


def test_who_does_not_decide_about_runs_may_only_read(browser_for: Callable[..., Browser], refused: Exchange) -> None:
    reader = browser_for("view_exchange", "view_processrun")
    page = reader.get(f"exchange/{refused.pk}/change/")
    assert page.status_code == 200
    assert b"replay/map-again" not in page.content
    assert reader.get(f"exchange/replay/map-again/?ids={refused.pk}").status_code == 403
    assert reader.post("exchange/replay/map-again/", ids=str(refused.pk)).status_code == 403
    assert not refused.replays.exists()
    decider = browser_for("view_exchange", "change_processrun")
    assert decider.get(f"exchange/replay/map-again/?ids={refused.pk}").status_code == 200


@pytest.mark.parametrize("path", ["map-again/?ids=", "map-again/?ids=999999,x,-1", "nonsense/?ids=1"])
def test_what_is_not_there_is_404(admin: Browser, refused: Exchange, path: str) -> None:
    assert admin.get(f"exchange/replay/{path}").status_code == 404
