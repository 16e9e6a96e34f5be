"""With which kinds of values a system has to do."""

import re
from typing import Final

from integrations.models import ExternalSystem, ValueKind
from integrations.their_values import can_fetch

USED: Final = re.compile(r"\btheirs\s*\.\s*([a-z_]+)")
# Operations by which the other desk tells us the status of its tickets: the map says what it means.
TELL_STATUS: Final = frozenset({"fetch_ticket", "fetch_modified_since"})


def sent_kinds(system: ExternalSystem) -> set[str]:
    """The kinds that its templates send: our values need a translation there."""
    found: set[str] = set()
    for operation in system.operations.all():
        for text in (operation.path, operation.headers, operation.body, *operation.soap_arguments.values()):
            found |= set(USED.findall(text))
    return found


def kinds_of(system: ExternalSystem) -> list[str]:
    """The kinds that are sent or read, that were translated, or that the other desk can be asked for."""
    found = sent_kinds(system) | can_fetch(system) | set(system.value_mappings.values_list("kind", flat=True))
    if system.operations.filter(name__in=TELL_STATUS).exists():
        found.add(ValueKind.STATUS)
    return [kind for kind in ValueKind.values if kind in found]
