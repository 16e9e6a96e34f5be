"""What must hold, whatever chance does: after every step (`check`), from one step to the next (`check_step`), and
after what has a row in a table of its own."""

import itertools
from dataclasses import dataclass
from typing import Final

from integrations.models import Direction, ExternalReference, ProcessRun
from tickets.lifecycle import (
    SHELVED,
    TASKS_FOLLOW,
    TICKET_FOLLOWS,
    Phase,
    TasksThen,
    TicketStatus,
    TicketThen,
    tasks_are,
)
from tickets.models import History, Link, Member, MemberRole, Note, Task, Ticket

# Status -> what alone may end it. By hand, all but Merged may be left for what the table of statuses says.
LEFT_BY: Final = {
    TicketStatus.MERGED: set(),
    TicketStatus.DELETED: {"set status"},
    TicketStatus.SPAM: {"set status"},
    TicketStatus.CLOSED: {"set status", "move: reopen", "write", "their update", "they reopen"},
}
# What a desk sends -> the phase afterwards, of a task that is not closed and not at another desk; None: as before.
PHASE_AFTER: Final = {
    "acknowledge": None,
    "update": None,
    "assign": Phase.INITIAL_SUPPORT,
    "reopen": Phase.INITIAL_SUPPORT,
    "reject": Phase.INITIAL_SUPPORT,
    "resolve": Phase.REVIEW,
    "reassign": Phase.REVIEW,
    "cancel": Phase.REVIEW,
    "close": Phase.CLOSE,
}
TICKET_FIELDS: Final = ("status", "own_status", "last_open_status", "contact", "title", "on_hold_comment")
TASK_FIELDS: Final = (
    "phase", "group", "owning_group", "solved_by_group", "solution", "completion_code",
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """Every ticket and task as it is, and how far the history goes."""

    tickets: dict[int, Ticket]
    tasks: dict[int, Task]
    last_history: int

    @classmethod
    def now(cls) -> "State":
        """Read from the database."""
        tickets = Ticket.objects.select_related("own_status", "last_open_status", "contact")
        tasks = Task.objects.select_related("group", "owning_group", "solved_by_group")
        last = History.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        return cls(tickets.in_bulk(), tasks.in_bulk(), last)


def check_step(name: str, before: State, after: State) -> None:
    """What this step has done to the tickets and tasks that there were before."""
    rows = {
        (row.task_id or -row.ticket_id, row.field, row.new)
        for row in History.objects.filter(pk__gt=before.last_history)
    }
    for pk, old in before.tickets.items():
        new = after.tickets[pk]
        if new.status != old.status:
            by = LEFT_BY.get(TicketStatus(old.status))
            assert by is None or name in by, f"{name} ends {old.get_status_display()}"
            entered = {TicketStatus.MERGED: "merge", **dict.fromkeys((*SHELVED, TicketStatus.ON_HOLD), "set status")}
            assert entered.get(TicketStatus(new.status), name) == name, f"{name} leads to {new.get_status_display()}"
            returned = new.status == TicketStatus.OPEN and name != "set status"
            assert not returned or new.own_status == old.last_open_status, "back to the last open status"
        for field in TICKET_FIELDS:
            _check_told((-pk, field), getattr(old, field), getattr(new, field), rows)
    for pk, task in before.tasks.items():
        for field in TASK_FIELDS:
            _check_told((pk, field), getattr(task, field), getattr(after.tasks[pk], field), rows)


def _check_told(key: tuple[int, str], old: object, new: object, rows: set[tuple[int, str, str]]) -> None:
    said = "" if new is None else str(new)
    assert old == new or (*key, said) in rows, f"the history does not say that {key[1]} became {said!r}"


def tasks_of(ticket: Ticket) -> list[Task]:
    """Its tasks as they are, the one that was closed last at the end."""
    return sorted(Task.objects.filter(ticket=ticket), key=lambda t: (t.is_closed, t.closed_at or t.created_at, t.pk))


def check_tasks_followed(before: int, after: int, old: list[Task], new: list[Task]) -> None:
    """The ticket's status was set by hand, and its tasks went along by the table alone."""
    then = TASKS_FOLLOW.get((before, after))
    phases = {task.pk: task.phase for task in old}
    if then in (TasksThen.CLOSED, TasksThen.WITHDRAWN):
        phases = dict.fromkeys(phases, Phase.CLOSE)
    if then == TasksThen.LAST_REOPENED and old and old[-1].is_closed:
        phases[old[-1].pk] = Phase.INITIAL_SUPPORT
    assert {task.pk: task.phase for task in new} == phases
    if then == TasksThen.WITHDRAWN:
        assert all(
            task.completion_code == "withdrawn_by_user" for task in new for t in old if t == task and not t.is_closed
        )


def check_operation(name: str, task: Task, *, elsewhere: bool, changed: bool) -> None:
    """Another desk has sent this operation for the task, which is given as it was before."""
    after = Task.objects.select_related("ticket").get(pk=task.pk)
    expected = PHASE_AFTER[name]
    reopens = name == "reopen" and after.ticket.status not in SHELVED
    if expected is None or elsewhere or not changed or (task.is_closed and not reopens):
        expected = Phase(task.phase)
    assert after.phase == expected, f"{name} leads from {task.phase} to {after.phase}"


def check_followed(ticket: Ticket, status: int, before: str, after: str) -> None:
    """The ticket, which had this status, went with its task from one phase to the other, by the table alone."""
    are = tasks_are(list(ticket.tasks.values_list("phase", flat=True)))
    then = TICKET_FOLLOWS.get((status, are)) if are and before != after else None
    if then == TicketThen.LAST_OPEN and before not in (Phase.REVIEW, Phase.CLOSE):
        then = None
    expected = {
        TicketThen.CLOSED: TicketStatus.CLOSED,
        TicketThen.AWAITING_EXTERNAL: TicketStatus.AWAITING_EXTERNAL,
        TicketThen.LAST_OPEN: TicketStatus.OPEN,
        None: status,
    }
    assert ticket.status == expected[then], f"{before} to {after}: {ticket.get_status_display()}"


def check() -> None:
    """What holds after every step, whatever was done."""
    members = list(Member.objects.all())
    for ticket in Ticket.objects.select_related("own_status", "last_open_status").prefetch_related("tasks"):
        _check_members(ticket, [member for member in members if member.ticket_id == ticket.pk])
        assert ticket.own_status.status == ticket.status, "status and own status agree"
        assert ticket.last_open_status.status == TicketStatus.OPEN
        assert (ticket.closed_at is not None) == (ticket.status == TicketStatus.CLOSED)
        tasks = list(ticket.tasks.all())
        if ticket.status in (TicketStatus.CLOSED, *SHELVED):
            assert all(task.phase == Phase.CLOSE for task in tasks), "phase and status are in step"
        if ticket.status == TicketStatus.MERGED:
            assert not tasks
            assert Link.objects.filter(ticket=ticket, kind="merged").count() == 1
        for task in tasks:
            assert (task.closed_at is not None) == (task.phase == Phase.CLOSE)
    _check_references()
    _check_history()
    for run in ProcessRun.objects.filter(direction=Direction.OUT).select_related("note", "stream__system"):
        if run.note is not None:
            assert run.note.actor_key != run.stream.system.actor_key, "no echo"
            may_leave = run.stream.system.code == "globex" or run.note.visibility == "public"
            assert may_leave, "internal notes leave only where the administrator says so"


def _check_members(ticket: Ticket, members: list[Member]) -> None:
    active = [member for member in members if member.is_active]
    assert len([member for member in active if member.role == MemberRole.ASSIGNED]) <= 1
    contacts = [member.contact_id for member in active if member.role == MemberRole.CONTACT]
    assert contacts == ([ticket.contact_id] if ticket.contact_id else [])


def _check_references() -> None:
    rows = list(ExternalReference.objects.values_list("system", "value", "task"))
    assert len({row[:2] for row in rows}) == len(rows), "a number belongs to one task"
    assert len({(row[0], row[2]) for row in rows}) == len(rows), "a task has one number at a desk"


def _check_history() -> None:
    """Each value that a field had follows from the one before, up to the one that it has now."""
    chains: dict[tuple[str, int, str], list[History]] = {}
    for row in History.objects.exclude(field="").order_by("pk"):
        key = ("task", row.task_id, row.field) if row.task_id else ("ticket", row.ticket_id, row.field)
        chains.setdefault(key, []).append(row)
    tasks, tickets = Task.objects.in_bulk(), Ticket.objects.in_bulk()
    for (kind, pk, name), rows in chains.items():
        record = tasks[pk] if kind == "task" else tickets[pk]
        if name not in (*TICKET_FIELDS, *TASK_FIELDS):
            continue
        for earlier, later in itertools.pairwise(rows):
            assert earlier.new == later.old, f"{name} of {record}: {earlier.new} is followed by {later.old}"
        now = getattr(record, name)
        assert rows[-1].new == ("" if now is None else str(now)), f"the last known {name} of {record}"
    for task in tasks.values():
        assert task.phase == Phase.INITIAL_SUPPORT or ("task", task.pk, "phase") in chains
    for ticket in tickets.values():
        assert ticket.status == TicketStatus.OPEN or ("ticket", ticket.pk, "status") in chains


def notes_by_people() -> int:
    """Notes that agents and end users have written."""
    return Note.objects.filter(actor_kind__in=["agent", "end_user"]).count()
