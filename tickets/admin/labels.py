"""Tags, and the properties that administrators define."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from tickets.admin.catalogue import CodedAdmin, KeptAdmin
from tickets.models import PropertyDefinition, PropertyKind, PropertyValue, Tag


@admin.register(Tag)
class TagAdmin(KeptAdmin):
    """Words by which tickets are found. They are made by using them; here they are renamed and tidied up."""

    list_display = ["name", "used"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        """With the number of tickets."""
        return super().get_queryset(request).annotate(used=Count("tickets"))

    def kept_because(self, record: Tag) -> str:
        """What tickets are tagged with is taken off them first, where it leaves a trace in their history."""
        count = record.tickets.count()
        if not count:
            return ""
        return ngettext(
            "%(count)d ticket has this tag. Take it off, then delete the tag.",
            "%(count)d tickets have this tag. Take it off them, then delete the tag.",
            count,
        ) % {"count": count}

    @display(description=_("Tickets"), ordering="used")
    def used(self, tag: Tag) -> int:
        """How many tickets have it."""
        return tag.used  # type: ignore[attr-defined]  # annotated


@admin.register(PropertyDefinition)
class PropertyDefinitionAdmin(KeptAdmin, CodedAdmin):
    """What tickets have beside their fixed fields."""

    list_display = ["name", "code", "kind", "for_contacts", "active", "position"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    list_filter_submit = True
    # A code of a property has underscores, where Django's own suggestion has hyphens.
    prepopulated_fields = {}
    # Where the kind is only shown, the page's scripts do not know it: `get_fields` has decided then.
    conditional_fields = {"choices": f"typeof kind === 'undefined' || kind == '{PropertyKind.CHOICE}'"}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The code is kept; so is the kind, once tickets hold values of it."""
        if obj is None:
            return []
        return ["code", "kind"] if PropertyValue.objects.filter(definition=obj).exists() else ["code"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Choices, unless it is settled that it has none."""
        fields = ["name", "code", "kind", "choices", "for_contacts", "active", "position"]
        if "kind" in self.get_readonly_fields(request, obj) and obj.kind != PropertyKind.CHOICE:
            fields.remove("choices")
        return fields

    def kept_because(self, record: PropertyDefinition) -> str:
        """What tickets hold is not thrown away."""
        count = record.values.count()
        if not count:
            return ""
        return ngettext(
            "%(count)d ticket has a value for this property. Switch it off instead: what is stored then stays.",
            "%(count)d tickets have a value for this property. Switch it off instead: what is stored then stays.",
            count,
        ) % {"count": count}
