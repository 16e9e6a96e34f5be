"""Desks that we ask for news because they do not call us: how to ask one, and how far we are with it."""

from datetime import timedelta
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem

FEED: Final = "/ces"
FILES: Final = "/frs/file-list"
PATH = RegexValidator(
    r"^(/[A-Za-z0-9._~%-]+)*/ces$",
    _("Begin with a slash and end with /ces, for example /rest/acme/ces; no spaces, no question mark."),
)
# What an administrator sets. All other columns are the worker's, which writes them only under its token.
SETTINGS: Final = ("system", "active", "path", "our_name", "layout", "interval_seconds", "page_size", "overlap_ms")
# From this many failures in a row on, a person has to look: one is a hiccup.
FAILURES_THAT_MATTER: Final = 3


class Polling(models.Model):
    """Asking a desk that speaks Case Exchange for what has happened since the last time.

    `cursor` is a time of the other desk's own clock, as it wrote it; ours is never compared with it. A worker holds
    the row with a lease and a fencing token, so that nobody else asks the same desk meanwhile.
    """

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="polling", verbose_name=_("external system")
    )
    active = models.BooleanField(_("active"), default=True)
    path = models.CharField(
        _("path"),
        max_length=200,
        validators=[PATH],
        help_text=_("Below the system's address: /rest/, the name of the tenant there, /ces."),
    )
    our_name = models.CharField(
        _("our name there"),
        max_length=100,
        help_text=_("The name under which that desk knows us; sent as system=."),
    )
    layout = models.CharField(
        _("properties"),
        max_length=1000,
        blank=True,
        help_text=_("Which properties to ask for, with commas between them; empty: those that the desk gives."),
    )
    interval_seconds = models.PositiveIntegerField(
        _("every"),
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(86_400)],
        help_text=_("Seconds from the end of one poll to the next."),
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

    due_at = models.DateTimeField(_("next poll"), null=True, blank=True, editable=False, db_index=True)
    token = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    quiet_exchanges = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_("Rows of the log of a poll that brought nothing: the next one that does neither replaces them."),
    )
    history = HistoricalRecords(
        excluded_fields=[
            "cursor",
            "due_at",
            "token",
            "lease_until",
            "last_success_at",
            "failures",
            "failing_since",
            "last_error",
            "quiet_exchanges",
        ]
    )

    class Meta:
        verbose_name = _("polling")
        verbose_name_plural = _("polling")

    def __str__(self) -> str:
        return f"{self.system}: {self.path}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only the settings of a row that exists: the rest may have moved on since this copy was read."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = SETTINGS
        super().save(*args, **kwargs)

    @property
    def interval(self) -> timedelta:
        """The pause between two polls."""
        return timedelta(seconds=self.interval_seconds)

    @property
    def files_path(self) -> str:
        """Where the files of that desk are: beside the feed."""
        return self.path.removesuffix(FEED) + FILES

    @property
    def needs_attention(self) -> bool:
        """Whether it has failed for so long that a person has to look."""
        return self.active and self.failures >= FAILURES_THAT_MATTER
