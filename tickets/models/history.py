"""What happened, kept for ever."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.conversation import Authored
from tickets.models.task import Task
from tickets.models.ticket import Ticket


class History(Authored):
    """One change of a ticket or task: who, when, what, from, to. Written beside the change, in its transaction."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="history", verbose_name=_("ticket"))
    task = models.ForeignKey(
        Task, models.CASCADE, null=True, blank=True, related_name="history", verbose_name=_("task")
    )
    event = models.CharField(_("event"), max_length=40)
    field = models.CharField(_("field"), max_length=60, blank=True)
    old = models.TextField(_("before"), blank=True)
    new = models.TextField(_("after"), blank=True)
    text = models.TextField(_("remark"), blank=True)

    class Meta:
        verbose_name = _("history entry")
        verbose_name_plural = _("history")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.event} {self.field}".strip()
