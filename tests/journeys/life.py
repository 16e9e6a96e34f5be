"""Everything that agents, end users and other desks may do to tickets, for tests that let chance decide what.

What is refused is refused with a reason and has changed nothing; what must hold is in `invariants`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.engine.references import store_reference
from integrations.inbound import operations
from integrations.inbound.messages import Comment
from integrations.inbound.problems import Refused
from integrations.inbound.receiving import is_at_another_desk
from integrations.models import Direction, ExternalSystem, GroupBinding, ProcessRun
from integrations.visibility import tasks_visible_to
from tests.cast import Desk, Partner, make_desk, make_partner
from tests.journeys.invariants import check_followed, check_operation, check_tasks_followed, tasks_of
from tickets import actions
from tickets.errors import ActionRefused, TransitionRefused
from tickets.lifecycle import (
    OPEN_STATUSES,
    SHELVED,
    STATUS_TRANSITIONS,
    TASK_TRANSITIONS,
    CompletionCode,
    TaskMove,
    TicketStatus,
)
from tickets.models import (
    AssignmentGroup,
    Contact,
    Link,
    Member,
    MemberRole,
    OwnStatus,
    PropertyDefinition,
    Task,
    Ticket,
    Visibility,
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
        in_progress = OwnStatus.objects.create(code="in-progress", name="In progress", status=TicketStatus.OPEN)
        OwnStatus.objects.create(code="with-vendor", name="With vendor", status=TicketStatus.AWAITING_EXTERNAL)
        PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
        other = User.objects.create_user("bob", "bob@desk.test", "agent-password", is_staff=True)
        groups = [desk.service_desk, *(partner.group for partner in partners)]
        # The one is told what others write, also internally; to the other nothing internal ever goes.
        GroupBinding.objects.filter(system=partners[1].system).update(relay=True, send_internal=True)
        # One task of ours and one of theirs, both at the other desk.
        desk.task(partners[0].group)
        operations.create(system=partners[0].system, reference="N-0", title="Theirs")
        theirs = Task.objects.select_related("ticket").latest("pk")
        actions.assign_task(actor=desk.by_agent, task=theirs, group=partners[1].group)
        # What nobody may wake: spam that the other desk still knows, and a ticket that was merged.
        spam = desk.task(partners[0].group)
        store_reference(task=spam, system=partners[0].system, value="N-9")
        actions.set_status(actor=desk.by_agent, ticket=spam.ticket, status=TicketStatus.SPAM)
        waiting = actions.merge_tickets(actor=desk.by_agent, source=desk.ticket(), target=desk.ticket())
        until = timezone.now() + timedelta(hours=1)
        actions.set_status(actor=desk.by_agent, ticket=waiting, own_status=in_progress)
        actions.set_status(actor=desk.by_agent, ticket=waiting, status=TicketStatus.ON_HOLD, on_hold_until=until)
        # And one that is closed with its task.
        actions.close_task(actor=desk.by_agent, task=desk.task(desk.service_desk))
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
    wanted = status if status is not None else own.status
    hold = {}
    if wanted == TicketStatus.ON_HOLD:
        hold = {"on_hold_until": timezone.now() + timedelta(hours=1), "on_hold_comment": "Part is ordered"}
    tasks = tasks_of(ticket)
    try:
        after = actions.set_status(
            actor=life.cast.desk.by_agent, ticket=ticket, status=status, own_status=own, **hold
        )
    except TransitionRefused:
        allowed = wanted in STATUS_TRANSITIONS[ticket.status]
        assert not (life.alone and allowed), f"{wanted} is allowed after {ticket.status}"
        raise
    assert after.status == wanted
    if life.alone:
        assert wanted in STATUS_TRANSITIONS[ticket.status]
        check_tasks_followed(ticket.status, wanted, tasks, tasks_of(ticket))


def release_holds(life: Life) -> None:
    """Time passes, or not enough of it."""
    ticket = Ticket.objects.filter(on_hold_until__isnull=False).first()
    if ticket is None:
        return
    over = life.draw.pick([True, False])
    if over:
        on_hold = Ticket.objects.filter(pk=ticket.pk, status=TicketStatus.ON_HOLD)
        on_hold.update(on_hold_until=timezone.now() - timedelta(seconds=1))
    actions.release_hold(ticket=ticket)
    if life.alone:
        ticket.refresh_from_db()
        assert ticket.status == (TicketStatus.OPEN if over else TicketStatus.ON_HOLD)


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
    visibility = life.draw.pick(list(Visibility))
    body = life.draw.pick(["Hello", "Is it out?"])
    actions.add_note(actor=life.actor(), ticket=ticket, task=task, body=body, visibility=visibility)
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
        elsewhere = is_at_another_desk(task, partner.system)
        told = getattr(operations, name)(system=partner.system, task=task, **values)
        if life.alone:
            check_operation(name, task, elsewhere=elsewhere, changed=told.changed)
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
