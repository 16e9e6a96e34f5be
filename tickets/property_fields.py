"""Properties that administrators define, as fields of forms and in words."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from django import forms
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.models import PropertyDefinition, PropertyKind, PropertyValue, Ticket

PREFIX = "property_"
YES_NO = [("true", _("Yes")), ("false", _("No"))]


Widgets: TypeAlias = "Mapping[str, type[forms.Widget]]"
PLAIN: Widgets = {
    PropertyKind.TEXT: forms.Textarea,
    PropertyKind.NUMBER: forms.NumberInput,
    PropertyKind.DATE: forms.DateInput,
    PropertyKind.YES_NO: forms.Select,
    PropertyKind.CHOICE: forms.Select,
}


class PropertyField(forms.CharField):
    """One property, with the input that suits its kind; cleans to the form in which it is stored.

    Empty is always allowed: it removes the value. `held` is what the ticket has, offered though it may no longer be a
    choice; `widgets` are those of the page's look.
    """

    def __init__(self, definition: PropertyDefinition, *, held: str = "", widgets: Widgets = PLAIN, **kwargs: Any):
        self.definition = definition
        super().__init__(label=definition.name, required=False, widget=_widget(definition, held, widgets), **kwargs)

    def clean(self, value: Any) -> str:
        """As it is stored; says what is wrong in the words of the property's kind."""
        # Browsers send line breaks as two characters.
        text = str(value or "").strip().replace("\r\n", "\n")
        self.run_validators(text)
        try:
            return self.definition.canonical(text)
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


def asked_properties(ticket: Ticket) -> list[tuple[str, str]]:
    """What contacts are asked, and what the ticket holds of it, in words: for the contact's page. One query."""
    held = ticket.property_values.filter(definition__for_contacts=True, definition__active=True)
    return [(value.definition.name, in_words(value)) for value in held.select_related("definition")]


def _widget(definition: PropertyDefinition, held: str, widgets: Widgets) -> forms.Widget:
    make: Callable[..., forms.Widget] = widgets[definition.kind]
    match definition.kind:
        case PropertyKind.TEXT:
            return make(attrs={"rows": 2})
        case PropertyKind.NUMBER:
            return make(attrs={"step": "any"})
        case PropertyKind.DATE:
            return make(attrs={"type": "date"})
        case PropertyKind.YES_NO:
            return make(choices=[("", "—"), *YES_NO])
    known = definition.choice_list
    choices = ([held] if held and held not in known else []) + known
    return make(choices=[("", "—"), *((choice, choice) for choice in choices)])
