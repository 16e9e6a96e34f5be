"""JSON, read token by token: nothing is parsed and written anew, so the rest stays as it was."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from integrations.redaction.names import REMOVED, is_secret_name

# Possessive, and an unterminated string reaches to the end: no text makes this look twice at a character.
TOKEN = re.compile(r"\"[^\"\\]*+(?:\\.[^\"\\]*+)*+(?:\"|\\?\Z)|[{}\[\],:]|[^\s\"{}\[\],:]++", re.DOTALL)
REMOVED_STRING = f'"{REMOVED}"'
HARMLESS = frozenset({"true", "false", "null", '""'})
NAMING_KEYS = frozenset({"name", "key", "id", "field", "fieldname"})


@dataclass
class _Object:
    """One open object or array: `{"name": "password", "value": "x"}` is a secret too, in either order."""

    is_object: bool
    key: str = ""
    expects_key: bool = True
    names_secret: bool = False
    value_part: int = -1


def redact_json(text: str, names: Collection[str], nested: Callable[[str], str]) -> str:
    """Remove the values of secret keys at any depth; other strings are looked into through `nested`."""
    parts: list[str] = []
    stack = [_Object(is_object=False)]
    skip_depth = 0
    position = 0
    for match in TOKEN.finditer(text):
        piece = match.group()
        if skip_depth:
            skip_depth += (piece in "{[") - (piece in "}]")
            position = match.end()
            continue
        parts.append(text[position : match.start()])
        position = match.end()
        frame = stack[-1]
        if piece == ":":
            frame.expects_key = False
        elif piece == ",":
            frame.expects_key, frame.key = True, ""
        elif piece in ("}", "]"):
            if len(stack) > 1:
                stack.pop()
        elif frame.is_object and frame.expects_key:
            frame.key = _decoded(piece)
        elif frame.is_object and is_secret_name(frame.key, names):
            if piece in "{[":
                skip_depth = 1
            piece = piece if piece in HARMLESS else REMOVED_STRING
        elif piece in "{[":
            stack.append(_Object(is_object=piece == "{"))
        else:
            piece = _cleaned(piece, nested)
            _remember_named_value(frame, piece, len(parts), parts, names)
            if frame.names_secret and frame.value_part == len(parts):
                piece = piece if piece in HARMLESS else REMOVED_STRING
        parts.append(piece)
    parts.append(text[position:])
    return "".join(parts)


def _remember_named_value(frame: _Object, piece: str, place: int, parts: list[str], names: Collection[str]) -> None:
    key = frame.key.lower()
    if key == "value":
        frame.value_part = place
    elif key in NAMING_KEYS and is_secret_name(_decoded(piece), names):
        frame.names_secret = True
        if frame.value_part >= 0 and parts[frame.value_part] not in HARMLESS:
            parts[frame.value_part] = REMOVED_STRING


def _decoded(piece: str) -> str:
    if "\\" not in piece:
        return piece.strip('"')
    try:
        return str(json.loads(piece))
    except ValueError:
        return piece.strip('"')


def _cleaned(piece: str, nested: Callable[[str], str]) -> str:
    if not piece.startswith('"') or len(piece) < 4:
        return piece
    plain = _decoded(piece)
    cleaned = nested(plain)
    return piece if cleaned == plain else json.dumps(cleaned, ensure_ascii=False)
