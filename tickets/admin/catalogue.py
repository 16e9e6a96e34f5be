"""Queues, categories and priorities, and what every list of the catalogue has in common."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin

from tickets.models import Category, Priority, Queue


class CodedAdmin(ModelAdmin):
    """Records whose code is used in templates and APIs: chosen once, then kept."""

    list_display = ["name", "code"]
    search_fields = ["name", "code"]
    prepopulated_fields = {"code": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """The code does not change once it is used."""
        return ["code"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> dict[str, Any]:
        """The code follows the name while the record is new."""
        return {} if obj else self.prepopulated_fields


class KeptAdmin(ModelAdmin):
    """Records that cannot be deleted while something depends on them: the person reads why, and what to do instead.

    Deleted one by one, so that the reason is always that of one record.
    """

    actions = None

    def kept_because(self, record: Any) -> str:
        """Why the record stays; empty where it may be deleted."""
        raise NotImplementedError

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Back to the record, with the reason, where there is one."""
        record = self.get_object(request, object_id)
        if record is not None and self.has_delete_permission(request, record):
            reason = self.kept_because(record)
            if reason:
                messages.error(request, reason)
                options = self.opts
                address = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[record.pk])
                return HttpResponseRedirect(address)
        answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        return answer


@admin.register(Queue)
class QueueAdmin(CodedAdmin):
    """Where tickets wait."""


@admin.register(Category)
class CategoryAdmin(CodedAdmin):
    """What tickets are about."""

    list_display = ["name", "code", "parent"]
    list_select_related = ["parent"]
    autocomplete_fields = ["parent"]


@admin.register(Priority)
class PriorityAdmin(CodedAdmin):
    """How urgent tickets are."""

    list_display = ["name", "code", "rank", "is_default"]
