"""Bodies for people to read: JSON and XML with their lines indented, and nothing else about them changed.

Other desks send anything, so whatever is not readable as what it looks like is shown as it is.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from integrations.inbound.bodies import without_files
from integrations.transports.safe_xml import XmlRefused, parse

# More than this is nobody's reading; the whole body can be downloaded.
SHOWN_CHARACTERS: Final = 300_000
MAX_DEPTH: Final = 100
OPENING: Final = ("{", "[")
CLOSING: Final = ("}", "]")
JSON_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
XML_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]{0,200}\?>\s*")
SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Readable:
    """A body as it is shown: `kind` is JSON, XML or empty, `cut` says that there is more of it."""

    text: str
    kind: str = ""
    cut: bool = False
    characters: int = 0


def readable(body: str) -> Readable:
    """The body, indented if it is JSON or XML; long files in it are replaced by their length."""
    slim = without_files(body)
    if len(slim) <= SHOWN_CHARACTERS:
        start = slim.lstrip("\ufeff \t\r\n")[:1]
        text = indent_json(slim) if start in ("{", "[") else indent_xml(slim) if start == "<" else None
        # Indenting what is deeply nested can multiply it.
        if text is not None and len(text) <= SHOWN_CHARACTERS * 2:
            return Readable(text, "JSON" if start != "<" else "XML", slim != body, len(body))
    return Readable(slim[:SHOWN_CHARACTERS], "", slim != body or len(slim) > SHOWN_CHARACTERS, len(body))


def indent_json(text: str) -> str | None:
    """The same JSON in lines, with its numbers as they are written and repeated names kept; None if it is none."""
    text = text.lstrip("\ufeff")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    pieces: list[str] = []
    depth = 0
    parts = JSON_PART.findall(text)
    for index, part in enumerate(parts):
        if part in OPENING:
            depth += 1
            if depth > MAX_DEPTH:
                return None
            pieces.append(part if parts[index + 1] in CLOSING else part + _line(depth))
        elif part in CLOSING:
            depth -= 1
            pieces.append(part if parts[index - 1] in OPENING else _line(depth) + part)
        else:
            pieces.append({",": "," + _line(depth), ":": ": "}.get(part) or _unescaped(part))
    return "".join(pieces)


def indent_xml(text: str) -> str | None:
    """The same XML in lines; None if it is not XML that is read here."""
    declaration = XML_DECLARATION.match(text)
    try:
        # The text is decoded already: a declared encoding would be applied to it a second time.
        root = parse(text[declaration.end() :] if declaration else text.strip())
    except XmlRefused:
        return None
    etree.indent(root, space="  ")
    shown = etree.tostring(root, encoding="unicode")
    return f"{declaration.group().strip()}\n{shown}" if declaration else shown


def _line(depth: int) -> str:
    return "\n" + "  " * depth


def _unescaped(part: str) -> str:
    """A string with its letters as letters (\\u00fc is ü), unless it holds half a letter."""
    if "\\u" not in part or not part.startswith('"'):
        return part
    shown = json.dumps(json.loads(part), ensure_ascii=False)
    return part if SURROGATE.search(shown) else shown
