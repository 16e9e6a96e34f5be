"""The table of operations, row by row, and everything that must not trigger."""

from functools import partial

import pytest

from integrations.engine.references import store_reference
from integrations.inbound import operations
from integrations.models import GroupBinding, ProcessRun
from integrations.triggers import TABLE
from tickets import actions
from tickets.actors import Actor
from tickets.events import EventName
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Priority, Visibility

pytestmark = pytest.mark.django_db

FILE = actions.FileContent("photo.jpg", b"JPEG")


@pytest.fixture
def task(desk, partner):
    """A task at the partner, who has acknowledged it as A-1; the runs so far are forgotten."""
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    ProcessRun.objects.all().delete()
    return task


def bring_to(task, phase, desk, partner):
    """Let the task reach the phase on the usual way: the solution comes from the partner."""
    if phase == Phase.ESCALATE:
        return actions.escalate_task(actor=desk.by_agent, task=task)
    if phase in (Phase.REVIEW, Phase.CLOSE):
        operations.reassign(system=partner.system, task=task, solution="New toner")
        task.refresh_from_db()
    if phase == Phase.CLOSE:
        task = actions.accept_solution(actor=desk.by_end_user, task=task)
    return task


def propose(d, p, t, code="fulfilled"):
    return actions.propose_solution(actor=d.by_agent, task=t, solution="Water", completion_code=code)


def close(d, p, t, code="fulfilled"):
    return actions.close_task(actor=d.by_agent, task=t, solution="Water", completion_code=code)


def change(d, p, t, **values):
    return actions.change_task(actor=d.by_agent, task=t, **values)


# What brings each event about; the phase before it, where that is not the phase after it.
CAUSES = {
    EventName.TASK_ASSIGNED: lambda d, p, t: actions.assign_task(actor=d.by_agent, task=t, group=p.group),
    EventName.TASK_REOPENED: lambda d, p, t: actions.reopen_task(actor=d.by_agent, task=t, reason="Again"),
    EventName.SOLUTION_DECLINED: lambda d, p, t: actions.decline_solution(actor=d.by_end_user, task=t, reason="No"),
    EventName.NOTE_ADDED: lambda d, p, t: actions.add_note(actor=d.by_agent, ticket=t.ticket, task=t, body="Hello"),
    EventName.ATTACHMENT_ADDED: lambda d, p, t: actions.attach(
        actor=d.by_agent, ticket=t.ticket, task=t, content=FILE
    ),
    EventName.SOLUTION_ACCEPTED: lambda d, p, t: actions.accept_solution(actor=d.by_end_user, task=t),
    EventName.SOLUTION_PROPOSED: propose,
    EventName.TASK_CLOSED: close,
    EventName.TASK_CHANGED: partial(change, solution="More water"),
    EventName.TICKET_CHANGED: lambda d, p, t: actions.change_ticket(
        actor=d.by_agent,
        ticket=t.ticket,
        priority=Priority.objects.create(code="p1", name="High", rank=1),
    ),
}
BEFORE = {
    EventName.TASK_REOPENED: Phase.CLOSE,
    EventName.SOLUTION_DECLINED: Phase.REVIEW,
    EventName.SOLUTION_PROPOSED: Phase.REVIEW,
    EventName.SOLUTION_ACCEPTED: Phase.REVIEW,
    EventName.TASK_CLOSED: Phase.INITIAL_SUPPORT,
}
# These always lead to initial support, so that there is no way for them to end in escalate.
ROWS = [
    (row, phase)
    for row in TABLE
    for phase in row.phases
    if not (row.event in (EventName.TASK_REOPENED, EventName.SOLUTION_DECLINED) and phase == Phase.ESCALATE)
]


def bring_about(row, desk, partner, task):
    """What the row is about, with the completion code that it asks for."""
    if not row.code:
        return CAUSES[row.event](desk, partner, task)
    if row.event == EventName.TASK_CHANGED:
        return change(desk, partner, task, completion_code=row.code)
    return CAUSES[row.event](desk, partner, task, row.code)


