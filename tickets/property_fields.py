"""Properties that administrators define, as fields of forms and in words."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, cast

from django import forms
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.models import PropertyDefinition, PropertyKind, PropertyValue

PREFIX = "property_"
YES_NO = [("true", _("Yes")), ("false", _("No"))]


class PropertyField(forms.CharField):
    """One property, with the input that suits its kind; cleans to the form in which it is stored.

    Empty is always allowed: it removes the value.
    """

    def __init__(self, definition: PropertyDefinition, *, held: str = "", **kwargs: Any):
        self.definition = definition
        super().__init__(label=definition.name, required=False, widget=_widget(definition, held), **kwargs)

    def clean(self, value: Any) -> str:
        """As it is stored; says what is wrong in the words of the property's kind."""
        try:
            # Browsers send line breaks as two characters.
            return self.definition.canonical(str(value or "").strip().replace("\r\n", "\n"))
        except ValueError as problem:
            raise forms.ValidationError(str(problem)) from problem


def property_fields(definitions: Iterable[PropertyDefinition], **kwargs: Any) -> dict[str, forms.Field]:
    """A field for each, by its name in a form: `property_<code>`."""
    return {f"{PREFIX}{row.code}": PropertyField(row, **kwargs) for row in definitions}


def property_values(cleaned: dict[str, Any], names: Iterable[str] | None = None) -> dict[str, str]:
    """What was typed, by code; only the fields named, where some are."""
    chosen = cleaned if names is None else names
    return {name.removeprefix(PREFIX): cleaned[name] for name in chosen if name.startswith(PREFIX)}


def in_words(value: PropertyValue) -> str:
    """The stored value as people read it."""
    stored = value.value
    match value.definition.kind:
        case PropertyKind.YES_NO:
            return _t("Yes") if stored == "true" else _t("No")
        case PropertyKind.DATE:
            return date_format(dt.date.fromisoformat(stored), "DATE_FORMAT")
        case PropertyKind.NUMBER:
            return number_format(stored)
    return stored


def _widget(definition: PropertyDefinition, held: str) -> forms.Widget:
    make = cast(
        "dict[str, Callable[[], forms.Widget]]",
        {
            PropertyKind.TEXT: lambda: forms.Textarea({"rows": 2}),
            PropertyKind.NUMBER: lambda: forms.NumberInput({"step": "any"}),
            PropertyKind.DATE: lambda: forms.DateInput({"type": "date"}),
            PropertyKind.YES_NO: lambda: forms.Select(choices=[("", "—"), *YES_NO]),
            PropertyKind.CHOICE: lambda: forms.Select(choices=_choices(definition, held)),
        },
    )
    return make[definition.kind]()


def _choices(definition: PropertyDefinition, held: str) -> list[tuple[str, str]]:
    """With the choice that a ticket holds, though it is no longer one."""
    known = definition.choice_list
    return [("", "—"), *((choice, choice) for choice in ([held] if held and held not in known else []) + known)]
