"""Finds out what a body is, whatever its content type says, and redacts it accordingly."""

import re
from collections.abc import Collection

from integrations.redaction.json_body import redact_json
from integrations.redaction.lines import redact_assignment, redact_form, redact_lines, redact_pairs
from integrations.redaction.names import REMOVED, is_secret_name
from integrations.redaction.xml_body import redact_xml

# JSON in XML in JSON happens; deeper than this is nobody's message but an attack on the reader.
MAX_NESTING = 4
BOUNDARY = re.compile(r"boundary=\"?([^\";,\s]{1,200})", re.IGNORECASE)
PART_NAME = re.compile(r"\bname=\"([^\"\r\n]{0,200})\"", re.IGNORECASE)
PART_TYPE = re.compile(r"^content-type:[ \t]*([^\r\n]{0,200})", re.IGNORECASE | re.MULTILINE)
FORM = re.compile(r"[^\s=&<>{}\"]{1,100}=[^\s<>{}\"]*+\Z")


def redact_body(text: str, content_type: str = "", *, names: Collection[str] = ()) -> str:
    """The same body without the values of fields, elements, attributes and parts whose names announce a secret.

    `names` adds the system's own secret names to the known ones. The content type matters only for forms: other
    bodies are recognised by how they begin, as senders often declare something else. A wrapped document (JSON in
    a form field, XML in CDATA) is looked into. Removed values read `[removed]`.
    """
    names = frozenset(names)
    content_type = content_type.lower()
    if "multipart/" in content_type:
        return _multipart(text, content_type, names)
    if "x-www-form-urlencoded" in content_type:
        return redact_form(text, names, lambda value: _document(value, names, 1))
    return _document(text, names, 0)


def _document(text: str, names: Collection[str], level: int) -> str:
    """One document, or one value out of another document."""
    if level > MAX_NESTING:
        return redact_pairs(text, names)

    def nested(value: str) -> str:
        return _document(value, names, level + 1)

    start = text[:200].lstrip("\ufeff \t\r\n")[:1]
    if start in ("{", "["):
        text = redact_json(text, names, nested)
    elif start == "<":
        text = redact_xml(text, names, nested)
    elif level == 0 and start == '"':
        text = redact_json(text, names, nested)
    elif FORM.match(text):
        text = redact_form(text, names, nested)
    else:
        text = redact_assignment(redact_lines(text, names), names)
    return redact_pairs(text, names)


def _multipart(text: str, content_type: str, names: Collection[str]) -> str:
    boundary = BOUNDARY.search(content_type)
    # The content type was lowered to be compared; boundaries are looked up in the text, where case counts.
    found = re.search(re.escape("--" + boundary.group(1)), text[:2000], re.IGNORECASE) if boundary else None
    if found is None:
        return _document(text, names, 0)
    parts = text.split(found.group())
    return found.group().join(_part(part, names) for part in parts)


def _part(part: str, names: Collection[str]) -> str:
    separator = "\r\n\r\n" if "\r\n\r\n" in part else "\n\n"
    head, blank, content = part.partition(separator)
    if not blank:
        return part
    name = PART_NAME.search(head)
    if name and is_secret_name(name.group(1), names, in_body=False):
        ending = content[len(content.rstrip("\r\n")) :]
        return f"{head}{blank}{REMOVED}{ending}"
    kind = PART_TYPE.search(head)
    return head + blank + redact_body(content, kind.group(1) if kind else "", names=names)
