"""Rows of the database as plain mappings: all that an administrator sets, nothing secret, no ids.

Which fields those are is read from the models, so that a new field of theirs is in the documents at once.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import models
from django.db.models import Field, Model
from django.utils.translation import gettext as _

from integrations.catalogue.hiding import hidden
from integrations.catalogue.reader import Reader
from integrations.models import (
    ExternalSystem,
    Mailbox,
    OperationTemplate,
    Polling,
    Step,
    ValueMapping,
    WebhookSubscription,
    WsdlDocument,
)
from integrations.secrets import EncryptedTextField

# What is no field of the document: natural keys that stand elsewhere in it, and what is state and not configuration.
# Whether a system is active is such a state: a person decides it, where its credentials are.
NOT_WRITTEN: Final[Mapping[type[Model], frozenset[str]]] = {
    ExternalSystem: frozenset({"name", "code", "active", "settings", "preset"}),
    OperationTemplate: frozenset({"name"}),
    Step: frozenset({"name", "position"}),
    WsdlDocument: frozenset({"name"}),
    ValueMapping: frozenset({"kind"}),
    Polling: frozenset({"cursor"}),
    WebhookSubscription: frozenset({"name"}),
    Mailbox: frozenset({"address", "active"}),
}


def plain_fields(model: type[Model]) -> list[Field]:
    """The fields of a model that a document holds, relations left out: those are written by natural keys."""
    left_out = NOT_WRITTEN.get(model, frozenset())
    return [
        field
        for field in model._meta.concrete_fields
        if not field.is_relation
        and field.editable
        and not field.primary_key
        and not isinstance(field, EncryptedTextField)
        and field.name not in left_out
    ]


def written(row: Model) -> dict[str, Any]:
    """The row's fields that are not as they would be by themselves; of secrets in templates a mark."""
    found = {}
    for field in plain_fields(type(row)):
        value = getattr(row, field.attname)
        if is_needed(field) or value != field.get_default():
            found[field.name] = hidden(field.name, value, secret_names(row))
    return found


def secret_names(row: Model) -> list[str]:
    """What announces a secret at the row's system, besides the names that do everywhere."""
    system = row if isinstance(row, ExternalSystem) else getattr(row, "system", None)
    return system.secret_name_list if system is not None else []


def read(
    reader: Reader, model: type[Model], row: Mapping[str, Any], place: str, *, further: Collection[str] = ()
) -> dict[str, Any]:
    """Values for all plain fields of the model: the row's, and elsewhere those that they have by themselves.

    `further` are keys of the row that somebody else reads. What is wrong is told to the reader, by its place.
    """
    fields = {field.name: field for field in plain_fields(model)}
    reader.only_known(row, place, {*fields, *further})
    values = {}
    for name, field in fields.items():
        if name in row:
            values[name] = _value(reader, field, row[name], f"{place}/{name}")
        elif is_needed(field):
            reader.wrong(place, _('"%(name)s" is missing.') % {"name": name})
        else:
            values[name] = field.get_default()
    return values


def is_needed(field: Field) -> bool:
    """Whether the field has no value by itself."""
    return not field.has_default() and not field.blank and not field.null


def _value(reader: Reader, field: Field, value: Any, place: str) -> Any:
    if value is None and field.null:
        return None
    if isinstance(field, models.BooleanField):
        return reader.boolean(value, place)
    if isinstance(field, models.IntegerField):
        return reader.number(value, place)
    if isinstance(field, models.JSONField):
        return reader.json(value, place)
    if isinstance(field, (models.CharField, models.TextField)):
        return reader.text(value, place)
    raise NotImplementedError(f"documents know no fields like {field!r}")
