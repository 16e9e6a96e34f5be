"""Filters that take apart what other desks answer: their lists, their markup, their lists of key=value."""

import operator
import re
from datetime import UTC, datetime
from html import escape, unescape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import nh3
from django.utils.translation import gettext as _

from .plain import as_text, kind

_ENDS_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote|pre)\s*>", re.IGNORECASE)
_NOTHING = object()
_BLANKS = re.compile(r"[ \t\xa0]*\n[ \t\xa0]*")


def before(value: Any, mark: str) -> str:
    """What stands before the first `mark`; the whole text where there is none."""
    return as_text(value).partition(_needed(mark))[0]


def after(value: Any, mark: str) -> str:
    """What stands behind the first `mark`; empty where there is none."""
    return as_text(value).partition(_needed(mark))[2]


def split(value: Any, mark: str) -> list[str]:
    """The parts of a text between the marks; a text without the mark is the only part."""
    return as_text(value).split(_needed(mark))


def find(value: Any, path: str, wanted: Any, any_case: bool = False) -> dict[str, Any]:
    """The first object of a list that has this value under this key, or path such as "author.id"; an empty object
    where none has.

    With `any_case`, for addresses and logins: a text in upper or lower case, or a list with such a text. An empty one
    finds nothing.
    """
    same = _is_text if any_case else operator.eq
    return next((item for item in _objects(value) if same(_below(item, path), wanted)), {})


def inner(value: Any, key: str) -> list[dict[str, Any]]:
    """Every object in the lists that the objects of a list have under this key, each with where it was, as `parent`.

    An object without the key, or with null there, has none.
    """
    found = []
    for parent in _objects(value):
        found += [{**item, "parent": parent} for item in _objects(parent.get(key) or [])]
    return found


def named(value: Any, name: str) -> str:
    """The value of this name in a list of texts of the form name=value, names in any case; empty where it is missing.

    A single text counts as a list of one: XML does not tell them apart.
    """
    for item in value if isinstance(value, list | tuple) else [value]:
        key, equals, found = as_text(item).partition("=")
        if equals and key.strip().lower() == name.lower():
            return found
    return ""


def updated(value: Any, changes: Any) -> dict[str, Any]:
    """An object with these values in the place of its own; for desks that want a record back as a whole."""
    if not isinstance(value, dict) or not isinstance(changes, dict):
        raise TypeError(_("this needs an object, not: %(kind)s") % {"kind": kind(value)})
    return {**value, **changes}


def moment(value: Any, form: str, zone: str = "UTC") -> str:
    """A time that is written by the codes of strptime, such as "%d.%m.%Y %H:%M", as ISO 8601 in UTC.

    `zone` is where that clock stands, if the time has no offset. Empty stays empty.
    """
    text = as_text(value).strip()
    if not text:
        return ""
    try:
        found = datetime.strptime(text, form)
    except ValueError as error:
        raise ValueError(_('"%(value)s" is not written as %(form)s') % {"value": text[:80], "form": form}) from error
    if found.tzinfo is None:
        try:
            found = found.replace(tzinfo=ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(_('"%(zone)s" is not a time zone') % {"zone": zone[:80]}) from error
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def html_text(value: Any) -> str:
    """HTML as plain text: tags go, paragraphs and line breaks become lines."""
    lines = _ENDS_LINE.sub("\n", as_text(value))
    return _BLANKS.sub("\n", unescape(nh3.clean(lines, tags=set()))).strip()


def text_html(value: Any) -> str:
    """Plain text as HTML that shows the same, for desks that take nothing else: no sign of it is taken for a tag."""
    return "<br>".join(escape(as_text(value), quote=False).splitlines())


def _below(item: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(item, dict) or key not in item:
            return _NOTHING
        item = item[key]
    return item


def _is_text(found: Any, wanted: Any) -> bool:
    texts = found if isinstance(found, list | tuple) else [found]
    folded = as_text(wanted).casefold()
    return bool(folded) and any(isinstance(text, str) and text.casefold() == folded for text in texts)


def _needed(mark: str) -> str:
    if not mark:
        raise ValueError(_("this needs a text to look for"))
    return mark


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; one object alone counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list | tuple):
        raise TypeError(_("this needs a list, not: %(kind)s") % {"kind": kind(value)})
    return [item for item in value if isinstance(item, dict)]
