"""Statuses, phases and every allowed transition, as tables."""

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
