"""Steps that change our own ticket: each has its effect exactly once, as the process, and goes to no desk."""

from datetime import UTC, datetime

import pytest

from integrations.engine.claim import ClaimLost
from integrations.engine.steps import local
from integrations.models import ExternalReference, ProcessRun, RunState, SettableField, Stream
from tests.integrations.engine.conftest import only_run, only_steps, run_states, work_everything
from tickets.actors import ActorKind
from tickets.models import Category, Note, Priority, Queue, Visibility

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue(desk):
    Priority.objects.create(code="p1", name="Urgent", rank=1)
    Category.objects.create(code="printing", name="Printing")
    Queue.objects.create(code="first", name="First line")


def read(task, path):
    value = task
    for name in path.split(".")[1:]:
        value = getattr(task.ticket if path.startswith("ticket") else value, name)
    return value


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("ticket.title", "{{ task.number }} renamed", "1001-1 renamed"),
        ("ticket.description", "Line 1\nLine 2", "Line 1\nLine 2"),
        ("ticket.priority", "p1", "Urgent"),
        ("ticket.category", "{{ 'printing' }}", "Printing"),
        ("ticket.queue", "first", "First line"),
        ("task.expected_resolution_at", "2026-05-01T10:00:00+02:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
        ("task.external_reference", "X-{{ task.number }}", "X-1001-1"),
    ],
)
def test_every_field_can_be_set(desk, partner, catalogue, field, value, expected):
    only_steps(partner, {"kind": "set_field", "field": field, "value": value})
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.DONE], only_run().reason
    task.refresh_from_db()
    if field == SettableField.REFERENCE:
        assert ExternalReference.objects.get(task=task, system=partner.system).value == expected
    else:
        found = read(task, field)
        assert getattr(found, "name", found) == expected


def test_the_table_above_has_every_field():
    assert len(SettableField.values) == 7


def test_the_expected_resolution_time_can_be_cleared(desk, partner):
    only_steps(partner, {"kind": "set_field", "field": "task.expected_resolution_at", "value": " "})
    task = desk.task(partner.group)
    work_everything()
    task.refresh_from_db()
    assert (task.expected_resolution_at, run_states()) == (None, [RunState.DONE])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ticket.priority", "p99"),
        ("ticket.queue", "none"),
        ("ticket.title", " "),
        ("ticket.title", "x" * 251),
        ("task.expected_resolution_at", "tomorrow"),
        ("task.expected_resolution_at", "2026-05-01T10:00:00"),
        ("task.external_reference", ""),
        ("task.external_reference", "x" * 201),
    ],
)
def test_a_value_that_does_not_fit_asks_a_person_and_changes_nothing(desk, partner, catalogue, field, value):
    only_steps(partner, {"kind": "set_field", "field": field, "value": value})
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.ATTENTION]
    assert only_run().reason
    task.ticket.refresh_from_db()
    assert task.ticket.title == "The printer is on fire"
    assert not ExternalReference.objects.exists()


@pytest.mark.parametrize("visibility", Visibility.values)
def test_a_note_is_added_as_the_process_and_goes_to_no_desk(desk, partner, visibility):
    partner.binding.relay = partner.binding.send_internal = True
    partner.binding.save()
    only_steps(partner, {"kind": "note", "text": "Sent {{ task.number }}", "visibility": visibility})
    task = desk.task(partner.group)
    work_everything()
    note = Note.objects.get()
    assert (note.body, note.visibility, note.task) == (f"Sent {task.number}", visibility, task)
    assert (note.actor_kind, note.author_name) == (ActorKind.SYSTEM, partner.process.name)
    assert ProcessRun.objects.count() == 1


def test_stop_ends_the_run_and_the_steps_behind_are_not_executed(desk, partner, other_desk):
    only_steps(
        partner,
        {"kind": "stop", "condition": "false"},
        {"kind": "stop", "text": "Enough: {{ task.number }}"},
        {"kind": "note", "text": "never"},
    )
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.DONE]
    assert only_run().steps.get(index=1).reason == f"Enough: {task.number}"
    assert not Note.objects.exists()


def test_a_step_whose_condition_does_not_hold_is_skipped(desk, partner):
    only_steps(
        partner,
        {"kind": "note", "text": "no", "condition": 'ticket.priority.code == "p1"'},
        {"kind": "note", "text": "yes", "condition": 'ticket.priority.code == "p3"'},
    )
    desk.task(partner.group)
    work_everything()
    assert list(Note.objects.values_list("body", flat=True)) == ["yes"]
    assert list(only_run().steps.order_by("index").values_list("state", flat=True)) == ["skipped", "done"]


def test_the_change_and_its_record_are_one_transaction(desk, partner, monkeypatch):
    """A worker that lost its stream between both has changed nothing, so that its successor changes it once."""
    real = local.hold
    calls = []

    def lose_once(claim):
        calls.append(claim)
        if len(calls) == 1:
            raise ClaimLost
        return real(claim)

    monkeypatch.setattr(local, "hold", lose_once)
    only_steps(partner, {"kind": "note", "text": "once"})
    desk.task(partner.group)
    work_everything()
    assert not Note.objects.exists()
    Stream.objects.update(lease_until=None)
    work_everything()
    assert Note.objects.count() == 1
    assert run_states() == [RunState.DONE]


def test_a_process_without_steps_is_done(desk, partner):
    only_steps(partner)
    desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.DONE]
