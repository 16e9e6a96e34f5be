"""The other desks' numbers for our tasks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.runs import StepRun
from integrations.models.systems import ExternalSystem
from tickets.models import Attachment, Note, Task


class ExternalReference(models.Model):
    """The other desk's number for a task: unique per external system, one per task and system."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="external_references", verbose_name=_("task"))
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="references", verbose_name=_("external system")
    )
    value = models.CharField(_("reference"), max_length=200)
    external_id = models.CharField(
        _("internal id"),
        max_length=200,
        blank=True,
        help_text=_("By what the other desk's addresses name the ticket, where that is not its number."),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("external reference")
        verbose_name_plural = _("external references")
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="reference_unique_in_system"),
            models.UniqueConstraint(fields=["task", "system"], name="one_reference_per_task_and_system"),
            models.UniqueConstraint(
                fields=["system", "external_id"],
                condition=~models.Q(external_id=""),
                name="external_id_unique_in_system",
            ),
        ]

    def __str__(self) -> str:
        return self.value


class TheirTicket(models.Model):
    """How the other desk's ticket looked at the last look, and what we had then: by both, a change is told on either
    side. Written only by `integrations.polling`."""

    reference = models.OneToOneField(
        ExternalReference, models.CASCADE, related_name="their_ticket", verbose_name=_("reference")
    )
    values = models.JSONField(
        _("values"),
        default=dict,
        help_text=_("status, status_label, priority, assignee, solution ... as they wrote them."),
    )
    ours = models.JSONField(_("our values then"), default=dict)
    untranslated = models.JSONField(
        _("without a translation"),
        default=dict,
        blank=True,
        help_text=_("Values of theirs by kind, for which the value map has nothing."),
    )
    seen_at = models.DateTimeField(_("last look"), null=True, blank=True, db_index=True)
    wanted_at = models.DateTimeField(
        _("to be looked at"), null=True, blank=True, db_index=True, help_text=_("At the next opportunity.")
    )
    refused_since = models.DateTimeField(
        _("refused since"),
        null=True,
        blank=True,
        help_text=_("The desk does not give the ticket, its notes or a file: it is asked for them again."),
    )

    class Meta:
        verbose_name = _("ticket of the other desk")
        verbose_name_plural = _("tickets of other desks")

    def __str__(self) -> str:
        return str(self.reference)


class TheirMessageOrigin(models.TextChoices):
    """Where a note or file of the other desk's ticket has come from."""

    THEIRS = "theirs", _("Written there, taken over here")
    OURS = "ours", _("Written here, sent there")
    REFUSED = "refused", _("Written there, refused here")
    LATER = "later", _("Written there, not given yet")


class TheirMessage(models.Model):
    """A note or file by the id that it has at the other desk, remembered for as long as there is the task: what is
    listed there again and again is taken over once, and what we have sent never."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="their_messages", verbose_name=_("task"))
    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="their_messages", verbose_name=_("external system")
    )
    kind = models.CharField(max_length=4, choices=[("note", _("Note")), ("file", _("File"))])
    their_id = models.CharField(_("its id there"), max_length=200)
    origin = models.CharField(_("origin"), max_length=8, choices=TheirMessageOrigin.choices)
    note = models.ForeignKey(Note, models.SET_NULL, null=True, blank=True, related_name="+")
    told = models.BooleanField(_("told of without its id, too"), default=False)
    attachment = models.ForeignKey(Attachment, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("message of the other desk")
        verbose_name_plural = _("messages of other desks")
        constraints = [
            models.UniqueConstraint(fields=["task", "system", "kind", "their_id"], name="their_message_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.their_id}"


class SentValue(models.Model):
    """A value in the other desk's words that a request of ours has set there: when the next look shows it, nobody
    over there has changed it. Forgotten once a look has shown what became of it."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="+", verbose_name=_("task"))
    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="+", verbose_name=_("external system"))
    step = models.ForeignKey(StepRun, models.CASCADE, related_name="+", verbose_name=_("step"))
    kind = models.CharField(_("kind"), max_length=20)
    value = models.CharField(_("value"), max_length=200)
    sent_at = models.DateTimeField(_("sent"), auto_now_add=True)

    class Meta:
        verbose_name = _("sent value")
        verbose_name_plural = _("sent values")
        indexes = [models.Index(fields=["task", "system", "kind"], name="sent_value_lookup")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"
