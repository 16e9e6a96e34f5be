"""What desks that pull find at our side: the entries of their feed, and files that they know by a guid."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.runs import ProcessRun, StepRun
from integrations.models.systems import ExternalSystem
from tickets.models import Attachment, Task


class FeedEntry(models.Model):
    """One operation for a desk that pulls, as it was rendered when its step ran. Written once for each step.

    `listed_at` is the entry's time in the feed, which a desk names at its next poll: milliseconds, strictly
    increasing for each system. An entry gets it when it is first listed, not when it is written: whoever commits late
    is listed late, and is never skipped. `fetched_at` is when it was first part of an answer.
    """

    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="feed", verbose_name=_("external system"))
    task = models.ForeignKey(Task, models.CASCADE, related_name="+", verbose_name=_("task"))
    run = models.ForeignKey(
        ProcessRun, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("process run")
    )
    step = models.OneToOneField(
        StepRun, models.SET_NULL, null=True, blank=True, related_name="feed_entry", verbose_name=_("step")
    )
    operation = models.CharField(_("operation"), max_length=20)
    content = models.JSONField(_("entity"))
    created_at = models.DateTimeField(_("published"), auto_now_add=True)
    listed_at = models.PositiveBigIntegerField(_("time in the feed"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True)

    class Meta:
        verbose_name = _("feed entry")
        verbose_name_plural = _("feed entries")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["system", "listed_at"], name="feed_time_in_system")]

    def __str__(self) -> str:
        return f"{self.pk} {self.operation}"


def exchanged_path(row: "ExchangedFile", filename: str) -> str:
    """Where an upload waits for the message that names it: under its guid, never under a name from outside."""
    return f"uploads/{row.guid.hex}"


class ExchangedFile(models.Model):
    """A file that a desk knows by a guid: it uploaded the file, or we offered it in its feed.

    The same content under the same name is the same file, so that an upload may be repeated. `file` is an upload that
    waits to be named in a message; `attachments` are what it became, or what it was offered from.
    """

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="exchanged_files", verbose_name=_("external system")
    )
    guid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=250, blank=True)
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("size"), help_text=_("In bytes."))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    file = models.FileField(_("file"), upload_to=exchanged_path, max_length=250, blank=True)
    attachments = models.ManyToManyField(Attachment, related_name="+", verbose_name=_("attachments"))
    their_id = models.CharField(
        max_length=100, blank=True, db_index=True, help_text=_("Its id over there, where we have fetched it.")
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("exchanged file")
        verbose_name_plural = _("exchanged files")
        constraints = [
            models.UniqueConstraint(fields=["system", "sha256", "name"], name="one_file_per_system_content_and_name")
        ]

    def __str__(self) -> str:
        return self.name or str(self.guid)
