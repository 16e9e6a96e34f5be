"""Process runs as a list: what stands still and why, what waits, what was done today."""

from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter, TextFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from integrations.admin.base import Page
from integrations.admin.look import relative, state_chip, task_url, to_the_second
from integrations.models import OUT_OF_LINE, ExternalSystem, ProcessRun, RunState
from tickets.models import Task

STUCK = (RunState.ATTENTION, RunState.HELD)
WAITING = (RunState.QUEUED, RunState.RUNNING, RunState.RETRYING, RunState.AWAITING, RunState.PARKED)


class ShowFilter(DropdownFilter):
    """The questions that are asked most."""

    title = _("question")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        """Stuck first."""
        return [
            ("stuck", _("Stuck: needs a person")),
            ("waiting", _("Waiting: goes on by itself")),
            ("today", _("Of the last 24 hours")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> QuerySet[ProcessRun]:
        """The runs that answer it."""
        match self.value():
            case "stuck":
                return queryset.filter(state__in=STUCK)
            case "waiting":
                return queryset.filter(state__in=WAITING)
            case "today":
                return queryset.filter(created_at__gte=timezone.now() - timedelta(hours=24))
        return queryset


class SystemFilter(DropdownFilter):
    """Towards which desk."""

    title = _("external system")
    parameter_name = "system"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All systems."""
        return [(str(pk), name) for pk, name in ExternalSystem.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> QuerySet[ProcessRun]:
        """Runs in its streams."""
        value = self.value() or ""
        return queryset.filter(stream__system=int(value)) if value.isdecimal() and len(value) < 19 else queryset


class TicketFilter(TextFilter):
    """Of one ticket, or one task of it."""

    title = _("ticket or task number")
    parameter_name = "ticket"

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> QuerySet[ProcessRun]:
        """Those about this ticket or task."""
        number = (self.value() or "").strip()
        if not number:
            return queryset
        return queryset.filter(stream__task__in=Task.objects.filter(Q(number=number) | Q(ticket__number=number)))


class RunList(Page):
    """What the list shows. Its number of queries does not depend on the number of runs."""

    list_display = ["state_words", "numbered", "stream_link", "event", "why", "created"]
    list_display_links = ["numbered"]
    list_filter = [
        ShowFilter,
        SystemFilter,
        ("state", ChoicesDropdownFilter),
        TicketFilter,
        ("version__process", RelatedDropdownFilter),
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    list_disable_select_all = True
    show_full_result_count = False
    paginator = InfinitePaginator
    search_fields = ["reason"]
    search_help_text = _("Number of the run, task, ticket, another desk's number, or a part of the reason")
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProcessRun]:
        """With all that the screens say about a run."""
        rows: QuerySet[ProcessRun] = (
            super()
            .get_queryset(request)
            .select_related("stream__task__ticket", "stream__system", "version__process", "group")
        )
        match = request.resolver_match
        if match and match.url_name == "integrations_processrun_changelist":
            first = ProcessRun.objects.filter(stream=OuterRef("stream")).exclude(state__in=OUT_OF_LINE)
            head = Subquery(first.order_by("position").values("pk")[:1])
            return rows.defer("snapshot", "version__definition").annotate(head_id=head)
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProcessRun], search_term: str
    ) -> tuple[QuerySet[ProcessRun], bool]:
        """Every word has to be found somewhere."""
        for word in search_term.split():
            about = Task.objects.filter(
                Q(number=word) | Q(ticket__number=word) | Q(external_references__value__iexact=word)
            )
            condition = Q(reason__icontains=word) | Q(operation__iexact=word)
            condition |= Q(stream__task__in=list(about.values_list("pk", flat=True)[:500]))
            if word.isdecimal() and len(word) < 19:
                condition |= Q(pk=int(word))
            queryset = queryset.filter(condition)
        return queryset, False

    @display(description=_("State"), ordering="state")
    def state_words(self, run: ProcessRun) -> SafeString:
        """In words, with an icon and a colour."""
        return state_chip(run)

    @display(description=_("Run"), ordering="id")
    def numbered(self, run: ProcessRun) -> SafeString:
        """Its number, and the process with its version."""
        return format_html(
            '<span class="xl-two"><span>{}</span><span class="db-quiet">{}</span></span>', run.pk, run.version
        )

    @display(description=_("Stream"))
    def stream_link(self, run: ProcessRun) -> SafeString:
        """The task, and the desk that it is exchanged with; its place in that order."""
        task = run.stream.task
        return format_html(
            '<span class="xl-two"><span><a class="xl-link" href="{}">{}</a> <span class="db-quiet">{}</span></span>'
            "<span>{}</span></span>",
            task_url(task.ticket_id, task.number),
            task.number,
            _t("no. %(position)d") % {"position": run.position},
            run.stream.system,
        )

    @display(description=_("Event"), ordering="operation")
    def event(self, run: ProcessRun) -> SafeString:
        """Which operation it is, and what happened in the words of the document."""
        words = f"{run.request_type} ({run.get_direction_display()})"
        return format_html(
            '<span class="xl-two"><span>{}</span><span class="db-quiet">{}</span></span>', run.operation, words
        )

    @display(description=_("Why it waits"))
    def why(self, run: Any) -> SafeString | str:
        """The reason, and when it goes on by itself; or who stands before it."""
        words = Truncator(run.reason).chars(160)
        if run.state == RunState.QUEUED and run.head_id not in (None, run.pk):
            words = _t("Stands behind run %(number)d.") % {"number": run.head_id}
        if run.due_at is None:
            return words
        return format_html('{} <span class="db-quiet">{}</span>', words, _due(run))

    @display(description=_("Created"), ordering="id")
    def created(self, run: ProcessRun) -> str:
        """When the event happened."""
        return to_the_second(run.created_at)


def _due(run: ProcessRun) -> str:
    assert run.due_at is not None  # noqa: S101 - asked before
    return _t("Next try: %(when)s") % {"when": relative(run.due_at)}
