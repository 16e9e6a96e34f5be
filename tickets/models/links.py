"""How tickets belong together."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class LinkKind(models.TextChoices):
    """How `other` belongs to `ticket`."""

    SUB_CASE = "sub_case", _("Sub-case")
    RELATED = "related", _("Related")
    MERGED = "merged", _("Merged into")


class Link(models.Model):
    """`other` is a sub-case of `ticket`, related to it (in both directions), or what `ticket` was merged into."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links", verbose_name=_("ticket"))
    kind = models.CharField(_("kind"), max_length=10, choices=LinkKind.choices)
    other = models.ForeignKey(Ticket, models.CASCADE, related_name="links_here", verbose_name=_("other ticket"))
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "kind", "other"], name="linked_once"),
            models.UniqueConstraint(fields=["other"], condition=Q(kind=LinkKind.SUB_CASE), name="one_parent"),
            models.UniqueConstraint(fields=["ticket"], condition=Q(kind=LinkKind.MERGED), name="merged_once"),
            models.CheckConstraint(condition=~Q(ticket=models.F("other")), name="not_linked_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket.number} {self.get_kind_display()} {self.other.number}"
