"""What keeps a step from being saved, given the steps before it."""

from types import SimpleNamespace
from typing import Any

import pytest

from integrations.configuration import (
    captures_of_step,
    names_for_operation,
    problems_in_order,
    problems_of_request,
    problems_of_step,
)
from integrations.configuration.rows import operation_values, step_values
from integrations.demo.partner import load_partner, load_southwind
from integrations.models import Process
from tests.cast import Partner
from tests.integrations.configuration.test_requests import request

# The properties that administrators define are among the names.
pytestmark = pytest.mark.django_db


def step(kind: str, **values: Any) -> dict[str, Any]:
    """An empty step of this kind, but for `values`."""
    empty: dict[str, Any] = {
        **request(path="", body="", captures="", system_id=None),
        "name": "one",
        "kind": kind,
        "condition": "",
        "operation": None,
        "mail_to": "",
        "mail_subject": "",
        "text": "",
        "field": "",
        "value": "",
        "visibility": "",
        "wait_for": "",
    }
    return {**empty, **values}


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("operation", {"operation"}),
        ("mail", {"mail_subject", "text"}),
        ("set_field", {"field", "value"}),
        ("note", {"text", "visibility"}),
        ("request", {"path"}),
        ("wait", set()),
        ("feed", set()),
        ("stop", set()),
    ],
)
def test_each_kind_says_what_it_needs(kind: str, needed: set[str]) -> None:
    assert set(problems_of_step(step(kind), {})) == needed


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("mail", "mail_to"),
        ("mail", "mail_subject"),
        ("mail", "text"),
        ("note", "text"),
        ("set_field", "value"),
        ("wait", "wait_for"),
        ("stop", "text"),
        ("request", "body"),
        ("stop", "condition"),
    ],
)
def test_an_unknown_name_is_told_at_its_field(kind: str, field: str) -> None:
    source = "task.numbr == 1" if field == "condition" else '"{{ task.numbr }}"'
    found = problems_of_step(step(kind, **{field: source}), {})
    assert 'there is no field "task.numbr". Did you mean "task.number"?' in found[field][-1].lower().replace(
        "did you mean", "Did you mean"
    )


def test_a_condition_may_use_what_an_earlier_step_captured() -> None:
    condition = 'steps.create.reference == "A-1"'
    assert problems_of_step(step("stop", condition=condition), {"create": ["reference"]}) == {}
    assert "condition" in problems_of_step(step("stop", condition=condition), {})


def test_a_step_does_not_know_what_later_steps_capture() -> None:
    operation = SimpleNamespace(captures="reference = response.json.number")
    later = step("operation", name="create", operation=operation)
    earlier = step("note", text="{{ steps.create.reference }}", visibility="public")
    wrong = problems_in_order([earlier, later])
    right = problems_in_order([later, earlier])
    assert "text" in wrong[0][1]
    assert [problems for _step, problems in right] == [{}, {}]


def test_a_calling_step_adds_its_own_captures_to_those_of_its_operation() -> None:
    operation = SimpleNamespace(captures="reference = response.json.number")
    calling = step("operation", operation=operation, captures="url = response.json.url")
    assert captures_of_step(calling) == ["reference", "url"]
    assert captures_of_step(step("note", captures="a = response.status")) == []


def test_captures_of_a_calling_step_are_checked() -> None:
    operation = SimpleNamespace(captures="")
    found = problems_of_step(step("operation", operation=operation, captures="a = response.jsn.b"), {})
    assert found == {"captures": ['Line 1: there is no field "response.jsn.b". Did you mean "response.json"?']}


def test_the_demo_passes_the_check(db: None) -> None:
    for system in (load_partner(), load_southwind()):
        for operation in system.operations.select_related("wsdl", "probe"):
            names = names_for_operation(operation.name)
            assert problems_of_request(operation_values(operation), names=names) == {}, operation
    for process in Process.objects.all():
        rows = process.steps.select_related("operation", "wsdl", "probe")
        for step, problems in problems_in_order([step_values(row) for row in rows]):
            assert problems == {}, step["name"]


def test_the_process_of_the_cast_passes_the_check(partner: Partner) -> None:
    rows = partner.process.steps.select_related("operation", "wsdl", "probe")
    assert all(not problems for _step, problems in problems_in_order([step_values(row) for row in rows]))
