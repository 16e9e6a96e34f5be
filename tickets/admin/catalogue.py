"""Queues, categories and priorities."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
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
