"""Entities that were polled, in the form in which a desk sends them.

In a desk's own feed `Id` is its number and `ExternalId` ours; where it calls us, it is the other way round.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from integrations.inbound.case_exchange import incoming


def as_sent(entity: Mapping[str, Any]) -> dict[str, Any]:
    """The entity as if that desk had sent it to us.

    A list gives whole records, so what is not known here is passed over, and is in the log alone. An incident that is
    assigned to us and has no number of ours is a new one.
    """
    kept: dict[str, Any] = _known(incoming.Entity(), entity)
    properties = dict(_object(kept.get("properties")))
    exchanged = dict(_object(kept.get("ext_properties")))
    theirs, ours = properties.get("Id"), exchanged.get("ExternalId")
    properties["Id"] = ours or ""
    exchanged["ExternalId"] = str(theirs) if type(theirs) is int else theirs or ""
    if str(exchanged.get("Operation")).lower() == "assign" and not ours:
        exchanged["Operation"] = "Create"
    return {**kept, "properties": properties, "ext_properties": exchanged}


def _known(field: Any, value: Any) -> Any:
    """The value without the names that this field does not know; what is no object is left to the field itself."""
    if isinstance(field, serializers.ListSerializer):
        return [_known(field.child, item) for item in value] if isinstance(value, list) else value
    if isinstance(field, serializers.Serializer) and isinstance(value, Mapping):
        return {name: _known(child, value[name]) for name, child in field.fields.items() if name in value}
    return value


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
