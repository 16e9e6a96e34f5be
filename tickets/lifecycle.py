"""Statuses, phases and every allowed transition, as tables."""

from collections.abc import Collection
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.errors import TransitionRefused


class TicketStatus(models.IntegerChoices):
    """The eight fixed statuses, with the numbers of the ITX document."""

    OPEN = 1, _("Open")
    CLOSED = 2, _("Closed")
    AWAITING_EXTERNAL = 3, _("Awaiting external action")
    DELETED = 4, _("Deleted")
    MERGED = 5, _("Merged")
    SPAM = 6, _("Spam")
    AWAITING_INTERNAL = 7, _("Awaiting internal action")
    ON_HOLD = 8, _("On hold")


class Phase(models.TextChoices):
    """How far a task is."""

    INITIAL_SUPPORT = "initial_support", _("Initial support")
    ESCALATE = "escalate", _("Escalate")
    REVIEW = "review", _("Review")
    CLOSE = "close", _("Closed")


class CompletionCode(models.TextChoices):
    """Why a task was ended."""

    FULFILLED = "fulfilled", _("Fulfilled")
    WITHDRAWN = "withdrawn_by_user", _("Withdrawn by user")
    REJECTED = "request_rejected", _("Request rejected")
    ABANDONED = "abandoned_by_user", _("Abandoned by user")


class TaskMove(models.TextChoices):
    """What may be done to a task that changes, or depends on, its phase."""

    ASSIGN = "assign", _("assign")
    ESCALATE = "escalate", _("escalate")
    PROPOSE = "propose", _("propose a solution")
    ACCEPT = "accept", _("accept the solution")
    DECLINE = "decline", _("decline the solution")
    CLOSE = "close", _("close")
    REOPEN = "reopen", _("reopen")
    RESUME = "resume", _("be worked on again at the other desk")


# (phase before, move) -> phase after. What is not in this table is refused.
TASK_TRANSITIONS: Final[dict[tuple[str, str], Phase]] = {
    (Phase.INITIAL_SUPPORT, TaskMove.ASSIGN): Phase.INITIAL_SUPPORT,
    (Phase.INITIAL_SUPPORT, TaskMove.ESCALATE): Phase.ESCALATE,
    (Phase.INITIAL_SUPPORT, TaskMove.PROPOSE): Phase.REVIEW,
    (Phase.INITIAL_SUPPORT, TaskMove.CLOSE): Phase.CLOSE,
    (Phase.ESCALATE, TaskMove.ASSIGN): Phase.ESCALATE,
    (Phase.ESCALATE, TaskMove.PROPOSE): Phase.REVIEW,
    (Phase.ESCALATE, TaskMove.CLOSE): Phase.CLOSE,
    (Phase.REVIEW, TaskMove.ASSIGN): Phase.INITIAL_SUPPORT,
    (Phase.REVIEW, TaskMove.PROPOSE): Phase.REVIEW,
    (Phase.REVIEW, TaskMove.ACCEPT): Phase.CLOSE,
    (Phase.REVIEW, TaskMove.DECLINE): Phase.INITIAL_SUPPORT,
    (Phase.REVIEW, TaskMove.CLOSE): Phase.CLOSE,
    (Phase.REVIEW, TaskMove.REOPEN): Phase.INITIAL_SUPPORT,
    (Phase.INITIAL_SUPPORT, TaskMove.RESUME): Phase.INITIAL_SUPPORT,
    (Phase.ESCALATE, TaskMove.RESUME): Phase.INITIAL_SUPPORT,
    (Phase.REVIEW, TaskMove.RESUME): Phase.INITIAL_SUPPORT,
    (Phase.CLOSE, TaskMove.REOPEN): Phase.INITIAL_SUPPORT,
}


def allowed_moves(phase: str) -> list[TaskMove]:
    """What may be done to a task in this phase, in the order of `TaskMove`."""
    return [move for move in TaskMove if (phase, move) in TASK_TRANSITIONS]


def phase_after(phase: str, move: TaskMove) -> Phase:
    """The phase that a task is in after the move; `TransitionRefused` names what would be allowed."""
    after = TASK_TRANSITIONS.get((phase, move))
    if after is None:
        allowed = ", ".join(str(m.label) for m in allowed_moves(phase))
        raise TransitionRefused(
            _('A task in the phase "%(phase)s" cannot do this: %(move)s. Allowed: %(allowed)s.')
            % {"phase": Phase(phase).label, "move": move.label, "allowed": allowed}
        )
    return after


