"""With which kinds of values a system has to do."""

import re
from collections.abc import Iterator
from typing import Final

from integrations.models import ExternalSystem, ValueKind
from integrations.their_values import can_fetch

USED: Final = re.compile(r"\btheirs\s*\.\s*([a-z_]+)")
# Where a template does without a translation: it asks whether there is one, or names what stands for it.
DOES_WITHOUT: Final = re.compile(r"\s*(?:is\s+(?:not\s+)?defined\b|\|\s*default\b)")
# Operations by which the other desk tells us the status of its tickets: the map says what it means.
TELL_STATUS: Final = frozenset({"fetch_ticket", "fetch_modified_since"})


def sent_kinds(system: ExternalSystem) -> set[str]:
    """The kinds that its templates send: our values have a translation there, or are left out."""
    return {kind for text in _templates(system) for kind in USED.findall(text)}


def needed_kinds(system: ExternalSystem) -> set[str]:
    """The kinds without whose translation a request cannot be made: no template of it says what happens then."""
    found: set[str] = set()
    for text in _templates(system):
        uses = list(USED.finditer(text))
        without = {use[1] for use in uses if DOES_WITHOUT.match(text, use.end())}
        found |= {use[1] for use in uses} - without
    return found


def _templates(system: ExternalSystem) -> Iterator[str]:
    for operation in system.operations.all():
        yield from (operation.path, operation.headers, operation.body, *operation.soap_arguments.values())


def kinds_of(system: ExternalSystem) -> list[str]:
    """The kinds that are sent or read, that were translated, or that the other desk can be asked for."""
    found = sent_kinds(system) | can_fetch(system) | set(system.value_mappings.values_list("kind", flat=True))
    if system.operations.filter(name__in=TELL_STATUS).exists():
        found.add(ValueKind.STATUS)
    return [kind for kind in ValueKind.values if kind in found]
