"""Outgoing webhooks: which events another desk is told of, where, and with which secrets."""

from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem
from integrations.secrets import EncryptedTextField


class WebhookSubscription(models.Model):
    """An address of another desk that is told of events, signed as Standard Webhooks has it.

    `previous_secret` signs, too, until `previous_until`: so a secret is replaced without a gap. A subscription ends
    when the other desk answers 410, or when an administrator ends it; `ended_reason` says which.
    """

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="webhooks", verbose_name=_("external system")
    )
    name = models.CharField(_("name"), max_length=60, help_text=_("What tells it from others of this desk."))
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Where events are posted to; it may be on a host of its own, which needs no other entry."),
    )
    events = models.JSONField(_("events"), default=list)
    secret = EncryptedTextField(_("secret"), editable=False)
    previous_secret = EncryptedTextField(_("previous secret"), blank=True, editable=False)
    previous_until = models.DateTimeField(_("previous secret signs until"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)
    ended_by_desk = models.BooleanField(_("ended by the other desk"), default=False, editable=False)
    ended_reason = models.TextField(_("why it ended"), blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    last_error = models.TextField(_("last failure"), blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    history = HistoricalRecords(
        excluded_fields=["secret", "previous_secret", "failures", "last_error", "last_success_at"]
    )

    class Meta:
        verbose_name = _("outgoing webhook")
        verbose_name_plural = _("outgoing webhooks")
        ordering = ["system", "name"]
        constraints = [models.UniqueConstraint(fields=["system", "name"], name="webhook_name_in_system")]

    def __str__(self) -> str:
        return f"{self.system}: {self.name}"

    @property
    def is_active(self) -> bool:
        """Whether events are delivered."""
        return self.ended_at is None

    def secrets_at(self, moment: datetime | None = None) -> list[str]:
        """The secrets that sign now, the newest first."""
        moment = moment or timezone.now()
        old = self.previous_until is not None and self.previous_until > moment
        return [self.secret, *([self.previous_secret] if old else [])]

    def clean(self) -> None:
        """Refuse an address that would put a password into the log."""
        if urlsplit(self.url).username:
            raise ValidationError({"url": _("Give no user and password: deliveries are signed instead.")})
