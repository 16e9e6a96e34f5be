"""A desk with several groups: which of them has a task goes both ways, and who counts where both have changed it."""

import pytest

from integrations.models import (
    ExternalSystem,
    GroupBinding,
    OperationTemplate,
    ProcessRun,
    Step,
    StepKind,
    ValueMapping,
)
from tests.integrations.synchronising.conftest import look, remarks, send_all, taken
from tickets import actions
from tickets.models import AssignmentGroup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def groups(partner, polling):
    """Three groups of ours for theirs, and a step as the presets have it: the group goes with the assignment."""
    first = GroupBinding.objects.get(group=partner.group)
    found = {"first": partner.group}
    for name in ("second", "third"):
        found[name] = AssignmentGroup.objects.create(name=name, code=name)
        bound = {key: getattr(first, key) for key in ("assignment_process", "update_process", "closure_process")}
        GroupBinding.objects.create(group=found[name], integrated=True, system=partner.system, **bound)
    for name, group in found.items():
        ValueMapping.objects.create(system=partner.system, kind="group", ours=group.code, theirs=f"{name} line")
    assign = OperationTemplate.objects.create(
        system=partner.system,
        name="assign_ticket",
        method="PATCH",
        path="/api/tickets/{{ task.external_id }}",
        body='{"group": "{{ theirs.group }}"}',
        repeat="safe",
    )
    partner.process.steps.update(condition="false")
    Step.objects.create(
        process=partner.process,
        position=90,
        name="assign",
        kind=StepKind.OPERATION,
        operation=assign,
        condition='event.request_type == "Submit Request" and task.external_reference and theirs.group is defined',
    )
    return found


def give(desk, task, group):
    """Our agent gives the task to a group."""
    task.refresh_from_db()
    actions.assign_task(actor=desk.by_agent, task=task, group=group)


def settle(polling, theirs):
    """All that is on its way arrives, and is looked at."""
    for _ in range(3):
        send_all()
        theirs.wait(5)
        look(polling)


def test_a_group_that_we_have_set_there_is_nothing_that_they_have_done(polling, theirs, task, desk, groups):
    give(desk, task, groups["second"])
    settle(polling, theirs)
    assert theirs.tickets["T-1"]["group"] == "second line"
    assert taken() == []
    assert ProcessRun.objects.latest("pk").snapshot["event"]["moved_from"] == groups["first"].code


def test_a_group_that_they_have_set_moves_the_task_and_is_not_sent_back(polling, theirs, task, desk, groups):
    give(desk, task, groups["second"])
    settle(polling, theirs)
    runs = ProcessRun.objects.count()
    theirs.wait(60)
    theirs.change("T-1", group="third line")
    settle(polling, theirs)
    task.refresh_from_db()
    assert task.group == groups["third"]
    assert ProcessRun.objects.count() == runs


@pytest.mark.parametrize(("rule", "name"), [("theirs", "third"), ("ours", "second")])
def test_where_both_have_changed_it_both_have_the_same_afterwards(polling, theirs, task, desk, groups, rule, name):
    ExternalSystem.objects.filter(code="acme").update(conflict_rule=rule)
    give(desk, task, groups["second"])
    theirs.change("T-1", group="third line")
    look(polling)
    settle(polling, theirs)
    task.refresh_from_db()
    assert (task.group, theirs.tickets["T-1"]["group"]) == (groups[name], f"{name} line")
    assert len([remark for remark in remarks(task) if "both sides" in remark]) == 1


def test_ours_is_sent_once_more_where_theirs_came_after_it(polling, theirs, task, desk, groups):
    ExternalSystem.objects.filter(code="acme").update(conflict_rule="ours")
    give(desk, task, groups["second"])
    send_all()
    theirs.wait(60)
    theirs.change("T-1", group="third line")
    settle(polling, theirs)
    task.refresh_from_db()
    assert (task.group, theirs.tickets["T-1"]["group"]) == (groups["second"], "second line")
    assert [remark for remark in remarks(task) if "both sides" in remark]
    assert ProcessRun.objects.latest("pk").snapshot["event"]["moved_from"] == "second"
