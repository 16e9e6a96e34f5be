"""What an administrator configures to happen: an ordered list of steps."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem
from integrations.models.templates import NAME, OperationTemplate, RequestTemplate
from tickets.models import Visibility


class Process(models.Model):
    """An ordered list of steps, bound to groups for assignment, update, closure, rejection and incoming events."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)
    built_in = models.CharField(
        max_length=20,
        blank=True,
        editable=False,
        help_text=_("Not empty: the portal's own, whose steps stand in the code; no administrator changes it."),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["built_in"], condition=~models.Q(built_in=""), name="built_in_process_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class StepKind(models.TextChoices):
    """What a step does."""

    OPERATION = "operation", _("Call an operation")
    REQUEST = "request", _("Send a request of its own (HTTP or SOAP)")
    MAIL = "mail", _("Send mail")
    FEED = "feed", _("Publish to the feed")
    SET_FIELD = "set_field", _("Set a field")
    NOTE = "note", _("Add a note")
    WAIT = "wait", _("Wait until a task is done")
    STOP = "stop", _("Stop")
    WEBHOOK = "webhook", _("Deliver a webhook")


# Those that an administrator can choose for a step.
CHOSEN_KINDS = [(value, label) for value, label in StepKind.choices if value != StepKind.WEBHOOK]


class WaitUntil(models.TextChoices):
    """When a task that a step waits for counts as done."""

    CLOSED = "closed", _("closed")
    SOLVED = "solved", _("solved, or closed")


class SettableField(models.TextChoices):
    """The fields that a step may set, by path."""

    TITLE = "ticket.title", _("Ticket: title")
    DESCRIPTION = "ticket.description", _("Ticket: description")
    PRIORITY = "ticket.priority", _("Ticket: priority (by code)")
    CATEGORY = "ticket.category", _("Ticket: category (by code)")
    QUEUE = "ticket.queue", _("Ticket: queue (by code)")
    EXPECTED = "task.expected_resolution_at", _("Task: expected resolution (ISO 8601)")
    REFERENCE = "task.external_reference", _("Task: external reference")


class Step(RequestTemplate):
    """One action of a process. Only the fields of its kind count; the request's fields serve the kind Request."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="steps", verbose_name=_("process"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    name = models.CharField(
        _("name"),
        max_length=60,
        validators=[NAME],
        help_text=_("Later steps use what it captures, for example as steps.create.reference if its name is create."),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=CHOSEN_KINDS)
    condition = models.TextField(
        _("only when"),
        blank=True,
        help_text=_('An expression; empty: always. For example: event.request_type == "Submit Request"'),
    )
    operation = models.ForeignKey(
        OperationTemplate, models.PROTECT, null=True, blank=True, related_name="steps", verbose_name=_("operation")
    )
    system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("external system"),
        help_text=_("For a request of its own; empty: the group's system."),
    )
    mail_to = models.TextField(_("to"), blank=True, help_text=_("Empty: the address of the group's external system."))
    mail_subject = models.TextField(_("subject"), blank=True)
    text = models.TextField(_("text"), blank=True, help_text=_("The mail's or the note's text, or why it stops."))
    field = models.CharField(_("field"), max_length=60, choices=SettableField.choices, blank=True)
    value = models.TextField(_("value"), blank=True)
    visibility = models.CharField(
        _("visibility"), max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL, blank=True
    )
    wait_for = models.TextField(
        _("wait for"),
        blank=True,
        help_text=_("The number of a task of the same ticket; empty: all other tasks of the ticket."),
    )
    wait_until = models.CharField(
        _("until it is"),
        max_length=10,
        choices=WaitUntil.choices,
        default=WaitUntil.CLOSED,
        blank=True,
        help_text=_("Solved: whoever works on it has said so. Closed: the solution was accepted as well."),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["process", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["process", "name"], name="step_name_in_process")]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"


class ProcessVersion(models.Model):
    """A process as it stood when a run was enqueued, operations included: runs are pinned to it. Never changed."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="versions", verbose_name=_("process"))
    number = models.PositiveIntegerField(_("version"))
    digest = models.CharField(max_length=64)
    definition = models.JSONField(_("definition"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("process version")
        verbose_name_plural = _("process versions")
        ordering = ["process", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["process", "digest"], name="version_digest_in_process"),
            models.UniqueConstraint(fields=["process", "number"], name="version_number_in_process"),
        ]

    def __str__(self) -> str:
        return f"{self.process} v{self.number}"
