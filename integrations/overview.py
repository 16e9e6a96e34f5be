"""Is anything stuck? Figures about every external system, for the overview and for monitoring.

A fixed number of queries, each over an index, whatever the number of systems, runs and messages.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncHour
from django.utils import timezone

from integrations.configuration.certificates import WARN_BEFORE, certificate_until, until_words
from integrations.fetching.claim import due as due_mailboxes
from integrations.models import (
    ENDED,
    ContactUpdate,
    Exchange,
    ExternalSystem,
    IncomingMail,
    Mailbox,
    MailState,
    Outcome,
    Polling,
    ProcessRun,
    RunState,
    Stream,
    Way,
    WebhookSubscription,
)
from integrations.people.outbox import given_up
from integrations.polling.claim import due as due_polls

DAY: Final = timedelta(hours=24)
# The sweeper looks every few seconds: what is due for longer than this, nobody works on.
OVERDUE: Final = timedelta(seconds=90)
UPDATES_SHOWN: Final = 5
FAILED: Final = (Outcome.RETRYABLE, Outcome.PERMANENT, Outcome.MISCONFIGURED, Outcome.UNKNOWN, Outcome.REFUSED)
FOR_A_PERSON: Final = (RunState.ATTENTION, RunState.HELD)
IN_TIME: Final = (RunState.RETRYING, RunState.AWAITING)


class Standing(StrEnum):
    """How an external system stands, the worst first."""

    ATTENTION = "attention"
    WAITS = "waits"
    OFF = "off"
    OK = "ok"


@dataclass
class SystemFigures:
    """One external system. Runs that have not ended by state; messages of the last day by direction and outcome;
    webhooks that fail, or that the desk has ended."""

    system: ExternalSystem
    last_success: datetime | None = None
    last_failure: datetime | None = None
    runs: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None
    awaiting: int = 0
    messages: dict[tuple[str, str], int] = field(default_factory=dict)
    polling: Polling | None = None
    webhooks: list[WebhookSubscription] = field(default_factory=list)

    @property
    def standing(self) -> Standing:
        """Switched off tells more than what follows from it; a person is needed before anything else."""
        if any(self.runs.get(state) for state in FOR_A_PERSON):
            return Standing.ATTENTION
        if not self.system.active:
            return Standing.OFF
        if self.polling_fails or self.ended_webhooks:
            return Standing.ATTENTION
        if self.polling is not None and self.polling.active and self.polling.failures:
            return Standing.WAITS
        if (
            self.awaiting
            or self.certificate_warning
            or self.webhooks
            or any(self.runs.get(state) for state in IN_TIME)
        ):
            return Standing.WAITS
        return Standing.OK

    @property
    def polling_fails(self) -> bool:
        """Whether asking it for news has failed so often that a person has to look."""
        return self.system.active and self.polling is not None and self.polling.needs_attention

    @property
    def ended_webhooks(self) -> list[WebhookSubscription]:
        """Those that the desk has ended: it is told nothing any more until a person begins them again."""
        return [row for row in self.webhooks if not row.is_active and self.system.active]

    @property
    def certificate_warning(self) -> str:
        """What is to be said about the end of the certificate that we show there, if it is near; else nothing."""
        until = certificate_until(self.system.client_certificate)
        return until_words(until) if until is not None and until - timezone.now() < WARN_BEFORE else ""

    def count(self, *states: str) -> int:
        """Runs in these states."""
        return sum(self.runs.get(state, 0) for state in states)


@dataclass(frozen=True)
class LiveRuns:
    """Runs of one system in one state, and when the oldest of them was created."""

    system_id: int
    state: str
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Hour:
    """One hour of the last day."""

    begins: datetime
    succeeded: int
    failed: int


@dataclass(frozen=True)
class Overview:
    """Everything at one moment. `overdue` streams, polls and mailboxes are due since `overdue_since`, and no worker
    takes them."""

    at: datetime
    systems: list[SystemFigures]
    hours: list[Hour]
    overdue: int
    overdue_since: datetime | None
    strangers: int
    mailboxes_fail: list[Mailbox] = field(default_factory=list)
    unclear_mails: int = 0
    refused_updates: list[ContactUpdate] = field(default_factory=list)

    @property
    def attention(self) -> int:
        """Runs that need a person."""
        return sum(figures.count(*FOR_A_PERSON) for figures in self.systems)

    @property
    def polling_fails(self) -> list[ExternalSystem]:
        """The desks from which no news can be had."""
        return [figures.system for figures in self.systems if figures.polling_fails]

    @property
    def ended_webhooks(self) -> list[WebhookSubscription]:
        """The webhooks that their desks have ended."""
        return [row for figures in self.systems for row in figures.ended_webhooks]

    @property
    def is_stuck(self) -> bool:
        """Whether somebody has to do something."""
        waits = self.ended_webhooks or self.mailboxes_fail or self.unclear_mails or self.refused_updates
        return bool(self.attention or self.overdue or self.polling_fails or waits)


def overview() -> Overview:
    """The figures of now."""
    now = timezone.now()
    systems = {row.pk: SystemFigures(row, row.last_success, row.last_failure) for row in _systems()}
    _count_runs(systems)
    for polling in Polling.objects.all():
        systems[polling.system_id].polling = polling
    for webhook in WebhookSubscription.objects.filter(Q(failures__gt=0, ended_at=None) | Q(ended_by_desk=True)):
        systems[webhook.system_id].webhooks.append(webhook)
    hours, strangers = _count_messages(systems, now)
    overdue, overdue_since = overdue_work(now)
    return Overview(
        at=now,
        systems=sorted(
            systems.values(), key=lambda figures: (list(Standing).index(figures.standing), figures.system.name)
        ),
        hours=hours,
        overdue=overdue,
        overdue_since=overdue_since,
        strangers=strangers,
        mailboxes_fail=[row for row in Mailbox.objects.filter(failures__gt=0) if row.needs_attention],
        unclear_mails=IncomingMail.objects.filter(state=MailState.UNCLEAR).count(),
        refused_updates=list(given_up().select_related("reference__contact", "reference__system")[:UPDATES_SHOWN]),
    )


def overdue_work(now: datetime) -> tuple[int, datetime | None]:
    """How many streams, polls and mailboxes are due although no worker has them, and since when."""
    late = Stream.objects.filter(due_at__lt=now - OVERDUE, system__active=True)
    left = late.filter(Q(lease_until=None) | Q(lease_until__lt=now - OVERDUE))
    found = left.aggregate(count=Count("pk"), since=Min("due_at"))
    polls = overdue_polls(now).aggregate(count=Count("pk"), since=Min("due_at"))
    boxes = overdue_mailboxes(now).aggregate(count=Count("pk"), since=Min("due_at"))
    since = min(filter(None, [found["since"], polls["since"], boxes["since"]]), default=None)
    return found["count"] + polls["count"] + boxes["count"], since


def overdue_polls(now: datetime) -> QuerySet[Polling]:
    """The desks that should have been asked for news by now."""
    return due_polls(now).filter(Q(lease_until=None) | Q(lease_until__lt=now - OVERDUE), due_at__lt=now - OVERDUE)


def overdue_mailboxes(now: datetime) -> QuerySet[Mailbox]:
    """The mailboxes that should have been read by now."""
    return due_mailboxes(now).filter(Q(lease_until=None) | Q(lease_until__lt=now - OVERDUE), due_at__lt=now - OVERDUE)


def live_runs() -> list[LiveRuns]:
    """Runs that have not ended, counted by system and state."""
    rows = ProcessRun.objects.filter(state__in=[state for state in RunState if state not in ENDED]).order_by()
    counted = rows.values_list("stream__system", "state").annotate(count=Count("pk"), oldest=Min("created_at"))
    return [LiveRuns(*row) for row in counted]


def _systems() -> list[Any]:
    def latest(*outcomes: str) -> Subquery:
        rows = Exchange.objects.filter(system=OuterRef("pk"), outcome__in=outcomes).order_by()
        return Subquery(rows.values("system").annotate(at=Max("started_at")).values("at"))

    rows = ExternalSystem.objects.only("name", "code", "active", "client_certificate")
    return list(rows.annotate(last_success=latest(Outcome.SUCCEEDED), last_failure=latest(*FAILED)))


def _count_runs(systems: dict[int, SystemFigures]) -> None:
    for row in live_runs():
        figures = systems[row.system_id]
        figures.runs[row.state] = row.count
        figures.oldest = min(figures.oldest or row.oldest, row.oldest)
    awaiting = Stream.objects.filter(awaiting_since__isnull=False).order_by()
    for system_id, count in awaiting.values_list("system").annotate(count=Count("pk")):
        systems[system_id].awaiting = count


def _count_messages(systems: dict[int, SystemFigures], now: datetime) -> tuple[list[Hour], int]:
    """Fill in the messages of the last day. Gives its hours, and how many calls were nobody's."""
    counted = (
        Exchange.objects.filter(started_at__gte=now - DAY)
        .order_by()
        .annotate(hour=TruncHour("started_at"))
        .values_list("system", "way", "outcome", "hour")
        .annotate(count=Count("pk"))
    )
    begins = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    hours = {begins - timedelta(hours=back): [0, 0] for back in range(23, -1, -1)}
    strangers = 0
    for system_id, way, outcome, hour, count in counted:
        if system_id is None:
            strangers += count
            continue
        messages = systems[system_id].messages
        messages[way, outcome] = messages.get((way, outcome), 0) + count
        if hour in hours:
            hours[hour][outcome in FAILED] += count
    return [Hour(hour, succeeded, failed) for hour, (succeeded, failed) in hours.items()], strangers


def in_order(messages: dict[tuple[str, str], int], way: Way) -> list[tuple[Outcome, int]]:
    """The counts of one direction, in the order of the outcomes."""
    return [(outcome, messages[way, outcome]) for outcome in Outcome if (way, outcome) in messages]
