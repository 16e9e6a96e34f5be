"""History rows in words."""

from dataclasses import dataclass
from typing import Final

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tickets.models import History, PropertyDefinition, PropertyValue, Task, Ticket
from tickets.property_fields import PREFIX, in_words
from tickets.selectors import completion_codes

# What the conversation leaves out: it follows from the rest, or is told as text. The history shows all of it.
NOT_TOLD = {
    "closed_at",
    "status",
    "last_open_status",
    "solution",
    "solved_by_group",
    "owning_group",
    "description",
}

# What is kept in rows of its own, not in a field of the ticket; and the status as people know it.
BESIDE: Final[dict[str, Promise]] = {
    "own_status": _("status"),
    "assigned_user": _("looks after it"),
    "follower": _("follower"),
    "tags": _("tags"),
    "sub_case": _("sub-case"),
    "parent": _("parent"),
    "related": _("related"),
}


@dataclass(frozen=True)
class Change:
    """One changed field in words."""

    field: str | Promise
    before: str
    after: str


@dataclass(frozen=True)
class Vocabulary:
    """The words that administrators chose, loaded once for a whole page."""

    codes: dict[str, str]
    properties: dict[str, PropertyDefinition]

    @classmethod
    def load(cls) -> "Vocabulary":
        """Two queries."""
        properties = {f"{PREFIX}{row.code}": row for row in PropertyDefinition.objects.all()}
        return cls(codes=dict(completion_codes()), properties=properties)

    def of(self, row: History) -> Change:
        """The field's name and its values as people know them; a field of another package as it was written."""
        if row.field in self.properties:
            definition = self.properties[row.field]
            before, after = (_property(definition, value) for value in (row.old, row.new))
            return Change(definition.name, before, after)
        if row.field == "merged" and row.task_id is None:
            return Change(_("into"), "", row.new) if row.new else Change(_("took over"), "", row.old)
        if row.field in BESIDE and row.task_id is None:
            return Change(BESIDE[row.field], row.old, row.new)
        field = _field(row)
        if field is None:
            return Change(row.field, row.old, row.new)
        if field.name == "completion_code":
            return Change(field.verbose_name, *(self.codes.get(value, value) for value in (row.old, row.new)))
        return Change(field.verbose_name, _value(field, row.old), _value(field, row.new))

    def told(self, rows: list[History]) -> list[Change]:
        """The changes that are worth a line in the conversation."""
        return [self.of(row) for row in rows if row.field and row.field not in NOT_TOLD]


def _property(definition: PropertyDefinition, value: str) -> str:
    try:
        return in_words(PropertyValue(definition=definition, value=value)) if value else ""
    except ValueError:
        # Written while the property was of another kind.
        return value


def _field(row: History) -> Field | None:
    model = Task if row.task_id else Ticket
    try:
        field = model._meta.get_field(row.field)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None


def _value(field: Field, value: str) -> str:
    words = {str(key): str(label) for key, label in field.flatchoices}
    if value in words:
        return words[value]
    moment = parse_datetime(value) if field.get_internal_type() == "DateTimeField" and value else None
    if moment is not None:
        return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    return value
