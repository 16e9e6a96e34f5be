"""Fields that hold one thing a line: headers, captures, and the parts of a form."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number (from 1), what stands before the separator and what behind it.

    `separated` is false where the separator is missing; then everything is in `name`.
    """

    number: int
    name: str
    value: str
    separated: bool


def header_lines(source: str) -> list[Line]:
    """The lines of `Name: value`, blank ones left out."""
    return _lines(source, ":")


def capture_lines(source: str) -> list[Line]:
    """The lines of `name = expression`, blank ones left out."""
    return _lines(source, "=")


def capture_names(source: str) -> list[str]:
    """The names that these captures give, in order."""
    return [line.name for line in capture_lines(source) if line.separated]


def part_lines(source: str) -> list[tuple[Line, str]]:
    """The parts of a form, each with its content type: `name = template` (a text, type ""), or
    `name; application/json = template`."""
    found = []
    for line in _lines(source, "="):
        name, _semicolon, kind = line.name.partition(";")
        found.append((replace(line, name=name.strip()), kind.strip()) if line.separated else (line, ""))
    return found


def _lines(source: str, separator: str) -> list[Line]:
    found = []
    for number, text in enumerate(source.splitlines(), start=1):
        if text.strip():
            name, mark, value = text.partition(separator)
            found.append(Line(number, name.strip(), value.strip(), bool(mark)))
    return found
