"""Plain data: all that a template ever sees, and how its values read as text."""

import json
import math
from typing import Any

from django.utils.translation import gettext as _

MAX_DEPTH = 100
_SCALARS = (str, int, bool, type(None))


class JsonText(str):
    """Text that is valid JSON already: what the filter `json` gives, so that a JSON body takes it as it is."""

    __slots__ = ()


def require_plain(value: Any, path: str = "", depth: int = 0) -> None:
    """Raise TypeError, naming the path, for anything but dict, list, str, int, float, bool and None.

    The types are exact: a subclass (a model's choice, a safe string, a lazy translation) carries behaviour that a
    template must not reach.
    """
    if type(value) in _SCALARS:
        return
    if depth > MAX_DEPTH:
        raise TypeError(f"{path}: nested more than {MAX_DEPTH} levels deep, or contains itself")
    if type(value) is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise TypeError(f"{path or 'context'}: the key {key!r} is {type(key).__name__}, not str")
            require_plain(inner, f"{path}.{key}" if path else key, depth + 1)
    elif type(value) is list:
        for index, inner in enumerate(value):
            require_plain(inner, f"{path}[{index}]", depth + 1)
    elif type(value) is not float or not math.isfinite(value):
        raise TypeError(f"{path or 'context'}: {type(value).__name__} is not plain data ({value!r:.80})")


def copy_plain(value: Any) -> Any:
    """A copy of a result that shares nothing with the context; tuples become lists."""
    if isinstance(value, dict):
        return {key: copy_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [copy_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


def as_text(value: Any) -> str:
    """How a single value reads: None is empty, booleans are `true` and `false`. Lists and objects are refused."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # Half a surrogate pair can arrive in JSON, but cannot be sent in UTF-8.
        return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(
        _("a whole %(kind)s cannot be written as text; choose one of its values, or use the filter join or json")
        % {"kind": kind(value)}
    )


def as_json(value: Any) -> str:
    """`value` as JSON, non-ASCII characters kept."""
    if isinstance(value, JsonText):
        return str(value)
    dumped = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return as_text(dumped)


def kind(value: Any) -> str:
    """What a value is, in the words of the screens."""
    if value is None:
        return _("empty value")
    if isinstance(value, bool):
        return _("yes/no value")
    if isinstance(value, str):
        return _("text")
    if isinstance(value, int | float):
        return _("number")
    return _("object") if isinstance(value, dict) else _("list")
