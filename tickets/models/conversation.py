"""What was said and sent: notes and attachments."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.actors import ActorKind
from tickets.models.task import Task
from tickets.models.ticket import Ticket


class Visibility(models.TextChoices):
    """Who may read it. Internal notes never leave unless the administrator says so."""

    PUBLIC = "public", _("Public")
    INTERNAL = "internal", _("Internal")


class Authored(models.Model):
    """Who wrote it, and when."""

    actor_kind = models.CharField(_("author's kind"), max_length=10, choices=ActorKind.choices)
    actor_key = models.CharField(max_length=50, blank=True, db_index=True)
    author_name = models.CharField(_("author"), max_length=200)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        abstract = True


class Note(Authored):
    """A text on a ticket (task empty) or on one of its tasks. Never changed once written."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="notes", verbose_name=_("ticket"))
    task = models.ForeignKey(
        Task, models.CASCADE, null=True, blank=True, related_name="notes", verbose_name=_("task")
    )
    body = models.TextField(_("text"))
    written_at = models.DateTimeField(
        _("written by its author"),
        default=timezone.now,
        help_text=_(
            "When its author wrote it, which may be long before it came here; conversations are in its order."
        ),
    )
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility.choices)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["written_at", "id"]

    def __str__(self) -> str:
        return self.body[:60]


def attachment_path(attachment: "Attachment", filename: str) -> str:
    """Where the file is kept: by ticket, under its content's digest, never under a name that came from outside."""
    return f"attachments/{attachment.ticket.number}/{attachment.sha256[:32]}"


class Attachment(Authored):
    """A file on a ticket, possibly with a note or on one task."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="attachments", verbose_name=_("ticket"))
    task = models.ForeignKey(
        Task, models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name=_("task")
    )
    note = models.ForeignKey(
        Note, models.CASCADE, null=True, blank=True, related_name="attachments", verbose_name=_("note")
    )
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=250)
    name = models.CharField(_("name"), max_length=250)
    content_type = models.CharField(_("content type"), max_length=100, default="application/octet-stream")
    size = models.PositiveBigIntegerField(_("size"), help_text=_("In bytes."))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    visibility = models.CharField(_("visibility"), max_length=10, choices=Visibility.choices)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
