"""The list of tasks. What is done with a task is done on its ticket's page."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from tickets.lifecycle import Phase
from tickets.models import Task

PHASE_COLOURS = {
    Phase.INITIAL_SUPPORT: "info",
    Phase.ESCALATE: "warning",
    Phase.REVIEW: "success",
    Phase.CLOSE: "",
}


class AssigneeFilter(DropdownFilter):
    """By the person who works on it: members of groups only, as a portal has many more users."""

    title = _("assignee")
    parameter_name = "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[int, str]]:
        """All members of groups."""
        members = User.objects.filter(assignment_groups__isnull=False).distinct().order_by("username")
        return [(person.pk, person.get_full_name() or person.get_username()) for person in members]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        """Their tasks."""
        value = self.value() or ""
        return queryset.filter(assignee=int(value)) if value.isdecimal() else queryset


@admin.register(Task)
class TaskAdmin(ModelAdmin):
    """All work of the desk, by group and phase."""

    list_display = ["numbered", "title", "phase_words", "group", "assignee", "contact_name", "updated_at"]
    list_display_links = ["numbered", "title"]
    list_select_related = ["group", "assignee", "ticket__contact"]
    list_filter = [
        ("phase", ChoicesDropdownFilter),
        ("group", RelatedDropdownFilter),
        AssigneeFilter,
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    search_fields = ["number", "title", "ticket__contact__name"]
    ordering = ["-updated_at"]
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A task is added on its ticket's page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Task | None = None) -> bool:
        """Tasks are closed, not deleted."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the task on its ticket's page."""
        task = get_object_or_404(self.get_queryset(request), pk=object_id)
        return HttpResponseRedirect(
            reverse("admin:tickets_ticket_change", args=[task.ticket_id]) + f"#task-{task.number}"
        )

    @display(description=_("Number"), ordering="id")
    def numbered(self, task: Task) -> str:
        """The task's number, in order of creation."""
        return task.number

    @display(description=_("Phase"), label=PHASE_COLOURS, ordering="phase")
    def phase_words(self, task: Task) -> tuple[str, str]:
        """How far it is."""
        return task.phase, task.get_phase_display()

    @display(description=_("Contact"), ordering="ticket__contact__name")
    def contact_name(self, task: Task) -> str:
        """For whom it is."""
        return task.ticket.contact.name if task.ticket.contact else ""
