"""The list of tickets: columns, filters, search."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from tickets.filters import search_tickets
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Task, Ticket
from tickets.selectors import Standing, standing, with_tasks

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

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


class MineFilter(SimpleListFilter):
    """Tickets with a task that I work on, or that waits in one of my groups."""

    title = _("assigned to me")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "_StrPromise"]]:
        """Me, or my groups."""
        return [("1", _("Assigned to me")), ("groups", _("With my groups"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Open tasks only: what is done waits for nobody."""
        tasks = Task.objects.exclude(phase=Phase.CLOSE)
        if self.value() == "1":
            return queryset.filter(pk__in=tasks.filter(assignee=request.user.pk).values("ticket"))
        if self.value() == "groups":
            return queryset.filter(pk__in=tasks.filter(group__members=request.user.pk).values("ticket"))
        return queryset


class MineDropdownFilter(MineFilter, DropdownFilter):
    """The same as a drop-down."""


class OfTasksFilter(DropdownFilter):
    """Tickets of which a task has something. A subquery, because a join would list a ticket several times."""

    field: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Tickets with such a task."""
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Task.objects.filter(**{self.field: self.value()}).values("ticket"))


class GroupFilter(OfTasksFilter):
    """By the group that has a task."""

    title = _("group")
    parameter_name = "group"
    field = "group__code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All groups."""
        return list(AssignmentGroup.objects.values_list("code", "name"))


class PhaseFilter(OfTasksFilter):
    """By the phase of a task."""

    title = _("phase")
    parameter_name = "phase"
    field = "phase"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "_StrPromise"]]:
        """All phases."""
        return Phase.choices


class TicketList(ModelAdmin):
    """What the list shows. Its number of queries does not depend on the number of tickets."""

    list_display = ["numbered", "title", "standing", "urgency", "contact_name", "groups", "updated_at"]
    list_display_links = ["numbered", "title"]
    list_filter = [
        MineDropdownFilter,
        ("status", ChoicesDropdownFilter),
        ("priority", RelatedDropdownFilter),
        ("queue", RelatedDropdownFilter),
        ("category", RelatedDropdownFilter),
        GroupFilter,
        PhaseFilter,
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    # What is searched is said by `search_tickets`; Django only needs to know that there is a search.
    search_fields = ["number"]
    search_help_text = _("Number, title, contact or the number of another desk")
    ordering = ["-updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        """With all that the list says about a ticket."""
        tickets = super().get_queryset(request).select_related("own_status", "last_open_status")
        return with_tasks(tickets).prefetch_related("tags")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        """The same search as everywhere; it lists no ticket twice."""
        return search_tickets(queryset, search_term), False

    @display(description=_("Number"), ordering="id")
    def numbered(self, ticket: Ticket) -> str:
        """The ticket's number, in order of creation."""
        return ticket.number

    @display(description=_("Status"), label=STANDING_COLOURS, ordering="status")
    def standing(self, ticket: Ticket) -> tuple[str, "str | _StrPromise"]:
        """Where the ticket is, in words."""
        found = standing(ticket, ticket.tasks.all())
        return found, found.label

    @display(description=_("Priority"), ordering="priority__rank")
    def urgency(self, ticket: Ticket) -> str:
        """The priority, most urgent first."""
        return ticket.priority.name

    @display(description=_("Contact"), ordering="contact__name")
    def contact_name(self, ticket: Ticket) -> str:
        """For whom it is."""
        return ticket.contact.name if ticket.contact else ""

    @display(description=_("Groups"))
    def groups(self, ticket: Ticket) -> str:
        """Who works on it: the groups of its open tasks, or of all tasks once they are closed."""
        tasks = [task for task in ticket.tasks.all() if task.group]
        chosen = [task for task in tasks if not task.is_closed] or tasks
        return ", ".join(dict.fromkeys(str(task.group) for task in chosen)) or str(_("none"))
