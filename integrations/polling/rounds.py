"""Asking a desk for all tickets that were modified since the last time, in rounds: nothing missed, nothing twice.

A round goes through the whole list, however many pages that are, in however many claims. The list may be in any
order, and it moves while it is read. So the cursor follows one round behind: it goes where the round before has seen
the latest change, because all that had changed by then was listed throughout this round. A list of several pages is
gone through again until that brings nothing that had been there before: what has slipped over the edge of a page
while another ticket was changed is found then.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Min
from django.utils import timezone

from integrations.models import ExternalReference, Polling, TheirTicket
from integrations.polling.asking import PollFailed
from integrations.polling.claim import Claim, record, renew
from integrations.polling.looks import Looks, by_numbers, known_as
from integrations.polling.operations import LISTING, Operations, Page, same_page
from integrations.polling.records import Record, UnreadableRecord, is_plausible, record_of

# Changes are listed by the second, and some desks list only what comes after the time that they are given.
SHORTEST_OVERLAP_MS: Final = 1000
# Where polling begins before the oldest ticket that is known: their clock may be behind.
BEGINS_BEFORE: Final = timedelta(days=1)
# A list that is disturbed at each passage is gone through so often; then the cursor stays, and the next poll goes on.
MOST_PASSAGES: Final = 5


@dataclass
class Round:
    """How far a round is; kept between claims. Times in milliseconds of their clock, but for `began_at`.

    `latest` is the latest change seen, `before` what it was when this passage began, `missed` whether this passage
    has found a change that an earlier one had passed over, `answers` the pages of this passage.
    """

    since: int
    began_at: str
    page: int = 1
    following: str = ""
    passage: int = 1
    latest: int = 0
    before: int = 0
    missed: bool = False
    answers: list[str] = field(default_factory=list)


@dataclass
class Listing:
    """A round of one desk, as far as this claim takes it. `may_go_on` says whether there is time left."""

    claim: Claim
    asking: Operations
    looks: Looks
    may_go_on: Callable[[], bool]

    def __post_init__(self) -> None:
        self.polling: Polling = self.claim.polling
        self.round = Round(**self.polling.round) if self.polling.round else self._new()
        self.began_at = datetime.fromisoformat(self.round.began_at)

    def page(self) -> bool:
        """Take one page over; whether the round goes on. Raises `PollFailed`."""
        state = self.round
        page = self.asking.page(LISTING, since=state.since, number=state.page, following=state.following)
        records = self._records(page)
        goes_on = self._goes_on(page)
        content = [*[record.identity for record in records], page.next]
        answer = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
        if goes_on and answer in state.answers:
            self._keep(self._new())
            raise PollFailed(same_page())
        if not self._take(page, records):
            # Out of time within the page: it is asked for again, and what was taken over is recognised.
            self._keep(state)
            return True
        if goes_on:
            state.page, state.following = state.page + 1, page.next or ""
            state.answers.append(answer)
            self._keep(state)
            return True
        return self._end_of_passage()

    def _take(self, page: Page, records: list[Record]) -> bool:
        """Look at those that are known; False where the time is over before all are done."""
        known = by_numbers(self.asking, records)
        last = records[-1] if records else None
        for each in records:
            reference = known_as(each, known)
            before, requests = self.looks.brought, len(self.asking.exchanges)
            if reference is not None:
                modified = self._look(reference, each, page)
            elif self.polling.creates_tickets:
                modified = self._create(each, page)
            elif each.is_number_only and each is last:
                # Only to learn how far the list goes: else it would become longer and longer.
                modified = self.looks.unknown(each).modified
            else:
                modified = each.modified
            if modified and is_plausible(modified):
                self.round.latest = max(self.round.latest, modified)
            if self.looks.brought > before and self.round.passage > 1 and modified <= self.round.before:
                self.round.missed = True
            # At least one is done in each claim, so that it goes on however short the time is.
            if each is not last and len(self.asking.exchanges) > requests and not self.may_go_on():
                return False
        return True

    def _look(self, reference: ExternalReference, each: Record, page: Page) -> int:
        renew(self.claim)
        if each.modified:
            now = timezone.now()
            self.looks.look(reference, each, looked_at=now, url=page.exchange.url)
            return each.modified
        if TheirTicket.objects.filter(reference=reference, seen_at__gt=self.began_at).exists():
            return 0
        if each.is_number_only:
            whole = self.looks.by_number(reference)
            return whole.modified if whole else 0
        self.looks.look(reference, each, looked_at=timezone.now(), url=page.exchange.url)
        return 0

    def _create(self, each: Record, page: Page) -> int:
        renew(self.claim)
        whole = self.looks.unknown(each)
        self.looks.create(whole, exchange=page.exchange)
        return whole.modified

    def _records(self, page: Page) -> list[Record]:
        """Those that can be read. One that cannot is told of and keeps no other from being taken over; where none
        can, the template is at fault, and nothing may be passed over."""
        records, unreadable = [], list(page.broken)
        for each in page.records:
            try:
                records.append(record_of(each))
            except UnreadableRecord as problem:
                unreadable.append(str(problem))
        if unreadable and not records:
            raise PollFailed(unreadable[0])
        self.asking.problems += unreadable
        return records

    def _goes_on(self, page: Page) -> bool:
        if not self.asking.is_paged(LISTING):
            return False
        if page.next is not None:
            if page.next and page.next == self.round.following:
                raise PollFailed(same_page())
            return bool(page.next)
        return bool(page.length) and page.length >= self.polling.page_size

    def _end_of_passage(self) -> bool:
        state = self.round
        if state.page > 1 and (state.passage == 1 or state.missed):
            if state.passage >= MOST_PASSAGES:
                self._keep(self._new())
                return False
            state.passage, state.page, state.following = state.passage + 1, 1, ""
            state.before, state.missed, state.answers = state.latest, False, []
            self._keep(state)
            return True
        polling = self.polling
        polling.cursor = max(polling.cursor, polling.ahead)
        polling.ahead = max(polling.ahead, state.latest)
        polling.round = {}
        record(self.claim, cursor=polling.cursor, ahead=polling.ahead, round={})
        return False

    def _keep(self, state: Round) -> None:
        self.round = state
        self.polling.round = asdict(state)
        record(self.claim, round=self.polling.round)

    def _new(self) -> Round:
        polling = self.polling
        if not polling.cursor:
            # Kept, so that a desk with a clock that is behind does not run after it.
            polling.cursor = beginning(polling)
            record(self.claim, cursor=polling.cursor)
        since = max(polling.cursor - max(polling.overlap_ms, SHORTEST_OVERLAP_MS), 0)
        return Round(since=since, began_at=timezone.now().isoformat(), latest=0)


def beginning(polling: Polling) -> int:
    """Where to begin, in milliseconds: a day before the oldest ticket that is worked on and known there; a day ago
    where there is none, or where all that is listed becomes a ticket here."""
    known = ExternalReference.objects.filter(system=polling.system, task__closed_at=None)
    oldest = None if polling.creates_tickets else known.aggregate(oldest=Min("created_at"))["oldest"]
    begins: Any = (oldest or timezone.now()) - BEGINS_BEFORE
    return max(int(begins.timestamp() * 1000), 1)
