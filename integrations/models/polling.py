"""Desks that we ask for news because they do not call us: how to ask one, and how far we are with it."""

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem
from integrations.models.visits import VISITS, Visited

FEED: Final = "/ces"
FILES: Final = "/frs/file-list"
PATH = RegexValidator(
    r"^(/[A-Za-z0-9._~%-]+)*/ces$",
    _("Begin with a slash and end with /ces, for example /rest/acme/ces; no spaces, no question mark."),
)
# What an administrator sets; all other columns are the workers'.
SETTINGS: Final = (
    "system",
    "active",
    "kind",
    "path",
    "our_name",
    "layout",
    "interval_seconds",
    "page_size",
    "overlap_ms",
    "creates_tickets",
    "looks_after_sending",
)
# By one of these operations a desk is asked for its tickets.
ASKED_WITH: Final = ("fetch_modified_since", "fetch_ticket")


class PollingKind(models.TextChoices):
    """By what a desk is asked."""

    CASE_EXCHANGE = "case_exchange", _("Its Case Exchange feed")
    OPERATIONS = "operations", _("Its operation templates (fetch_modified_since, fetch_ticket)")


class Polling(Visited):
    """Asking a desk for what has happened since the last time: its feed, or its tickets by operation templates.

    `cursor` is a time of the other desk's own clock, as it wrote it; ours is never compared with it.
    """

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="polling", verbose_name=_("external system")
    )
    kind = models.CharField(_("by"), max_length=15, choices=PollingKind.choices, default=PollingKind.CASE_EXCHANGE)
    path = models.CharField(
        _("path"),
        max_length=200,
        blank=True,
        validators=[PATH],
        help_text=_("Below the system's address: /rest/, the name of the tenant there, /ces."),
    )
    our_name = models.CharField(
        _("our name there"),
        max_length=100,
        blank=True,
        help_text=_("The name under which that desk knows us; sent as system=."),
    )
    layout = models.CharField(
        _("properties"),
        max_length=1000,
        blank=True,
        help_text=_("Which properties to ask for, with commas between them; empty: those that the desk gives."),
    )
    page_size = models.PositiveSmallIntegerField(
        _("page size"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text=_("Entries in one answer. Take fewer where the answers become too large."),
    )
    overlap_ms = models.PositiveIntegerField(
        _("overlap"),
        default=0,
        validators=[MaxValueValidator(86_400_000)],
        help_text=_(
            "Milliseconds by which each poll reaches back, for desks that list changes late. What was seen before is "
            "left out."
        ),
    )
    cursor = models.PositiveBigIntegerField(
        _("read up to"),
        default=0,
        help_text=_("Time of the last entry in milliseconds, by the other desk's clock; 0: from the beginning."),
    )
    creates_tickets = models.BooleanField(
        _("unknown tickets become new ones here"),
        default=False,
        help_text=_("Tickets of that desk that are not known here; switched off, they are passed over."),
    )
    looks_after_sending = models.BooleanField(
        _("look at a ticket after something was sent"),
        default=True,
        help_text=_("So that what became of it there is known at once, and not at the next poll."),
    )

    ahead = models.PositiveBigIntegerField(
        default=0,
        editable=False,
        help_text=_("The latest change that the last round has seen: the cursor goes there after the next round."),
    )
    round = models.JSONField(
        default=dict, blank=True, editable=False, help_text=_("How far a round over many pages is.")
    )
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    asked = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("How often a look at one ticket was asked for.")
    )

    quiet_exchanges = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_("Rows of the log of a poll that brought nothing: the next one that does neither replaces them."),
    )
    WORKERS = (*VISITS, "cursor", "ahead", "round", "asked_at", "asked", "quiet_exchanges")
    history = HistoricalRecords(excluded_fields=WORKERS)

    class Meta:
        verbose_name = _("polling")
        verbose_name_plural = _("polling")

    def __str__(self) -> str:
        return f"{self.system}: {self.path or self.get_kind_display()}"

    def clean(self) -> None:
        """A feed needs its path and our name; operations need something to ask with."""
        if self.kind == PollingKind.CASE_EXCHANGE:
            needed = {name: _("This field is required.") for name in ("path", "our_name") if not getattr(self, name)}
            if needed:
                raise ValidationError(needed)
        elif self.system_id and not self.system.operations.filter(name__in=ASKED_WITH).exists():
            raise ValidationError(
                {"kind": _("The system has neither fetch_modified_since nor fetch_ticket. Add one of them first.")}
            )

    @property
    def files_path(self) -> str:
        """Where the files of that desk are: beside the feed."""
        return self.path.removesuffix(FEED) + FILES
