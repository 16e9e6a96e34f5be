"""The customer-facing record."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import TicketStatus
from tickets.models.catalogue import Category, Priority, Queue
from tickets.models.people import Contact


class Ticket(models.Model):
    """A request of a contact. Its work is done in tasks; its conversation is what the contact reads.

    Written only by `tickets.actions`. `version` counts the changes of its fields, so that two people who edit the
    same ticket do not overwrite each other.
    """

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=250)
    description = models.TextField(_("description"), blank=True)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="tickets", verbose_name=_("contact"))
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
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True, db_index=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-id"]

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
