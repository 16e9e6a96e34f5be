"""Known secrets, removed wherever they stand and however they are written."""

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from integrations.redaction.names import REMOVED

# Shorter values stand in every text by chance; removing them would tell more than it hides.
SHORTEST = 4
# In a large attachment any four or five characters turn up by chance.
SHORTEST_FRAGMENT = 6
BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


def redact_text(text: str, *, values: Iterable[str] = ()) -> str:
    """Remove these values from the text: as they are, escaped for URL, JSON or XML, and inside any base64.

    Base64 covers `user:password` of Basic authentication when only the password is given, from five bytes on. Values
    shorter than four characters are left alone.
    """
    wanted = [value for value in set(values) if len(value) >= SHORTEST]
    spellings = {spelling for value in wanted for spelling in _spellings(value) if spelling in text}
    if spellings:
        longest_first = sorted(spellings, key=len, reverse=True)
        text = re.sub("|".join(map(re.escape, longest_first)), REMOVED, text)
    for value in wanted:
        for fragment in _base64_fragments(value):
            text = _without_base64(text, fragment)
    return text


def _spellings(value: str) -> set[str]:
    return {
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&apos;"),
        base64.b64encode(value.encode()).decode(),
        base64.urlsafe_b64encode(value.encode()).decode(),
    }


def _base64_fragments(value: str) -> set[str]:
    """What base64 makes of the value behind 0, 1 or 2 other bytes, without the characters shared with neighbours."""
    fragments = set()
    for encoding in ("utf-8", "latin-1"):
        raw = value.encode(encoding, errors="replace")
        for offset in range(3):
            padded = b"\0" * offset + raw + b"\0\0"
            # Six bits a character: only those that hold nothing but bits of the value are known.
            known = slice(-(-offset * 8 // 6), (offset + len(raw)) * 8 // 6)
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                fragment = encode(padded).decode()[known]
                if len(fragment) >= SHORTEST_FRAGMENT:
                    fragments.add(fragment)
    return fragments


def _without_base64(text: str, fragment: str) -> str:
    """Cut out each run of base64 characters that holds the fragment."""
    parts = []
    position = 0
    while (found := text.find(fragment, position)) >= 0:
        start, end = found, found + len(fragment)
        while start > position and text[start - 1] in BASE64:
            start -= 1
        while end < len(text) and text[end] in BASE64:
            end += 1
        parts += [text[position:start], REMOVED]
        position = end
    parts.append(text[position:])
    return "".join(parts)
