"""Desks that send our own text back: a fingerprint of what we sent, used up by one match."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from integrations.models import ExternalSystem, SentText, StepRun, StepState
from tickets.models import Task

# Later than this, the same words are somebody's own.
WINDOW: Final = timedelta(minutes=10)
# By so much the other desk's clock and ours may differ, where the time tells two texts apart.
CLOCKS: Final = timedelta(minutes=15)


def fingerprint(text: str) -> str:
    """SHA-256 of the text, whatever became of its blanks and line ends on the way."""
    return hashlib.sha256(" ".join(text.split()).encode(errors="replace")).hexdigest()


def comment_digest(*, text: str, created_at: str) -> str:
    """SHA-256 by which a comment that comes again and again is known: its text and time, as they were written."""
    return hashlib.sha256(f"{created_at}\n{text}".encode(errors="replace")).hexdigest()


def remember(
    *, task: Task, system: ExternalSystem, text: str, their_message_id: str = "", step: StepRun | None = None
) -> None:
    """Note that this text went to that desk, in this step; `their_message_id` is the id it gave our message, if it
    told us."""
    if text.strip():
        SentText.objects.create(
            task=task, system=system, digest=fingerprint(text), their_message_id=their_message_id[:200], step=step
        )


def name_sent(*, task: Task, system: ExternalSystem, text: str, their_message_id: str) -> None:
    """The other desk told us, in its answer, which id it gave the text that we have just sent."""
    newest = (
        SentText.objects.filter(task=task, system=system, digest=fingerprint(text), their_message_id="")
        .order_by("-pk")
        .values("pk")[:1]
    )
    SentText.objects.filter(pk__in=newest).update(their_message_id=their_message_id[:200])


def is_echo(*, task: Task, system: ExternalSystem, text: str, their_message_id: str = "") -> bool:
    """Whether the text is one that we sent within the last ten minutes. A match uses the fingerprint up.

    Where both sides of the comparison carry an id of theirs, the ids must be the same: a message with another id is
    another message, whatever it says.
    """
    if not text.strip() or not system.sends_back:
        return False
    candidates = SentText.objects.filter(
        task=task,
        system=system,
        digest=fingerprint(text),
        matched_at=None,
        sent_at__gte=timezone.now() - WINDOW,
    )
    if their_message_id:
        candidates = candidates.filter(Q(their_message_id="") | Q(their_message_id=their_message_id))
    # Two deliveries may look at once: whose UPDATE finds the row still unused has it.
    return any(
        SentText.objects.filter(pk=pk, matched_at=None).update(matched_at=timezone.now())
        for pk in candidates.order_by("-their_message_id", "pk").values_list("pk", flat=True)
    )


class NotSettled(Exception):
    """The text may be one that is being sent at this moment, or of which nobody knows whether it arrived: whoever
    lists it looks again later."""


def is_ours(
    *, task: Task, system: ExternalSystem, text: str, their_message_id: str, written_at: datetime | None
) -> bool:
    """Whether a note that the desk lists is one that we sent, however long ago. A match uses the fingerprint up.

    `written_at` is when it was written there: where it is known, a text that we sent at another time is another one.
    Raises `NotSettled` where that cannot be told yet: a request that is under way may name the id of its note.
    """
    if not text.strip():
        return False
    rows = SentText.objects.filter(task=task, system=system, digest=fingerprint(text), matched_at=None)
    rows = rows.filter(their_message_id__in=["", their_message_id]).select_related("step__run")
    for row in rows.order_by("-their_message_id", "pk"):
        if row.their_message_id != their_message_id and not _may_be_there(row, written_at):
            continue
        if not row.their_message_id and _is_under_way(row.step):
            raise NotSettled
        if SentText.objects.filter(pk=row.pk, matched_at=None).update(matched_at=timezone.now()):
            return True
    return False


def _is_under_way(step: StepRun | None) -> bool:
    return step is not None and step.state != StepState.DONE and not step.run.has_ended


def _may_be_there(row: SentText, written_at: datetime | None) -> bool:
    """Whether a text of that time can be this one. One of a run that a person has ended without sending it counts for
    ten minutes, as it may have arrived before."""
    step = row.step
    sent = step is not None and (step.state == StepState.DONE or not step.run.has_ended)
    if written_at is None or step is None:
        return sent or row.sent_at >= timezone.now() - WINDOW
    until = step.finished_at if step.state == StepState.DONE and step.finished_at else timezone.now()
    return (sent or until - row.sent_at < WINDOW) and row.sent_at - CLOCKS <= written_at <= until + CLOCKS
