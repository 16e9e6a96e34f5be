"""The legacy spelling of a field, `#REPLACE-EXTAPPFIELD-<App>-<Field>#`, which means exactly what `{{ path }}` means.

Before Jinja reads a source, each placeholder is swapped for a *stand-in*: a plain identifier that is not in the
source. It survives wherever the author put it (literal text, an expression, a quoted string), and the translation
then puts the path in its place. So a value is never looked at: text that merely looks like a placeholder stays text.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.translation import gettext as _

from .errors import Problem, located

Fields = Mapping[tuple[str, str], str]
NO_FIELDS: Fields = MappingProxyType({})

_PREFIX = "#REPLACE-EXTAPPFIELD-"
_PLACEHOLDER = re.compile(re.escape(_PREFIX) + r"(?P<body>[^#\r\n{}]*)(?P<end>#?)")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder of a source: as written, the path that it stands for, and its stand-in."""

    written: str
    path: str
    stand_in: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source whose placeholders are swapped for stand-ins. Hashable, as a key of compiled templates."""

    source: str
    text: str
    placeholders: tuple[Placeholder, ...]
    problems: tuple[Problem, ...]
    mark: str = "legacy"

    def divide(self, text: str) -> list[str | Placeholder]:
        """`text` as its literal parts and the placeholders between them."""
        if not self.placeholders:
            return [text]
        parts = re.split(rf"{self.mark}_([0-9]+)_", text)
        return [self.placeholders[int(part)] if index % 2 else part for index, part in enumerate(parts)]

    def holds_placeholder(self, text: str) -> bool:
        """Whether a stand-in is in `text`."""
        return len(self.divide(text)) > 1

    def restore(self, text: str) -> str:
        """`text` with the author's spelling instead of the stand-ins, for messages and the preview."""
        return "".join(part if isinstance(part, str) else part.written for part in self.divide(text))


def prepare(source: str, fields: Fields) -> Prepared:
    """Swap all placeholders of `source` for stand-ins; those that `fields` does not know are problems."""
    if _PREFIX not in source:
        return Prepared(source, source, (), ())
    mark = "legacy"
    while mark in source:
        mark += "_x"
    placeholders: list[Placeholder] = []
    problems: list[Problem] = []

    def swap(match: re.Match[str]) -> str:
        path = _path(match, fields)
        if path is None:
            line = source.count("\n", 0, match.start()) + 1
            problems.append(Problem(match[0], line, located(_unknown(match, fields), line=line, source=source)))
            return "none"  # reads without further problems wherever it stands; nothing of it is ever used
        placeholders.append(Placeholder(match[0], path, f"{mark}_{len(placeholders)}_"))
        return placeholders[-1].stand_in

    text = _PLACEHOLDER.sub(swap, source)
    return Prepared(source, text, tuple(placeholders), tuple(problems), mark)


def _splits(body: str) -> list[tuple[str, str]]:
    """Every reading of `App-Field`: neither document nor product says that a name cannot contain a hyphen."""
    return [(body[: at.start()], body[at.end() :]) for at in re.finditer("-", body)]


def _path(match: re.Match[str], fields: Fields) -> str | None:
    if not match["end"]:
        return None
    return next((fields[split] for split in _splits(match["body"]) if split in fields), None)


def _unknown(match: re.Match[str], fields: Fields) -> str:
    splits = _splits(match["body"])
    if not match["end"] or not splits:
        return _(
            'the placeholder "%(written)s" is not complete. It must read #REPLACE-EXTAPPFIELD-<App>-<Field>#'
        ) % {"written": match[0]}
    apps = {app for app, _field in fields}
    app, field = next((split for split in splits if split[0] in apps), splits[0])
    if app not in apps:
        message = _('the placeholder "%(written)s" names the app "%(app)s", which does not exist.')
        known, asked = apps, app
    else:
        message = _(
            'the placeholder "%(written)s" names the field "%(field)s", which the app "%(app)s" does not have.'
        )
        known, asked = {name for owner, name in fields if owner == app}, field
    message %= {"written": match[0], "app": app, "field": field}
    close = difflib.get_close_matches(asked, sorted(known), n=1)
    return message + (" " + _('Did you mean "%(name)s"?') % {"name": close[0]} if close else "")
