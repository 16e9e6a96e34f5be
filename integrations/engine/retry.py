"""When to try again: pure functions over a schedule that reads in minutes and hours."""

import random
import re
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

DEFAULT_SCHEDULE: Final = "5 s, 30 s, 2 min, 10 min, 1 h, 4 h, 12 h, 24 h"
UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400}
JITTER: Final = 0.1


def parse_schedule(text: str) -> list[timedelta]:
    """The waits between tries, from text such as "5 s, 2 min, 1 h"; empty means the default.

    Raises ValueError with a text for the administrator.
    """
    waits = []
    for part in (text.strip() or DEFAULT_SCHEDULE).split(","):
        match = re.fullmatch(r"\s*(\d{1,5})\s*(s|min|h|d)\s*", part)
        if match is None:
            raise ValueError(
                _('"%(part)s" is not a wait: write a number and s, min, h or d, such as 30 s or 2 min.')
                % {"part": part.strip()}
            )
        waits.append(timedelta(seconds=int(match[1]) * UNITS[match[2]]))
    return waits


def next_try(
    schedule: list[timedelta],
    *,
    failures: int,
    now: datetime,
    retry_after: timedelta | None = None,
    jitter: float | None = None,
) -> datetime | None:
    """When to try again after the `failures`-th failure in a row (1 is the first); None: no more, a person decides.

    `retry_after` is what the other desk asked for: never earlier than that. `jitter` (0 to 1) spreads tries by up to
    a tenth; random unless given.
    """
    if failures > len(schedule):
        return None
    wait = schedule[failures - 1]
    spread = wait * JITTER * (random.random() if jitter is None else jitter)  # noqa: S311 - spreads load, no secret
    return now + max(wait + spread, retry_after or timedelta())