# Statuses in which something is still to happen, and those in which nothing is.
OPEN_STATUSES: Final = (
    TicketStatus.OPEN,
    TicketStatus.AWAITING_EXTERNAL,
    TicketStatus.AWAITING_INTERNAL,
    TicketStatus.ON_HOLD,
)
SHELVED: Final = (TicketStatus.DELETED, TicketStatus.SPAM)

# Status before -> statuses that may be set by hand. Merged is entered by merging alone, and never left.
STATUS_TRANSITIONS: Final[dict[int, tuple[TicketStatus, ...]]] = {
    **dict.fromkeys(OPEN_STATUSES, (*OPEN_STATUSES, TicketStatus.CLOSED, *SHELVED)),
    TicketStatus.CLOSED: (*OPEN_STATUSES, TicketStatus.CLOSED, *SHELVED),
    TicketStatus.DELETED: (TicketStatus.OPEN, *SHELVED),
    TicketStatus.SPAM: (TicketStatus.OPEN, *SHELVED),
    TicketStatus.MERGED: (),
}

# What returns to the last open status when something comes in from outside: an update, a reopening, a message of the
# contact; never an acknowledgement, a close or a cancel.
WOKEN_BY_UPDATES: Final = (TicketStatus.CLOSED, TicketStatus.AWAITING_EXTERNAL)


class TasksAre(models.TextChoices):
    """What the phases of a ticket's tasks come to."""

    CLOSED = "closed", _("all closed")
    IN_REVIEW = "in_review", _("all that are open are in review")
    WORKED_ON = "worked_on", _("at least one is worked on")


class TicketThen(models.TextChoices):
    """What becomes of the ticket's status."""

    CLOSED = "closed", _("becomes Closed")
    AWAITING_EXTERNAL = "awaiting_external", _("becomes Awaiting external action: the contact is to judge")
    LAST_OPEN = "last_open", _("returns to its last open status")


class TasksThen(models.TextChoices):
    """What becomes of the ticket's tasks."""

    CLOSED = "closed", _("those that are open are closed")
    WITHDRAWN = "withdrawn", _("those that are open are closed as withdrawn by the user")
    LAST_REOPENED = "last_reopened", _("the one that was closed last is reopened")


# A task entered or left review or Closed: (the ticket's status, what its tasks are by now) -> what becomes of it.
# What is not in this table leaves the ticket as it is.
TICKET_FOLLOWS: Final[dict[tuple[int, str], TicketThen]] = {
    **{(status, TasksAre.CLOSED): TicketThen.CLOSED for status in OPEN_STATUSES},
    (TicketStatus.OPEN, TasksAre.IN_REVIEW): TicketThen.AWAITING_EXTERNAL,
    (TicketStatus.AWAITING_INTERNAL, TasksAre.IN_REVIEW): TicketThen.AWAITING_EXTERNAL,
    (TicketStatus.AWAITING_EXTERNAL, TasksAre.WORKED_ON): TicketThen.LAST_OPEN,
    (TicketStatus.CLOSED, TasksAre.WORKED_ON): TicketThen.LAST_OPEN,
}

# The ticket's status was set by hand: (status before, status after) -> what becomes of its tasks.
TASKS_FOLLOW: Final[dict[tuple[int, int], TasksThen]] = {
    **{(before, TicketStatus.CLOSED): TasksThen.CLOSED for before in OPEN_STATUSES},
    **{(before, after): TasksThen.WITHDRAWN for before in OPEN_STATUSES for after in SHELVED},
    **{(TicketStatus.CLOSED, after): TasksThen.LAST_REOPENED for after in OPEN_STATUSES},
}


def tasks_are(phases: Collection[str]) -> TasksAre | None:
    """What these phases come to; None for a ticket without tasks."""
    still_open = [phase for phase in phases if phase != Phase.CLOSE]
    if not phases:
        return None
    if not still_open:
        return TasksAre.CLOSED
    return TasksAre.IN_REVIEW if all(phase == Phase.REVIEW for phase in still_open) else TasksAre.WORKED_ON


def check_status(before: int, after: int) -> None:
    """`TransitionRefused` names the statuses that may be set by hand."""
    if after in STATUS_TRANSITIONS[before]:
        return
    allowed = ", ".join(str(status.label) for status in STATUS_TRANSITIONS[before]) or _("nothing")
    raise TransitionRefused(
        _('A ticket with the status "%(before)s" cannot be set to "%(after)s". Allowed: %(allowed)s.')
        % {"before": TicketStatus(before).label, "after": TicketStatus(after).label, "allowed": allowed}
    )
