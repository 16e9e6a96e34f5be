"""The feed of desks that pull, in the admin: what was published, and whether it was fetched."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from integrations.admin.look import NOTHING, run_url, task_url, to_the_second
from integrations.admin.streams import ReadOnly
from integrations.models import FeedEntry


class FetchedFilter(DropdownFilter):
    """Whether the desk has it."""

    title = _("fetched")
    parameter_name = "fetched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        """What waits comes first."""
        return [("no", _("Waits to be fetched")), ("yes", _("Fetched"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The entries that are, or are not."""
        if self.value() in ("no", "yes"):
            return queryset.filter(fetched_at__isnull=self.value() == "no")
        return queryset


@admin.register(FeedEntry)
class FeedEntryAdmin(ReadOnly):
    """What desks find when they poll. A fetched entry is in the exchange log, too."""

    list_display = ["id", "system", "task_link", "operation", "run_link", "published", "fetched"]
    list_filter = [FetchedFilter, ("system", RelatedDropdownFilter)]
    list_select_related = ["system", "task"]
    search_fields = ["task__number__iexact", "task__ticket__number__iexact"]
    search_help_text = _("Number of the task or ticket")
    ordering = ["-id"]
    fields = ["system", "task_link", "operation", "run_link", "published", "listed_at", "fetched", "content"]
    readonly_fields = ["task_link", "run_link", "published", "fetched"]

    @display(description=_("Task"), ordering="task__id")
    def task_link(self, entry: FeedEntry) -> SafeString:
        """The task, on its ticket's page."""
        task = entry.task
        return format_html('<a class="xl-link" href="{}">{}</a>', task_url(task.ticket_id, task.number), task.number)

    @display(description=_("Process run"))
    def run_link(self, entry: FeedEntry) -> SafeString | str:
        """The run that published it."""
        if entry.run_id is None:
            return NOTHING
        return format_html('<a class="xl-link" href="{}">{}</a>', run_url(entry.run_id), entry.run_id)

    @display(description=_("Published"), ordering="id")
    def published(self, entry: FeedEntry) -> str:
        """When its step ran."""
        return to_the_second(entry.created_at)

    @display(description=_("Fetched"), ordering="fetched_at")
    def fetched(self, entry: FeedEntry) -> str:
        """When it was first part of an answer."""
        return to_the_second(entry.fetched_at) if entry.fetched_at else NOTHING
