"""History rows in words."""

from dataclasses import dataclass

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise

from tickets.models import History, Task, Ticket

# What the conversation leaves out: it follows from the rest, or is told as text. The history shows all of it.
NOT_TOLD = {"closed_at", "status", "solution", "solved_by_group", "owning_group", "description"}


@dataclass(frozen=True)
class Change:
    """One changed field in words."""

    field: str | Promise
    before: str
    after: str


def in_words(row: History) -> Change:
    """The field's name and its values as people know them; a field of another package as it was written."""
    field = _field(row)
    if field is None:
        return Change(row.field, row.old, row.new)
    return Change(field.verbose_name, _value(field, row.old), _value(field, row.new))


def told(rows: list[History]) -> list[Change]:
    """The changes that are worth a line in the conversation."""
    return [in_words(row) for row in rows if row.field and row.field not in NOT_TOLD]


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
