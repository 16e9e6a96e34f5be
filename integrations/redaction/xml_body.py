"""XML and HTML, read tag by tag: nothing is parsed and written anew, so the rest stays as it was."""

import html
import re
from collections.abc import Callable, Collection
from xml.sax.saxutils import escape

from integrations.redaction.names import REMOVED, is_secret_name

# Attribute values hold no "<" in well-formed XML, so no alternative reads past the next one: linear on any text.
TOKEN = re.compile(
    r"<!\[CDATA\[(?P<cdata>(?:[^\]]|\](?!\]>))*+)(?:\]\]>|\Z)"
    r"|<[^<>\"']*+(?:(?:\"[^\"<]*+\"|'[^'<]*+')[^<>\"']*+)*+>"
    r"|<[^<>]*+>?"
)
NAME = re.compile(r"</?\s*+([^\s/>\"'<=]+)")
ATTRIBUTE = re.compile(r"(?<=\s)([^\s=\"'<>/]{1,200}+)(\s*+=\s*+)(?:\"([^\"]*+)\"|'([^']*+)')")
NAMING_ATTRIBUTES = frozenset({"name", "key", "id"})


def redact_xml(text: str, names: Collection[str], nested: Callable[[str], str]) -> str:
    """Remove the contents of secret elements and attributes; other text is looked into through `nested`."""
    parts: list[str] = []
    secret = ""
    depth = 0
    position = 0
    for match in TOKEN.finditer(text):
        token = match.group()
        if not secret:
            parts.append(_clean_text(text[position : match.start()], nested))
        position = match.end()
        cdata = match.group("cdata")
        name = "" if cdata is not None else _local_name(token)
        if secret:
            if name == secret:
                depth += -1 if token.startswith("</") else not token.endswith("/>")
            if depth == 0:
                parts.append(token)
                secret = ""
            continue
        if cdata is not None:
            cleaned = nested(cdata)
            parts.append(token if cleaned == cdata else token.replace(cdata, cleaned))
            continue
        opens = not token.startswith(("</", "<!", "<?"))
        cleaned, names_secret = _clean_attributes(token, names) if opens else (token, False)
        parts.append(cleaned)
        if opens and not token.endswith("/>") and (names_secret or is_secret_name(name, names)):
            parts.append(REMOVED)
            secret, depth = name, 1
    if not secret:
        parts.append(_clean_text(text[position:], nested))
    return "".join(parts)


def _local_name(token: str) -> str:
    match = NAME.match(token)
    return match.group(1).rpartition(":")[2] if match else ""


def _clean_attributes(token: str, names: Collection[str]) -> tuple[str, bool]:
    """The tag without secret attribute values, and whether an attribute names its element a secret field."""
    if "=" not in token:
        return token, False
    names_secret = any(
        match.group(1).lower() in NAMING_ATTRIBUTES and is_secret_name(match.group(3) or match.group(4) or "", names)
        for match in ATTRIBUTE.finditer(token)
    )

    def attribute(match: re.Match[str]) -> str:
        name = match.group(1)
        value = match.group(3) if match.group(3) is not None else match.group(4)
        is_value = names_secret and name.lower() == "value"
        if not value or name.startswith("xmlns") or not (is_value or is_secret_name(name, names)):
            return match.group()
        return f'{name}{match.group(2)}"{REMOVED}"'

    return ATTRIBUTE.sub(attribute, token), names_secret


def _clean_text(text: str, nested: Callable[[str], str]) -> str:
    """Text between tags may hold a whole document in escaped form."""
    if not text or text.isspace():
        return text
    if "&" not in text:
        return nested(text)
    plain = html.unescape(text)
    cleaned = nested(plain)
    return text if cleaned == plain else escape(cleaned)
