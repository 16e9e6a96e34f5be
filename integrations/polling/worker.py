"""One poll of one desk, from the claim to the time of the next: in pages, each handled before the cursor moves."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine.claim import ClaimLost
from integrations.engine.streams import enqueue
from integrations.models import Exchange
from integrations.polling import claim as claims
from integrations.polling.asking import Asking, PollFailed
from integrations.polling.claim import Claim, record, renew, take
from integrations.polling.entries import mark_broken_off, seen_before, take_over

logger = logging.getLogger(__name__)

# A desk that fails is asked less and less often, down to once in this time (or in its own interval, if longer).
LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass
class Progress:
    """How far a poll is: the next page is what comes after `time`, but for its first `skip` entries; the last entry
    that was handled has the time `last`. `pages` came already: a desk that gives one again goes in a circle."""

    time: int
    skip: int = 0
    last: int = 0
    brought: int = 0
    pages: set[tuple[str, ...]] = field(default_factory=set)


def poll(polling_id: int) -> bool:
    """Ask the desk for all that is new, for at most CLAIM_SECONDS. False: another worker has it, or it is not due."""
    claim = take(polling_id)
    if claim is None:
        return False
    try:
        _poll(claim)
    except ClaimLost:
        logger.info("polling %s was taken over by another worker", polling_id)
        return False
    return True


def _poll(claim: Claim) -> None:
    """Read page after page, and record what came of it."""
    polling = claim.polling
    asking = Asking(polling, before_send=lambda: renew(claim))
    progress = Progress(time=max(polling.cursor - polling.overlap_ms, 0))
    stop_at = time.monotonic() + settings.CLAIM_SECONDS
    try:
        mark_broken_off(claim.system)
        while read_page(claim, asking, progress):
            if time.monotonic() >= stop_at:
                _succeeded(claim, asking, progress, due_at=timezone.now())
                enqueue(polling.pk, task=claims.POLL)
                return
        _succeeded(claim, asking, progress, due_at=timezone.now() + polling.interval)
    except ClaimLost:
        raise
    except PollFailed as failed:
        _failed(claim, asking, progress, str(failed), failed.retry_after)
    except Exception as error:
        # Broad on purpose: else it would fail again and again where nobody sees it. Without a database this fails,
        # too, and the sweeper comes back when the lease has ended.
        logger.exception("polling %s failed unexpectedly", polling.pk)
        reason = _("Unexpected error, written to the log: %(error)s") % {"error": repr(error)[:500]}
        _failed(claim, asking, progress, reason)


def read_page(claim: Claim, asking: Asking, progress: Progress) -> bool:
    """Handle one page and move the cursor; whether there may be more.

    Behind a full page the desk is asked again from one millisecond before its last entry, as others may have the same
    time: what was seen is left out. Only where a whole page has one time does `skip` count on, because a list that
    moves while it is counted loses entries.
    """
    entries, exchange = asking.page(time=progress.time, skip=progress.skip)
    identities = tuple(entry.identity for entry in entries)
    full = len(entries) >= claim.polling.page_size
    if full and identities in progress.pages:
        raise PollFailed(_("The other desk gives the same page again and again: it does not heed time and skip."))
    seen = seen_before(claim.system, entries)
    for entry in entries:
        if entry.identity not in seen:
            seen.add(entry.identity)
            renew(claim)
            take_over(asking, entry, url=exchange.url)
            progress.brought += 1
    if entries:
        progress.last = entries[-1].time
    if not full:
        _move(claim, progress.last)
    elif entries[0].time < progress.last and progress.last - 1 > progress.time:
        progress.time, progress.skip = progress.last - 1, 0
        _move(claim, progress.time)
    else:
        progress.skip += len(entries)
    progress.pages.add(identities)
    return full


def pause(interval: timedelta, failures: int) -> timedelta:
    """How long to leave a desk alone after so many failures in a row."""
    doubled = interval * 2 ** min(max(failures - 1, 0), 10)
    return max(interval, min(doubled, LONGEST_PAUSE))


def _move(claim: Claim, cursor: int) -> None:
    """Never back: with an overlap the last entry may be an old one."""
    claim.polling.cursor = max(claim.polling.cursor, cursor)
    record(claim, cursor=claim.polling.cursor)


def _succeeded(claim: Claim, asking: Asking, progress: Progress, *, due_at: datetime) -> None:
    same = not progress.brought and not asking.polling.failures
    record(
        claim,
        due_at=due_at,
        lease_until=None,
        last_success_at=timezone.now(),
        failures=0,
        failing_since=None,
        last_error="",
        quiet_exchanges=_quiet(asking, progress, replaces=same),
    )


def _failed(
    claim: Claim, asking: Asking, progress: Progress, reason: str, retry_after: timedelta | None = None
) -> None:
    polling, now = asking.polling, timezone.now()
    wait = max(pause(polling.interval, polling.failures + 1), retry_after or timedelta())
    same = not progress.brought and reason == polling.last_error
    record(
        claim,
        due_at=now + wait,
        lease_until=None,
        failures=F("failures") + 1,
        failing_since=Coalesce("failing_since", now),
        last_error=reason,
        quiet_exchanges=_quiet(asking, progress, replaces=same),
    )


def _quiet(asking: Asking, progress: Progress, *, replaces: bool) -> list[int]:
    """The rows of a poll that brought nothing. They take the place of those of the poll before that came to the same,
    so that the log of a quiet night is one row."""
    polling = asking.polling
    if replaces:
        Exchange.objects.filter(pk__in=polling.quiet_exchanges, system=polling.system).delete()
    return [] if progress.brought else asking.exchanges
