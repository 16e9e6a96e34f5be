"""What the practice desk remembers: its tickets, the calls it saw and made, its faults and its settings."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Ticket(models.Model):
    """A ticket of this desk. `caller_reference` is the caller's own number for it and need not be unique."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        OPEN = "open", _("Open")
        SOLVED = "solved", _("Solved")
        CLOSED = "closed", _("Closed")

    class Priority(models.TextChoices):
        LOW = "low", _("Low")
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High")
        URGENT = "urgent", _("Urgent")

    number = models.CharField(max_length=20, unique=True, null=True)  # noqa: DJ001 - unknown until the id is
    caller_reference = models.CharField(max_length=200, blank=True, db_index=True)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    priority = models.CharField(max_length=20, choices=Priority.choices, default=Priority.NORMAL)
    state = models.CharField(max_length=20, choices=State.choices, default=State.NEW)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_email = models.EmailField(blank=True)
    requested_by = models.CharField(max_length=200, blank=True)
    solution = models.TextField(blank=True)
    completion_code = models.CharField(max_length=100, blank=True)
    # Taken with "reference later": callers learn the number from our acknowledgement only.
    number_withheld = models.BooleanField(default=False)
    acknowledge_at = models.DateTimeField(null=True, blank=True, db_index=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    searchable_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number or str(self.pk)

    def as_json(self) -> dict[str, Any]:
        """The ticket as callers see it: no number while it is withheld."""
        return {
            "id": self.pk,
            "number": None if self.number_withheld else self.number,
            "caller_reference": self.caller_reference,
            "title": self.title,
            "description": self.description,
            "priority": self.priority,
            "state": self.state,
            "contact": {"name": self.contact_name, "email": self.contact_email},
            "requested_by": self.requested_by,
            "solution": self.solution,
            "completion_code": self.completion_code,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


class Note(models.Model):
    """A text on a ticket; `message_id` is the caller's own identifier of the message."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    author = models.CharField(max_length=200, blank=True)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    public = models.BooleanField(default=True)
    searchable_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]

    def as_json(self) -> dict[str, Any]:
        """The note as callers see it."""
        return {
            "id": self.pk,
            "text": self.text,
            "author": self.author,
            "message_id": self.message_id,
            "public": self.public,
            "created_at": self.created_at.isoformat(),
        }


class Attachment(models.Model):
    """A file on a ticket, kept in the database so that the desk is one file to throw away."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=200, default="application/octet-stream")
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    searchable_from = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with size (bytes) and SHA-256 taken from the content."""
        self.size = len(self.content)
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        super().save(*args, **kwargs)

    def as_json(self) -> dict[str, Any]:
        """The attachment as callers see it, without its content."""
        return {
            "id": self.pk,
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
            "message_id": self.message_id,
            "created_at": self.created_at.isoformat(),
        }


class Call(models.Model):
    """One call received (`in`) or made (`out`), with request and response; credentials are removed before."""

    class Direction(models.TextChoices):
        IN = "in", _("Received")
        OUT = "out", _("Made")

    direction = models.CharField(max_length=3, choices=Direction.choices)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True, related_name="calls")
    protocol = models.CharField(max_length=20)
    operation = models.CharField(max_length=60)
    method = models.CharField(max_length=10)
    address = models.CharField(max_length=2000)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    # None while it runs, and for ever when the connection was closed without an answer.
    status = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    problem = models.CharField(max_length=500, blank=True)
    fault = models.CharField(max_length=200, blank=True)
    milliseconds = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.direction} {self.operation} {self.status}"

    def as_json(self) -> dict[str, Any]:
        """The call for tests; bodies are text as recorded."""
        return {
            "id": self.pk,
            "direction": self.direction,
            "ticket": self.ticket.number if self.ticket else None,
            "protocol": self.protocol,
            "operation": self.operation,
            "method": self.method,
            "address": self.address,
            "request_headers": self.request_headers,
            "request_body": self.request_body,
            "status": self.status,
            "response_body": self.response_body,
            "problem": self.problem,
            "fault": self.fault,
            "milliseconds": self.milliseconds,
            "created_at": self.created_at.isoformat(),
        }


class Fault(models.Model):
    """A fault that is switched on. `remaining` counts down; -1 is always. `operation` empty: see `faults.KINDS`."""

    kind = models.CharField(max_length=40, unique=True)
    remaining = models.IntegerField(default=0)
    seconds = models.FloatField(default=0)
    batch = models.PositiveSmallIntegerField(default=2)
    operation = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} ({self.remaining})"


class StoredAnswer(models.Model):
    """The answer given under an `Idempotency-Key`, for its repetition."""

    key = models.CharField(max_length=300)
    scope = models.CharField(max_length=300)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.TextField()
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key


class Session(models.Model):
    """A session value given by the login request; valid for an hour."""

    value = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"session {self.pk}"


class OutgoingMessage(models.Model):
    """A message for the portal. A repetition carries the same payload, message id and idempotency key."""

    class Kind(models.TextChoices):
        ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
        MESSAGE = "message", _("Message")
        SOLUTION = "solution", _("Solution")
        REJECTION = "rejection", _("Rejection")

    class Channel(models.TextChoices):
        SOAP = "soap", _("SOAP")
        REST = "rest", _("REST")

    class State(models.TextChoices):
        HELD = "held", _("Held back")
        SENT = "sent", _("Delivered")
        FAILED = "failed", _("Failed")

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="outgoing")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # The fields of the kind, see `sending.py`; attachments as {name, content_type, content (base64)}.
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


class DeskSettings(models.Model):
    """The one row of what the settings page changes."""

    portal_url = models.URLField(_("address of the portal"), default="http://127.0.0.1:8000")
    system_slug = models.CharField(_("our name at the portal"), max_length=100, default="practice-desk")
    api_key = models.CharField(_("our API key at the portal"), max_length=200, blank=True)
    soap_namespace = models.CharField(
        _("namespace of the portal's SOAP service"), max_length=200, default="http://tempuri.org/"
    )
    channel = models.CharField(
        _("usual way to the portal"),
        max_length=10,
        choices=OutgoingMessage.Channel.choices,
        default=OutgoingMessage.Channel.REST,
    )
    reference_later = models.BooleanField(
        _("answer without a number; it comes later by acknowledgement"), default=False
    )
    acknowledge_after = models.FloatField(
        _("then acknowledge by itself after this many seconds (empty: by button)"), null=True, blank=True
    )

    def __str__(self) -> str:
        return "settings"

    @classmethod
    def load(cls) -> "DeskSettings":
        """The settings; made with the defaults when there are none yet."""
        return cls.objects.get_or_create(pk=1)[0]


def is_searchable(at: datetime) -> models.Q:
    """Condition for what search may show at that moment, for the fault of late search."""
    return models.Q(searchable_from__lte=at)
