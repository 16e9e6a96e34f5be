"""A committed change is never lost, and telling the workers never delays or fails it."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from integrations import tasks
from integrations.engine import streams
from integrations.models import ProcessRun, Stream
from integrations.tasks import sweep
from tests.integrations.engine.conftest import run_states, work_everything
from tickets import actions
from tickets.models import Note, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch):
    """What was sent to the broker: (stream, was a transaction open, options)."""
    sent = []
    monkeypatch.setattr(
        streams.current_app,
        "send_task",
        lambda name, args, **options: sent.append((args[0], connection.in_atomic_block, options)),
    )
    return sent


@pytest.fixture
def broker_down(monkeypatch):
    """Every publish fails; how often it was tried."""
    tries = []

    def fail(name, args, **options):
        tries.append(args)
        raise OperationalError("no broker")

    monkeypatch.setattr(streams.current_app, "send_task", fail)
    return tries


def test_the_run_is_in_the_transaction_of_the_change(desk, partner, published):
    with pytest.raises(RuntimeError), transaction.atomic():
        desk.task(partner.group)
        assert ProcessRun.objects.count() == 1
        raise RuntimeError
    assert (ProcessRun.objects.count(), Stream.objects.count(), Task.objects.count()) == (0, 0, 0)
    assert published == []


def test_a_change_whose_run_cannot_be_stored_is_not_committed(desk, exchanged_task, monkeypatch):
    def fail(**values):
        raise RuntimeError("the outbox is broken")

    monkeypatch.setattr("integrations.triggers.append", fail)
    with pytest.raises(RuntimeError):
        actions.add_note(actor=desk.by_agent, ticket=exchanged_task.ticket, task=exchanged_task, body="Lost?")
    assert not Note.objects.exists()


def test_the_workers_are_told_after_the_commit_and_only_which_stream(desk, partner, published):
    with transaction.atomic():
        desk.task(partner.group)
        assert published == []
    ((stream_id, in_transaction, options),) = published
    assert stream_id == Stream.objects.get().pk
    assert not in_transaction
    # No publish retry, no time of execution: due times live in the database.
    assert options == {"retry": False, "expires": None}


def test_with_the_broker_down_the_action_succeeds_and_the_next_sweep_finds_the_stream(desk, partner, broker_down):
    desk.task(partner.group)
    assert len(broker_down) == 1
    assert run_states() == ["queued"]
    assert sweep() == 1


def test_a_broker_that_was_down_a_moment_ago_is_not_asked_for_every_change(desk, partner, broker_down):
    for _ in range(3):
        desk.task(partner.group)
    assert len(broker_down) == 1
    assert Stream.objects.filter(due_at__lte=timezone.now()).count() == 3


def test_after_the_pause_the_broker_is_asked_again(desk, partner, broker_down, monkeypatch):
    monkeypatch.setattr(streams, "BROKER_PAUSE_SECONDS", -1)
    desk.task(partner.group)
    desk.task(partner.group)
    assert len(broker_down) == 2


def test_a_failure_of_any_kind_while_telling_the_workers_does_not_reach_the_user(desk, partner, monkeypatch, caplog):
    def fail(stream_id, **options):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(streams, "enqueue", fail)
    desk.task(partner.group)
    assert run_states() == ["queued"]
    assert "unexpected" in caplog.text
    assert sweep() == 1


def test_the_sweep_tells_the_workers_about_what_is_due_and_free_only(desk, partner, published):
    for _ in range(4):
        desk.task(partner.group)
    due, leased, later, idle = Stream.objects.order_by("pk")
    hour = timedelta(hours=1)
    Stream.objects.filter(pk=leased.pk).update(lease_until=timezone.now() + hour)
    Stream.objects.filter(pk=later.pk).update(due_at=timezone.now() + hour)
    Stream.objects.filter(pk=idle.pk).update(due_at=None)
    published.clear()
    assert sweep() == 1
    assert [stream_id for stream_id, _, _ in published] == [due.pk]


def test_what_a_killed_worker_left_is_found_once_its_lease_is_over(desk, partner, published):
    desk.task(partner.group)
    stream = Stream.objects.get()
    from integrations.engine.claim import take

    take(stream.pk)
    assert sweep() == 0
    Stream.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep() == 1


def test_messages_of_a_sweep_expire_as_the_next_sweep_repeats_them(desk, partner, published, settings):
    desk.task(partner.group)
    published.clear()
    sweep()
    assert published[0][2]["expires"] == settings.SWEEP_SECONDS * 2


def test_a_message_for_a_stream_without_work_does_nothing(desk, partner, friendly):
    desk.task(partner.group)
    work_everything()
    tasks.work(Stream.objects.get().pk)
    tasks.work(999_999)
    assert friendly.paths == ["POST /tickets"]
