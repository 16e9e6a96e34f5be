"""The Case Exchange document's table of outgoing operations, one case for each of its rows, in its own words.

Groups: "external" is one with an external system (acme), "not external" is our service desk.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine.references import store_reference
from integrations.models import ProcessRun
from tests.cast import Desk, Partner
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import OwnCompletionCode, Task

pytestmark = pytest.mark.django_db

FILE = actions.FileContent("photo.jpg", b"JPEG")
Do = Callable[[Desk, Partner, Task], Any]


def new(desk: Desk, partner: Partner) -> Task:
    """A task of ours that no other desk knows."""
    return desk.task(desk.service_desk)


def new_escalated(desk: Desk, partner: Partner) -> Task:
    """The same in the phase Escalate."""
    return actions.escalate_task(actor=desk.by_agent, task=new(desk, partner))


def external(desk: Desk, partner: Partner) -> Task:
    """A task at acme, in initial support, known there."""
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    return task


def escalated(desk: Desk, partner: Partner) -> Task:
    """The same in the phase Escalate."""
    return actions.escalate_task(actor=desk.by_agent, task=external(desk, partner))


def in_review(desk: Desk, partner: Partner) -> Task:
    """The same with a solution, in review."""
    return actions.propose_solution(actor=desk.by_agent, task=external(desk, partner), solution="Toner")


def unknown_in_review(desk: Desk, partner: Partner) -> Task:
    """A task of ours in review that no other desk knows."""
    return actions.propose_solution(actor=desk.by_agent, task=new(desk, partner), solution="Toner")


def closed(desk: Desk, partner: Partner) -> Task:
    """The same, closed."""
    return actions.accept_solution(actor=desk.by_end_user, task=in_review(desk, partner))


def assign(to: str) -> Do:
    """Give the task to the external group, or to ours."""
    return lambda d, p, t: actions.assign_task(
        actor=d.by_agent, task=t, group=p.group if to == "external" else d.service_desk
    )


def change(**values: Any) -> Do:
    """Change fields of the task."""
    return lambda d, p, t: actions.change_task(actor=d.by_agent, task=t, **values)


def comment(d: Desk, p: Partner, t: Task) -> Any:
    """Add a comment."""
    return actions.add_note(actor=d.by_agent, ticket=t.ticket, task=t, body="News")


def attachment(d: Desk, p: Partner, t: Task) -> Any:
    """Add an attachment."""
    return actions.attach(actor=d.by_agent, ticket=t.ticket, task=t, content=FILE)


def propose(solution: str = "Water", code: str = "fulfilled") -> Do:
    """A solution, with which the task enters review."""
    return lambda d, p, t: actions.propose_solution(actor=d.by_agent, task=t, solution=solution, completion_code=code)


TO_EXTERNAL = "assignment from a group without external system to an external group"
ROWS: dict[str, tuple[Callable[[Desk, Partner], Task], Do, list[str]]] = {
    f"initial support: {TO_EXTERNAL}": (new, assign("external"), ["assign"]),
    f"escalate: {TO_EXTERNAL}": (new_escalated, assign("external"), ["assign"]),
    "initial support: assignment from an external group to one without": (external, assign("ours"), ["accept"]),
    "escalate: assignment from an external group to one without": (escalated, assign("ours"), ["accept"]),
    "initial support: expected resolution time changes": (
        external,
        change(expected_resolution_at=timezone.now()),
        ["update"],
    ),
    "escalate: expected resolution time changes": (
        escalated,
        change(expected_resolution_at=timezone.now()),
        ["update"],
    ),
    "initial support: solution changes": (external, change(solution="Water"), ["update"]),
    "escalate: solution changes": (escalated, change(solution="Water"), ["update"]),
    "initial support: solution changes and the record moves to review": (external, propose(), ["update", "resolve"]),
    "escalate: solution changes and the record moves to review": (escalated, propose(), ["update", "resolve"]),
    "initial support: a comment is added": (external, comment, ["update"]),
    "escalate: a comment is added": (escalated, comment, ["update"]),
    "initial support: an attachment is added": (external, attachment, ["update"]),
    "escalate: an attachment is added": (escalated, attachment, ["update"]),
    "review: solution changes": (in_review, change(solution="Other"), ["resolve"]),
    "review: completion code changes": (in_review, change(completion_code="abandoned_by_user"), ["resolve"]),
    "review: a comment is added": (in_review, comment, ["resolve"]),
    "review: an attachment is added": (in_review, attachment, ["resolve"]),
    "review: completion code changes to withdrawn by user": (
        in_review,
        change(completion_code="withdrawn_by_user"),
        ["cancel"],
    ),
    "review: completion code changes to request rejected": (
        in_review,
        change(completion_code="request_rejected"),
        ["reject"],
    ),
    f"from review to initial support: {TO_EXTERNAL}, external reference exists": (
        in_review,
        assign("external"),
        ["reopen"],
    ),
    f"from review to initial support: {TO_EXTERNAL}, no external reference": (
        unknown_in_review,
        assign("external"),
        ["assign"],
    ),
    "close: solution changes": (closed, change(solution="Other"), ["close"]),
    "close: completion code changes": (closed, change(completion_code="abandoned_by_user"), ["close"]),
    "close: a comment is added": (closed, comment, ["close"]),
    "close: an attachment is added": (closed, attachment, ["close"]),
    "close: completion code changes to withdrawn by user": (
        closed,
        change(completion_code="withdrawn_by_user"),
        ["cancel"],
    ),
    "close: completion code changes to request rejected": (
        closed,
        change(completion_code="request_rejected"),
        ["reject"],
    ),
}


def operations_of(task: Task) -> list[str]:
    """What went out for the task, in order."""
    return list(ProcessRun.objects.filter(stream__task=task).order_by("pk").values_list("operation", flat=True))


@pytest.mark.parametrize("row", ROWS)
def test_the_row(row: str, desk: Desk, partner: Partner) -> None:
    before, do, operations = ROWS[row]
    task = before(desk, partner)
    already = operations_of(task)
    do(desk, partner, task)
    assert operations_of(task)[len(already) :] == operations
    task.refresh_from_db()
    if "to initial support" in row:
        assert task.phase == Phase.INITIAL_SUPPORT


@pytest.mark.parametrize(("code", "operation"), [("withdrawn_by_user", "cancel"), ("request_rejected", "reject")])
def test_cancel_and_reject_beat_update_resolve_and_close(
    desk: Desk, partner: Partner, code: str, operation: str
) -> None:
    task = external(desk, partner)
    before = len(operations_of(task))
    propose(code=code)(desk, partner, task)
    assert operations_of(task)[before:] == [operation], "with a new solution, on entering review"
    other = desk.task(partner.group)
    store_reference(task=other, system=partner.system, value="A-2")
    before = len(operations_of(other))
    actions.close_task(actor=desk.by_agent, task=other, completion_code=code)
    assert operations_of(other)[before:] == [operation], "when it is closed by hand"


def test_an_own_completion_code_does_what_it_counts_as(desk: Desk, partner: Partner) -> None:
    OwnCompletionCode.objects.create(code="duplicate", name="Duplicate", counts_as="withdrawn_by_user")
    task = in_review(desk, partner)
    before = len(operations_of(task))
    change(completion_code="duplicate")(desk, partner, task)
    assert operations_of(task)[before:] == ["cancel"]


def test_from_one_desk_to_another_it_is_accepted_there_and_assigned_here(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    task = external(desk, partner)
    ProcessRun.objects.all().delete()
    actions.assign_task(actor=desk.by_agent, task=task, group=other_partner.group)
    assert sorted(ProcessRun.objects.values_list("stream__system__code", "operation", "group__code")) == [
        ("acme", "accept", "acme-group"),
        ("globex", "assign", "globex-group"),
    ]


def test_between_two_groups_of_one_desk_it_is_assigned_alone(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    other_partner.binding.system = partner.system
    other_partner.binding.save()
    task = external(desk, partner)
    ProcessRun.objects.all().delete()
    actions.assign_task(actor=desk.by_agent, task=task, group=other_partner.group)
    assert operations_of(task) == ["assign"]


def test_the_desk_that_raised_the_ticket_learns_that_it_is_resolved_reopened_and_closed(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    """Another desk does the work: both are told what concerns them, and the one that caused it is not."""
    from integrations.inbound import operations

    receipt = operations.create(system=partner.system, reference="P-1", title="Theirs")
    task = Task.objects.get(number=receipt.task)
    actions.assign_task(actor=desk.by_agent, task=task, group=other_partner.group)
    store_reference(task=task, system=other_partner.system, value="G-1")
    ProcessRun.objects.all().delete()

    def told() -> list[tuple[str, str]]:
        found = sorted(ProcessRun.objects.values_list("stream__system__code", "operation"))
        ProcessRun.objects.all().delete()
        return found

    operations.resolve(system=other_partner.system, task=task, solution="Done")
    assert told() == [("acme", "resolve"), ("acme", "update")]
    actions.decline_solution(actor=desk.by_agent, task=task, reason="Not quite")
    assert told() == [("acme", "reopen"), ("globex", "reopen")]
    operations.close(system=other_partner.system, task=task, solution="Done now")
    assert told() == [("acme", "close")]
