"""What this desk tells the portal."""

import time
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models.channel import Channel
from integrations.simulator.models.tickets import Ticket


class OutgoingMessage(models.Model):
    """A message for the portal. A repetition carries the same payload, message id and idempotency key."""

    class Kind(models.TextChoices):
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        MESSAGE = "message", _("Message")
        SOLUTION = "solution", _("Solution")
        REJECTION = "rejection", _("Rejection")
        ASSIGNMENT = "assignment", _("Local assignment")
        REOPENING = "reopening", _("Reopening")
        CANCELLATION = "cancellation", _("Cancellation")
        CLOSING = "closing", _("Closing")

    class State(models.TextChoices):
        HELD = "held", _("Held back")
        SENT = "sent", _("Delivered")
        FAILED = "failed", _("Failed")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="outgoing")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    # The fields of the kind, see `sending.py`; attachments as {name, content_type, content (base64)}, with
    # their guid once they are in a file list.
    payload = models.JSONField(default=dict)
    message_id = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State.choices)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"

    def as_json(self) -> dict[str, Any]:
        """The message with the portal's answer, for tests."""
        return {
            "id": self.pk,
            "ticket": self.ticket.number,
            "kind": self.kind,
            "channel": self.channel,
            "message_id": self.message_id,
            "state": self.state,
            "status": self.status,
            "answer": self.answer,
        }


class FeedEntry(models.Model):
    """A message as our feed lists it; `listed_at` (ms since 1970) rises with every entry."""

    message = models.ForeignKey(OutgoingMessage, on_delete=models.CASCADE, related_name="entries")
    listed_at = models.BigIntegerField(unique=True)

    class Meta:
        ordering = ["listed_at"]

    def __str__(self) -> str:
        return f"{self.listed_at} {self.message}"

    @classmethod
    def add(cls, message: OutgoingMessage) -> "FeedEntry":
        """List a message, in the caller's transaction: the database has one writer, so that no time comes late."""
        last = cls.objects.aggregate(last=models.Max("listed_at"))["last"] or 0
        return cls.objects.create(message=message, listed_at=max(last + 1, time.time_ns() // 1_000_000))


class FeedPosition(models.Model):
    """The one row of how far the portal's feed has been read (ms since 1970, by the portal's clock)."""

    read_to = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.read_to)

    @classmethod
    def load(cls) -> "FeedPosition":
        """The position; at the beginning when nothing was read yet."""
        return cls.objects.get_or_create(pk=1)[0]
