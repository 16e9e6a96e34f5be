"""Everything that agents, end users and other desks may do to tickets, for tests that let chance decide what.

What is refused is refused with a reason and has changed nothing; what must hold after every step is in `check`.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.inbound import operations
from integrations.inbound.messages import Comment
from integrations.inbound.problems import Refused
from integrations.models import Direction, ExternalReference, ExternalSystem, ProcessRun
from integrations.visibility import tasks_visible_to
from tests.cast import Desk, Partner, make_desk, make_partner
from tickets import actions
from tickets.errors import ActionRefused, TransitionRefused
from tickets.lifecycle import (
    OPEN_STATUSES,
    SHELVED,
    STATUS_TRANSITIONS,
    TASK_TRANSITIONS,
    TICKET_FOLLOWS,
    CompletionCode,
    Phase,
    TaskMove,
    TicketStatus,
    TicketThen,
    tasks_are,
)
from tickets.models import (
    AssignmentGroup,
    Contact,
    History,
    Link,
    Member,
    MemberRole,
    Note,
    OwnStatus,
    PropertyDefinition,
    Task,
    Ticket,
)

T = TypeVar("T")


class Draw(Protocol):
    """Chance."""

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""


@dataclass
class Cast:
    """Who takes part: our desk, two other desks, statuses and a property of the administrators."""

    desk: Desk
    partners: list[Partner]
    second_agent: User
    groups: list[AssignmentGroup] = field(default_factory=list)

    @classmethod
    def make(cls) -> "Cast":
        """Written to the database."""
        desk = make_desk()
        partners = [make_partner("acme", "http://acme.test"), make_partner("globex", "http://globex.test")]
        # Chance writes more a minute than people do.
        ExternalSystem.objects.update(bounce_limit=30_000)
        OwnStatus.objects.create(code="in-progress", name="In progress", status=TicketStatus.OPEN)
        OwnStatus.objects.create(code="with-vendor", name="With vendor", status=TicketStatus.AWAITING_EXTERNAL)
        PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
        other = User.objects.create_user("bob", "bob@desk.test", "agent-password", is_staff=True)
        groups = [desk.service_desk, *(partner.group for partner in partners)]
        return cls(desk, partners, other, groups)


class Life:
    """One run of chance. `step` does one thing; it returns whether it was done or refused.

    Who is `alone` knows what must come of it; with others at work, the record may have moved on since it was chosen.
    """

    def __init__(self, cast: Cast, draw: Draw, *, alone: bool = True) -> None:
        self.cast, self.draw, self.alone = cast, draw, alone
        self.notes_added = 0

    def step(self, name: str) -> bool:
        """Do it, in one transaction; what is refused leaves no trace. Unforeseen errors pass."""
        try:
            with transaction.atomic():
                ACTIONS[name](self)
        except (ActionRefused, Refused) as refusal:
            assert str(refusal).strip(), "a reason that a person can read"
            return False
        return True

    def ticket(self) -> Ticket:
        """Any ticket."""
        tickets = list(Ticket.objects.order_by("pk"))
        return self.draw.pick(tickets) if tickets else raise_ticket(self)

    def task(self) -> Task:
        """Any task."""
        tasks = list(Task.objects.select_related("ticket").order_by("pk"))
        return self.draw.pick(tasks) if tasks else add_task(self)

    def actor(self) -> Any:
        """An agent or the contact."""
        return self.draw.pick([self.cast.desk.by_agent, self.cast.desk.by_end_user])


def raise_ticket(life: Life) -> Ticket:
    """By an agent or a contact."""
    contact = life.draw.pick([life.cast.desk.contact, None])
    return actions.create_ticket(actor=life.actor(), title="The printer is on fire", contact=contact)


def raise_from_outside(life: Life) -> None:
    """By another desk, perhaps with a number that is known."""
    partner = life.draw.pick(life.cast.partners)
    number = f"N-{life.draw.pick(range(6))}"
    operations.create(system=partner.system, reference=number, title="Theirs")


def add_task(life: Life) -> Task:
    """With or without a group."""
    group = life.draw.pick([*life.cast.groups, None])
    return actions.create_task(
        actor=life.cast.desk.by_agent, ticket=life.ticket(), group=group, owning_group=life.cast.desk.service_desk
    )


def move(name: TaskMove) -> Callable[[Life], None]:
    """One of the moves of a task, by whoever makes it; exactly what the table allows is allowed."""

    def do(life: Life) -> None:
        task, actor = life.task(), life.actor()
        before, status, shelved = task.phase, task.ticket.status, task.ticket.status in SHELVED
        text = life.draw.pick(["Water", "More water"])
        code = life.draw.pick(list(CompletionCode))
        calls: dict[TaskMove, Callable[[], Task]] = {
            TaskMove.ASSIGN: lambda: actions.assign_task(
                actor=actor, task=task, group=life.draw.pick(life.cast.groups)
            ),
            TaskMove.ESCALATE: lambda: actions.escalate_task(actor=actor, task=task),
            TaskMove.PROPOSE: lambda: actions.propose_solution(
                actor=actor, task=task, solution=text, completion_code=code
            ),
            TaskMove.ACCEPT: lambda: actions.accept_solution(actor=actor, task=task),
            TaskMove.DECLINE: lambda: actions.decline_solution(actor=actor, task=task, reason=text),
            TaskMove.CLOSE: lambda: actions.close_task(actor=actor, task=task, solution=text, completion_code=code),
            TaskMove.REOPEN: lambda: actions.reopen_task(actor=actor, task=task, reason=text),
        }
        try:
            after = calls[name]()
        except TransitionRefused:
            allowed = (before, name) in TASK_TRANSITIONS and not shelved
            assert not (life.alone and allowed), f"{name} is allowed in {before}"
            raise
        if not life.alone:
            return
        assert after.phase == TASK_TRANSITIONS[before, name], f"{name} in {before}"
        check_followed(Ticket.objects.get(pk=task.ticket_id), status, before, after.phase)

    return do


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


def change_task(life: Life) -> None:
    """What a task says."""
    values: dict[str, Any] = life.draw.pick(
        [
            {"solution": "Rain"},
            {"completion_code": life.draw.pick(list(CompletionCode))},
            {"expected_resolution_at": timezone.now() + timedelta(hours=1)},
            {"title": "Other"},
        ]
    )
    actions.change_task(actor=life.cast.desk.by_agent, task=life.task(), **values)


def change_ticket(life: Life) -> None:
    """What a ticket says."""
    contact = life.draw.pick(list(Contact.objects.order_by("pk")))
    values: dict[str, Any] = life.draw.pick([{"title": f"Title {life.draw.pick(range(9))}"}, {"contact": contact}])
    actions.change_ticket(actor=life.cast.desk.by_agent, ticket=life.ticket(), **values)


def set_status(life: Life) -> None:
    """A fixed status, an own one, or two that disagree; exactly what the table allows is allowed."""
    ticket = life.ticket()
    own = life.draw.pick([None, *OwnStatus.objects.order_by("pk")])
    status = life.draw.pick([None, *TicketStatus]) if own else life.draw.pick(list(TicketStatus))
    wanted = status if status is not None else own.status  # type: ignore[union-attr]
    hold = {}
    if wanted == TicketStatus.ON_HOLD:
        hold = {"on_hold_until": timezone.now() + timedelta(hours=1), "on_hold_comment": "Part is ordered"}
    try:
        after = actions.set_status(
            actor=life.cast.desk.by_agent, ticket=ticket, status=status, own_status=own, **hold
        )
    except TransitionRefused:
        allowed = wanted in STATUS_TRANSITIONS[ticket.status]
        assert not (life.alone and allowed), f"{wanted} is allowed after {ticket.status}"
        raise
    assert after.status == wanted
    assert not life.alone or wanted in STATUS_TRANSITIONS[ticket.status]


def release_holds(life: Life) -> None:
    """Time passes."""
    ticket = Ticket.objects.filter(on_hold_until__isnull=False).first()
    if ticket is not None:
        on_hold = Ticket.objects.filter(pk=ticket.pk, status=TicketStatus.ON_HOLD)
        on_hold.update(on_hold_until=timezone.now() - timedelta(seconds=1))
        actions.release_hold(ticket=ticket)


def take_part(life: Life) -> None:
    """Assigned users and followers come and go."""
    ticket, by = life.ticket(), life.cast.desk.by_agent
    agents = [life.cast.desk.agent, life.cast.second_agent]
    active = list(Member.objects.filter(ticket=ticket, role=MemberRole.FOLLOWER, ended_at=None))
    what = life.draw.pick(["assign", "nobody", "follow", "contact follows", "end"])
    if what == "assign":
        actions.set_assigned_user(actor=by, ticket=ticket, user=life.draw.pick(agents))
    elif what == "nobody":
        actions.set_assigned_user(actor=by, ticket=ticket, user=None)
    elif what == "follow":
        actions.add_follower(actor=by, ticket=ticket, user=life.draw.pick(agents))
    elif what == "contact follows":
        actions.add_follower(actor=by, ticket=ticket, contact=life.cast.desk.contact)
    elif active:
        actions.end_follower(actor=by, ticket=ticket, member=life.draw.pick(active))


def label(life: Life) -> None:
    """Tags and a property."""
    by, ticket = life.cast.desk.by_agent, life.ticket()
    actions.set_tags(actor=by, ticket=ticket, names=life.draw.pick([[], ["vip"], ["vip", "fire"]]))
    actions.set_properties(actor=by, ticket=ticket, values={"floor": life.draw.pick([None, 1, "2"])})


def relate(life: Life) -> None:
    """Links come and go."""
    links = list(Link.objects.order_by("pk"))
    if links and life.draw.pick([True, False]):
        actions.unlink_tickets(actor=life.cast.desk.by_agent, link=life.draw.pick(links))
    else:
        kind = life.draw.pick(["sub_case", "related"])
        actions.link_tickets(actor=life.cast.desk.by_agent, ticket=life.ticket(), other=life.ticket(), kind=kind)


def merge(life: Life) -> None:
    """Only open tickets merge."""
    source, target = life.ticket(), life.ticket()
    try:
        actions.merge_tickets(actor=life.cast.desk.by_agent, source=source, target=target)
    except TransitionRefused:
        statuses = Ticket.objects.filter(pk__in=[source.pk, target.pk]).values_list("status", flat=True)
        assert not life.alone or any(status not in OPEN_STATUSES for status in statuses)
        raise


def write(life: Life) -> None:
    """A note on a ticket or a task."""
    task = life.draw.pick([None, life.task()])
    ticket = task.ticket if task else life.ticket()
    actions.add_note(actor=life.actor(), ticket=ticket, task=task, body=life.draw.pick(["Hello", "Is it out?"]))
    life.notes_added += 1


def incoming(name: str, **arguments: Any) -> Callable[[Life], None]:
    """An operation of another desk on a task that it may see; nothing of it goes back there."""

    def do(life: Life) -> None:
        partner = life.draw.pick(life.cast.partners)
        visible = list(tasks_visible_to(partner.system).select_related("ticket").order_by("pk"))
        if not visible:
            return
        task = life.draw.pick(visible)
        sent = ProcessRun.objects.filter(stream__system=partner.system, stream__task=task, direction=Direction.OUT)
        before = set(sent.values_list("pk", flat=True))
        values = {key: value(life) if callable(value) else value for key, value in arguments.items()}
        getattr(operations, name)(system=partner.system, task=task, **values)
        new = [run for run in sent if run.pk not in before and run.snapshot["event"]["actor"] == partner.system.name]
        assert not new, f"an echo of {name}"

    return do


ACTIONS: dict[str, Callable[[Life], Any]] = {
    "raise": raise_ticket,
    "raise from outside": raise_from_outside,
    "add task": add_task,
    **{f"move: {name}": move(name) for name in TaskMove if name != TaskMove.RESUME},
    "change task": change_task,
    "change ticket": change_ticket,
    "set status": set_status,
    "release holds": release_holds,
    "take part": take_part,
    "label": label,
    "relate": relate,
    "merge": merge,
    "write": write,
    "their number": incoming("acknowledge", reference=lambda life: f"N-{life.draw.pick(range(6))}"),
    "their update": incoming(
        "update", comments=lambda life: (Comment(text="We look", created_at=str(life.draw.pick(range(3)))),)
    ),
    "they resolve": incoming("resolve", solution=lambda life: life.draw.pick(["", "Done"])),
    "they close": incoming("close"),
    "they reopen": incoming("reopen"),
    "they assign": incoming("assign"),
    "they reject": incoming("reject"),
    "they cancel": incoming("cancel"),
    "they give back": incoming("reassign", solution="Done", status="ready"),
}


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
        if name not in ("phase", "status", "solution", "completion_code", "title"):
            continue
        for earlier, later in itertools.pairwise(rows):
            assert earlier.new == later.old, f"{name} of {record}: {earlier.new} is followed by {later.old}"
        assert rows[-1].new == str(getattr(record, name)), f"the last known {name} of {record}"
    for task in tasks.values():
        assert task.phase == Phase.INITIAL_SUPPORT or ("task", task.pk, "phase") in chains
    for ticket in tickets.values():
        assert ticket.status == TicketStatus.OPEN or ("ticket", ticket.pk, "status") in chains


def notes_by_people() -> int:
    """Notes that agents and end users have written."""
    return Note.objects.filter(actor_kind__in=["agent", "end_user"]).count()
