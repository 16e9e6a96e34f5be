"""Desks that send our own text back: a fingerprint of what we sent, used up by one match."""

import hashlib
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from integrations.models import ExternalSystem, SentText
from tickets.models import Task

# Later than this, the same words are somebody's own.
WINDOW: Final = timedelta(minutes=10)


def fingerprint(text: str) -> str:
    """SHA-256 of the text, whatever became of its blanks and line ends on the way."""
    return hashlib.sha256(" ".join(text.split()).encode(errors="replace")).hexdigest()


def comment_digest(*, text: str, created_at: str) -> str:
    """SHA-256 by which a comment that comes again and again is known: its text and time, as they were written."""
    return hashlib.sha256(f"{created_at}\n{text}".encode(errors="replace")).hexdigest()


def remember(*, task: Task, system: ExternalSystem, text: str, their_message_id: str = "") -> None:
    """Note that this text went to that desk; `their_message_id` is the id it gave our message, if it told us."""
    if text.strip():
        SentText.objects.create(
            task=task, system=system, digest=fingerprint(text), their_message_id=their_message_id[:200]
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
    if not text.strip():
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
