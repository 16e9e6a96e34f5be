"""Two workers never ask the same desk at once, and whoever lost the desk writes nothing."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations import tasks
from integrations.engine.claim import ClaimLost
from integrations.models import Exchange, ExternalSystem, Outcome, Polling
from integrations.polling import worker
from integrations.polling.claim import ask_now, read_again_from, record, renew, take
from integrations.polling.worker import poll
from tests.integrations.engine.conftest import in_threads
from tests.integrations.engine.test_claim import wait_until_blocked
from tests.integrations.polling.conftest import START, incoming, notes, poll_now

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_workers_exactly_one_polls(polling, feed, task):
    for number in range(5):
        feed.say(f"text {number}", time=START + number)
    barrier = threading.Barrier(6)

    def compete() -> bool:
        barrier.wait(timeout=20)
        return poll(polling.pk)

    assert sorted(in_threads(*[compete] * 6), key=str) == [False] * 5 + [True]
    assert notes() == [f"text {number}" for number in range(5)]
    assert set(incoming()) == {"succeeded"}


def test_two_workers_who_waited_for_the_same_row_do_not_both_get_it(polling):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer, so nobody waits with a condition that was looked at before")
    results: list[object] = []
    with transaction.atomic():
        Polling.objects.select_for_update().get(pk=polling.pk)
        jobs = [lambda: take(polling.pk)] * 2
        competing = threading.Thread(target=lambda: results.extend(in_threads(*jobs)))
        competing.start()
        wait_until_blocked(2)
    competing.join(timeout=30)
    assert len([result for result in results if result is not None]) == 1, results


@pytest.mark.parametrize("looks_late", [True, False])
def test_a_worker_that_was_taken_over_in_the_middle_writes_nothing_more(polling, feed, task, monkeypatch, looks_late):
    """The second one asks for the same page while the first still holds its answer, and each entry is done once."""
    real = worker.seen_before
    for number in range(3):
        feed.say(f"text {number}", time=START + number)

    def meanwhile(system, entries):
        monkeypatch.setattr(worker, "seen_before", real)
        Polling.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert in_threads(lambda: poll(polling.pk)) == [True]
        return real(system, entries) if looks_late else set()

    monkeypatch.setattr(worker, "seen_before", meanwhile)
    assert poll_now(polling) is False
    assert notes() == [f"text {number}" for number in range(3)]
    assert set(incoming()) == {"succeeded"}
    assert (polling.cursor, polling.token) == (START + 2, 2)


def test_whoever_lost_the_desk_can_neither_go_on_nor_record(polling):
    first = take(polling.pk)
    Polling.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ClaimLost):
        renew(first)
    second = take(polling.pk)
    with pytest.raises(ClaimLost):
        record(first, cursor=5)
    record(second, cursor=7)
    polling.refresh_from_db()
    assert polling.cursor == 7


def test_what_a_killed_worker_left_is_marked_and_done_again(polling, feed, task):
    feed.say("text", time=START)
    for way, operation, method in (("out", "poll", "GET"), ("in", "update", "POLL")):
        Exchange.objects.create(
            way=way, system=polling.system, dialect="case_exchange", operation=operation, method=method
        )
    poll_now(polling)
    assert notes() == ["text"]
    left = Exchange.objects.order_by("pk")[:2]
    assert [row.outcome for row in left] == [Outcome.RETRYABLE] * 2
    assert "The worker ended" in left[0].error


@pytest.mark.parametrize(
    "values",
    [
        {"active": False},
        {"due_at": timezone.now() + timedelta(hours=1)},
        {"lease_until": timezone.now() + timedelta(hours=1)},
    ],
)
def test_a_desk_that_is_not_due_is_not_polled(polling, values):
    Polling.objects.update(**values)
    assert take(polling.pk) is None


def test_a_desk_that_is_switched_off_is_not_polled(polling):
    ExternalSystem.objects.update(active=False)
    assert take(polling.pk) is None


def test_the_sweeper_finds_what_is_due_and_the_button_does_not_wait_for_it(polling, monkeypatch):
    asked: list[tuple[int, str]] = []
    monkeypatch.setattr(tasks, "enqueue", lambda row_id, task="", **options: asked.append((row_id, task)))
    monkeypatch.setattr("integrations.polling.claim.enqueue", lambda row_id, task: asked.append((row_id, task)))
    assert tasks.sweep() == 1
    Polling.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert tasks.sweep() == 0
    ask_now(polling)
    assert asked == [(polling.pk, "integrations.tasks.poll")] * 2
    assert tasks.sweep() == 1


def test_the_cursor_that_a_person_sets_wins_over_a_poll_that_is_under_way(polling, feed, task):
    feed.say("text", time=START)

    def meanwhile(request):
        in_threads(lambda: read_again_from(polling, START + 50))
        return feed.listing(request)

    feed.answers = [meanwhile]
    poll_now(polling)
    assert polling.cursor == START + 50
    assert notes() == []


def test_saving_the_settings_leaves_the_progress_alone(polling):
    stale = Polling.objects.get(pk=polling.pk)
    Polling.objects.update(cursor=9, failures=3, token=4)
    stale.interval_seconds = 10
    stale.save()
    polling.refresh_from_db()
    assert (polling.interval_seconds, polling.cursor, polling.failures, polling.token) == (10, 9, 3, 4)
