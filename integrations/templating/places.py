"""Where in the language of a template a value stands, found by reading only the template's own text.

The text between the placeholders is read once, in order, when the template is compiled, so a value can never move
the place of another. All branches of an `{% if %}` start from the same state and must end in the same one, and a loop
must end as it began: otherwise the place of what follows would depend on data, and the template is refused.
"""

import re

from .escape import Escape

# Each state of XML: what ends or changes it. The longest match comes first.
_XML_MOVES = {
    "text": (("<!--", "comment"), ("<![CDATA[", "cdata"), ("<?", "instruction"), ("<!", "declaration"), ("<", "tag")),
    "comment": (("-->", "text"),),
    "cdata": (("]]>", "text"),),
    "instruction": (("?>", "text"),),
    "declaration": ((">", "text"),),
    "tag": (('"', "double"), ("'", "single"), (">", "text")),
    "double": (('"', "tag"),),
    "single": (("'", "tag"),),
}
_XML_NEXT = {
    state: re.compile("|".join(re.escape(text) for text, _to in moves)) for state, moves in _XML_MOVES.items()
}
_JSON_NEXT = {"value": re.compile('"'), "string": re.compile(r'"|\\'), "escape": re.compile(r"[\s\S]")}

_START = {Escape.JSON: "value", Escape.XML: "text", Escape.URL: "path"}
_PLACES = {
    (Escape.JSON, "value"): "json value",
    (Escape.JSON, "string"): "json string",
    (Escape.XML, "text"): "xml text",
    (Escape.XML, "double"): "xml attribute",
    (Escape.XML, "single"): "xml attribute",
    (Escape.XML, "cdata"): "xml cdata",
    (Escape.URL, "path"): "url path",
    (Escape.URL, "query"): "url query",
}


def start(escape: Escape) -> str:
    """The state before the first character."""
    return _START.get(escape, "")


def after(escape: Escape, state: str, text: str) -> str:
    """The state behind `text`, a literal part of the template."""
    if escape is Escape.URL:
        return "query" if state == "query" or re.search(r"[?#]", text) else "path"
    if escape is Escape.JSON:
        return _after_json(state, text)
    return _after_xml(state, text) if escape is Escape.XML else ""


def place(escape: Escape, state: str) -> str | None:
    """The place of a value in this state, as `escape.write` knows it; None where no value may stand."""
    return _PLACES.get((escape, state)) if escape in _START else escape.value


def joined(escape: Escape, one: str, other: str) -> str | None:
    """The state behind two branches that end in `one` and `other`; None if they cannot be brought together."""
    if one == other:
        return one
    return "path" if escape is Escape.URL else None


def closed(escape: Escape, state: str) -> bool:
    """Whether a template may end in this state: no open quote, tag or comment."""
    return escape is Escape.URL or state == start(escape)


def _after_json(state: str, text: str) -> str:
    position = 0
    while found := _JSON_NEXT[state].search(text, position):
        position = found.end()
        if state == "escape":
            state = "string"
        elif found[0] == "\\":
            state = "escape"
        else:
            state = "value" if state == "string" else "string"
    return state


def _after_xml(state: str, text: str) -> str:
    position = 0
    while found := _XML_NEXT[state].search(text, position):
        position = found.end()
        state = dict(_XML_MOVES[state])[found[0]]
    return state
