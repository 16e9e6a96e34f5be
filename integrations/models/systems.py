"""Other parties' service desks: how to reach them, how to authenticate, how they authenticate to us."""

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey
from simple_history.models import HistoricalRecords

from integrations.engine.retry import parse_schedule
from integrations.levels import Level, lacks_for_level
from integrations.secrets import EncryptedTextField

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


# An address, or all of a domain. At least one dot: nobody may be all of .com.
SENDER: Final = re.compile(r"[^\s@<>]*@[^\s@<>.]+(\.[^\s@<>.]+)+")


class Authentication(models.TextChoices):
    """How we authenticate when we call."""

    NONE = "none", _("None")
    BASIC = "basic", _("User and password (HTTP Basic)")
    BEARER = "bearer", _("Bearer token")
    KEY_HEADER = "key_header", _("API key in a header")
    KEY_QUERY = "key_query", _("API key in the query")
    TEMPLATE = "template", _("User and password where the templates name them")
    LOGIN = "login", _("Login request that captures a session value")
    OAUTH = "oauth", _("OAuth 2.0: client credentials")
    OAUTH_REFRESH = "oauth_refresh", _("OAuth 2.0: refresh token")
    WS_SECURITY = "ws_security", _("User and password (WS-Security, SOAP only)")
    WS_SECURITY_DIGEST = "ws_security_digest", _("User and password digest (WS-Security, SOAP only)")


OAUTH = (Authentication.OAUTH, Authentication.OAUTH_REFRESH)
WS_SECURITY = (Authentication.WS_SECURITY, Authentication.WS_SECURITY_DIGEST)


class ClientAuthentication(models.TextChoices):
    """How we show the token endpoint of OAuth 2.0 who we are (RFC 6749, section 2.3.1)."""

    BASIC = "basic", _("HTTP Basic")
    BODY = "body", _("client_id and client_secret in the body")


class ConflictRule(models.TextChoices):
    """Who wins where the same thing was changed on both sides between two looks."""

    THEIRS = "theirs", _("The other desk's value")
    OURS = "ours", _("Our value")
    NEWER = "newer", _("What was changed last")


class ContactPermissions(models.Model):
    """What end users may do with what another desk works on. The system's and the group's must both allow it."""

    contacts_read = models.BooleanField(
        _("contacts read its status and notes"),
        default=True,
        help_text=_("The status and notes of the other desk are shown to the ticket's contact."),
    )
    contacts_write = models.BooleanField(
        _("contacts add information"), default=True, help_text=_("While the other desk works on the ticket.")
    )
    contacts_close = models.BooleanField(
        _("contacts close"), default=True, help_text=_("While the other desk works on the ticket.")
    )

    class Meta:
        abstract = True


