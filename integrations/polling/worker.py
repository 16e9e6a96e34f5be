"""One poll of one desk, from the claim to the time of the next: in pages, each handled before the cursor moves."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine.claim import ClaimLost
from integrations.engine.streams import enqueue
from integrations.engine.visits import failed, succeeded
from integrations.models import Exchange, Polling, PollingKind
from integrations.polling import claim as claims
from integrations.polling.asking import Asking, PollFailed
from integrations.polling.claim import Claim, record, renew, take
from integrations.polling.entries import mark_broken_off, seen_before, take_over
from integrations.polling.operations import NotToBeHad, Operations
from integrations.polling.turns import OperationsTurn

logger = logging.getLogger(__name__)

SHOWN_PROBLEMS: Final = 3
Asked = Asking | Operations


class Turn(Protocol):
    """What one claim of a desk has brought, and whether a ticket is to be looked at again."""

    @property
    def brought(self) -> int: ...

    @property
    def wants_more(self) -> bool: ...


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
    """Ask as the desk is to be asked, and record what came of it."""
    turn: FeedTurn | OperationsTurn = (
        OperationsTurn(claim) if claim.polling.kind == PollingKind.OPERATIONS else FeedTurn(claim)
    )
    polling, asking = claim.polling, turn.asking
    try:
        if turn.take():
            _succeeded(claim, asking, turn, due_at=timezone.now())
            enqueue(polling.pk, task=claims.POLL)
            return
        _succeeded(claim, asking, turn, due_at=timezone.now() + polling.interval)
    except ClaimLost:
        raise
    except PollFailed as failure:
        _failed(claim, asking, turn, str(failure), failure.retry_after)
    except NotToBeHad as refused:  # the listing itself, as where the address is wrong
        _failed(claim, asking, turn, str(refused))
    except Exception as error:
        # Broad on purpose: else it would fail again and again where nobody sees it. Without a database this fails,
        # too, and the sweeper comes back when the lease has ended.
        logger.exception("polling %s failed unexpectedly", polling.pk)
        reason = _("Unexpected error, written to the log: %(error)s") % {"error": repr(error)[:500]}
        _failed(claim, asking, turn, reason)


class FeedTurn:
    """One claim of a desk with a feed: page after page, while there is time."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.asking = Asking(claim.polling, before_send=lambda: renew(claim))
        self.progress = Progress(time=max(claim.polling.cursor - claim.polling.overlap_ms, 0))

    @property
    def brought(self) -> int:
        """How many entries were new."""
        return self.progress.brought

    @property
    def wants_more(self) -> bool:
        """A feed has no single tickets to look at."""
        return False

    def take(self) -> bool:
        """Whether there is more than the time was for."""
        stop_at = time.monotonic() + settings.CLAIM_SECONDS
        mark_broken_off(self.claim.system)
        while self.claim.listed and read_page(self.claim, self.asking, self.progress):
            if time.monotonic() >= stop_at:
                return True
        return False


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


def _move(claim: Claim, cursor: int) -> None:
    """Never back: with an overlap the last entry may be an old one."""
    claim.polling.cursor = max(claim.polling.cursor, cursor)
    record(claim, cursor=claim.polling.cursor)


def _succeeded(claim: Claim, asking: Asked, turn: Turn, *, due_at: datetime) -> None:
    polling = claim.polling
    same = not turn.brought and not polling.failures
    values: dict[str, Any] = {"due_at": due_at} if claim.listed else {}
    values |= {
        "last_error": "; ".join(asking.problems[:SHOWN_PROBLEMS]),
        "quiet_exchanges": _quiet(asking, turn, replaces=same),
    }
    record(claim, **succeeded() | values)
    _asked_and_done(claim, turn)


def _failed(claim: Claim, asking: Asked, turn: Turn, reason: str, retry_after: timedelta | None = None) -> None:
    polling = asking.polling
    same = not turn.brought and reason == polling.last_error
    values = failed(polling, reason, wait=retry_after or timedelta())
    values["quiet_exchanges"] = _quiet(asking, turn, replaces=same)
    if polling.asked_at is not None:
        # What somebody wants to be looked at waits with it, unless it is asked for once more.
        values["asked_at"] = values["due_at"]
    record(claim, **values)


def _asked_and_done(claim: Claim, turn: Turn) -> None:
    """Take the mark away with which a look was asked for, unless another one was since; then, or where a ticket has
    to be looked at again, go on soon."""
    polling = claim.polling
    row = Polling.objects.filter(pk=polling.pk)
    later = None if polling.active or not turn.wants_more else timezone.now() + polling.interval
    if not row.filter(asked=polling.asked).update(asked_at=later):
        enqueue(polling.pk, task=claims.POLL)


def _quiet(asking: Asked, turn: Turn, *, replaces: bool) -> list[int]:
    """The rows of a poll that brought nothing. They take the place of those of the poll before that came to the same,
    so that the log of a quiet night is one row."""
    polling = asking.polling
    if replaces:
        Exchange.objects.filter(pk__in=polling.quiet_exchanges, system=polling.system).delete()
    return [] if turn.brought else asking.exchanges
