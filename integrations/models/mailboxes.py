"""Mailboxes that we read, and every mail that came in: what became of it, and whether a person has to look."""

import uuid
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.mail_words import FormatProblem, NumberFormat
from integrations.models.exchanges import Exchange
from integrations.models.systems import OAUTH, ExternalSystem
from integrations.models.visits import VISITS, Visited
from integrations.secrets import EncryptedTextField
from tickets.models import Category, Contact, Queue, Task, Ticket


class Security(models.TextChoices):
    """How the connection to the mail server is protected."""

    TLS = "tls", _("TLS (usually port 993)")
    STARTTLS = "starttls", _("STARTTLS (usually port 143)")
    NONE = "none", _("None: only within one machine")


class Waiting(models.TextChoices):
    """How we learn of new mail."""

    INTERVAL = "interval", _("Look at intervals")
    IDLE = "idle", _("Be told at once (IMAP IDLE)")


class Mailbox(Visited):
    """A mailbox from which mail becomes tickets, messages, updates and solutions.

    Without a server nothing is fetched: then its mail comes by `manage.py receive_mail --mailbox`.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    address = models.EmailField(
        _("mail address"), unique=True, help_text=_("Where people and desks write to; answers are asked for here.")
    )
    system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="mailboxes",
        verbose_name=_("external system"),
        help_text=_("The one desk that writes to this mailbox. Empty: contacts and all desks do."),
    )
    host = models.CharField(
        _("server"),
        max_length=253,
        blank=True,
        help_text=_("The IMAP server. Empty: nothing is fetched, the mail server hands mail over (receive_mail)."),
    )
    port = models.PositiveIntegerField(
        _("port"), default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(_("encryption"), max_length=10, choices=Security.choices, default=Security.TLS)
    verify_tls = models.BooleanField(_("check the certificate"), default=True)
    allow_private = models.BooleanField(
        _("may be in our own network"),
        default=False,
        help_text=_("Allow an address that is not public, such as 10.0.0.0/8 or 127.0.0.1."),
    )
    username = models.CharField(_("user"), max_length=200, blank=True)
    secret = EncryptedTextField(_("password"), blank=True, help_text=_("Kept encrypted and never shown again."))
    token_system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("signs in by OAuth 2.0 of"),
        limit_choices_to={"auth_kind__in": [str(kind) for kind in OAUTH]},
        help_text=_(
            "Empty: by password. Microsoft 365 and Google take none: choose the external system that has the "
            "OAuth 2.0 client and whose address is on the mail server, such as https://outlook.office365.com."
        ),
    )
    folder = models.CharField(_("folder"), max_length=200, default="INBOX")
    done_folder = models.CharField(
        _("move to"),
        max_length=200,
        blank=True,
        help_text=_("Where mail goes that was taken over. Empty: it stays and is marked as read."),
    )
    waiting = models.CharField(_("how to look"), max_length=10, choices=Waiting.choices, default=Waiting.INTERVAL)
    number_formats = models.TextField(
        _("ticket number formats"),
        default="[TicketId:{number}]",
        blank=True,
        help_text=_(
            "One a line: how subjects name our number, {number}, or the other desk's, {reference}; for example "
            "[TicketId:{number}]. The first one is written into the subjects of our own mail."
        ),
    )
    failover_contact = models.ForeignKey(
        Contact,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("failover person"),
        help_text=_("Whose ticket it is when the sender is not known. Empty: such mail waits as unclear."),
    )
    queue = models.ForeignKey(
        Queue, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("queue for new tickets")
    )
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("category for new tickets")
    )
    authserv_id = models.CharField(
        _("trusted checker"),
        max_length=253,
        blank=True,
        help_text=_(
            "The name under which your own mail server writes its checks of DKIM and SPF (the first word of "
            "Authentication-Results). It must remove such lines that come from outside. Empty: no check is believed."
        ),
    )
    plus_addresses = models.BooleanField(
        _("plus-addresses"),
        default=False,
        help_text=_("Mail to name+anything@ arrives in this mailbox, so that answers can carry their token there."),
    )
    hourly_limit = models.PositiveSmallIntegerField(
        _("mails an hour"),
        default=20,
        validators=[MinValueValidator(1)],
        help_text=_("More than this from one address to one ticket is taken for a loop, and stopped."),
    )

    troubled = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_(
            "Mails (UIDs) at which reading broke off, once for each time: they come last and hold up no other."
        ),
    )
    WORKERS = (*VISITS, "troubled")
    history = HistoricalRecords(excluded_fields=[*WORKERS, "secret"])

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what could never be read, and formats that would find nothing."""
        wrong: dict[str, str] = {}
        if self.host and not self.username:
            wrong["username"] = gettext("The mail server wants to know who reads.")
        for line in self.number_formats.splitlines():
            if line.strip():
                try:
                    NumberFormat.of(line)
                except FormatProblem as problem:
                    wrong["number_formats"] = str(problem)
        if wrong:
            raise ValidationError(wrong)

    @property
    def formats(self) -> list[NumberFormat]:
        """The ticket number formats, in order."""
        return [NumberFormat.of(line) for line in self.number_formats.splitlines() if line.strip()]

    @property
    def is_visited(self) -> bool:
        """Whether we fetch from it, as far as its own settings say."""
        return self.active and bool(self.host)


