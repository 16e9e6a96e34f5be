"""A stream belongs to one worker at a time; whoever lost it records nothing."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.engine import claim as claims
from integrations.engine.claim import Claim, ClaimLost, hold, let_go, recording, renew, take
from integrations.engine.runner import work_off
from integrations.engine.streams import wake
from integrations.models import ExternalSystem, ProcessRun, RunState, Stream
from tests.integrations.engine.conftest import in_threads, only_run, respond, work_everything
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream(desk, partner) -> Stream:
    desk.task(partner.group)
    return Stream.objects.get()


def expire_lease(stream: Stream) -> None:
    Stream.objects.filter(pk=stream.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_of_many_workers_exactly_one_gets_the_stream(stream):
    barrier = threading.Barrier(8)

    def compete():
        barrier.wait(timeout=20)
        return take(stream.pk)

    taken = [result for result in in_threads(*[compete] * 8) if result is not None]
    assert len(taken) == 1
    assert isinstance(taken[0], Claim)
    stream.refresh_from_db()
    assert stream.token == 1


def test_two_workers_who_waited_for_the_same_lock_do_not_both_get_the_stream(stream):
    """Each has looked before the other has written: only the condition on the locked row itself tells them apart."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer, so nobody waits with a condition that was looked at before")
    started = threading.Barrier(3)

    def compete():
        started.wait(timeout=20)
        return take(stream.pk)

    results: list[object] = []
    with transaction.atomic():
        Stream.objects.select_for_update().get(pk=stream.pk)
        competing = threading.Thread(target=lambda: results.extend(in_threads(compete, compete)))
        competing.start()
        started.wait(timeout=20)
        wait_until_blocked(2)
    competing.join(timeout=30)
    assert len([result for result in results if isinstance(result, Claim)]) == 1, results


def wait_until_blocked(count: int) -> None:
    """Until so many connections wait for a lock."""
    until = timezone.now() + timedelta(seconds=20)
    while timezone.now() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            )
            if cursor.fetchone()[0] >= count:
                return
    raise AssertionError("nobody waits for the lock")


def test_the_token_of_a_claim_is_read_in_the_transaction_that_raised_it(stream):
    """Else a worker that pauses in between reads the token of whoever took over, and both believe to be the one."""
    inside = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "token" in sql:
            inside.append(connection.in_atomic_block)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert take(stream.pk) is not None
    assert inside == [True]


def test_a_stream_under_a_valid_lease_is_left_alone(stream):
    assert take(stream.pk) is not None
    assert take(stream.pk) is None
    assert work_off(stream.pk) is False
    assert only_run().state == RunState.QUEUED


def test_an_expired_lease_is_taken_over_and_the_first_worker_is_fenced_off(stream):
    first = take(stream.pk)
    expire_lease(stream)
    second = take(stream.pk)
    assert second.token == first.token + 1
    with pytest.raises(ClaimLost):
        renew(first)
    with pytest.raises(ClaimLost), transaction.atomic():
        hold(first)
    with pytest.raises(ClaimLost):
        let_go(first, due_at=None)
    renew(second)
    assert let_go(second, due_at=None)


def test_a_worker_whose_lease_ran_out_may_not_send_even_if_nobody_took_over(stream):
    claim = take(stream.pk)
    expire_lease(stream)
    with pytest.raises(ClaimLost):
        renew(claim)


def test_what_a_stale_worker_writes_is_rolled_back(stream):
    claim = take(stream.pk)
    expire_lease(stream)
    take(stream.pk)
    with pytest.raises(ClaimLost), recording(claim):
        ProcessRun.objects.update(reason="stale")
    with pytest.raises(ClaimLost), transaction.atomic():
        ProcessRun.objects.update(reason="stale")
        hold(claim)
    assert only_run().reason == ""


def test_a_stream_that_was_woken_meanwhile_is_not_let_go(stream):
    claim = take(stream.pk)
    with transaction.atomic():
        wake(stream)
    assert let_go(claim, due_at=None) is False
    stream.refresh_from_db()
    assert stream.lease_until is not None
    assert let_go(claim, due_at=None) is True
    stream.refresh_from_db()
    assert (stream.lease_until, stream.due_at) == (None, None)


def test_a_run_added_while_the_stream_is_worked_off_is_worked_off_too(desk, partner, friendly):
    task = desk.task(partner.group)

    def add_a_note(request):
        in_threads(lambda: actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="More smoke"))
        return respond(201, {"number": "A-1"})

    friendly.server.clear()
    friendly.answers("/tickets", add_a_note)
    friendly.answers("/tickets/A-1/notes", (200, {}))
    work_everything()
    assert friendly.paths == ["POST /tickets", "POST /tickets/A-1/notes"]
    stream = Stream.objects.get()
    assert (stream.lease_until, stream.due_at) == (None, None)


def test_a_claim_works_for_a_limited_time_and_then_lets_others_go_first(desk, partner, friendly, settings):
    settings.CLAIM_SECONDS = 0
    desk.task(partner.group)
    work_everything()
    stream = Stream.objects.get()
    assert friendly.paths == []
    assert stream.lease_until is None
    assert stream.due_at <= timezone.now()


def test_a_stream_of_a_system_that_is_switched_off_cannot_be_taken(stream):
    ExternalSystem.objects.update(active=False)
    assert take(stream.pk) is None


@pytest.mark.parametrize(("deadline", "lease", "longest"), [(40, 90, 40), (60, 90, 60), (60, 40, 30), (10, 4, 3)])
def test_every_send_ends_well_before_its_lease(deadline, lease, longest, settings):
    settings.LEASE_SECONDS = lease
    assert claims.longest_send(deadline) == longest < lease
