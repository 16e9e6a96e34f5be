"""The calls that this desk received and made, and what it keeps to answer them."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models.tickets import Ticket


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
