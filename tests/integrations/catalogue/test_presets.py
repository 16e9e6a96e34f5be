"""What is true of every preset: it is whole, valid by the admin's own checks, and says what it reaches."""

from itertools import product
from typing import Any, Final

import pytest

from integrations.catalogue import add, codes, load
from integrations.catalogue.building import process_name
from integrations.configuration import (
    capture_lines,
    names_for_operation,
    problems_in_order,
    problems_of_request,
    sample_context,
)
from integrations.configuration.rows import operation_values, step_values
from integrations.definition import describe_request
from integrations.engine.outcome import of_response
from integrations.levels import FUNCTIONS, missing_functions
from integrations.models import ExternalSystem, OperationTemplate, Outcome, Process, Step, ValueMapping
from integrations.transports.http import Response
from tickets.models import Priority

pytestmark = [pytest.mark.django_db, pytest.mark.contract]

TICKET: Final = frozenset(
    [
        *("reference", "external_id", "modified", "title", "status", "status_label", "priority", "category"),
        *("assignee", "group", "solution", "completion_code", "expected_resolution_at"),
    ]
)
PERSON: Final = frozenset(["contact", "name", "email", "login", "phone"])
CHOICE: Final = frozenset(["value", "label"])
READS: Final = {
    "fetch_ticket": TICKET,
    "fetch_modified_since": TICKET,
    "fetch_notes": frozenset(["id", "text", "author", "at", "visibility", "ours"]),
    "fetch_attachments": frozenset(["id", "name", "content_type", "size", "checksum", "url", "content_base64"]),
    "find_contact": PERSON,
    "query_contacts": PERSON,
    **dict.fromkeys(
        ("fetch_priorities", "fetch_statuses", "fetch_categories", "fetch_queues", "fetch_groups"), CHOICE
    ),
}
# Without these a record cannot be used.
NEEDED: Final = {
    "fetch_notes": {"id", "text"},
    "fetch_attachments": {"id", "name"},
    "find_contact": {"contact"},
    "query_contacts": {"contact", "email"},
}
CAPTURES: Final = frozenset(
    [
        *("reference", "external_id", "contact", "message_id", "attachment_id", "content_base64", "next", "session"),
        # For the step behind: a file that was uploaded and is not named yet, a case that is written back.
        *("token", "guid", "case"),
    ]
)
BINDINGS: Final = frozenset(["assignment", "update", "closure", "rejection", "incoming"])


@pytest.fixture(params=codes())
def preset(request: pytest.FixtureRequest) -> Any:
    """Each preset in turn."""
    return load(request.param)


@pytest.fixture
def system(preset: Any) -> ExternalSystem:
    """The preset, added."""
    for rank in range(1, 6):
        Priority.objects.create(code=f"p{rank}", name=f"Rank {rank}", rank=rank)
    return add(preset, name="Acme", code="acme-desk", base_url="https://desk.acme.test", username="u", secret="s")


def test_it_says_where_its_contract_is_documented_and_how_far_it_was_tried(preset):
    assert all(len(text.strip()) > 20 for text in (preset.summary, preset.source, preset.tried_note))
    assert "http" not in preset.source
    for name, asked in preset.settings.items():
        assert set(asked) <= {"label", "default", "help"}, name
        assert asked["label"]


def test_operations_and_steps_are_valid_by_the_admins_own_checks(preset, system):
    for operation in system.operations.all():
        names = names_for_operation(operation.name)
        assert problems_of_request(operation_values(operation), names=names) == {}, operation.name
    for key in preset.processes:
        steps = Process.objects.get(name=process_name(system, key)).steps.all()
        for step, problems in problems_in_order(step_values(step) for step in steps):
            assert problems == {}, step["name"]
    assert system.clean() is None


def test_the_level_is_the_highest_that_its_operations_reach(preset, system):
    reached = [
        level
        for level in ("log_only", "status_sync", "full")
        if not missing_functions(system, level) and any(level in function.must for function in FUNCTIONS)
    ]
    assert system.level == (reached[-1] if reached else "")


def test_every_name_that_is_read_or_captured_is_one_that_the_portal_knows(preset, system):
    for operation in system.operations.all():
        read = {line.name for line in capture_lines(operation.reads)}
        assert read <= READS.get(operation.name, frozenset()), operation.name
        assert NEEDED.get(operation.name, set()) <= read, operation.name
        assert {line.name for line in capture_lines(operation.captures)} <= CAPTURES, operation.name
        if operation.name in ("fetch_ticket", "fetch_modified_since"):
            assert {"reference", "external_id"} & read, operation.name
        if operation.name in ("fetch_priorities", "fetch_statuses", "fetch_categories", "fetch_groups"):
            assert read == CHOICE, operation.name


REFUSALS: Final = {
    "a proxy": ("text/html", b"<html><body>Bad gateway</body></html>"),
    "a desk": (
        "application/json",
        b'{"error": {"code": 7}, "message": "no", "entities": [], "meta": {}, "tickets": []}',
    ),
}


def test_a_page_of_something_between_is_nobodys_yes(preset, system):
    """A proxy's page must not count as done, nor for a probe as nothing found: it would create twice."""
    for operation, status, (kind, body) in product(system.operations.all(), (404, 502), REFUSALS.values()):
        page = Response(status, {"Content-Type": kind}, body, 1)
        context = sample_context(names_for_operation(operation.name))
        came = of_response(describe_request(operation), page, context, shown=lambda answer: answer.text)
        gone = operation.name == "delete_contact" and status == 404
        assert came.outcome != Outcome.SUCCEEDED or gone, (operation.name, status, kind)


def test_what_is_added_holds_what_the_file_says(preset, system):
    def agrees(row: Any, described: dict[str, Any]) -> None:
        for name, value in described.items():
            if name in ("probe", "operation"):
                assert getattr(row, name).name == value
            elif name == "wsdl":
                assert row.wsdl.name == value
            else:
                assert getattr(row, name) == (value.rstrip("\n") if isinstance(value, str) else value), name

    assert set(system.operations.values_list("name", flat=True)) == set(preset.operations)
    for name, described in preset.operations.items():
        agrees(OperationTemplate.objects.get(system=system, name=name), described)
    for key, described in preset.processes.items():
        steps = Step.objects.filter(process__name=process_name(system, key))
        assert len(steps) == len(described["steps"])
        for step, row in zip(steps, described["steps"], strict=True):
            agrees(step, row)
    assert ValueMapping.objects.count() == sum(len(rows) for rows in preset.value_maps.values())
    assert set(preset.bindings) <= BINDINGS
    assert set(preset.bindings.values()) <= set(preset.processes)
    assert system.settings == {name: str(asked.get("default", "")) for name, asked in preset.settings.items()}


def test_what_writes_says_what_repeating_means_and_what_reads_may_always_be_repeated(preset, system):
    for name, described in preset.operations.items():
        if name != "login":
            assert "repeat" in described, name
        if described.get("method") == "GET" or name in NEEDED:
            assert described.get("repeat") == "safe", name
    for process in preset.processes.values():
        for step in process["steps"]:
            assert step["kind"] != "request" or "repeat" in step, step["name"]