@pytest.mark.parametrize(("row", "phase"), ROWS, ids=[f"{row.event}-{phase}-{row.operation}" for row, phase in ROWS])
def test_each_row_of_the_table_gives_its_one_operation(row, phase, desk, partner, task):
    bindings = {name: f"{name}_process" for name in ("assignment", "update", "closure", "rejection")}
    for name, field in bindings.items():
        process = partner.process.__class__.objects.create(name=f"Only {name}")
        setattr(partner.binding, field, process)
    partner.binding.save()
    if row.levels:
        partner.system.level = row.levels[0]
        partner.system.save()
    task = bring_to(task, BEFORE.get(row.event, phase), desk, partner)
    ProcessRun.objects.all().delete()
    bring_about(row, desk, partner, task)
    run = ProcessRun.objects.get()
    task.refresh_from_db()
    assert task.phase == phase
    assert (run.request_type, run.operation, run.direction) == (row.request_type, row.operation, "Out")
    assert run.snapshot["event"]["request_type"] == row.request_type
    assert run.snapshot["event"]["operation"] == row.operation
    assert run.version.process.name == f"Only {row.binding}"
    assert (run.stream.task, run.stream.system, run.group) == (task, partner.system, partner.group)


def test_every_event_of_the_table_is_caused_above():
    assert {row.event for row in TABLE} == set(CAUSES)


def test_the_first_assignment_has_no_number_yet(desk, partner):
    desk.task(partner.group)
    run = ProcessRun.objects.get()
    assert (run.request_type, run.operation) == ("Submit Request", "assign")


def test_assigned_again_from_review_it_is_a_reopen(desk, partner, task):
    task = bring_to(task, Phase.REVIEW, desk, partner)
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    assert ProcessRun.objects.get().operation == "reopen"


def test_a_declined_solution_without_a_process_of_its_own_takes_that_for_updates(desk, partner, task):
    task = bring_to(task, Phase.REVIEW, desk, partner)
    CAUSES[EventName.SOLUTION_DECLINED](desk, partner, task)
    run = ProcessRun.objects.get()
    assert (run.version.process, run.snapshot["event"]["text"]) == (partner.process, "No")


def test_closing_the_ticket_closes_each_of_its_tasks_once(desk, partner, other_partner, task):
    store_reference(task=desk.task(other_partner.group, task.ticket), system=other_partner.system, value="G-1")
    ProcessRun.objects.all().delete()
    actions.close_ticket(actor=desk.by_agent, ticket=task.ticket, solution="Water")
    assert sorted(ProcessRun.objects.values_list("operation", "stream__system__code")) == [
        ("close", "acme"),
        ("close", "globex"),
    ]


def test_a_ticket_that_the_other_desk_has_raised_is_closed_there_too(desk, partner):
    receipt = operations.create(
        system=partner.system, reference="P-1", title="Their ticket", contact_email="emil@customer.test"
    )
    task = desk.contact.tickets.get(number=receipt.ticket).tasks.get()
    assert not ProcessRun.objects.exists()
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    assert not ProcessRun.objects.exists()
    actions.close_task(actor=desk.by_agent, task=task, solution="Done")
    run = ProcessRun.objects.get()
    assert (run.request_type, run.operation, run.stream.system) == ("Closed", "close", partner.system)


QUIET = {
    "a change of the title": lambda d, p, t: actions.change_task(actor=d.by_agent, task=t, title="Other"),
    "a change of the ticket": lambda d, p, t: actions.change_ticket(actor=d.by_agent, ticket=t.ticket, title="Other"),
    "escalating": lambda d, p, t: actions.escalate_task(actor=d.by_agent, task=t),
    "an internal note": lambda d, p, t: actions.add_note(
        actor=d.by_agent, ticket=t.ticket, task=t, body="x", visibility=Visibility.INTERNAL
    ),
    "an internal file": lambda d, p, t: actions.attach(
        actor=d.by_agent, ticket=t.ticket, task=t, content=FILE, visibility=Visibility.INTERNAL
    ),
    "a note of the portal": lambda d, p, t: actions.add_note(actor=Actor.system(), ticket=t.ticket, task=t, body="x"),
    "a remark": lambda d, p, t: actions.add_remark(actor=d.by_agent, ticket=t.ticket, task=t, text="x"),
    "another task of the ticket": lambda d, p, t: d.task(d.service_desk, t.ticket),
    "their update": lambda d, p, t: operations.update(system=p.system, task=t, text="x", files=(FILE,)),
    "their solution": lambda d, p, t: operations.reassign(system=p.system, task=t, solution="x"),
    "their rejection": lambda d, p, t: operations.reassign(system=p.system, task=t, status="rejected"),
    "their acknowledgement": lambda d, p, t: operations.acknowledge(system=p.system, task=t, reference="A-1"),
}


@pytest.mark.parametrize("what", QUIET)
def test_nothing_is_sent_for(what, desk, partner, task):
    QUIET[what](desk, partner, task)
    assert not ProcessRun.objects.exists()


