"""The check when a template is saved: it can be read, and every name in it is known."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import compiled
from .errors import Problem, located
from .escape import Escape
from .placeholders import NO_FIELDS, Fields
from .scope import ITEM, Path, Use, dotted, parsed

MAX_PROBLEMS = 50  # as many as a person wants to read at once


def check_template(
    source: str,
    *,
    names: Iterable[str],
    fields: Fields = NO_FIELDS,
    open: Iterable[str] = (),
    escape: Escape = Escape.TEXT,
) -> list[Problem]:
    """What keeps this template from being saved, in the order of its lines; empty if nothing does.

    `names` are the known dotted paths: `task.number`; `task.tags[]` for a list of values; `task.notes[].text` for a
    field of each value of a list. `open` are paths whose inside is free-form (`response`, `captures.login`).
    `fields` says which path each legacy placeholder, a pair of app and field, stands for.
    """
    return _check(compiled.template(source, fields, escape), names, open)


def check_expression(
    source: str, *, names: Iterable[str], fields: Fields = NO_FIELDS, open: Iterable[str] = ()
) -> list[Problem]:
    """As `check_template`, for a condition or a capture."""
    return _check(compiled.expression(source, fields), names, open)


@dataclass
class _Node:
    """One known name: what is inside it, whether it is a value itself, whether anything may be inside."""

    inside: dict[str, "_Node"] = field(default_factory=dict)
    value: bool = False
    open: bool = False

    def add(self, path: Path, *, open: bool = False) -> None:
        node = self
        for segment in path:
            node = node.inside.setdefault(segment, _Node())
        node.value, node.open = True, node.open or open

    def find(self, path: Path) -> "_Node | None":
        node = self
        for segment in path:
            if node.open:
                return node
            found = node.inside.get(segment)
            if found is None:
                return None
            node = found
        return node


def _check(source: compiled.Compiled, names: Iterable[str], open: Iterable[str]) -> list[Problem]:
    known = [parsed(name) for name in names]
    tree = _Node()
    for path in known:
        tree.add(path)
    for root in open:
        tree.add(parsed(root), open=True)
        known.append(parsed(root))
    problems = list(source.problems)
    for name, line in source.bound:
        if name in tree.inside:
            message = _('"%(name)s" is the name of a part of the data; choose another name.') % {"name": name}
            problems.append(Problem(name, line, located(message, line=line, source=source.source)))
    for use in source.uses:
        if len(problems) >= MAX_PROBLEMS:
            break
        wrong = _wrong(use, tree, known)
        if wrong:
            problems.append(Problem(use.written, use.line, located(wrong, line=use.line, source=source.source)))
    return sorted(problems, key=lambda problem: problem.line)


def _wrong(use: Use, tree: _Node, known: list[Path]) -> str:
    """What is wrong with one use of data; "" if nothing is."""
    for path in sorted(use.paths):
        node = tree.find(path)
        if node is None:
            message = _('there is no field "%(name)s".') % {"name": use.written}
            close = _closest(use, path, known)
            return message + (" " + _('Did you mean "%(name)s"?') % {"name": close} if close else "")
        if node.open or use.role in ("any", "alias"):
            continue
        item = node.inside.get(ITEM)
        if use.role == "list" and item is None:
            return _('"%(name)s" is not a list.') % {"name": use.written}
        if use.role == "json" and item is not None and item.value:
            continue
        if use.role != "list" and not node.value:
            if item is not None:
                return _('"%(name)s" is a list; go through it with a for loop, or use the filter join or json.') % {
                    "name": use.written
                }
            example = f"{use.written}.{next(iter(node.inside))}"
            return _('"%(name)s" has fields of its own; name one, for example "%(example)s".') % {
                "name": use.written,
                "example": example,
            }
    return ""


def _closest(use: Use, path: Path, known: list[Path]) -> str:
    """The known path most like the one asked for, spelled from the same local name where it has one."""
    spelled = {dotted(candidate): dotted(candidate) for candidate in known}
    for base in use.base_paths:
        if (use.base,) != base:
            for candidate in known:
                if candidate[: len(base)] == base:
                    spelled[dotted(candidate)] = dotted((use.base, *candidate[len(base) :]))
    close = difflib.get_close_matches(dotted(path), sorted(spelled), n=1)
    return spelled[close[0]] if close else ""
