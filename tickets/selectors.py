"""What a person may see of the desk, and how it is said to them."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.actors import Actor
from tickets.events import EventName
from tickets.lifecycle import OPEN_STATUSES, CompletionCode, Phase, TicketStatus
from tickets.models import (
    AssignmentGroup,
    History,
    LinkKind,
    Member,
    MemberRole,
    OwnCompletionCode,
    Task,
    Ticket,
    Visibility,
)
from tickets.panels import is_with_partner, partner_relations
from tickets.timeline import PUBLIC_EVENTS, TimelineEntry, timeline

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Standing(models.TextChoices):
    """What a ticket's status and tasks come to, for the people who wait for it."""

    RECEIVED = "received", _("Received")
    WORKED_ON = "worked_on", _("Being worked on")
    WITH_PARTNER = "with_partner", _("With our partner")
    PARTLY_SOLVED = "partly_solved", _("Partly solved: please check the solution")
    SOLVED = "solved", _("Solved: please check the solution")
    ON_HOLD = "on_hold", _("On hold")
    CLOSED = "closed", _("Closed")
    MERGED = "merged", _("Continued in another ticket")
    WITHDRAWN = "withdrawn", _("Withdrawn")


# Statuses in which a ticket is no longer shown to its contact.
HIDDEN = (TicketStatus.DELETED, TicketStatus.SPAM)


def with_tasks(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """The tickets with all that a list or page says about them, in a constant number of queries.

    `ticket.tasks.all()` is then in memory, fit for `status_words` and `solution_to_judge`.
    """
    tasks = Task.objects.select_related("group", "solved_by_group", "assignee", *partner_relations()).order_by("pk")
    return tickets.select_related("contact__organisation", "priority", "queue", "category").prefetch_related(
        Prefetch("tasks", queryset=tasks)
    )


def tickets_of(user: "User | AnonymousUser") -> QuerySet[Ticket]:
    """The tickets that the user may read as their contact or as a contact who follows them, newest first; none for
    who is not signed in. What a follower may do with them is less: `views.status`."""
    if not user.is_authenticated:
        return Ticket.objects.none()
    followed = Member.objects.filter(role=MemberRole.FOLLOWER, ended_at=None, contact__user=user)
    readable = Ticket.objects.filter(Q(contact__user=user) | Q(pk__in=followed.values("ticket")))
    return with_tasks(readable.exclude(status__in=HIDDEN))


def is_contact(user: "User | AnonymousUser", ticket: Ticket) -> bool:
    """Whether the ticket is the user's own, not one that they follow. Loaded by `with_tasks`, it needs no query."""
    return user.is_authenticated and ticket.contact is not None and ticket.contact.user_id == user.pk


def continuing_ticket(user: "User | AnonymousUser", ticket: Ticket) -> Ticket | None:
    """What a merged ticket goes on in, if the user may read it."""
    if ticket.status != TicketStatus.MERGED:
        return None
    return tickets_of(user).filter(links_here__ticket=ticket, links_here__kind=LinkKind.MERGED).first()


def visible_ticket(user: "User | AnonymousUser", number: str) -> Ticket:
    """One ticket of `tickets_of`; `Ticket.DoesNotExist` for a missing one and for another's alike."""
    return tickets_of(user).get(number=number)


def public_timeline(ticket: Ticket, *, unread: Collection[str] = ()) -> list[TimelineEntry]:
    """What the ticket's contact may read, oldest first: public notes and files, solutions, closing. Never internal,
    and no words of the actors `unread` (see `panels.ContactLimits`).

    The first entry (`ticket_created`) has the ticket's description as its text. Three queries, however long it is.
    """
    shown: list[TimelineEntry] = []
    solutions: set[tuple[int | None, str]] = set()
    for entry in timeline(ticket, visibilities=[Visibility.PUBLIC], events=PUBLIC_EVENTS, unread=unread):
        said = (entry.task.pk if entry.task else None, entry.text)
        if entry.kind == EventName.SOLUTION_PROPOSED:
            solutions.add(said)
        # A task closed by hand is of interest to the contact only for a solution that they have not read yet.
        if entry.kind == EventName.TASK_CLOSED and (not entry.text or said in solutions):
            continue
        if entry.kind == EventName.SOLUTION_ACCEPTED or (
            entry.kind == EventName.TICKET_REOPENED and entry.changes[0].actor_key in unread
        ):
            entry.text = ""
        shown.append(entry)
    return shown


def solution_to_judge(ticket: Ticket) -> Task | None:
    """The task whose solution waits to be accepted or declined: the one that waits first, or None."""
    if ticket.is_closed:
        return None
    return next((task for task in ticket.tasks.all() if task.phase == Phase.REVIEW and task.solution), None)


def standing(ticket: Ticket, tasks: Iterable[Task]) -> Standing:
    """Where the ticket is for those who wait for it. Loaded by `with_tasks`, tasks need no further query."""
    match ticket.status:
        case TicketStatus.CLOSED:
            return Standing.CLOSED
        case TicketStatus.DELETED | TicketStatus.SPAM:
            return Standing.WITHDRAWN
        case TicketStatus.MERGED:
            return Standing.MERGED
        case TicketStatus.ON_HOLD:
            return Standing.ON_HOLD
    open_tasks = [task for task in tasks if not task.is_closed]
    in_review = [task for task in open_tasks if task.phase == Phase.REVIEW]
    if in_review:
        return Standing.SOLVED if len(in_review) == len(open_tasks) else Standing.PARTLY_SOLVED
    if any(is_with_partner(task) for task in open_tasks):
        return Standing.WITH_PARTNER
    if any(task.group_id for task in open_tasks):
        return Standing.WORKED_ON
    return Standing.RECEIVED


def status_words(ticket: Ticket, tasks: Iterable[Task]) -> str:
    """`standing` in words for people."""
    return str(standing(ticket, tasks).label)


def completion_codes() -> list[tuple[str, str]]:
    """Every completion code and its name: the four fixed ones, then the administrators' own."""
    own = OwnCompletionCode.objects.values_list("code", "name")
    return [*((code.value, str(code.label)) for code in CompletionCode), *own]


def is_overdue(ticket: Ticket) -> bool:
    """Whether its deadline has passed while something is still to happen."""
    return ticket.deadline_at is not None and ticket.deadline_at < timezone.now() and ticket.status in OPEN_STATUSES


def last_change(ticket: Ticket) -> int:
    """A number that grows with everything that happens to the ticket, its tasks and its conversation: one query."""
    return History.objects.filter(ticket=ticket).aggregate(last=Max("pk"))["last"] or 0


def own_group(actor: Actor, *, other_than: AssignmentGroup | None) -> AssignmentGroup | None:
    """The group that a task which this agent gives away comes back to: the first that the agent is a member of."""
    if actor.user_id is None:
        return None
    groups = AssignmentGroup.objects.filter(members=actor.user_id)
    if other_than is not None:
        groups = groups.exclude(pk=other_than.pk)
    return groups.order_by("name").first()
