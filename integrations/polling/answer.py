"""What a desk answers when it is asked for news: read strictly, as nothing may be lost by a guess."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.inbound.bodies import storable

# The end of the year 9999. Their clock may show any time, but one in microseconds lies beyond: the cursor goes where
# an entry says, and all that comes after it in milliseconds would be passed over in silence.
LATEST: Final = 253_402_300_799_999
NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]")


class Unreadable(Exception):
    """The answer is not what Case Exchange lists; `str()` says what is wrong with it."""


@dataclass(frozen=True)
class Entry:
    """One operation of the other desk. `time` is when it was listed, in milliseconds by that desk's clock.

    `identity` is the same whenever it is listed, and another one for everything else.
    """

    time: int
    identity: str
    operation: str
    entity: dict[str, Any]


def entries_of(text: str) -> list[Entry]:
    """The entries of an answer, oldest first. Raises `Unreadable`."""
    try:
        answer = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("The answer is not JSON: %(reason)s") % {"reason": str(error)[:200]}) from error
    if not isinstance(answer, dict):
        raise Unreadable(_("The answer is not a JSON object."))
    _require_success(answer.get("meta"))
    entities = answer.get("entities")
    if not isinstance(entities, list):
        raise Unreadable(_("The answer has no list of entities."))
    entries = [_entry(entity, number) for number, entity in enumerate(entities, start=1)]
    times = [entry.time for entry in entries]
    if times != sorted(times):
        # Whoever goes on behind the last one would pass over what stands out of order.
        raise Unreadable(_("The entities are not in the order of their LastUpdateTime, oldest first."))
    return entries


def _require_success(meta: Any) -> None:
    if not isinstance(meta, dict) or meta.get("completion_status", "OK") == "OK":
        return
    details = meta.get("errorDetailsList")
    reasons = [
        storable(str(error.get("message") or error.get("errorCode")))[:200]
        for error in (details if isinstance(details, list) else [])
        if isinstance(error, dict)
    ]
    raise Unreadable(_("The other desk says that it failed: %(reason)s") % {"reason": "; ".join(reasons[:3]) or "-"})


def _entry(entity: Any, number: int) -> Entry:
    properties = entity.get("properties") if isinstance(entity, dict) else None
    if not isinstance(properties, dict):
        raise Unreadable(_("Entity %(number)d has no properties.") % {"number": number})
    time = properties.get("LastUpdateTime")
    if type(time) is not int or not 0 <= time <= LATEST:
        raise Unreadable(_("Entity %(number)d has no LastUpdateTime in milliseconds.") % {"number": number})
    external = entity.get("ext_properties")
    operation = str(external.get("Operation") or "") if isinstance(external, dict) else ""
    content = json.dumps(entity, sort_keys=True, separators=(",", ":")).encode()
    name = f"{str(properties.get('Id'))[:60]} {operation[:20]}"
    identity = f"{time} {NOT_PLAIN.sub('?', name)} {hashlib.sha256(content).hexdigest()}"
    return Entry(time=time, identity=identity, operation=operation, entity=entity)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
