"""Search and filters of tickets, shared by pages, admin and API."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import TicketStatus
from tickets.models import Category, Priority, Queue, Ticket
from tickets.panels import search_conditions


def search_tickets(tickets: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """Tickets in which every word of the text is found: in number, title, contact, task number, or a reference."""
    for word in text.split():
        condition = (
            Q(number__istartswith=word)
            | Q(title__icontains=word)
            | Q(contact__name__icontains=word)
            | Q(contact__email__icontains=word)
            | Q(tasks__number__iexact=word)
        )
        for more in search_conditions(word):
            condition |= more
        # A subquery, because the joins to tasks and references would list a ticket several times.
        tickets = tickets.filter(pk__in=Ticket.objects.filter(condition).order_by().values("pk"))
    return tickets


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
