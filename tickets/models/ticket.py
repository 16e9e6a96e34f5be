"""The customer-facing record."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import TicketStatus
from tickets.models.catalogue import Category, OwnStatus, Priority, Queue, Tag
from tickets.models.people import Contact


class Ticket(models.Model):
    """A request of a contact. Its work is done in tasks; its conversation is what the contact reads.

    Written only by `tickets.actions`. `version` counts the changes of its fields, so that two people who edit the
    same ticket do not overwrite each other.
    """

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=250)
    description = models.TextField(_("description"), blank=True)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("contact")
    )
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("queue")
    )
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("category")
    )
    priority = models.ForeignKey(Priority, models.PROTECT, related_name="tickets", verbose_name=_("priority"))
    status = models.PositiveSmallIntegerField(
        _("status"), choices=TicketStatus.choices, default=TicketStatus.OPEN, db_index=True
    )
    own_status = models.ForeignKey(OwnStatus, models.PROTECT, related_name="tickets", verbose_name=_("own status"))
    last_open_status = models.ForeignKey(
        OwnStatus,
        models.PROTECT,
        related_name="+",
        verbose_name=_("last open status"),
        help_text=_("What the ticket returns to when something comes in or its hold is over."),
    )
    status_changed_at = models.DateTimeField(_("status since"), default=timezone.now)
    on_hold_until = models.DateTimeField(
        _("on hold until"), null=True, blank=True, help_text=_("Empty: until somebody changes the status.")
    )
    on_hold_comment = models.CharField(_("why it is on hold"), max_length=500, blank=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="tickets", verbose_name=_("tags"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(
        _("last change"), auto_now=True, db_index=True, help_text=_("Of the ticket itself, not of its conversation.")
    )
    internal_update_at = models.DateTimeField(_("we wrote last"), null=True, blank=True)
    external_update_at = models.DateTimeField(_("they wrote last"), null=True, blank=True, db_index=True)
    listed_at = models.DateTimeField(
        _("last change listed"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When those who ask for changes could first see the last one. See tickets/actions/listing.py."),
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["listed_at", "id"], name="ticket_listed"),
            models.Index(fields=["on_hold_until"], condition=Q(on_hold_until__isnull=False), name="ticket_on_hold"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=TicketStatus.ON_HOLD) | Q(on_hold_until=None, on_hold_comment=""),
                name="hold_only_while_on_hold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_closed(self) -> bool:
        """Whether nothing is expected to happen any more."""
        return self.status == TicketStatus.CLOSED


class TicketCounter(models.Model):
    """The one row that holds the last ticket number; locked while a ticket is created, so numbers are sequential."""

    last = models.PositiveBigIntegerField(default=1000)

    class Meta:
        verbose_name = _("ticket counter")

    def __str__(self) -> str:
        return str(self.last)


class ListingClock(models.Model):
    """The one row that holds the last moment given to a change; locked while moments are given, so that they rise."""

    last = models.DateTimeField()

    class Meta:
        verbose_name = _("listing clock")

    def __str__(self) -> str:
        return self.last.isoformat()
