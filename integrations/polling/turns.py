"""One claim of a desk that is asked by its operation templates: first what somebody wants to be looked at, then what
is new, for at most CLAIM_SECONDS."""

import time
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from integrations.models import ExternalReference, TheirTicket
from integrations.polling.asking import PollFailed
from integrations.polling.claim import Claim, renew
from integrations.polling.delivering import mark_broken_off
from integrations.polling.looks import Looks, closed_by_turns, open_by_turns, translated_since, wanted
from integrations.polling.operations import LISTING, TICKET, Operations
from integrations.polling.rounds import Listing

# To so many tickets that are worked on comes one that was closed.
CLOSED_SHARE: Final = 4
# For so many seconds more a claim goes on where something has just failed, which takes long where it is a time-out:
# the next tickets show whether it is the desk's failure.
IN_DOUBT_SECONDS: Final = 90


class OperationsTurn:
    """What one claim does. `brought` counts what was new."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.asking = Operations(claim.polling, before_send=lambda: renew(claim))
        self.looks = Looks(self.asking)
        self.began_at = timezone.now()
        self.stop_at = time.monotonic() + settings.CLAIM_SECONDS

    @property
    def brought(self) -> int:
        """How many messages were new."""
        return self.looks.brought

    @property
    def wants_more(self) -> bool:
        """Whether tickets are still to be looked at."""
        return TheirTicket.objects.filter(reference__system=self.claim.system, wanted_at__isnull=False).exists()

    def may_go_on(self) -> bool:
        """Whether there is time for one more."""
        return time.monotonic() < self.stop_at + (IN_DOUBT_SECONDS if self.asking.is_in_doubt else 0)

    def take(self) -> bool:
        """Whether there is more than the time was for. Raises `PollFailed`, also where nothing at all was answered:
        then it is no failure of one ticket."""
        has_more = self._take()
        if self.asking.unanswered and not self.asking.answered:
            raise PollFailed(self.asking.unanswered)
        return has_more

    def _take(self) -> bool:
        mark_broken_off(self.claim.system)
        if not self._wanted():
            return True
        if not self.claim.listed:
            return False
        if self.asking.has(LISTING):
            return self._listed()
        if self.asking.has(TICKET):
            return self._by_turns()
        return False

    def _wanted(self) -> bool:
        """Look at what was asked for before this began; False where the time is over first."""
        limit = self.claim.polling.page_size
        while rows := wanted(self.asking, before=self.began_at, limit=limit):
            for reference in rows:
                self._look(reference, reference.their_ticket.wanted_at)
                if not self.may_go_on():
                    return False
        for reference in translated_since(self.asking):
            self._look(reference, None)
        return True

    def _look(self, reference: ExternalReference, asked_at: datetime | None) -> None:
        renew(self.claim)
        self.looks.by_number(reference, again=True)
        TheirTicket.objects.filter(reference=reference, wanted_at=asked_at).update(wanted_at=None)

    def _listed(self) -> bool:
        listing = Listing(self.claim, self.asking, self.looks, self.may_go_on)
        while listing.page():
            if not self.may_go_on():
                return True
        return False

    def _by_turns(self) -> bool:
        """So many a poll, those that were not looked at for longest first; then a few of those that were closed."""
        limit = self.claim.polling.page_size
        rows = open_by_turns(self.asking, limit=limit)
        for reference in rows + closed_by_turns(self.asking, limit=max(limit // CLOSED_SHARE, 1)):
            renew(self.claim)
            self.looks.by_number(reference)
            if not self.may_go_on():
                break
        return False
