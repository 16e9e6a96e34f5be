"""Other parties' service desks: how to reach them, how to authenticate, how they authenticate to us."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey
from simple_history.models import HistoricalRecords

from integrations.engine.retry import parse_schedule
from integrations.secrets import EncryptedTextField

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Authentication(models.TextChoices):
    """How we authenticate when we call."""

    NONE = "none", _("None")
    BASIC = "basic", _("User and password (HTTP Basic)")
    BEARER = "bearer", _("Bearer token")
    KEY_HEADER = "key_header", _("API key in a header")
    KEY_QUERY = "key_query", _("API key in the query")
    LOGIN = "login", _("Login request that captures a session value")
    WS_SECURITY = "ws_security", _("User and password (WS-Security, SOAP only)")


class ExternalSystem(models.Model):
    """Another party's service desk. Its code, the user name with which it calls us, stays as it is."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.SlugField(
        _("code"),
        unique=True,
        help_text=_(
            "Short name in addresses and templates; the user name with which this desk calls our SOAP service."
        ),
    )
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Switched off, nothing is sent to it and its calls are refused; what is due waits."),
    )
    base_url = models.CharField(
        _("address"),
        max_length=300,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Where its interface begins, for example https://desk.example.com/api"),
    )
    allowed_hosts = models.TextField(
        _("further allowed hosts"),
        blank=True,
        help_text=_("One host name or network (CIDR) a line. Only the address above and these are ever called."),
    )
    allow_private = models.BooleanField(
        _("may be in our own network"),
        default=False,
        help_text=_("Allow addresses that are not public, such as 10.0.0.0/8 or 127.0.0.1, for the hosts above."),
    )
    verify_tls = models.BooleanField(_("check the certificate"), default=True)

    auth_kind = models.CharField(
        _("authentication"), max_length=20, choices=Authentication.choices, default=Authentication.NONE
    )
    auth_username = models.CharField(_("user"), max_length=200, blank=True)
    auth_secret = EncryptedTextField(
        _("password, token or key"), blank=True, help_text=_("Kept encrypted and never shown again.")
    )
    auth_name = models.CharField(
        _("header or parameter"),
        max_length=100,
        blank=True,
        help_text=_("The header or query parameter that carries the key or the captured session value."),
    )
    auth_login = models.ForeignKey(
        "integrations.OperationTemplate",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("login request"),
        help_text=_(
            "An operation template of this system with a capture named session. It may use {{ auth.username }} and "
            "{{ auth.password }}."
        ),
    )

    connect_timeout = models.PositiveSmallIntegerField(
        _("connect time-out"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text=_("Seconds until a connection must stand."),
    )
    read_timeout = models.PositiveSmallIntegerField(
        _("read time-out"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Seconds of silence after which we stop waiting for an answer."),
    )
    deadline = models.PositiveSmallIntegerField(
        _("deadline"),
        default=40,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Seconds after which a whole call ends, however the answer trickles."),
    )
    max_response_bytes = models.PositiveIntegerField(_("largest answer"), default=5_000_000, help_text=_("In bytes."))
    retry_schedule = models.CharField(
        _("waits between tries"),
        max_length=200,
        blank=True,
        help_text=_(
            "For example: 5 s, 30 s, 2 min, 10 min, 1 h. Empty: 5 s, 30 s, 2 min, 10 min, 1 h, 4 h, 12 h, 24 h."
        ),
    )
    acknowledgement_hours = models.PositiveSmallIntegerField(
        _("wait for an acknowledgement"),
        default=24,
        validators=[MinValueValidator(1)],
        help_text=_("Hours after which a missing reference needs a person's attention."),
    )
    bounce_limit = models.PositiveSmallIntegerField(
        _("bounce limit"),
        default=20,
        validators=[MinValueValidator(2)],
        help_text=_("A task with more events than this within a minute, in and out, is stopped: it bounces."),
    )
    secret_names = models.TextField(
        _("secret fields"),
        blank=True,
        help_text=_("Further field names, one a line, whose values are removed before anything is stored."),
    )
    missing_fields_wipe = models.BooleanField(
        _("what it leaves out is emptied"),
        default=False,
        help_text=_(
            "For desks that write whole records (ITX): a field of a case that its update does not name is emptied, "
            "if the desk has raised the case. Switched off, such fields stay as they are."
        ),
    )
    may_name_anybody = models.BooleanField(
        _("may name anybody"),
        default=False,
        help_text=_(
            "For desks that name people by their numbers (ITX): any contact and any agent, whose name and address "
            "they then read. Switched off, only people who take part in tickets that they see."
        ),
    )
    history = HistoricalRecords(excluded_fields=["auth_secret"])

    class Meta:
        verbose_name = _("external system")
        verbose_name_plural = _("external systems")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def actor_key(self) -> str:
        """How `tickets` names this system as the cause of a change, without knowing what it is."""
        return f"system:{self.pk}"

    @property
    def secret_name_list(self) -> list[str]:
        """Names of fields that hold secrets at this system: the administrator's own, and the header of its key."""
        return [*self.secret_names.split(), *([self.auth_name] if self.auth_name else [])]

    def clean(self) -> None:
        """Refuse a configuration that could never be called."""
        missing: dict[str, str | _StrPromise] = {}
        kind = self.auth_kind
        if kind in (Authentication.BASIC, Authentication.WS_SECURITY) and not self.auth_username:
            missing["auth_username"] = _("This kind of authentication needs a user.")
        if kind in (Authentication.KEY_HEADER, Authentication.KEY_QUERY, Authentication.LOGIN) and not self.auth_name:
            missing["auth_name"] = _("Say which header or parameter carries the value.")
        if kind == Authentication.LOGIN and self.auth_login_id is None and self.pk:
            missing["auth_login"] = _("Choose the login request. Add it as an operation template first.")
        try:
            parse_schedule(self.retry_schedule)
        except ValueError as problem:
            missing["retry_schedule"] = str(problem)
        if urlsplit(self.base_url).username:
            missing["base_url"] = _("Give user and password below, not in the address.")
        if missing:
            raise ValidationError(missing)


class SystemKey(AbstractAPIKey):
    """A key with which an external system calls us. Shown once, kept as a hash; several at once allow rotation."""

    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="keys", verbose_name=_("external system"))

    class Meta:
        ordering = ["-created"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
