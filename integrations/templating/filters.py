"""The filters and tests of the language. Adding one is adding a function to `FILTERS`; nothing else changes.

A filter takes the value before the bar, then its arguments, all plain data, and gives plain data. It raises
ValueError or TypeError with a sentence for the screen. It never guesses: `"x" | int` is an error, not 0.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _
from jinja2 import Undefined

from . import answer_filters as answers
from .limits import MAX_CHARS
from .plain import JsonText, as_json, as_text, kind

_DATE_CODES = re.compile(r"%(?![YymdHIMSfpzZjaAbBuV%])")


def default(value: Any, fallback: Any = "", boolean: bool = False) -> Any:
    """`fallback` where there is no value; with `true` as second argument also where it is empty, 0 or false."""
    if isinstance(value, Undefined) or (boolean and not value):
        return fallback
    return value


def truncate(value: Any, length: int, end: str = "…") -> str:
    """At most `length` characters, `end` included when something was cut off."""
    text = as_text(value)
    if length < len(end):
        raise ValueError(_("truncate needs a length of at least %(least)s") % {"least": len(end)})
    return text if len(text) <= length else text[: length - len(end)] + end


def join(value: Any, separator: str = "") -> str:
    """The values of a list as one text."""
    return as_text(separator).join(as_text(item) for item in _list(value))


def replace(value: Any, old: str, new: str) -> str:
    """`value` with every `old` replaced by `new`."""
    text, old, new = as_text(value), as_text(old), as_text(new)
    if not old:
        raise ValueError(_("replace needs a text to look for"))
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_CHARS:
        raise ValueError(_("the result of replace is too long"))
    return text.replace(old, new)


def integer(value: Any) -> int:
    """A whole number from a number or its digits."""
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(_('"%(value)s" is not a whole number') % {"value": value})
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ValueError(_('"%(value)s" is not a whole number') % {"value": str(value)[:80]}) from error


def length(value: Any) -> int:
    """How many characters a text has, or how many values a list or an object."""
    if not isinstance(value, str | list | tuple | dict):
        raise TypeError(_("length works on a text or a list, not on: %(kind)s") % {"kind": kind(value)})
    return len(value)


def first(value: Any) -> Any:
    """The first value of a list; an error where the list is empty."""
    return _end(value, 0)


def last(value: Any) -> Any:
    """The last value of a list; an error where the list is empty."""
    return _end(value, -1)


def date(value: Any, form: str, zone: str = "") -> str:
    """An ISO 8601 date or time written by the codes of strftime, such as "%d.%m.%Y %H:%M".

    `zone` is a name such as "Europe/Zurich"; without it the time stays in the offset that it has. A time without an
    offset is taken as UTC; a day without a time is the same in every zone. Empty stays empty.
    """
    moment = _moment(value)
    if moment is None:
        return ""
    unknown = _DATE_CODES.search(form)
    if unknown:
        raise ValueError(_('"%(code)s" is not a date code') % {"code": form[unknown.start() : unknown.start() + 2]})
    if zone and "T" in as_text(value).upper().replace(" ", "T"):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(_zone(zone))
    return moment.strftime(form)


def iso(value: Any) -> str:
    """An ISO 8601 time in UTC to the second: 2026-01-31T09:30:00Z. A time without an offset is taken as UTC."""
    moment = _moment(value)
    if moment is None:
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def milliseconds(value: Any) -> int | None:
    """An ISO 8601 time as milliseconds since 1970 began in UTC. A time without an offset is taken as UTC."""
    moment = _moment(value)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def to_json(value: Any) -> JsonText:
    """Any value as JSON. A JSON body writes values as JSON by itself; there this is needed for whole objects only."""
    return JsonText(as_json(value))


def to_base64(value: Any) -> str:
    """The text in UTF-8, encoded as base64."""
    return base64.b64encode(as_text(value).encode()).decode("ascii")


def urlencode(value: Any) -> str:
    """Percent-encoded UTF-8, `/` too, for headers that carry names so. In a path or query it is done by itself."""
    return quote(as_text(value), safe="")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(_("this needs a list, not: %(kind)s") % {"kind": kind(value)})
    return list(value)


def _end(value: Any, index: int) -> Any:
    items = _list(value)
    if not items:
        raise ValueError(_("the list is empty"))
    return items[index]


def _moment(value: Any) -> datetime | None:
    text = as_text(value)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_('"%(value)s" is not an ISO 8601 date or time') % {"value": text[:80]}) from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(_('"%(zone)s" is not a time zone') % {"zone": name[:80]}) from error


FILTERS: dict[str, Callable[..., Any]] = {
    "after": answers.after,
    "base64": to_base64,
    "before": answers.before,
    "date": date,
    "default": default,
    "find": answers.find,
    "first": first,
    "html_text": answers.html_text,
    "inner": answers.inner,
    "int": integer,
    "iso": iso,
    "join": join,
    "json": to_json,
    "last": last,
    "length": length,
    "lower": lambda value: as_text(value).lower(),
    "milliseconds": milliseconds,
    "moment": answers.moment,
    "named": answers.named,
    "replace": replace,
    "split": answers.split,
    "string": as_text,
    "text_html": answers.text_html,
    "trim": lambda value: as_text(value).strip(),
    "truncate": truncate,
    "urlencode": urlencode,
    "updated": answers.updated,
    "upper": lambda value: as_text(value).upper(),
}

TESTS: dict[str, Callable[[Any], bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "list": lambda value: isinstance(value, list | tuple),
    "mapping": lambda value: isinstance(value, dict),
}
