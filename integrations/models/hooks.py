"""Webhooks of other desks: how each authenticates its calls, and the rules that make operations of them."""

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem
from integrations.secrets import EncryptedTextField


class HookAuthentication(models.TextChoices):
    """How a desk proves that a call is its own."""

    STANDARD = "standard", _("Standard Webhooks signature")
    HMAC = "hmac", _("HMAC over the body")
    BASIC = "basic", _("User and password (HTTP Basic)")
    KEY_HEADER = "key_header", _("Key in a header")
    KEY_QUERY = "key_query", _("Key in the query")
    API_KEY = "api_key", _("One of our own API keys")


class HookAlgorithm(models.TextChoices):
    """The hash of an HMAC."""

    SHA1 = "sha1", "SHA-1"
    SHA256 = "sha256", "SHA-256"
    SHA512 = "sha512", "SHA-512"


class HookEncoding(models.TextChoices):
    """How the bytes of a signature are written."""

    HEX = "hex", _("hexadecimal")
    BASE64 = "base64", _("base64")


class UnknownTickets(models.TextChoices):
    """What to answer to news of a ticket that is not exchanged."""

    REFUSE = "refuse", _("Refuse them (404)")
    IGNORE = "ignore", _("Accept them without effect")


class HookOperation(models.TextChoices):
    """What a call may mean: the operations of other desks, and what only webhooks need."""

    CREATE = "create", _("Create a ticket")
    ACKNOWLEDGE = "acknowledge", _("Acknowledge: their number for our task")
    UPDATE = "update", _("Update: a note, files, the expected time")
    STATUS = "status", _("What their status means, by the value map")
    RESOLVE = "resolve", _("Resolve")
    CLOSE = "close", _("Close")
    REOPEN = "reopen", _("Reopen")
    ASSIGN = "assign", _("Assigned to somebody of theirs")
    REJECT = "reject", _("Reject")
    CANCEL = "cancel", _("Cancel")
    REASSIGN = "reassign", _("Reassign: given back with a solution")
    FETCH = "fetch", _("Fetch: look at that ticket of theirs now")
    IGNORE = "ignore", _("Ignore: known, and without effect")


# Kinds of authentication that need a secret of the desk's; an API key of ours is stored elsewhere, as a hash.
WITH_SECRET: Final = (
    HookAuthentication.STANDARD,
    HookAuthentication.HMAC,
    HookAuthentication.BASIC,
    HookAuthentication.KEY_HEADER,
    HookAuthentication.KEY_QUERY,
)
WITH_HEADER: Final = (HookAuthentication.HMAC, HookAuthentication.KEY_HEADER, HookAuthentication.KEY_QUERY)


class Hook(models.Model):
    """The address `/hooks/<code of the system>/`, at which the other desk calls us in a form of its own."""

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="hook", verbose_name=_("external system")
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, the address does not exist: its calls are lost.")
    )
    recording_only = models.BooleanField(
        _("only record"),
        default=False,
        help_text=_("Calls are authenticated, accepted and kept, and have no effect: to build the rules on them."),
    )

    authentication = models.CharField(
        _("authentication"),
        max_length=12,
        choices=HookAuthentication.choices,
        default=HookAuthentication.STANDARD,
    )
    secret = EncryptedTextField(_("secret"), blank=True)
    former_secret = EncryptedTextField(_("former secret"), blank=True)
    username = models.CharField(_("user"), max_length=200, blank=True)
    header = models.CharField(
        _("header or parameter"),
        max_length=100,
        blank=True,
        help_text=_("What carries the signature or the key, for example X-Hub-Signature-256"),
    )
    prefix = models.CharField(
        _("prefix"),
        max_length=50,
        blank=True,
        help_text=_("What stands before the signature or the key, for example sha256= or Bearer"),
    )
    algorithm = models.CharField(
        _("algorithm"), max_length=6, choices=HookAlgorithm.choices, default=HookAlgorithm.SHA256
    )
    encoding = models.CharField(_("written in"), max_length=6, choices=HookEncoding.choices, default=HookEncoding.HEX)
    signed = models.CharField(
        _("what is signed"),
        max_length=200,
        default="{body}",
        help_text=_("{body}, or with the time that is in a header: {timestamp}.{body} or v0:{timestamp}:{body}"),
    )
    timestamp_header = models.CharField(
        _("header of the time"),
        max_length=100,
        blank=True,
        help_text=_("Empty: the desk signs no time, so that an old call cannot be told from a new one."),
    )
    tolerance_seconds = models.PositiveIntegerField(
        _("tolerance"),
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
        help_text=_("Seconds by which the time may differ from ours; older calls are refused."),
    )

    message_id = models.TextField(
        _("id of a call"),
        blank=True,
        help_text=_(
            "An expression, for example headers['x-delivery-id']: the same id again is the same call. Empty: the "
            "same body again is the same call."
        ),
    )
    unknown_tickets = models.CharField(
        _("news of tickets that are not exchanged"),
        max_length=10,
        choices=UnknownTickets.choices,
        default=UnknownTickets.REFUSE,
        help_text=_("Accept them where the desk tells of all its tickets, or stops calling after errors."),
    )
    answer = models.TextField(
        _("answer to a handshake"),
        blank=True,
        help_text=_(
            "For desks that ask whether the address is ours: an expression that gives what to answer, for example "
            "query.challenge | default('') or body.challenge | default(''). Empty result: no handshake."
        ),
    )
    answers_strangers = models.BooleanField(
        _("handshakes come unsigned"),
        default=False,
        help_text=_("Also a POST is answered so before its signature is looked at. A GET has none anyway."),
    )
    history = HistoricalRecords(excluded_fields=["secret", "former_secret"])

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["system__name"]

    def __str__(self) -> str:
        return str(_("Webhook of %(system)s") % {"system": self.system})

    @property
    def secret_names(self) -> list[str]:
        """Names of headers and parameters that hold secrets of this hook."""
        return [self.header] if self.header else []


class HookRule(models.Model):
    """What a call is, and what it brings. The first active rule whose condition holds counts."""

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="rules", verbose_name=_("webhook"))
    position = models.PositiveSmallIntegerField(
        _("position"), default=1, help_text=_("The rules are looked at in this order.")
    )
    name = models.CharField(_("name"), max_length=100)
    active = models.BooleanField(_("active"), default=True)
    condition = models.TextField(
        _("condition"),
        blank=True,
        help_text=_(
            "An expression over body, headers and query, for example body.event == 'comment.created' and "
            "body.comment.author != 'deskbridge'. Empty: always. A value that is not there: it does not hold."
        ),
    )
    operation = models.CharField(_("operation"), max_length=15, choices=HookOperation.choices)
    fields = models.TextField(
        _("fields"),
        blank=True,
        help_text=_("One a line, as name = expression, for example: reference = body.issue.key"),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rule of a webhook")
        verbose_name_plural = _("rules of webhooks")
        ordering = ["hook", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["hook", "name"], name="rule_name_in_hook")]

    def __str__(self) -> str:
        return self.name
