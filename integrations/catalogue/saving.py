"""Saving only what is different: a row that stays as it is gets no line in its history."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.translation import gettext as _

from integrations.catalogue.hiding import HIDDEN, hidden, marks, restored
from integrations.catalogue.reader import Reader
from integrations.catalogue.rows import secret_names

Row = TypeVar("Row", bound=Model)


def save_changed(reader: Reader, row: Row, values: Mapping[str, Any], place: str, *, whole: bool = True) -> Row:
    """Set these fields of a row and save it, if it is new or any of them changed; checked as in a form.

    What is wrong is told to the reader, and the row is not saved. Not `whole`: each field for itself. Marks of
    secrets mean what is stored, unless the system leads to another host now: then they stay, for a person to fill in.
    """
    if not row._state.adding and row not in reader.moved and getattr(row, "system", None) not in reader.moved:
        values = {name: _with_stored(row, name, value) for name, value in values.items()}
    left_out = [name for name, value in values.items() if marks(value)]
    changed = [name for name, value in values.items() if row._state.adding or getattr(row, name) != value]
    if not changed and not row._state.adding:
        return row
    names = secret_names(row)
    unseen = [
        f"{place}/{name}"
        for name in ([] if row._state.adding else changed)
        if hidden(name, values[name], names) == hidden(name, getattr(row, name), names) != values[name]
    ]
    for name in changed:
        setattr(row, name, values[name])
    if reader.valid(row, place, whole=whole):
        row.save()
        reader.unseen += unseen
        for name in left_out:
            words = _(
                '%(place)s/%(name)s: where "%(mark)s" stands, a secret was left out of the file: enter it there.'
            )
            reader.notes.append(words % {"place": place, "name": name, "mark": HIDDEN})
    return row


def _with_stored(row: Model, name: str, value: Any) -> Any:
    return restored(name, value, getattr(row, name), secret_names(row))
