"""The exchange log as a list: columns, filters, search. It counts nothing, so that it opens as fast with millions."""

from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter, TextFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from integrations.admin.base import Page
from integrations.admin.look import FAILURES, NOTHING, duration, outcome_chip, task_url, to_the_second, way_arrow
from integrations.models import Exchange, Outcome, Way
from tickets.models import Task

Choices = list[tuple[str, str | Promise]]
DIALECTS: Choices = [
    ("http", _("HTTP (we called)")),
    ("soap", _("SOAP (we called)")),
    ("mail", _("Mail (either way)")),
    ("rest", _("REST (they called)")),
    ("workflow_service", _("Workflow Service (they called)")),
    ("itx", _("ITX (they called)")),
    ("webhook", _("Webhook (they called)")),
]
SINCE: dict[str, tuple[timedelta, Promise]] = {
    "1h": (timedelta(hours=1), _("The last hour")),
    "24h": (timedelta(hours=24), _("The last 24 hours")),
    "7d": (timedelta(days=7), _("The last 7 days")),
}
BODIES = ("request_headers", "request_body", "response_headers", "response_body")


class WayFilter(DropdownFilter):
    """Out or in."""

    title = _("direction")
    parameter_name = "way"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Both."""
        return list(Way.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        """Those that went this way."""
        return queryset.filter(way=self.value()) if self.value() in Way.values else queryset


class OutcomeFilter(DropdownFilter):
    """What became of it; every failure at once, too."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Any failure first: that is what one looks for."""
        return [("failed", _("Any failure")), *Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        """Those with this outcome."""
        if self.value() == "failed":
            return queryset.filter(outcome__in=FAILURES)
        return queryset.filter(outcome=self.value()) if self.value() in Outcome.values else queryset


class DialectFilter(DropdownFilter):
    """The form in which it was exchanged."""

    title = _("form")
    parameter_name = "dialect"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The known forms: asking the log itself would read all of it."""
        return DIALECTS

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        """Those in this form."""
        return queryset.filter(dialect=self.value()) if self.value() else queryset


class SinceFilter(DropdownFilter):
    """How far back."""

    title = _("age")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Usual spans; any other is chosen by date."""
        return [(name, words) for name, (_span, words) in SINCE.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        """Those since then."""
        if (chosen := SINCE.get(self.value() or "")) is None:
            return queryset
        return queryset.filter(started_at__gte=timezone.now() - chosen[0])


class TicketFilter(TextFilter):
    """Of one ticket, or one task of it."""

    title = _("ticket or task number")
    parameter_name = "ticket"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        """Those about this ticket or task."""
        number = (self.value() or "").strip()
        if not number:
            return queryset
        return queryset.filter(task__in=Task.objects.filter(Q(number=number) | Q(ticket__number=number)))


class ExchangeList(Page):
    """What the list shows. Its number of queries does not depend on the number of exchanges."""

    list_display = ["direction", "system", "task_link", "what", "outcome_words", "answer", "took", "when"]
    list_display_links = ["what", "when"]
    list_filter = [
        OutcomeFilter,
        ("system", RelatedDropdownFilter),
        WayFilter,
        SinceFilter,
        TicketFilter,
        DialectFilter,
        ("started_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    list_disable_select_all = True
    show_full_result_count = False
    paginator = InfinitePaginator
    search_fields = ["message_id"]
    search_help_text = _("Task, ticket, another desk's number, message id, or a part of address or error")
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exchange]:
        """Without the bodies in lists: they may be megabytes each."""
        rows: QuerySet[Exchange] = super().get_queryset(request).select_related("system", "task")
        match = request.resolver_match
        if match and match.url_name == "integrations_exchange_changelist":
            return rows.defer(*BODIES)
        return rows.select_related("task__ticket", "step")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Exchange], search_term: str
    ) -> tuple[QuerySet[Exchange], bool]:
        """Every word has to be found somewhere; bodies are not searched, as nothing could index them."""
        for word in search_term.split():
            about = Task.objects.filter(
                Q(number=word) | Q(ticket__number=word) | Q(external_references__value__iexact=word)
            )
            # The ids first: as a subquery, it would keep the database from reading the log from its end.
            condition = Q(message_id=word) | Q(url__icontains=word) | Q(error__icontains=word)
            condition |= Q(operation__icontains=word) | Q(task__in=list(about.values_list("pk", flat=True)[:500]))
            queryset = queryset.filter(condition)
        return queryset, False

    @display(description=_("Direction"), ordering="way")
    def direction(self, exchange: Exchange) -> SafeString:
        """Out or in."""
        return way_arrow(exchange.way)

    @display(description=_("Task"))
    def task_link(self, exchange: Exchange) -> SafeString | str:
        """The task, on its ticket's page."""
        if exchange.task is None:
            return NOTHING
        number = exchange.task.number
        return format_html('<a class="xl-link" href="{}">{}</a>', task_url(exchange.task.ticket_id, number), number)

    @display(description=_("Operation"), ordering="operation")
    def what(self, exchange: Exchange) -> str:
        """What was asked, and which try it was if it was not the first."""
        name = exchange.operation or exchange.dialect
        if exchange.attempt > 1:
            return str(_("%(operation)s, try %(number)d")) % {"operation": name, "number": exchange.attempt}
        return name

    @display(description=_("Outcome"), ordering="outcome")
    def outcome_words(self, exchange: Exchange) -> SafeString:
        """In words, with an icon and a colour."""
        return outcome_chip(exchange)

    @display(description=_("Status"), ordering="status")
    def answer(self, exchange: Exchange) -> int | str:
        """The status of the answer."""
        return exchange.status if exchange.status is not None else NOTHING

    @display(description=_("Duration"), ordering="duration_ms")
    def took(self, exchange: Exchange) -> str:
        """How long it took."""
        return duration(exchange.duration_ms)

    @display(description=_("Time"), ordering="id")
    def when(self, exchange: Exchange) -> str:
        """When it began."""
        return to_the_second(exchange.started_at)
