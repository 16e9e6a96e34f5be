"""One desk behind two of our groups: each event goes through the group that it concerns."""

import pytest

from integrations.engine.references import store_reference
from integrations.models import GroupBinding, ProcessRun
from tests.cast import Desk, Partner
from tickets import actions
from tickets.models import AssignmentGroup, Task

pytestmark = pytest.mark.django_db


def test_a_solution_goes_through_the_group_that_it_comes_from_though_the_other_group_has_the_task_again(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    other_partner.binding.system = partner.system
    other_partner.binding.save()
    task = actions.create_task(
        actor=desk.by_agent, ticket=desk.ticket(), group=partner.group, owning_group=other_partner.group
    )
    store_reference(task=task, system=partner.system, value="A-1")
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    actions.accept_solution(actor=desk.by_end_user, task=task)
    runs = ProcessRun.objects.order_by("pk").values_list("operation", "group__code")
    assert list(runs) == [
        ("assign", "acme-group"),
        ("update", "acme-group"),
        ("resolve", "acme-group"),
        ("close", "acme-group"),
    ]


def moves(task: Task) -> list[tuple[str, str]]:
    """What went out for assignments: the operation, and the group that had the task so far."""
    runs = ProcessRun.objects.filter(stream__task=task, request_type="Submit Request").order_by("pk")
    return [(run.operation, run.snapshot["event"]["moved_from"]) for run in runs]


def test_only_a_desk_that_goes_on_working_on_a_task_has_had_it_so_far(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    second = AssignmentGroup.objects.create(name="Second line", code="second-line")
    bound = {name: getattr(partner.binding, name) for name in ("assignment_process", "update_process")}
    GroupBinding.objects.create(group=second, integrated=True, system=partner.system, **bound)
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    for group in (second, second, desk.service_desk, partner.group, other_partner.group, second):
        actions.assign_task(actor=desk.by_agent, task=task, group=group)
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    assert moves(task) == [
        ("assign", ""),
        ("assign", "acme-group"),
        ("assign", "second-line"),
        ("assign", ""),
        ("assign", ""),
        ("assign", ""),
        ("reopen", ""),
    ]


def test_a_desk_that_has_never_heard_of_the_task_has_not_had_it(desk: Desk, partner: Partner) -> None:
    second = AssignmentGroup.objects.create(name="Second line", code="second-line")
    GroupBinding.objects.create(
        group=second,
        integrated=True,
        system=partner.system,
        assignment_process=partner.binding.assignment_process,
    )
    task = desk.task(partner.group)
    ProcessRun.objects.update(state="cancelled")
    actions.assign_task(actor=desk.by_agent, task=task, group=second)
    assert moves(task) == [("assign", ""), ("assign", "")]
