"""One desk has raised the ticket, another one works on its task: what the first one learns."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.engine.references import store_reference
from integrations.inbound import operations
from integrations.models import ProcessRun
from tests.cast import Desk, Partner
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(desk: Desk, partner: Partner, other_partner: Partner) -> Task:
    """Raised by acme, at globex, known at both."""
    receipt = operations.create(system=partner.system, reference="P-1", title="Theirs")
    task = Task.objects.get(number=receipt.task)
    task = actions.assign_task(actor=desk.by_agent, task=task, group=other_partner.group)
    store_reference(task=task, system=other_partner.system, value="G-1")
    return task


def told(do: Callable[[], Any]) -> list[tuple[str, str]]:
    """Which desk is told what of this."""
    before = set(ProcessRun.objects.values_list("pk", flat=True))
    do()
    new = ProcessRun.objects.exclude(pk__in=before)
    return sorted(new.values_list("stream__system__code", "operation"))


AGAIN: dict[str, tuple[Callable[[Desk, Partner, Task], Any], list[tuple[str, str]]]] = {
    "assigned to the same desk": (
        lambda d, p, t: actions.assign_task(actor=d.by_agent, task=t, group=p.group),
        [("acme", "reopen"), ("globex", "reopen")],
    ),
    "assigned to our own group": (
        lambda d, p, t: actions.assign_task(actor=d.by_agent, task=t, group=d.service_desk),
        [("acme", "reopen")],
    ),
    "declined": (
        lambda d, p, t: actions.decline_solution(actor=d.by_agent, task=t, reason="No"),
        [("acme", "reopen"), ("globex", "reopen")],
    ),
    "assigned at the other desk": (lambda d, p, t: operations.assign(system=p.system, task=t), [("acme", "reopen")]),
    "reopened by the other desk": (lambda d, p, t: operations.reopen(system=p.system, task=t), [("acme", "reopen")]),
    "rejected by the other desk": (lambda d, p, t: operations.reject(system=p.system, task=t), [("acme", "reopen")]),
}


@pytest.mark.parametrize("way", AGAIN)
def test_who_was_told_of_a_solution_is_told_once_that_the_work_goes_on(
    desk: Desk, other_partner: Partner, task: Task, way: str
) -> None:
    do, expected = AGAIN[way]
    operations.resolve(system=other_partner.system, task=task, solution="Done")
    assert told(lambda: do(desk, other_partner, task)) == expected


def test_after_a_merge_it_learns_what_becomes_of_its_task_but_changes_nothing_of_the_other_ticket(
    desk: Desk, partner: Partner, other_partner: Partner, task: Task
) -> None:
    ours = desk.ticket("Ours")
    actions.merge_tickets(actor=desk.by_agent, source=task.ticket, target=ours)
    resolved = told(lambda: operations.resolve(system=other_partner.system, task=task, solution="Done"))
    assert resolved == [("acme", "resolve"), ("acme", "update")]
    operations.update(system=partner.system, task=task, text="Thanks", title="Theirs again")
    ours.refresh_from_db()
    assert ours.title == "Ours"