class MailState(models.TextChoices):
    """What became of a mail. Repeated: it had come before. Stopped: automatic, or a loop. Unclear: a person decides.
    Discarded: a person decided that nothing becomes of it."""

    ARRIVED = "arrived", _("Being taken over")
    HANDLED = "handled", _("Taken over")
    REPEATED = "repeated", _("Repeated")
    STOPPED = "stopped", _("Stopped")
    UNCLEAR = "unclear", _("Unclear")
    DISCARDED = "discarded", _("Discarded")


class MailOutcome(models.TextChoices):
    """What a mail has become: the four outcomes of the SSP7 document, the acknowledgement, and what else a desk may
    say."""

    NEW_TICKET = "new_ticket", _("New ticket")
    TICKET_MESSAGE = "ticket_message", _("Ticket message")
    TASK_UPDATE = "task_update", _("Task update")
    TASK_SOLUTION = "task_solution", _("Task solution")
    ACKNOWLEDGEMENT = "acknowledgement", _("Acknowledgement")
    OTHER = "other", _("Another operation")


# What a person may still decide about.
UNDECIDED: Final = (MailState.UNCLEAR, MailState.STOPPED)


def mail_path(row: "IncomingMail", filename: str) -> str:
    """Where a raw mail is kept: never under a name from outside."""
    return f"mail/{uuid.uuid4().hex}.eml"


class IncomingMail(models.Model):
    """One mail, stored before anything is done with it, so that none is lost whatever happens then.

    `identity` is the same for the same mail, whichever way it came. `effect` is set in the transaction of what it
    caused, for mail of people: whoever comes second with the same mail causes nothing.
    """

    mailbox = models.ForeignKey(
        Mailbox, models.PROTECT, null=True, blank=True, related_name="mails", verbose_name=_("mailbox")
    )
    identity = models.CharField(max_length=64, db_index=True, help_text=_("SHA-256 of its Message-ID and content."))
    effect = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    message_id = models.CharField(_("Message-ID"), max_length=200, blank=True, db_index=True)
    sender = models.CharField(_("sender"), max_length=254, blank=True, db_index=True)
    sender_name = models.CharField(_("sender's name"), max_length=200, blank=True)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    raw = models.FileField(_("mail"), upload_to=mail_path, max_length=250, blank=True)
    size = models.PositiveBigIntegerField(_("size"), default=0, help_text=_("In bytes."))
    state = models.CharField(
        _("state"), max_length=10, choices=MailState.choices, default=MailState.ARRIVED, db_index=True
    )
    outcome = models.CharField(_("became"), max_length=16, choices=MailOutcome.choices, blank=True)
    reason = models.TextField(_("why"), blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    system = models.ForeignKey(
        ExternalSystem,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="mails",
        verbose_name=_("external system"),
        help_text=_("The desk that it is proved to come from."),
    )
    ticket = models.ForeignKey(
        Ticket, models.SET_NULL, null=True, blank=True, related_name="mails", verbose_name=_("ticket")
    )
    task = models.ForeignKey(
        Task, models.SET_NULL, null=True, blank=True, related_name="mails", verbose_name=_("task")
    )
    exchange = models.OneToOneField(
        Exchange, models.SET_NULL, null=True, blank=True, related_name="mail", verbose_name=_("exchange")
    )
    received_at = models.DateTimeField(_("received"), auto_now_add=True, db_index=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    class Meta:
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mail")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "identity"], name="mail_once_in_mailbox"),
            models.UniqueConstraint(
                fields=["identity"], condition=models.Q(mailbox=None), name="mail_once_without_mailbox"
            ),
        ]

    def __str__(self) -> str:
        return self.subject or gettext("(no subject)")
