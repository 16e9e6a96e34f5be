"""Assignment groups. What else belongs on their page is registered in `tickets.panels`."""

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from tickets.admin.catalogue import CodedAdmin
from tickets.models import AssignmentGroup
from tickets.panels import group_inlines


@admin.register(AssignmentGroup)
class AssignmentGroupAdmin(CodedAdmin):
    """The teams that tasks are assigned to."""

    list_display = ["name", "code", "people"]
    autocomplete_fields = ["members"]
    fields = ["name", "code", "members"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssignmentGroup]:
        """With the number of members."""
        return super().get_queryset(request).annotate(people=Count("members"))

    def get_inlines(self, request: HttpRequest, obj: AssignmentGroup | None) -> list[type[InlineModelAdmin]]:
        """What other packages say about a group."""
        return group_inlines()

    @display(description=_("Members"), ordering="people")
    def people(self, group: AssignmentGroup) -> int:
        """How many members the group has."""
        return group.people  # type: ignore[attr-defined]  # annotated
