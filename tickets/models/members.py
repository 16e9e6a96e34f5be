"""Who has to do with a ticket, and who had."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.people import Contact
from tickets.models.ticket import Ticket


class MemberRole(models.IntegerChoices):
    """What somebody is to a ticket, with the numbers of the ITX document."""

    ASSIGNED = 1, _("Assigned user")
    FOLLOWER = 2, _("Follower")
    CONTACT = 20, _("Contact")


class Member(models.Model):
    """Somebody's part in a ticket, from its start to its end; active while it has no end.

    One active assigned user, an agent; one active contact; any number of followers, agents or contacts. Ended rows
    are the history. `Ticket.contact` repeats the active contact, for lists.
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="members", verbose_name=_("ticket"))
    role = models.PositiveSmallIntegerField(_("role"), choices=MemberRole.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="memberships",
        verbose_name=_("user"),
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="memberships", verbose_name=_("contact")
    )
    started_at = models.DateTimeField(_("from"), default=timezone.now)
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(role=MemberRole.ASSIGNED, ended_at=None),
                name="one_active_assigned_user",
            ),
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(role=MemberRole.CONTACT, ended_at=None), name="one_active_contact"
            ),
            models.UniqueConstraint(
                fields=["ticket", "user"],
                condition=Q(role=MemberRole.FOLLOWER, ended_at=None, user__isnull=False),
                name="user_follows_once",
            ),
            models.UniqueConstraint(
                fields=["ticket", "contact"],
                condition=Q(role=MemberRole.FOLLOWER, ended_at=None, contact__isnull=False),
                name="contact_follows_once",
            ),
            models.CheckConstraint(
                condition=Q(role=MemberRole.ASSIGNED, user__isnull=False, contact=None)
                | Q(role=MemberRole.CONTACT, user=None, contact__isnull=False)
                | Q(role=MemberRole.FOLLOWER, user__isnull=False, contact=None)
                | Q(role=MemberRole.FOLLOWER, user=None, contact__isnull=False),
                name="member_is_of_its_role",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")), name="member_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}: {self.person}"

    @property
    def person(self) -> str:
        """The name."""
        if self.contact is not None:
            return self.contact.name
        return (self.user.get_full_name() or self.user.get_username()) if self.user else ""

    @property
    def is_active(self) -> bool:
        """Whether it has no end yet."""
        return self.ended_at is None
