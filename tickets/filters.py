"""Search and filters of tickets, shared by pages, admin and API."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import OPEN_STATUSES, TicketStatus
from tickets.models import (
    Category,
    Member,
    MemberRole,
    Priority,
    PropertyDefinition,
    PropertyKind,
    PropertyValue,
    Queue,
    Ticket,
)
from tickets.panels import search_conditions


def search_tickets(tickets: QuerySet[Ticket], text: str, *, internally: bool = False) -> QuerySet[Ticket]:
    """Tickets in which every word of the text is found: in number, title, contact, task number, or a reference.

    `internally`, for agents, in tags and properties too: contacts do not see these, so they do not find by them.
    """
    for word in text.split():
        condition = (
            Q(number__istartswith=word)
            | Q(title__icontains=word)
            | Q(contact__name__icontains=word)
            | Q(contact__email__icontains=word)
            | Q(tasks__number__iexact=word)
        )
        if internally:
            condition |= Q(pk__in=Ticket.tags.through.objects.filter(tag__name__icontains=word).values("ticket"))
            condition |= Q(pk__in=PropertyValue.objects.filter(value__icontains=word).values("ticket"))
        for more in search_conditions(word):
            condition |= more
        # A subquery, because the joins to tasks and references would list a ticket several times.
        tickets = tickets.filter(pk__in=Ticket.objects.filter(condition).order_by().values("pk"))
    return tickets


def overdue(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Whose deadline has passed while something is still to happen; as `selectors.is_overdue` says of one."""
    return tickets.filter(deadline_at__lt=timezone.now(), status__in=OPEN_STATUSES)


def looked_after_by(tickets: QuerySet[Ticket], user_id: int) -> QuerySet[Ticket]:
    """Whose assigned user this is."""
    active = Member.objects.filter(role=MemberRole.ASSIGNED, ended_at=None, user=user_id)
    return tickets.filter(pk__in=active.values("ticket"))


def followed_by(tickets: QuerySet[Ticket], user_id: int) -> QuerySet[Ticket]:
    """Which this user follows."""
    active = Member.objects.filter(role=MemberRole.FOLLOWER, ended_at=None, user=user_id)
    return tickets.filter(pk__in=active.values("ticket"))


def with_property(tickets: QuerySet[Ticket], definition: PropertyDefinition, value: str) -> QuerySet[Ticket]:
    """Whose property holds this value; a text is looked for inside. `ValueError` says what is wrong with it."""
    if definition.kind == PropertyKind.TEXT:
        held = PropertyValue.objects.filter(definition=definition, value__icontains=value)
    else:
        held = PropertyValue.objects.filter(definition=definition, value=definition.canonical(value))
    return tickets.filter(pk__in=held.values("ticket"))


class TicketFilter(django_filters.FilterSet):
    """What a list of tickets may be narrowed by; apply it to what the person may see."""

    search = django_filters.CharFilter(method="filter_search", label=_("Search"))
    status = django_filters.TypedChoiceFilter(choices=TicketStatus.choices, coerce=int, label=_("Status"))
    priority = django_filters.ModelChoiceFilter(queryset=Priority.objects.all(), label=_("Priority"))
    queue = django_filters.ModelChoiceFilter(queryset=Queue.objects.all(), label=_("Queue"))
    category = django_filters.ModelChoiceFilter(queryset=Category.objects.all(), label=_("Category"))

    class Meta:
        model = Ticket
        fields = ["search", "status", "priority", "queue", "category"]

    def filter_search(self, tickets: QuerySet[Ticket], name: str, value: Any) -> QuerySet[Ticket]:
        """Every word has to be found."""
        return search_tickets(tickets, value)
