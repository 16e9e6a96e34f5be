"""What a record of another desk's ticket says, by the names of an operation's readings."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.templating.plain import as_text

REFERENCE: Final = "reference"
EXTERNAL_ID: Final = "external_id"
MODIFIED: Final = "modified"
NUMBERS: Final = (REFERENCE, EXTERNAL_ID)
# From this number on, a time is in milliseconds: as seconds it would be the year 5138.
MILLISECONDS_FROM: Final = 100_000_000_000
# Their clock may be wrong by much; a year ahead it is no time, and the cursor would pass over all that comes.
FARTHEST_AHEAD_MS: Final = 366 * 86_400_000


class UnreadableRecord(Exception):
    """A record cannot be used; `str()` names what is wrong with it."""


@dataclass(frozen=True)
class Record:
    """One ticket of theirs. `values` are texts by name, numbers left out, "" where they have nothing; `modified` is
    the time of its last change by their clock, in milliseconds, 0 where they do not tell one."""

    reference: str
    external_id: str
    modified: int
    values: dict[str, str]

    @property
    def is_number_only(self) -> bool:
        """Whether it says which ticket it is, and nothing else."""
        return not any(self.values.values())

    @property
    def name(self) -> str:
        """What people call it."""
        return self.reference or self.external_id

    @property
    def identity(self) -> str:
        """The same for the same state of the same ticket."""
        content = [self.reference, self.external_id, self.values]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def record_of(read: Mapping[str, Any]) -> Record:
    """The record of what was read. Raises `UnreadableRecord`."""
    texts = {name: text(value).strip() for name, value in read.items()}
    reference, external_id = (texts.pop(name, "") for name in NUMBERS)
    if not reference and not external_id:
        raise UnreadableRecord(_("A record has neither reference nor external_id."))
    modified = 0
    if texts.get(MODIFIED):
        try:
            modified = milliseconds(read[MODIFIED])
        except ValueError as problem:
            raise UnreadableRecord(
                _("%(ticket)s: %(problem)s") % {"ticket": reference or external_id, "problem": problem}
            ) from problem
    return Record(reference=reference, external_id=external_id, modified=modified, values=texts)


def text(value: Any) -> str:
    """A value as text; lists and objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(as_text(value))


def moment(value: Any) -> datetime | None:
    """A time as another desk writes it: ISO 8601 (without an offset: UTC), or seconds or milliseconds since 1970.
    None for nothing. ValueError says what to do about any other form."""
    if value in (None, ""):
        return None
    written = value.strip() if isinstance(value, str) else value
    try:
        number = float(written) if not isinstance(written, bool) else None
    except (TypeError, ValueError):
        number = None
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if abs(number) >= MILLISECONDS_FROM else number, UTC)
        found = datetime.fromisoformat(str(written))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            _('"%(value)s" is no time: read it with the filter moment, for example moment("%%d.%%m.%%Y %%H:%%M").')
            % {"value": str(value)[:80]}
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def milliseconds(value: Any) -> int:
    """The time in whole milliseconds since 1970, rounded down; 0 for nothing. ValueError as `moment`."""
    found = moment(value)
    return max(int(found.timestamp() * 1000), 0) if found else 0


def is_plausible(modified: int) -> bool:
    """Whether the cursor may go there."""
    return modified <= timezone.now().timestamp() * 1000 + FARTHEST_AHEAD_MS
