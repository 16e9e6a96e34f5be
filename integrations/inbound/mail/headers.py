"""Headers of mails as they really come: encoded words, raw bytes, several senders, folded ids."""

import re
from email.errors import HeaderParseError
from email.header import Header, decode_header
from email.message import Message as Mime
from typing import Final

from integrations.inbound.mail.text import decoded

MAX_HEADER: Final = 10_000
MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,300}>")
ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@[^\s@<>()\[\],;:\"]{1,253}")
QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
COMMENT: Final = re.compile(r"\([^()]*\)")
# What turns the direction of writing, so that a name reads as another one and disturbs what stands beside it.
BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def header(mime: Mime, name: str) -> str:
    """The first header of this name as one line of readable text; empty if there is none."""
    return readable_header(mime.get(name))


def readable_header(value: object) -> str:
    """A header's value in the script in which it was written."""
    text = _raw(value)[:MAX_HEADER]
    if "=?" in text:
        try:
            pieces = decode_header(text)
        except (HeaderParseError, ValueError):
            pieces = [(text, None)]
        words = (
            decoded(piece, charset or "ascii") if isinstance(piece, bytes) else piece for piece, charset in pieces
        )
        text = "".join(words)
    return BIDI.sub("", _line(text))


def all_headers(mime: Mime, name: str) -> list[str]:
    """Every header of this name, topmost first, unfolded and not decoded."""
    return [_line(_raw(value)[:MAX_HEADER]) for value in mime.get_all(name, [])]


def message_ids(mime: Mime, *names: str) -> list[str]:
    """The Message-IDs in these headers, with their brackets, the newest (last) first."""
    found = [found for name in names for value in all_headers(mime, name) for found in MESSAGE_ID.findall(value)]
    return list(dict.fromkeys(reversed(found)))[:100]


def sender_of(mime: Mime) -> tuple[str, str]:
    """Name and address of the one sender, the address in lower case. Several, or one that could be read in two ways:
    no address, as nobody can tell who wrote."""
    values = mime.get_all("From", [])
    if len(values) != 1:
        return "", ""
    raw = _line(_raw(values[0])[:MAX_HEADER])
    plain = without_comments(QUOTED.sub(" ", raw))
    if plain.count("<") > 1 or plain.count(">") > 1 or any(c in plain for c in '()"'):
        return readable_header(values[0])[:200], ""
    if "<" in plain:
        before, _bracket, rest = plain.partition("<")
        address, _bracket, after = rest.partition(">")
        if after.strip() or "," in before:
            return readable_header(values[0])[:200], ""
    else:
        address = plain
    address = address.strip().lower()
    if not ADDRESS.fullmatch(address):
        return readable_header(values[0])[:200], ""
    name = readable_header(raw[: raw.rfind("<")] if "<" in raw else "").strip(" \"'")
    return name.replace("\\", "")[:200], address[:254]


def without_comments(value: str) -> str:
    """A structured value without what stands in parentheses."""
    for _level in range(3):
        value = COMMENT.sub(" ", value)
    return value.strip()


def recipients_of(mime: Mime) -> str:
    """Everything that says to whom it went, for tokens in plus-addresses."""
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
    return " ".join(value for name in names for value in all_headers(mime, name))[:MAX_HEADER]


def _line(text: str) -> str:
    """One line that can be stored. Bytes that came as they are, the library has made into halves of surrogates."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
    return " ".join(decoded(data, "utf-8").split())


def _raw(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Header):
        # Raw bytes in a header: the library hides them in an unknown charset.
        return "".join(str(piece) for piece, _charset in value._chunks)  # type: ignore[attr-defined]  # not in the stubs
    return str(value)
