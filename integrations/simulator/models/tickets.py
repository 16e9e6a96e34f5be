"""Tickets of this desk, with their notes and files."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models.channel import Channel


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
    # How it came, where that decides how we answer; empty: by the usual way.
    channel = models.CharField(max_length=20, choices=Channel.choices, blank=True)
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


class ListedFile(models.Model):
    """A file of the file list: uploaded by a caller, for a ticket; or ours, for the portal to fetch."""

    guid = models.CharField(max_length=36, unique=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=200)
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


def is_searchable(at: datetime) -> models.Q:
    """Condition for what search may show at that moment, for the fault of late search."""
    return models.Q(searchable_from__lte=at)