def test_a_group_without_the_marker_triggers_nothing(desk, partner):
    GroupBinding.objects.update(integrated=False)
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="x")
    actions.close_task(actor=desk.by_agent, task=task)
    assert not ProcessRun.objects.exists()


def test_a_solution_from_elsewhere_that_is_declined_is_not_told_to_the_desk(desk, partner, task):
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Ours")
    actions.decline_solution(actor=desk.by_end_user, task=task, reason="No")
    assert ProcessRun.objects.get().operation == "accept", "told when it was taken back, and nothing since"


def test_what_one_desk_causes_goes_to_the_other_one(desk, partner, other_partner):
    """The task came to acme from globex's group, which owns it; acme's rejection gives it back to globex."""
    task = actions.create_task(
        actor=desk.by_agent, ticket=desk.ticket(), group=partner.group, owning_group=other_partner.group
    )
    ProcessRun.objects.all().delete()
    operations.reassign(system=partner.system, task=task, status="rejected", solution="Not ours")
    assert list(ProcessRun.objects.values_list("operation", "stream__system__code")) == [("assign", "globex")]


@pytest.mark.parametrize(
    ("field", "cause", "request_type"),
    [
        ("assignment_process", EventName.TASK_ASSIGNED, "Submit Request"),
        ("update_process", EventName.NOTE_ADDED, "Update"),
        ("closure_process", EventName.TASK_CLOSED, "Closed"),
    ],
)
def test_an_event_without_a_process_is_written_to_the_history(desk, partner, task, field, cause, request_type):
    GroupBinding.objects.update(**{field: None})
    CAUSES[cause](desk, partner, task)
    assert not ProcessRun.objects.exists()
    remark = task.ticket.history.filter(event="remark").latest("pk").text
    assert f"no process is bound for this: {request_type}" in remark
    assert str(AssignmentGroup.objects.get(pk=partner.group.pk)) in remark


@pytest.mark.parametrize(("level", "runs"), [("", 0), ("log_only", 0), ("status_sync", 1), ("full", 1)])
def test_of_the_ticket_itself_only_desks_learn_whose_values_are_synchronised(level, runs, desk, partner, task):
    partner.system.level = level
    partner.system.save()
    urgent = Priority.objects.create(code="p1", name="High", rank=1)
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, priority=urgent)
    assert ProcessRun.objects.count() == runs
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, title="Another title")
    assert ProcessRun.objects.count() == 2 * runs
    theirs = Actor.external(key=partner.system.actor_key, name="Acme")
    actions.change_ticket(actor=theirs, ticket=task.ticket, priority=desk.priority, title="Theirs")
    assert ProcessRun.objects.count() == 2 * runs


@pytest.fixture
def urgent():
    """Another priority than that of the tickets."""
    return Priority.objects.create(code="p1", name="High", rank=1)


def runs_after(run):
    return ProcessRun.objects.filter(pk__gt=run.pk).order_by("pk")


def test_a_closed_ticket_is_not_changed_there(desk, partner, task, urgent):
    partner.system.level = "full"
    partner.system.save()
    task = bring_to(task, Phase.CLOSE, desk, partner)
    last = ProcessRun.objects.latest("pk")
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, priority=urgent)
    assert not runs_after(last)


@pytest.mark.parametrize("level", ["", "log_only", "full"])
@pytest.mark.parametrize("away", ["closed", "with others"])
def test_a_priority_that_changed_while_the_desk_was_not_told_follows_when_it_works_again(
    level, away, desk, partner, urgent
):
    partner.system.level = level
    partner.system.save()
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    if away == "closed":
        task = bring_to(task, Phase.CLOSE, desk, partner)
    else:
        task = actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, priority=urgent)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hello")
    last = ProcessRun.objects.latest("pk")
    task.refresh_from_db()
    if away == "closed":
        actions.reopen_task(actor=desk.by_agent, task=task, reason="Again")
    else:
        actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    runs = runs_after(last)
    again = "reopen" if away == "closed" else "assign"
    follows = ["update"] if level == "full" else []
    assert [run.operation for run in runs] == [again, *follows]
    assert [run.snapshot["event"]["text"] for run in runs][1:] == [""] * len(follows)


def test_nothing_follows_a_reopening_where_the_desk_knows_it_all(desk, partner):
    partner.system.level = "full"
    partner.system.save()
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    task = bring_to(task, Phase.CLOSE, desk, partner)
    last = ProcessRun.objects.latest("pk")
    actions.reopen_task(actor=desk.by_agent, task=task, reason="Again")
    assert [run.operation for run in runs_after(last)] == ["reopen"]
