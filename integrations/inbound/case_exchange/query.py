"""The query strings of `/ces`: what is not known, or not a value, is refused and named."""

from dataclasses import dataclass
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from integrations.inbound.case_exchange.entities import ENTITY_TYPE, PROPERTIES
from integrations.inbound.problems import Invalid, NotFound
from integrations.models import ExternalSystem

LARGEST_PAGE: Final = 200
PAGE: Final = 50
LARGEST: Final = 2**53


@dataclass(frozen=True)
class Asked:
    """What a caller asks for. Without a layout: every property."""

    layout: tuple[str, ...] = ()
    time: int = 0
    skip: int = 0
    size: int = PAGE


def of_message(given: QueryDict) -> Asked:
    """For a POST: which properties the answer has."""
    _check(given, ("layout",))
    return Asked(layout=_layout(given))


def of_poll(given: QueryDict, *, system: ExternalSystem) -> Asked:
    """For the feed. Raises `Invalid`, and `NotFound` for another system's feed."""
    _check(given, ("layout", "type", "system", "time", "skip", "size"))
    if given.get("type", ENTITY_TYPE) != ENTITY_TYPE:
        raise _wrong("type", _("Only %(type)s is exchanged.") % {"type": ENTITY_TYPE})
    name = given.get("system", system.code)
    if name.casefold() not in (system.code.casefold(), system.name.casefold()):
        raise NotFound(_('There is no system "%(name)s" for you.') % {"name": name[:100]})
    return Asked(
        layout=_layout(given),
        time=_number(given, "time", default=0, low=0, high=LARGEST),
        skip=_number(given, "skip", default=0, low=0, high=LARGEST),
        size=_number(given, "size", default=PAGE, low=1, high=LARGEST_PAGE),
    )


def _check(given: QueryDict, known: tuple[str, ...]) -> None:
    for name, values in given.lists():
        if name not in known:
            raise _wrong(name[:100], _("There is no such parameter."))
        if len(values) > 1:
            raise _wrong(name, _("Give it once."))


def _layout(given: QueryDict) -> tuple[str, ...]:
    names = tuple(name.strip() for name in given.get("layout", "").split(",") if name.strip())
    if unknown := [name for name in names if name not in PROPERTIES]:
        text = _('There is no property "%(name)s". There are: %(known)s.')
        raise _wrong("layout", text % {"name": unknown[0][:100], "known": ", ".join(PROPERTIES)})
    return names


def _number(given: QueryDict, name: str, *, default: int, low: int, high: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 17 and low <= int(value) <= high):
        raise _wrong(name, _("Give a number from %(low)d to %(high)d.") % {"low": low, "high": high})
    return int(value)


def _wrong(name: str, text: str) -> Invalid:
    return Invalid(f"{name}: {text}", fields={name: [text]})
