"""The exchange log, and what makes a repeated delivery harmless."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.runs import ProcessRun, StepRun
from integrations.models.systems import ExternalSystem
from tickets.models import Task


class Way(models.TextChoices):
    """Out: we called. In: we were called."""

    OUT = "out", _("Out")
    IN = "in", _("In")


class Outcome(models.TextChoices):
    """What became of a message."""

    SENDING = "sending", _("In progress")
    SUCCEEDED = "succeeded", _("Succeeded")
    RETRYABLE = "retryable", _("Failed, can be tried again")
    PERMANENT = "permanent", _("Refused by the other desk")
    MISCONFIGURED = "misconfigured", _("Configuration is wrong")
    UNKNOWN = "unknown", _("Outcome unknown")
    REFUSED = "refused", _("Refused by us")
    REPEATED = "repeated", _("Repeated delivery, first answer given")
    HELD_BACK = "held_back", _("Held back as an echo of our own text")
    NO_RULE = "no_rule", _("No rule for it")
    RECORDED = "recorded", _("Only recorded")
    IGNORED = "ignored", _("Without effect")


class Exchange(models.Model):
    """One message in or out, with its request and response, free of secrets.

    Written before sending (or on arrival, in a transaction of its own) and finished afterwards, so that what broke
    off in the middle is in the log too.
    """

    way = models.CharField(_("direction"), max_length=3, choices=Way.choices)
    system = models.ForeignKey(
        ExternalSystem,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="exchanges",
        verbose_name=_("external system"),
    )
    task = models.ForeignKey(
        Task, models.SET_NULL, null=True, blank=True, related_name="exchanges", verbose_name=_("task")
    )
    run = models.ForeignKey(
        ProcessRun, models.SET_NULL, null=True, blank=True, related_name="exchanges", verbose_name=_("process run")
    )
    step = models.ForeignKey(
        StepRun, models.SET_NULL, null=True, blank=True, related_name="exchanges", verbose_name=_("step")
    )
    dialect = models.CharField(_("form"), max_length=30, help_text=_("http, soap, mail, rest, workflow_service ..."))
    operation = models.CharField(_("operation"), max_length=80, blank=True, db_index=True)
    attempt = models.PositiveSmallIntegerField(_("try"), default=1)
    outcome = models.CharField(_("outcome"), max_length=15, choices=Outcome.choices, default=Outcome.SENDING)
    method = models.CharField(_("method"), max_length=10, blank=True)
    url = models.TextField(_("address"), blank=True)
    request_headers = models.JSONField(_("request headers"), default=dict, blank=True)
    request_body = models.TextField(_("request"), blank=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    response_headers = models.JSONField(_("response headers"), default=dict, blank=True)
    response_body = models.TextField(_("response"), blank=True)
    error = models.TextField(_("error"), blank=True)
    message_id = models.CharField(_("message id"), max_length=200, blank=True, db_index=True)
    started_at = models.DateTimeField(_("started"), auto_now_add=True, db_index=True)
    duration_ms = models.PositiveIntegerField(_("duration"), null=True, blank=True, help_text=_("In milliseconds."))
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replays", verbose_name=_("replay of")
    )

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchange log")
        ordering = ["-id"]
        indexes = [
            # The overview asks for each system's last success and last failure.
            models.Index(fields=["system", "outcome", "started_at"], name="exchange_system_outcome"),
            models.Index(fields=["outcome", "started_at"], name="exchange_outcome_time"),
            # The last calls of a webhook, however much else its system exchanges.
            models.Index(fields=["system", "-id"], condition=models.Q(dialect="webhook"), name="exchange_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.operation}"


class StoredAnswer(models.Model):
    """The answer to a message that had its effect: the same message again gets the same answer and changes nothing.

    `key` is the caller's idempotency key or its own message id, scoped by what it was for. `done` is false while the
    first delivery is still being worked on.
    """

    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="stored_answers")
    key = models.CharField(max_length=300)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of what was asked."))
    done = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [models.UniqueConstraint(fields=["system", "key"], name="answer_key_in_system")]

    def __str__(self) -> str:
        return self.key


class SentText(models.Model):
    """A fingerprint of a text that we sent, used up by one match: desks that send it back, within ten minutes, and
    desks in whose lists of notes we find it, whenever that is (`step` tells whether it may be there)."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="sent_texts")
    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="sent_texts")
    digest = models.CharField(max_length=64)
    their_message_id = models.CharField(max_length=200, blank=True)
    step = models.ForeignKey(StepRun, models.SET_NULL, null=True, related_name="+")
    sent_at = models.DateTimeField(auto_now_add=True)
    matched_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("sent text")
        verbose_name_plural = _("sent texts")
        indexes = [models.Index(fields=["task", "system", "digest"], name="sent_text_lookup")]

    def __str__(self) -> str:
        return self.digest


class SeenComment(models.Model):
    """A comment of another desk that was taken over: desks that send all comments again with each message."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="seen_comments")
    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="seen_comments")
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of its time and text."))

    class Meta:
        verbose_name = _("seen comment")
        verbose_name_plural = _("seen comments")
        constraints = [models.UniqueConstraint(fields=["task", "system", "digest"], name="comment_seen_once")]

    def __str__(self) -> str:
        return self.digest
