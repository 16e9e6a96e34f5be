"""The list of tickets: columns, search."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from tickets.admin.list_filters import (
    AssignedUserFilter,
    DeadlineFilter,
    GroupFilter,
    MineDropdownFilter,
    PhaseFilter,
    property_filters,
)
from tickets.filters import search_tickets
from tickets.lifecycle import OPEN_STATUSES, TicketStatus
from tickets.models import Member, MemberRole, Ticket
from tickets.selectors import Standing, is_overdue, standing, with_tasks

# Which colour a standing has; the words are always beside it.
STANDING_COLOURS = {
    Standing.RECEIVED: "warning",
    Standing.WORKED_ON: "info",
    Standing.WITH_PARTNER: "primary",
    Standing.PARTLY_SOLVED: "success",
    Standing.SOLVED: "success",
    Standing.ON_HOLD: "warning",
    Standing.CLOSED: "",
    Standing.MERGED: "",
    Standing.WITHDRAWN: "",
}


class TicketList(ModelAdmin):
    """What the list shows. Its number of queries does not depend on the number of tickets."""

    list_display = ["numbered", "titled", "standing", "urgency", "contact_name", "groups", "updated_at"]
    list_display_links = ["numbered", "titled"]
    list_filter = [
        MineDropdownFilter,
        ("status", ChoicesDropdownFilter),
        ("own_status", RelatedDropdownFilter),
        DeadlineFilter,
        AssignedUserFilter,
        ("priority", RelatedDropdownFilter),
        ("queue", RelatedDropdownFilter),
        ("category", RelatedDropdownFilter),
        ("tags", RelatedDropdownFilter),
        GroupFilter,
        PhaseFilter,
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    # What is searched is said by `search_tickets`; Django only needs to know that there is a search.
    search_fields = ["number"]
    search_help_text = _("Number, title, contact, tag, property or the number of another desk")
    ordering = ["-updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        """With all that the list says about a ticket."""
        tickets = super().get_queryset(request).select_related("own_status", "last_open_status")
        active = Member.objects.filter(role=MemberRole.ASSIGNED, ended_at=None).select_related("user", "contact")
        return with_tasks(tickets).prefetch_related(
            "tags", Prefetch("members", queryset=active, to_attr="assigned_here")
        )

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """With one for each property that administrators have defined."""
        filters = getattr(request, "_property_filters", None)
        if filters is None:
            filters = property_filters()
            request._property_filters = filters  # type: ignore[attr-defined]  # asked for several times a request
        return [*super().get_list_filter(request), *filters]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        """The same search as everywhere; it lists no ticket twice."""
        return search_tickets(queryset, search_term, internally=True), False

    @display(description=_("Number"), ordering="id")
    def numbered(self, ticket: Ticket) -> str:
        """The ticket's number, in order of creation."""
        return ticket.number

    @display(description=_("Title"), ordering="title")
    def titled(self, ticket: Ticket) -> SafeString:
        """The title, and its tags below."""
        tags = format_html_join("", '<span class="db-tag">{}</span> ', ((tag.name,) for tag in ticket.tags.all()))
        return _two_lines(ticket.title, tags)

    @display(description=_("Status"), ordering="status")
    def standing(self, ticket: Ticket) -> SafeString:
        """Where the ticket is, in words; below, what the administrators call it, and how long it is on hold."""
        found = standing(ticket, ticket.tasks.all())
        label = render_to_string("unfold/helpers/label.html", {"text": found.label, "type": STANDING_COLOURS[found]})
        more = "" if ticket.own_status.is_default else ticket.own_status.name
        if ticket.status == TicketStatus.ON_HOLD and ticket.on_hold_until:
            until = _("until %(when)s") % {"when": _short(ticket.on_hold_until)}
            more = f"{more}, {until}" if more else until
        return _two_lines(SafeString(label), more)

    @display(description=_("Priority"), ordering="priority__rank")
    def urgency(self, ticket: Ticket) -> SafeString:
        """The priority, most urgent first; below, the deadline."""
        if is_overdue(ticket):
            late = format_html('<strong class="db-overdue">{}</strong>', _("overdue"))
            return _two_lines(ticket.priority.name, late)
        due = ticket.deadline_at if ticket.status in OPEN_STATUSES else None
        return _two_lines(ticket.priority.name, _("due %(when)s") % {"when": _short(due)} if due else "")

    @display(description=_("Contact"), ordering="contact__name")
    def contact_name(self, ticket: Ticket) -> str:
        """For whom it is."""
        return ticket.contact.name if ticket.contact else str(_("no contact"))

    @display(description=_("With"))
    def groups(self, ticket: Ticket) -> SafeString:
        """Who works on it: the groups of its open tasks, or of all tasks once they are closed; below, who looks
        after it as a whole."""
        tasks = [task for task in ticket.tasks.all() if task.group]
        chosen = [task for task in tasks if not task.is_closed] or tasks
        named = ", ".join(dict.fromkeys(str(task.group) for task in chosen)) or str(_("none"))
        assigned = ticket.assigned_here  # type: ignore[attr-defined]  # prefetched
        return _two_lines(named, assigned[0].person if assigned else "")


def _two_lines(first: "str | Promise", second: "str | Promise") -> SafeString:
    if not second:
        return format_html("{}", first)
    return format_html('<span class="db-two">{}<span class="db-second">{}</span></span>', first, second)


def _short(moment: datetime) -> str:
    return date_format(localtime(moment), "j M, H:i")
