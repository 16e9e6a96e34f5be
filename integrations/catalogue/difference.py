"""What is different between two documents, object by object, as a person reads it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from integrations.catalogue.yaml_text import dump

# Parts of a system whose entries are objects of their own.
OF_MANY: Final = ("wsdls", "operations", "value_maps", "webhooks", "processes", "groups")
WORDS: Final = {"new": _("new"), "removed": _("removed"), "changed": _("changed")}


@dataclass(frozen=True)
class Change:
    """One object: its place in the document, whether it is new, removed or changed, and the lines of a unified
    difference."""

    place: str
    kind: str
    lines: tuple[str, ...]

    @property
    def word(self) -> Any:
        """New, removed or changed, in the reader's language."""
        return WORDS[self.kind]

    def as_text(self) -> str:
        """For a terminal."""
        return "\n".join([f"{self.place} ({self.word})", *(f"  {line}" for line in self.lines)])


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The objects that differ between two configurations, in the order of their documents."""
    return compare_objects(objects(before), objects(after))


def objects(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of a configuration by their place: what is compared, and shown, as one."""
    found: dict[str, Any] = {}
    for code, system in configuration["systems"].items():
        found |= {f"systems/{code}/{place}": value for place, value in objects_of_system(system).items()}
    for name, process in configuration["processes"].items():
        found[f"processes/{name}"] = process
    for address, mailbox in configuration["mailboxes"].items():
        found[f"mailboxes/{address}"] = mailbox
    return found


def objects_of_system(document: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of one system by their place in its document."""
    head = ("name", "preset", "settings", "system")
    found: dict[str, Any] = {"system": {name: document[name] for name in head if document.get(name)}}
    for name, part in document.items():
        if name in OF_MANY:
            found |= {f"{name}/{key}": value for key, value in (part or {}).items()}
        elif name not in head and part:
            found[name] = part
    return found


def compare_objects(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The objects that differ, each by its place."""
    places = [*before, *(place for place in after if place not in before)]
    return [
        change_of(place, before.get(place), after.get(place))
        for place in places
        if before.get(place) != after.get(place)
    ]


def change_of(place: str, before: Any, after: Any) -> Change:
    """The difference between two states of one object; None: it is not there."""
    kind = "new" if before is None else "removed" if after is None else "changed"
    lines = difflib.unified_diff(_lines(before), _lines(after), n=2, lineterm="")
    # The two lines of a difference that name its files say nothing here.
    return Change(place, kind, tuple(list(lines)[2:]))


def _lines(value: Any) -> list[str]:
    return [] if value is None else dump(value).splitlines()
