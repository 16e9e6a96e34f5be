"""How this desk behaves."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models.channel import CASE_EXCHANGE, Channel
from integrations.simulator.models.tickets import Ticket


class Fault(models.Model):
    """A fault that is switched on. `remaining` counts down; -1 is always. `operation` empty: see `faults.KINDS`."""

    kind = models.CharField(max_length=40, unique=True)
    remaining = models.IntegerField(default=0)
    seconds = models.FloatField(default=0)
    batch = models.PositiveSmallIntegerField(default=2)
    operation = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} ({self.remaining})"


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
        max_length=20,
        choices=Channel.choices,
        default=Channel.REST,
    )
    reference_later = models.BooleanField(
        _("answer without a number; it comes later by acknowledgement"), default=False
    )
    acknowledge_after = models.FloatField(
        _("then acknowledge by itself after this many seconds (empty: by button)"), null=True, blank=True
    )

    # Over Case Exchange this desk is another system to the portal, with a key of its own.
    case_exchange_user = models.CharField(
        _("our user at the portal's Case Exchange"), max_length=100, default="southwind"
    )
    case_exchange_key = models.CharField(_("our API key for it"), max_length=200, blank=True)
    case_exchange_tenant = models.CharField(_("the portal's tenant"), max_length=100, default="deskbridge")
    pull_every = models.FloatField(
        _("fetch the portal's feed by itself every so many seconds (empty: by button)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.1)],
    )

    def __str__(self) -> str:
        return "settings"

    def channel_for(self, ticket: Ticket) -> str:
        """How to answer a ticket: by the usual way, but Case Exchange with one of its own two ways."""
        if ticket.channel in CASE_EXCHANGE and self.channel not in CASE_EXCHANGE:
            return ticket.channel
        return self.channel

    @classmethod
    def load(cls) -> "DeskSettings":
        """The settings; made with the defaults when there are none yet."""
        return cls.objects.get_or_create(pk=1)[0]
