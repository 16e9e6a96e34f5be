"""Executions of processes: streams, runs and the steps of a run. Written only by `integrations.engine`."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.processes import ProcessVersion, StepKind
from integrations.models.systems import ExternalSystem
from integrations.models.webhooks import WebhookSubscription
from tickets.models import AssignmentGroup, Attachment, Note, Task


class Stream(models.Model):
    """All runs of one task towards one external system, strictly first in first out.

    The deliveries of a webhook have a stream of their own, that of its `subscription`: whether they succeed does not
    concern the exchange, nor the other way round.

    A worker claims it with a lease and a fencing token; `wake` counts what was added, so that a worker cannot let go
    of a stream to which a run was added a moment ago. `due_at` is when a worker should look: empty when nothing
    waits, or when only a person can go on.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="streams", verbose_name=_("task"))
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="streams", verbose_name=_("external system")
    )
    subscription = models.ForeignKey(
        WebhookSubscription,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="streams",
        verbose_name=_("webhook"),
    )
    next_position = models.PositiveBigIntegerField(default=1)
    wake = models.PositiveBigIntegerField(default=0)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, db_index=True)
    token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    awaiting_since = models.DateTimeField(
        _("awaiting acknowledgement since"),
        null=True,
        blank=True,
        help_text=_("A create was accepted without a reference: it will come by acknowledgement."),
    )

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [
            models.UniqueConstraint(
                fields=["task", "system"],
                condition=models.Q(subscription=None),
                name="one_stream_per_task_and_system",
            ),
            models.UniqueConstraint(fields=["task", "subscription"], name="one_stream_per_task_and_webhook"),
        ]

    def __str__(self) -> str:
        desk = self.subscription if self.subscription_id else self.system
        return f"{self.task.number} · {desk}"


class RunState(models.TextChoices):
    """How far a run is, in words."""

    QUEUED = "queued", _("Waiting its turn")
    RUNNING = "running", _("Running")
    RETRYING = "retrying", _("Waiting for the next try")
    AWAITING = "awaiting", _("Waiting for an acknowledgement")
    PARKED = "parked", _("Waiting for a task")
    ATTENTION = "attention", _("Needs attention")
    HELD = "held", _("On hold")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


ENDED = (RunState.DONE, RunState.SKIPPED, RunState.CANCELLED)
OUT_OF_LINE = (*ENDED, RunState.PARKED)


class Direction(models.TextChoices):
    """The direction of the event, in the words of the source document."""

    OUT = "Out", _("Out")
    IN = "In", _("In")


class ProcessRun(models.Model):
    """One execution of a process for one event: durable, resumable, ordered, pinned.

    Inserted in the transaction of the change (the outbox). `snapshot` is the event as plain data, the context of
    every template; `version` the process as it stood.
    """

    stream = models.ForeignKey(Stream, models.CASCADE, related_name="runs", verbose_name=_("stream"))
    position = models.PositiveBigIntegerField(_("position"))
    version = models.ForeignKey(
        ProcessVersion, models.PROTECT, related_name="runs", verbose_name=_("process version")
    )
    group = models.ForeignKey(AssignmentGroup, models.PROTECT, related_name="+", verbose_name=_("assignment group"))
    operation = models.CharField(_("operation"), max_length=20)
    request_type = models.CharField(_("request type"), max_length=30)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices, default=Direction.OUT)
    snapshot = models.JSONField(_("event"), default=dict)
    note = models.ForeignKey(Note, models.SET_NULL, null=True, blank=True, related_name="runs")
    attachment = models.ForeignKey(Attachment, models.SET_NULL, null=True, blank=True, related_name="runs")
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replays", verbose_name=_("replay of")
    )
    only_step = models.PositiveSmallIntegerField(
        _("only step"), null=True, blank=True, help_text=_("A replay runs this step alone.")
    )
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices, default=RunState.QUEUED)
    step_index = models.PositiveSmallIntegerField(_("step"), default=0)
    due_at = models.DateTimeField(_("next try"), null=True, blank=True)
    reason = models.TextField(_("why"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("process run")
        verbose_name_plural = _("process runs")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["stream", "position"], name="position_in_stream")]
        indexes = [models.Index(fields=["state", "due_at"], name="run_state_due")]

    def __str__(self) -> str:
        return f"{self.version.process} · {self.operation} · {self.stream}"

    @property
    def has_ended(self) -> bool:
        """Whether nothing will happen in it any more."""
        return self.state in ENDED


class StepState(models.TextChoices):
    """How far a step of a run is."""

    READY = "ready", _("Ready")
    SENDING = "sending", _("Being sent")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Outcome unknown")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Skipped")


class StepRun(models.Model):
    """One step of one run: its request as rendered once, its tries and what it captured.

    `request` has no credentials: they are added when it is sent. Retries send the same bytes under the same
    idempotency key.
    """

    run = models.ForeignKey(ProcessRun, models.CASCADE, related_name="steps", verbose_name=_("process run"))
    index = models.PositiveSmallIntegerField(_("position"))
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=20, choices=StepKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=StepState.choices, default=StepState.READY)
    idempotency_key = models.UUIDField(_("idempotency key"), default=uuid.uuid4)
    request = models.JSONField(_("request"), null=True, blank=True)
    request_body = models.BinaryField(_("body"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    probes = models.PositiveSmallIntegerField(_("probes"), default=0)
    captures = models.JSONField(_("captures"), default=dict, blank=True)
    reason = models.TextField(_("why"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of a run")
        ordering = ["run", "index"]
        constraints = [models.UniqueConstraint(fields=["run", "index"], name="step_once_in_run")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.index} {self.name}"