class ExternalSystem(ContactPermissions):
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
    level = models.CharField(
        _("integration level"),
        max_length=15,
        choices=Level.choices,
        blank=True,
        default=Level.NONE,
        help_text=_(
            "Which operations it must have to be active; the table at the end of its page tells what is there."
        ),
    )
    preset = models.CharField(
        _("preset"),
        max_length=60,
        blank=True,
        editable=False,
        help_text=_("The preset of the catalogue that it was made from."),
    )
    settings = models.JSONField(
        _("settings"),
        default=dict,
        blank=True,
        help_text=_("Values by name, such as the name of a queue; in templates {{ system.settings.name }}."),
    )
    conflict_rule = models.CharField(
        _("changed on both sides"),
        max_length=10,
        choices=ConflictRule.choices,
        default=ConflictRule.THEIRS,
        help_text=_("What counts when a value was changed here and there between two looks."),
    )
    updates_contacts = models.BooleanField(
        _("people changed here are changed there"),
        default=True,
        help_text=_(
            "A contact's new name, e-mail, phone or login goes to this desk, too, if it knows the contact and has "
            "the operation update_contact."
        ),
    )
    base_url = models.CharField(
        _("address"),
        max_length=300,
        validators=[URLValidator(schemes=["http", "https"])],
        blank=True,
        help_text=_(
            "Where its interface begins, for example https://desk.example.com/api. Empty only for a desk that is "
            "reached by mail alone."
        ),
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
    ca_bundle = models.TextField(
        _("its authorities"),
        blank=True,
        help_text=_(
            "Certificates in PEM form. Given, its certificate must come from one of these; empty: from any authority "
            "that this machine believes."
        ),
    )
    client_certificate = models.TextField(
        _("our certificate"),
        blank=True,
        help_text=_("In PEM form, intermediate ones behind it: shown to desks that ask for one (mutual TLS)."),
    )
    client_key = EncryptedTextField(_("key of our certificate"), blank=True)

    mail_to = models.EmailField(
        _("mail goes to"), blank=True, help_text=_("Where steps that send mail write to, unless they say otherwise.")
    )
    mail_senders = models.TextField(
        _("its mail comes from"),
        blank=True,
        help_text=_("One address a line, or @domain for all of a domain. Empty: only the address above."),
    )
    mail_from = models.EmailField(
        _("our mail comes from"),
        blank=True,
        help_text=_("Empty: the address of its mailbox; without one, that of the portal."),
    )

    auth_kind = models.CharField(
        _("authentication"), max_length=20, choices=Authentication.choices, default=Authentication.NONE
    )
    auth_username = models.CharField(
        _("user"), max_length=200, blank=True, help_text=_("For OAuth 2.0 the client's id.")
    )
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

    oauth_token_url = models.CharField(
        _("token endpoint"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("Where access tokens are asked for; it may be on a host of its own, which needs no other entry."),
    )
    oauth_client_authentication = models.CharField(
        _("client authentication"),
        max_length=10,
        choices=ClientAuthentication.choices,
        default=ClientAuthentication.BASIC,
    )
    oauth_scope = models.CharField(_("scope"), max_length=1000, blank=True)
    oauth_parameters = models.TextField(
        _("further parameters"),
        blank=True,
        help_text=_("One a line, as name = value, for example: audience = https://desk.example.com"),
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
    sends_back = models.BooleanField(
        _("sends our own texts back"),
        default=True,
        help_text=_(
            "A text of ours that comes back within ten minutes is held back. Switch it off for desks that never do "
            "so: then two people may write the same at once."
        ),
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
    history = HistoricalRecords(excluded_fields=["auth_secret", "client_key"])

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

    def sends_mail_from(self, address: str) -> bool:
        """Whether mail from this address may be this desk's; whether it is, the address alone does not prove."""
        address = address.strip().lower()
        senders = [*self.mail_senders.lower().split(), self.mail_to.lower()]
        _name, at, domain = address.rpartition("@")
        return bool(at) and (address in senders or f"@{domain}" in senders)

    @property
    def oauth_extra(self) -> dict[str, str]:
        """What else the token endpoint is told, by name."""
        pairs = (line.partition("=") for line in self.oauth_parameters.splitlines() if line.strip())
        return {name.strip(): value.strip() for name, _equals, value in pairs}

    def clean(self) -> None:
        """Refuse a configuration that could never be called."""
        missing: dict[str, str | _StrPromise] = {}
        if not self.base_url and not self.mail_to:
            missing["base_url"] = _("Say where it is: an address of its interface, or a mail address below.")
        for line in self.mail_senders.split():
            if not SENDER.fullmatch(line):
                missing["mail_senders"] = _("Write addresses, or @ and a domain, one a line.")
        kind = self.auth_kind
        if kind in (Authentication.BASIC, *WS_SECURITY, *OAUTH) and not self.auth_username:
            missing["auth_username"] = _("This kind of authentication needs a user.")
        if kind in (Authentication.KEY_HEADER, Authentication.KEY_QUERY) and not self.auth_name:
            missing["auth_name"] = _("Say which header or parameter carries the value.")
        if kind == Authentication.LOGIN and self.auth_login_id is None and self.pk:
            missing["auth_login"] = _("Choose the login request. Add it as an operation template first.")
        if kind in OAUTH and not self.oauth_token_url:
            missing["oauth_token_url"] = _("Say where access tokens are asked for.")
        if "" in self.oauth_extra or any(
            "=" not in line for line in self.oauth_parameters.split("\n") if line.strip()
        ):
            missing["oauth_parameters"] = _("Write each parameter as name = value.")
        if urlsplit(self.oauth_token_url).username:
            missing["oauth_token_url"] = _("Give client and secret below, not in the address.")
        try:
            parse_schedule(self.retry_schedule)
        except ValueError as problem:
            missing["retry_schedule"] = str(problem)
        if urlsplit(self.base_url).username:
            missing["base_url"] = _("Give user and password below, not in the address.")
        if self.active and self.pk and (lacks := lacks_for_level(self)):
            missing["level"] = lacks
        elif self.active and self.level and not self.pk:
            missing["active"] = _("Add it switched off, or without a level: its operations come next.")
        if missing:
            raise ValidationError(missing)


class SystemKey(AbstractAPIKey):
    """A key with which an external system calls us. Shown once, kept as a hash; several at once allow rotation."""

    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="keys", verbose_name=_("external system"))

    class Meta:
        ordering = ["-created"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
