"""Figures about the exchange for `/metrics`: what waits, since when, and what failed in the last hour."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from integrations.configuration.certificates import certificate_until
from integrations.models import (
    UNDECIDED,
    Exchange,
    ExternalSystem,
    IncomingMail,
    Mailbox,
    Polling,
    WebhookSubscription,
)
from integrations.overview import live_runs, overdue_work

logger = logging.getLogger(__name__)


class ExchangeCollector(Collector):
    """Counted from the database when asked, as every process of the web server must give the same answer."""

    def describe(self) -> list[Metric]:
        """Nothing: else it would be asked while the portal starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Without a database there are no figures; that it is down is said by `deskbridge_service_up`."""
        try:
            yield from list(_figures())
        except DatabaseError as problem:
            logger.warning("no figures about the exchange: %s", problem)


def _figures() -> Iterator[Metric]:
    now = timezone.now()
    codes = dict(ExternalSystem.objects.values_list("pk", "code"))
    runs = GaugeMetricFamily("deskbridge_runs", "Process runs that have not ended.", labels=["system", "state"])
    oldest = GaugeMetricFamily(
        "deskbridge_oldest_run_seconds", "Age of the oldest run in this state.", labels=["system", "state"]
    )
    for row in live_runs():
        labels = [codes[row.system_id], row.state]
        runs.add_metric(labels, row.count)
        oldest.add_metric(labels, (now - row.oldest).total_seconds())
    yield runs
    yield oldest
    exchanges = GaugeMetricFamily(
        "deskbridge_exchanges_last_hour", "Messages of the last hour.", labels=["system", "direction", "outcome"]
    )
    counted = Exchange.objects.filter(started_at__gte=now - timedelta(hours=1)).order_by()
    for system_id, way, outcome, count in counted.values_list("system", "way", "outcome").annotate(count=Count("pk")):
        exchanges.add_metric([codes.get(system_id, ""), way, outcome], count)
    yield exchanges
    yield GaugeMetricFamily(
        "deskbridge_streams_overdue",
        "Streams, polls and mailboxes that are due although no worker takes them.",
        value=overdue_work(now)[0],
    )
    failures = GaugeMetricFamily("deskbridge_poll_failures", "Failed polls in a row.", labels=["system"])
    success = GaugeMetricFamily(
        "deskbridge_last_poll_seconds", "Time since the last poll that succeeded.", labels=["system"]
    )
    for polling in Polling.objects.filter(active=True, system__active=True):
        failures.add_metric([codes[polling.system_id]], polling.failures)
        if polling.last_success_at is not None:
            success.add_metric([codes[polling.system_id]], (now - polling.last_success_at).total_seconds())
    yield failures
    yield success
    certificates = GaugeMetricFamily(
        "deskbridge_client_certificate_seconds",
        "Time until the certificate that we show to this desk ends; negative when it has ended.",
        labels=["system"],
    )
    for code, pem in ExternalSystem.objects.exclude(client_certificate="").values_list("code", "client_certificate"):
        until = certificate_until(pem)
        if until is not None:
            certificates.add_metric([code], (until - now).total_seconds())
    yield certificates
    yield from _webhooks(codes)
    yield from _mail_figures(now)


def _mail_figures(now: datetime) -> Iterator[Metric]:
    failures = GaugeMetricFamily("deskbridge_mailbox_failures", "Failed looks in a row.", labels=["mailbox"])
    success = GaugeMetricFamily(
        "deskbridge_last_mail_fetch_seconds", "Time since the last look that succeeded.", labels=["mailbox"]
    )
    for mailbox in Mailbox.objects.filter(active=True).exclude(host=""):
        failures.add_metric([mailbox.address], mailbox.failures)
        if mailbox.last_success_at is not None:
            success.add_metric([mailbox.address], (now - mailbox.last_success_at).total_seconds())
    yield failures
    yield success
    waiting = GaugeMetricFamily(
        "deskbridge_mails_undecided", "Mails about which nobody has decided.", labels=["state"]
    )
    counted = IncomingMail.objects.filter(state__in=UNDECIDED).order_by().values_list("state")
    for state, count in counted.annotate(count=Count("pk")):
        waiting.add_metric([state], count)
    yield waiting


def _webhooks(codes: dict[int, str]) -> Iterator[Metric]:
    failures = GaugeMetricFamily(
        "deskbridge_webhook_failures", "Failed deliveries in a row of a webhook.", labels=["system", "webhook"]
    )
    ended = GaugeMetricFamily("deskbridge_webhooks_ended", "Webhooks that have ended.", labels=["system"])
    for row in WebhookSubscription.objects.filter(ended_at=None).only("system", "name", "failures"):
        failures.add_metric([codes[row.system_id], row.name], row.failures)
    over = WebhookSubscription.objects.exclude(ended_at=None).order_by().values_list("system")
    for system_id, count in over.annotate(count=Count("pk")):
        ended.add_metric([codes[system_id]], count)
    yield failures
    yield ended


def register() -> None:
    """Add the figures to `/metrics`."""
    REGISTRY.register(ExchangeCollector())
