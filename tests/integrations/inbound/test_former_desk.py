"""A desk that once had a task, and what it may still do to it: tell, but not decide."""

import pytest

from integrations.engine.references import store_reference
from integrations.models import ExternalReference, Stream
from tests.integrations.inbound.conftest import Desk
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Note, Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def given_away(northwind: Desk, outsider: Desk, task: Task) -> Task:
    """A task that Northwind knows by a reference and that is at Fabrikam by now."""
    store_reference(task=task, system=northwind.system, value="N-1")
    return actions.assign_task(actor=Actor.system(), task=task, group=outsider.group)


def test_its_solution_becomes_a_note_for_our_people(northwind: Desk, outsider: Desk, given_away: Task) -> None:
    answer = northwind.post(f"tasks/{given_away.number}/reassign/", {"solution": "Ours!", "message_id": "s1"})
    assert answer.status_code == 200
    given_away.refresh_from_db()
    assert (given_away.phase, given_away.solution, given_away.group) == ("initial_support", "", outsider.group)
    assert Note.objects.get().visibility == "internal"


def test_its_rejection_removes_its_reference_and_nothing_else(
    northwind: Desk, outsider: Desk, given_away: Task
) -> None:
    assert northwind.post(f"tasks/{given_away.number}/reassign/", {"status": "rejected"}).status_code == 200
    given_away.refresh_from_db()
    assert given_away.group == outsider.group
    assert not ExternalReference.objects.filter(system=northwind.system).exists()


def test_a_rejected_task_without_an_owner_is_nobodys_and_a_repetition_changes_nothing(
    northwind: Desk, task: Task
) -> None:
    store_reference(task=task, system=northwind.system, value="N-1")
    Task.objects.filter(pk=task.pk).update(owning_group=None)
    path = f"tasks/{task.number}/reassign/"
    assert northwind.post(path, {"status": "rejected"}).json()["changed"] is True
    task.refresh_from_db()
    assert task.group is None
    assert Note.objects.get().visibility == "internal"
    again = northwind.post(path, {"status": "rejected"})
    assert (again.status_code, again.json()["changed"]) == (200, False)
    # For anything else it does not know the task any more.
    assert northwind.post(f"tasks/{task.number}/updates/", {"text": "x"}).status_code == 404


def test_a_rejection_ends_the_wait_for_an_acknowledgement(northwind: Desk, task: Task) -> None:
    Stream.objects.update_or_create(
        task=task, system=northwind.system, defaults={"awaiting_since": "2026-01-01T00:00:00Z"}
    )
    assert northwind.post(f"tasks/{task.number}/reassign/", {"status": "rejected"}).status_code == 200
    assert Stream.objects.get(task=task).awaiting_since is None


def test_an_integrated_group_never_becomes_the_owner(northwind: Desk, outsider: Desk) -> None:
    ours = AssignmentGroup.objects.create(name="Second line", code="second-line")
    from tests.integrations.inbound.conftest import make_task

    fresh = make_task(northwind)
    Task.objects.filter(pk=fresh.pk).update(owning_group=None)
    fresh.refresh_from_db()
    moved = actions.assign_task(actor=Actor.system(), task=fresh, group=outsider.group)
    assert moved.owning_group is None
    Task.objects.filter(pk=fresh.pk).update(group=ours)
    moved = actions.assign_task(actor=Actor.system(), task=fresh, group=outsider.group)
    assert moved.owning_group == ours


def test_a_repeated_message_is_recognised_however_it_names_the_task(northwind: Desk, task: Task) -> None:
    from integrations.inbound import dedupe
    from integrations.inbound.messages import Update, digest

    store_reference(task=task, system=northwind.system, value="N-1")
    by_number = Update(task_number=task.number, text="Hello", message_id="m1")
    by_reference = Update(external_reference="N-1", text="Hello", message_id="m1")
    keys = [
        dedupe.keys_of(northwind.system, message, dialect="rest", idempotency_key="")
        for message in (by_number, by_reference)
    ]
    assert keys[0] == keys[1]
    assert digest(by_number) == digest(by_reference)


def test_half_a_character_is_answered_with_a_problem(northwind: Desk, task: Task) -> None:
    body = '{"text": "x", "visibility": "\\ud800"}'
    answer = northwind.client.post(
        f"/api/v1/tasks/{task.number}/updates/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Api-Key {northwind.key}"},
    )
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"
