"""Tags and properties of a ticket."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from tickets.actions import change_tags, set_properties
from tickets.actors import Actor
from tickets.admin.desk_form import DeskForm, Words
from tickets.errors import Conflict
from tickets.models import PropertyDefinition, PropertyKind, PropertyValue
from tickets.property_fields import PREFIX, PropertyField, Widgets, property_values


class NumberWidget(UnfoldAdminTextInputWidget):
    """A number, in Unfold's look."""

    input_type = "number"


LOOK: Widgets = {
    PropertyKind.TEXT: UnfoldAdminTextareaWidget,
    PropertyKind.NUMBER: NumberWidget,
    PropertyKind.DATE: UnfoldAdminTextInputWidget,
    PropertyKind.YES_NO: UnfoldAdminSelectWidget,
    PropertyKind.CHOICE: UnfoldAdminSelectWidget,
}


class LabelForm(DeskForm):
    """Something to do with what a ticket is labelled with. What stood there when the page was read comes along, so
    that what somebody else changed meanwhile is not undone."""

    permission = "tickets.change_ticket"
    place = "labels"

    @property
    def anchor(self) -> str:
        """Where the labels are."""
        return "labels"

    def read(self, name: str) -> str:
        """What the field held when the page was read."""
        bound = self[name]
        was = bound.field.hidden_widget().value_from_datadict(self.data, self.files, bound.html_initial_name)
        return str(was or "")


class TagsField(forms.CharField):
    """Tags with commas between them."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            label=_("Tags"),
            widget=UnfoldAdminTextInputWidget(),
            help_text=_("With commas between them. A new word makes a new tag."),
            **kwargs,
        )


def tag_names(text: str) -> list[str]:
    """The tags in the order in which they were typed."""
    return [name.strip() for name in text.split(",") if name.strip()]


class TagsForm(LabelForm):
    """Put tags on and take tags off."""

    name = "tags"
    title = _("Change tags")
    submit = _("Save the tags")

    tags = TagsField(required=False, show_hidden_initial=True)

    def starting_values(self) -> dict[str, Any]:
        """As they are."""
        return {"tags": ", ".join(tag.name for tag in self.ticket.tags.all())}

    def act(self, actor: Actor) -> Words:
        """Only what was added or removed here."""
        before, wanted = tag_names(self.read("tags")), tag_names(self.cleaned_data["tags"])
        still = {name.casefold() for name in wanted}
        change_tags(
            actor=actor,
            ticket=self.ticket,
            add=wanted,
            remove=[name for name in before if name.casefold() not in still],
        )
        return _t("The tags are saved.")


class PropertiesForm(LabelForm):
    """Set what the administrators' properties hold."""

    name = "properties"
    title = _("Change properties")
    submit = _("Save the properties")

    def arrange(self) -> None:
        """A field for each active property."""
        self.held = _held(self.ticket.property_values.select_related("definition"))
        for definition in PropertyDefinition.objects.filter(active=True):
            name = f"{PREFIX}{definition.code}"
            held = self.held.get(name, "")
            self.fields[name] = PropertyField(definition, held=held, widgets=LOOK, show_hidden_initial=True)
            self.initial[name] = held

    def act(self, actor: Actor) -> Words:
        """Only what was changed here; `Conflict` where somebody else has changed the same meanwhile."""
        touched = [name for name in self.changed_data if name.startswith(PREFIX)]
        overtaken = [name for name in touched if self.read(name) != self.held.get(name, "")]
        if overtaken:
            raise Conflict(
                _t("Somebody else changed this in the meantime: %(names)s. Reload the page and change it again.")
                % {"names": ", ".join(str(self.fields[name].label) for name in overtaken)}
            )
        set_properties(actor=actor, ticket=self.ticket, values=property_values(self.cleaned_data, touched))
        return _t("The properties are saved.")


def _held(values: Any) -> dict[str, str]:
    rows: list[PropertyValue] = list(values)
    return {f"{PREFIX}{row.definition.code}": row.value for row in rows}
