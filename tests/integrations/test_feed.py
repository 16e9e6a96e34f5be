"""An entry gets its time in the feed when it is first listed: a transaction that commits late is never skipped."""

from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from integrations import feed
from integrations.models import FeedEntry
from tests.integrations.engine.conftest import in_threads
from tests.integrations.inbound.case_exchange.conftest import entry_for
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tickets.models import Task


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """Committed, so that every connection sees it."""
    return make_desk("Northwind")


@pytest.fixture
def task(northwind: Desk) -> Task:
    """A task at Northwind."""
    return make_task(northwind)


def listed(desk: Desk, after: int = 0) -> list[tuple[int, int]]:
    """The ids of what is listed, with their times."""
    entries = list(feed.entries_after(desk.system, after))
    return [(entry.pk, entry.listed_at or 0) for entry in entries]


def test_times_are_those_of_the_poll_and_strictly_increase(northwind: Desk, task: Task):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _entry in range(3):
            entry_for(task, northwind.system)
        clock.shift(60)
        times = [time for _pk, time in listed(northwind)]
        now = int(timezone.now().timestamp() * 1000)
    assert times == [now - 2, now - 1, now]


def test_entries_of_others_in_between_leave_gaps_and_nothing_else(northwind: Desk, task: Task):
    other = make_desk("Fabrikam")
    theirs = make_task(other)
    for _entry in range(3):
        entry_for(task, northwind.system)
        entry_for(theirs, other.system)
    for desk in (northwind, other):
        times = [time for _pk, time in listed(desk)]
        assert len(times) == 3
        assert times == sorted(set(times))


def test_a_clock_that_goes_back_does_not_hide_what_comes_next(northwind: Desk, task: Task):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        entry_for(task, northwind.system)
        ((_first, seen),) = listed(northwind)
        clock.shift(-3600)
        second = entry_for(task, northwind.system)
        assert listed(northwind, seen) == [(second.pk, seen + 1)]


def test_polls_at_once_give_each_entry_one_time(northwind: Desk, task: Task):
    for _entry in range(20):
        entry_for(task, northwind.system)
    results: list[Any] = in_threads(*[lambda: listed(northwind)] * 6)
    assert [len(result) for result in results] == [20] * 6
    assert all(result == results[0] for result in results)


@pytest.mark.services
def test_a_transaction_that_is_open_across_a_poll_is_listed_by_the_next_one(northwind: Desk, task: Task):
    """Its entry has the smaller id, and is committed after the larger one was listed."""
    written, may_commit = Event(), Event()
    late: list[int] = []

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                late.append(entry_for(task, northwind.system).pk)
                written.set()
                may_commit.wait(timeout=20)
        finally:
            connection.close()

    writer = Thread(target=write_slowly)
    writer.start()
    assert written.wait(timeout=20)
    early = entry_for(task, northwind.system)
    assert early.pk > late[0]
    ((first, seen),) = listed(northwind)
    assert first == early.pk
    may_commit.set()
    writer.join(timeout=20)
    ((second, time),) = listed(northwind, seen)
    assert (second, time > seen) == (late[0], True)


@pytest.mark.services
def test_an_entry_that_is_committed_while_a_poll_lists_the_others_is_not_listed_in_the_past(
    northwind: Desk, task: Task, monkeypatch: pytest.MonkeyPatch
):
    """Between looking which entries are new and giving them times, one with a smaller id is committed."""
    written, may_commit, committed = Event(), Event(), Event()
    late: list[int] = []

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                late.append(entry_for(task, northwind.system).pk)
                written.set()
                may_commit.wait(timeout=20)
            committed.set()
        finally:
            connection.close()

    writer = Thread(target=write_slowly)
    writer.start()
    assert written.wait(timeout=20)
    entry_for(task, northwind.system)
    real = feed.time.time_ns

    def commit_meanwhile() -> int:
        may_commit.set()
        assert committed.wait(timeout=20)
        return real()

    monkeypatch.setattr(feed.time, "time_ns", commit_meanwhile)
    ((_first, seen),) = listed(northwind)
    monkeypatch.undo()
    writer.join(timeout=20)
    ((second, time),) = listed(northwind, seen)
    assert (second, time > seen) == (late[0], True)
    assert not FeedEntry.objects.filter(listed_at=None).exists()
