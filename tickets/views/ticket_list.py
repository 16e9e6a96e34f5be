"""A person's tickets: search, filter, paging. A plain GET form, which htmx only makes quicker."""

import django_filters
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_safe

from tickets.filters import TicketFilter
from tickets.lifecycle import Phase
from tickets.models import Priority, Ticket
from tickets.selectors import standing, tickets_of
from tickets.views.access import contact_page
from tickets.views.status import CLOSED_TO_WRITING

PER_PAGE = 20
STATES = [("open", _("Open")), ("check", _("Waiting for you")), ("closed", _("Closed"))]


class OwnTicketFilter(TicketFilter):
    """The filters that mean something to an end user: states in their words, no queues."""

    search = django_filters.CharFilter(method="filter_search", label=_("Search"), max_length=100)
    status = django_filters.ChoiceFilter(
        method="filter_state", choices=STATES, label=_("Status"), empty_label=_("All")
    )
    priority = django_filters.ModelChoiceFilter(
        queryset=Priority.objects.all(), label=_("Priority"), empty_label=_("All")
    )
    queue = category = None

    class Meta:
        model = Ticket
        fields = ["search", "status", "priority"]

    def filter_state(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """Open, with a solution that waits for an answer, or closed."""
        if value == "closed":
            return tickets.filter(status__in=CLOSED_TO_WRITING)
        tickets = tickets.exclude(status__in=CLOSED_TO_WRITING)
        if value == "check":
            waiting = Q(tasks__phase=Phase.REVIEW) & ~Q(tasks__solution="")
            # A follower is not asked to judge.
            waiting &= Q(contact__user=self.request.user)
            return tickets.filter(pk__in=Ticket.objects.filter(waiting).order_by().values("pk"))
        return tickets


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The portal's front door."""
    return redirect("tickets:list" if request.user.is_authenticated else "login")


@require_GET
@contact_page
def ticket_list(request: HttpRequest) -> HttpResponse:
    """The signed-in person's tickets, newest first."""
    own = tickets_of(request.user)
    chosen = OwnTicketFilter(request.GET, queryset=own, request=request)
    chosen.form.auto_id = "filter-%s"
    page = Paginator(chosen.qs, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(ticket, standing(ticket, ticket.tasks.all())) for ticket in page.object_list]
    narrowed = any(request.GET.get(name) for name in chosen.filters)
    return render(
        request,
        "tickets/list.html",
        {"form": chosen.form, "page": page, "rows": rows, "narrowed": narrowed},
    )
