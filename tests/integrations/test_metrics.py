"""Figures for monitoring about what waits and what failed."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from integrations import metrics
from integrations.models import (
    Exchange,
    ExternalSystem,
    Outcome,
    Polling,
    ProcessRun,
    RunState,
    Stream,
    Way,
    WebhookSubscription,
)
from tests.cast import Desk, Partner
from tests.certificates import Authority


def figures(client: Client) -> dict[tuple[str, ...], float]:
    """Every figure, by its name and its labels, these in order of their names."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *dict(sorted(sample.labels.items())).values()): sample.value for sample in samples}


def test_runs_are_counted_by_system_and_state_with_their_age(client: Client, desk: Desk, partner: Partner) -> None:
    for state in (RunState.ATTENTION, RunState.ATTENTION, RunState.DONE):
        task = desk.task(partner.group)
        ProcessRun.objects.filter(stream__task=task).update(
            state=state, created_at=timezone.now() - timedelta(minutes=5)
        )
    found = figures(client)
    assert found["deskbridge_runs", "attention", "acme"] == 2
    assert 300 <= found["deskbridge_oldest_run_seconds", "attention", "acme"] < 330
    assert ("deskbridge_runs", "done", "acme") not in found


def test_messages_of_the_last_hour_are_counted(client: Client, partner: Partner) -> None:
    for system in (partner.system, None):
        Exchange.objects.create(way=Way.IN, system=system, dialect="rest", outcome=Outcome.REFUSED)
    old = Exchange.objects.create(way=Way.OUT, system=partner.system, dialect="http", outcome=Outcome.SUCCEEDED)
    Exchange.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(hours=2))
    found = {key: value for key, value in figures(client).items() if key[0] == "deskbridge_exchanges_last_hour"}
    assert found == {
        ("deskbridge_exchanges_last_hour", "in", "refused", "acme"): 1,
        ("deskbridge_exchanges_last_hour", "in", "refused", ""): 1,
    }


@pytest.mark.parametrize(("lease", "overdue"), [(None, 1), (60, 0), (-600, 1)])
def test_streams_that_nobody_takes_are_overdue(
    client: Client, desk: Desk, partner: Partner, lease: int | None, overdue: int
) -> None:
    desk.task(partner.group)
    now = timezone.now()
    until = None if lease is None else now + timedelta(seconds=lease)
    Stream.objects.update(due_at=now - timedelta(minutes=10), lease_until=until)
    assert figures(client)["deskbridge_streams_overdue",] == overdue


def test_polls_are_counted_by_their_failures_and_the_time_since_the_last_success(
    client: Client, partner: Partner
) -> None:
    success = timezone.now() - timedelta(minutes=5)
    Polling.objects.create(
        system=partner.system, path="/rest/acme/ces", our_name="us", failures=4, last_success_at=success
    )
    found = figures(client)
    assert found["deskbridge_poll_failures", "acme"] == 4
    assert 300 <= found["deskbridge_last_poll_seconds", "acme"] < 330


def test_without_a_database_there_are_no_figures_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(metrics, "_figures", broken)
    assert list(metrics.ExchangeCollector().collect()) == []


def test_the_time_until_our_certificate_ends(client: Client, partner: Partner) -> None:
    pem = Authority().issue("portal", days=2).certificate
    ExternalSystem.objects.filter(pk=partner.system.pk).update(client_certificate=pem)
    assert 172_000 < figures(client)["deskbridge_client_certificate_seconds", "acme"] < 172_801


def test_webhooks_are_counted_by_their_failures_and_ends(client: Client, partner: Partner) -> None:
    values = {"system": partner.system, "url": "https://hooks.acme.test/", "secret": "x"}
    WebhookSubscription.objects.create(name="all", failures=3, **values)
    WebhookSubscription.objects.create(name="gone", ended_at=timezone.now(), **values)
    found = figures(client)
    assert found["deskbridge_webhook_failures", "acme", "all"] == 3
    assert found["deskbridge_webhooks_ended", "acme"] == 1
