"""Taking values out of a document, strictly; what is wrong is kept with its place, so that all of it can be told."""

import datetime
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

MOST_PROBLEMS: Final = 50


class DocumentProblem(Exception):
    """A document cannot be used. `problems` are sentences, each beginning with its place in the document."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Reader:
    """Reads one document. A wrong value is told and replaced by an empty one, so that reading goes on.

    `notes` are sentences about what a person has to do afterwards; `moved` the systems that lead to another host now;
    `unseen` the places of secrets that were changed, which no difference shows.
    `strips` takes the line end off a text that was written as a block: presets are written by hand.
    """

    def __init__(self, *, strips: bool = False) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.moved: list[Model] = []
        self.unseen: list[str] = []
        self.strips = strips

    def wrong(self, place: str, message: str) -> None:
        """Keep what is wrong at a place. Raises `DocumentProblem` where it is too much to read."""
        self.problems.append(f"{place}: {message}" if place else message)
        if len(self.problems) >= MOST_PROBLEMS:
            raise DocumentProblem(self.problems)

    def finish(self) -> None:
        """Raise `DocumentProblem` if anything was wrong."""
        if self.problems:
            raise DocumentProblem(self.problems)

    def part(self, document: Mapping[str, Any], name: str, place: str = "") -> dict[str, Any]:
        """A mapping inside a mapping; empty where there is none."""
        value = document.get(name)
        return {} if value is None else self.mapping(value, f"{place}/{name}" if place else name)

    def mapping(self, value: Any, place: str) -> dict[str, Any]:
        """A mapping with texts as keys."""
        if not isinstance(value, dict):
            self.wrong(place, _("Here stand names with values, not %(kind)s.") % {"kind": _kind(value)})
            return {}
        found = {}
        for key, inner in value.items():
            if isinstance(key, str):
                found[key] = inner
            else:
                self.wrong(place, _("The name %(name)s has to stand in quotes.") % {"name": key})
        return found

    def rows(self, value: Any, place: str) -> list[dict[str, Any]]:
        """A list of mappings."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(place, _("Here stands a list, not %(kind)s.") % {"kind": _kind(value)})
            return []
        return [self.mapping(row, f"{place}/{number}") for number, row in enumerate(value, start=1)]

    def only_known(self, row: Mapping[str, Any], place: str, known: Collection[str]) -> None:
        """Tell names that nobody reads: a misspelt one would be missed without a word."""
        for name in row:
            if name not in known:
                self.wrong(place, _('Not known: "%(name)s".') % {"name": name})

    def text(self, value: Any, place: str) -> str:
        """A text. A whole number is one, too, as codes are often numbers; what YAML makes of yes or 1.10 is not."""
        if isinstance(value, str):
            if "\x00" in value:
                self.wrong(place, _("A text has no zero bytes."))
                return ""
            return value.rstrip("\n") if self.strips else value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self.wrong(place, _("Here stands a text, not %(kind)s. Write it in quotes.") % {"kind": _kind(value)})
        return ""

    def boolean(self, value: Any, place: str) -> bool:
        """true or false."""
        if not isinstance(value, bool):
            self.wrong(place, _("Here stands true or false, not %(kind)s.") % {"kind": _kind(value)})
        return value is True

    def number(self, value: Any, place: str) -> int:
        """A whole number."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(place, _("Here stands a whole number, not %(kind)s.") % {"kind": _kind(value)})
            return 0
        return value

    def json(self, value: Any, place: str) -> Any:
        """Whatever JSON can hold."""
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            self.wrong(place, _("This holds a value that is neither text, number, true nor false."))
            return None
        return value

    def texts(self, value: Any, place: str) -> dict[str, str]:
        """Texts by name."""
        return {name: self.text(inner, f"{place}/{name}") for name, inner in self.mapping(value, place).items()}

    def valid(self, row: Model, place: str, *, whole: bool = True) -> bool:
        """Whether the row could be saved by a form; what keeps it from that is told by field.

        Not `whole`: each field for itself, and nothing that has to be unique twice.
        """
        try:
            if whole:
                row.full_clean()
            else:
                row.clean_fields()
                row.validate_unique()
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                for message in messages:
                    self.wrong(place if name == "__all__" else f"{place}/{name}", message)
            return False
        return True


def _kind(value: Any) -> str:
    """What a value is, in words."""
    names = {
        dict: _("names with values"),
        list: _("a list"),
        str: _("a text"),
        bool: _("true or false"),
        type(None): _("nothing"),
        datetime.date: _("a date"),
        datetime.datetime: _("a time"),
    }
    return names.get(type(value)) or _("a number")
