"""Processes with ordered steps: checked in their order, kept free of what their kind does not have."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import OperationTemplate, Process, Step
from tests.cast import Partner
from tests.integrations.admin.conftest import Browser, address, errors, form_values


@pytest.fixture
def page(partner: Partner) -> str:
    return f"process/{partner.process.pk}/change/"


def new_step(index: int, **values: str) -> dict[str, str]:
    """Another step, as the browser sends it after "Add another Step"."""
    defaults = {"protocol": "http", "method": "POST", "content_type": "application/json", "soap_version": "1.1"}
    defaults |= {"repeat": "ask", "settle_seconds": "10"}
    fields = {**defaults, "visibility": "internal", "position": "", **values}
    return {f"steps-{index}-{name}": value for name, value in fields.items()} | {"steps-TOTAL_FORMS": str(index + 1)}


def add_step(admin: Browser, page: str, **values: str) -> object:
    """Add a fifth step to the process of the cast."""
    return admin.client.post(address(page), {**form_values(admin.get(page)), **new_step(4, **values), "_save": "1"})


def test_a_process_is_made_with_its_first_step(admin: Browser, partner: Partner) -> None:
    answer = admin.send(
        "process/add/",
        name="New",
        **{"steps-0-name": "create", "steps-0-kind": "operation", "steps-0-operation": str(partner.create.pk)},
    )
    assert answer.status_code == 302, errors(answer)
    step = Step.objects.get(process__name="New")
    assert (step.position, step.operation) == (1, partner.create)


@pytest.mark.parametrize(
    ("kind", "values", "missing"),
    [
        ("operation", {}, {"operation"}),
        ("request", {}, {"path"}),
        ("mail", {}, {"mail_subject", "text"}),
        ("set_field", {}, {"field", "value"}),
        ("note", {}, {"text"}),
        ("mail", {"mail_to": "a@b.test", "mail_subject": "Hi", "text": "{{ task.number }}"}, set()),
        ("request", {"path": "/x", "body": "{}"}, set()),
        ("set_field", {"field": "ticket.title", "value": "{{ ticket.title | upper }}"}, set()),
        ("note", {"text": "done"}, set()),
        ("wait", {}, set()),
        ("feed", {}, set()),
        ("stop", {}, set()),
    ],
)
def test_each_kind_of_step_is_saved_with_what_it_needs(
    admin: Browser, page: str, kind: str, values: dict[str, str], missing: set[str]
) -> None:
    answer = add_step(admin, page, name="extra", kind=kind, **values)
    if missing:
        assert set(errors(answer)) == {f"steps-4-{name}" for name in missing}
    else:
        assert Step.objects.get(name="extra").position == 5


def test_a_step_may_use_captures_of_the_steps_before_it(admin: Browser, page: str) -> None:
    good = add_step(admin, page, name="tell", kind="note", text="{{ steps.create_ticket.reference }}")
    assert good.status_code == 302
    Step.objects.filter(name="tell").delete()
    first = add_step(admin, page, name="tell", kind="note", text="{{ steps.create_ticket.reference }}", position="0")
    assert 'There is no field "steps.create_ticket.reference"' in errors(first)["steps-4-text"][0]


def test_an_unknown_name_in_a_condition_is_told_at_that_condition(admin: Browser, page: str) -> None:
    answer = admin.send(page, **{"steps-1-condition": 'event.request_typ == "Update"'})
    assert errors(answer) == {
        "steps-1-condition": ['There is no field "event.request_typ". Did you mean "event.request_type"?']
    }


def test_steps_are_numbered_in_their_order(admin: Browser, page: str, partner: Partner) -> None:
    answer = admin.send(page, **{"steps-3-position": "-1"})
    assert "steps-3-position" in errors(answer)
    answer = admin.send(page, **{"steps-0-position": "9"})
    assert answer.status_code == 302
    rows = list(partner.process.steps.values_list("position", "name"))
    assert rows == [(1, "reopen_ticket"), (2, "add_note"), (3, "close_ticket"), (4, "create_ticket")]


def test_two_steps_of_the_same_name_are_refused(admin: Browser, page: str) -> None:
    answer = add_step(admin, page, name="add_note", kind="stop")
    assert answer.status_code == 200
    assert Step.objects.count() == 4


def test_what_belongs_to_another_kind_is_not_kept(admin: Browser, page: str) -> None:
    add_step(
        admin, page, name="extra", kind="note", text="hello", mail_to="{{ old }}", path="/{{ old }}", captures="x = y"
    )
    step = Step.objects.get(name="extra")
    assert (step.mail_to, step.path, step.captures, step.text) == ("", "", "", "hello")


def test_a_removed_step_no_longer_gives_its_captures(admin: Browser, page: str) -> None:
    add_step(admin, page, name="tell", kind="note", text="{{ steps.create_ticket.reference }}")
    answer = admin.send(page, **{"steps-0-DELETE": "on"})
    assert "steps-4-text" in errors(answer)


def test_a_request_of_its_own_is_checked_like_an_operation(admin: Browser, page: str) -> None:
    answer = add_step(admin, page, name="own", kind="request", path="/x", body='{"a": {{ ticket.priority.rank }}')
    assert "not valid JSON" in errors(answer)["steps-4-body"][0]


def test_the_history_tells_who_changed_which_step_how(admin: Browser, page: str) -> None:
    admin.send(page, **{"steps-1-condition": 'event.request_type == "Update"'})
    text = admin.get(page.replace("change", "history")).content.decode()
    assert admin.user.username in text
    assert re.search(r"only when</strong>: <del>.*Resolution Rejection.*</del>", text)


def test_the_list_says_which_groups_a_process_serves(admin: Browser, partner: Partner) -> None:
    assert "acme group" in admin.get("process/").content.decode()


def test_choices_are_loaded_once_for_all_steps(admin: Browser, page: str, partner: Partner) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get(page)
        return len(captured)

    count()
    few = count()
    operations = [
        OperationTemplate(system=partner.system, name=f"operation_{number}", path="/x") for number in range(20)
    ]
    OperationTemplate.objects.bulk_create(operations)
    Step.objects.bulk_create(
        Step(process=Process.objects.get(), position=9 + n, name=f"s{n}", kind="operation", operation=operation)
        for n, operation in enumerate(OperationTemplate.objects.filter(name__startswith="operation_"))
    )
    assert count() == few
