"""Streams and the other desks' numbers in the admin: for reading."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from integrations.admin.look import NOTHING, RUN_STATES, chip, relative, run_url, task_url, to_the_second
from integrations.admin.run_list import STUCK, SystemFilter
from integrations.models import OUT_OF_LINE, ExternalReference, ProcessRun, RunState, Stream


class ReadOnly(ModelAdmin):
    """Rows that the engine writes."""

    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The engine adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The engine changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They belong to their task."""
        return False


class ShowFilter(DropdownFilter):
    """The questions that are asked most."""

    title = _("question")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        """Stuck first."""
        return [
            ("stuck", _("Stuck: its head needs a person")),
            ("awaiting", _("The other desk's number is to come")),
            ("line", _("With runs in line")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The streams that answer it."""
        match self.value():
            case "stuck":
                return queryset.filter(head_state__in=STUCK)
            case "awaiting":
                return queryset.filter(awaiting_since__isnull=False)
            case "line":
                return queryset.filter(in_line__gt=0)
        return queryset


class StreamSystemFilter(SystemFilter):
    """Towards which desk."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Its streams."""
        value = self.value() or ""
        return queryset.filter(system=int(value)) if value.isdecimal() and len(value) < 19 else queryset


@admin.register(Stream)
class StreamAdmin(ReadOnly):
    """All that is exchanged about one task with one desk, in its order."""

    list_display = ["task_link", "system", "head", "line", "awaiting", "due"]
    list_display_links = ["line"]
    list_filter = [ShowFilter, StreamSystemFilter]
    search_fields = ["task__number__iexact", "task__ticket__number__iexact"]
    search_help_text = _("Number of the task or ticket")
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stream]:
        """With the head of each, and how many runs stand in line."""
        first = ProcessRun.objects.filter(stream=OuterRef("pk")).exclude(state__in=OUT_OF_LINE).order_by("position")
        return (
            super()
            .get_queryset(request)
            .select_related("task", "system")
            .annotate(
                head_id=Subquery(first.values("pk")[:1]),
                head_state=Subquery(first.values("state")[:1]),
                in_line=Count("runs", filter=~Q(runs__state__in=OUT_OF_LINE)),
            )
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To its runs."""
        stream = self.get_object(request, object_id)
        runs = reverse("admin:integrations_processrun_changelist")
        if stream is None:
            return HttpResponseRedirect(runs)
        query = urlencode({"ticket": stream.task.number, "system": stream.system_id})
        return HttpResponseRedirect(f"{runs}?{query}")

    @display(description=_("Task"), ordering="task__id")
    def task_link(self, stream: Stream) -> SafeString:
        """The task, on its ticket's page."""
        task = stream.task
        return format_html('<a class="xl-link" href="{}">{}</a>', task_url(task.ticket_id, task.number), task.number)

    @display(description=_("Head"))
    def head(self, stream: Any) -> SafeString | str:
        """The run whose turn it is."""
        if stream.head_id is None:
            return NOTHING
        return chip(RunState(stream.head_state).label, RUN_STATES[stream.head_state], run_url(stream.head_id))

    @display(description=_("In line"), ordering="in_line")
    def line(self, stream: Any) -> int:
        """Runs that are not over, the head among them."""
        return int(stream.in_line)

    @display(description=_("Number to come since"), ordering="awaiting_since")
    def awaiting(self, stream: Stream) -> str:
        """Since when the other desk has accepted the task without naming its number."""
        return to_the_second(stream.awaiting_since) if stream.awaiting_since else NOTHING

    @display(description=_("Goes on"), ordering="due_at")
    def due(self, stream: Stream) -> str:
        """When a worker looks at it."""
        return relative(stream.due_at) if stream.due_at else NOTHING


@admin.register(ExternalReference)
class ExternalReferenceAdmin(ReadOnly):
    """The other desks' numbers for our tasks."""

    list_display = ["value", "system", "task_link", "created_at"]
    list_display_links = None
    list_filter = [("system", RelatedDropdownFilter)]
    list_select_related = ["system", "task"]
    search_fields = ["value", "task__number__iexact", "task__ticket__number__iexact"]
    ordering = ["-id"]

    @display(description=_("Task"), ordering="task__id")
    def task_link(self, reference: ExternalReference) -> SafeString:
        """The task, on its ticket's page."""
        task = reference.task
        return format_html('<a class="xl-link" href="{}">{}</a>', task_url(task.ticket_id, task.number), task.number)
