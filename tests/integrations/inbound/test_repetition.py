"""The same message again gets the same answer and changes nothing, however it is repeated."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.inbound import dedupe, intake, operations
from integrations.models import Exchange, Outcome, StoredAnswer
from tests.integrations.inbound.conftest import Desk, make_task
from tests.integrations.inbound.workflow_service.soap import UPDATE, envelope, send, values_of
from tickets.models import Note, Task


def outcomes() -> list[str]:
    """Of all exchanges, in order."""
    return list(Exchange.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.mark.parametrize("recognised_by", ["key", "message_id"])
def test_a_repeated_message_gets_the_first_answer_and_is_recorded_as_repeated(
    northwind: Desk, task: Task, recognised_by: str
):
    body = {"text": "Once"} | ({"message_id": "m1"} if recognised_by == "message_id" else {})
    key = "k1" if recognised_by == "key" else ""
    first, second = (northwind.post(f"tasks/{task.number}/updates/", body, key=key) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Note.objects.count() == 1
    assert outcomes() == [Outcome.SUCCEEDED, Outcome.REPEATED]
    assert Exchange.objects.last().task == task


@pytest.mark.parametrize("recognised_by", ["key", "message_id"])
def test_the_same_key_with_other_content_is_refused(northwind: Desk, task: Task, recognised_by: str):
    for text, status in (("One", 201), ("Two", 422)):
        body = {"text": text} | ({"message_id": "m1"} if recognised_by == "message_id" else {})
        key = "k1" if recognised_by == "key" else ""
        assert northwind.post(f"tasks/{task.number}/updates/", body, key=key).status_code == status
    assert Note.objects.get().body == "One"


def test_a_message_without_key_and_id_is_new_each_time(northwind: Desk, task: Task):
    for _ in range(2):
        northwind.post(f"tasks/{task.number}/updates/", {"text": "Still nothing"})
    assert Note.objects.count() == 2


def test_keys_are_of_one_system_one_operation_and_one_task(northwind: Desk, outsider: Desk, task: Task):
    other = make_task(northwind)
    theirs = make_task(outsider)
    body = {"text": "Hello", "message_id": "1"}
    for desk, number in ((northwind, task.number), (northwind, other.number), (outsider, theirs.number)):
        assert desk.post(f"tasks/{number}/updates/", body, key="1").status_code == 201
    again = northwind.post(
        f"tasks/{task.number}/acknowledge/", {"external_reference": "A", "message_id": "1"}, key="1"
    )
    assert again.status_code == 200
    assert Note.objects.count() == 3


def test_a_message_id_is_known_whichever_dialect_it_comes_in(northwind: Desk, task: Task):
    northwind.post(f"tasks/{task.number}/updates/", {"text": "Once", "message_id": "m1"})
    content = f"<taskNumber>{task.number}</taskNumber><text>Once</text><messageId>m1</messageId>"
    response = send(northwind, envelope(UPDATE, content))
    assert values_of(response)["message"] == "The update was added."
    assert response["Idempotency-Replayed"] == "true"
    assert Note.objects.count() == 1


def test_a_rejection_repeated_gets_its_answer_though_the_task_is_no_longer_theirs(northwind: Desk):
    task = make_task(northwind, reference="INC-1")
    body = {"status": "rejected", "solution": "Not ours", "message_id": "m1"}
    first, second = (northwind.post(f"tasks/{task.number}/reassign/", body) for _ in range(2))
    assert first.content == second.content
    assert northwind.get(f"tasks/{task.number}/").status_code == 404


def test_a_form_repeated_with_another_boundary_is_the_same_message(northwind: Desk, task: Task):
    for boundary in ("one", "two"):
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\nHello\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="attachments"; filename="a.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\nx\r\n--{boundary}--\r\n"
        )
        response = northwind.post(
            f"tasks/{task.number}/updates/", body, key="k1", content_type=f"multipart/form-data; boundary={boundary}"
        )
        assert response.status_code == 201, response.content
    assert Note.objects.count() == 1


def test_a_refusal_is_not_stored_so_the_message_may_come_again_when_it_fits(northwind: Desk, outsider: Desk):
    task = make_task(outsider)
    body = {"text": "Hello", "message_id": "m1"}
    assert northwind.post(f"tasks/{task.number}/updates/", body, key="k1").status_code == 404
    assert not StoredAnswer.objects.exists()
    Task.objects.filter(pk=task.pk).update(group=northwind.group)
    assert northwind.post(f"tasks/{task.number}/updates/", body, key="k1").status_code == 201


def test_our_own_failure_is_never_stored_and_leaves_nothing_behind(
    northwind: Desk, task: Task, monkeypatch: pytest.MonkeyPatch
):
    def fail(**_values: Any) -> None:
        raise RuntimeError("the disk is full")

    body = {"text": "Hello", "message_id": "m1"}
    with monkeypatch.context() as patch:
        # After the note was written, before the transaction ends.
        patch.setattr(operations.triggers, "received", fail)
        response = northwind.post(f"tasks/{task.number}/updates/", body, key="k1")
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert b"disk" not in response.content
    assert outcomes() == [Outcome.RETRYABLE]
    assert not Note.objects.exists()
    assert not StoredAnswer.objects.exists()
    assert northwind.post(f"tasks/{task.number}/updates/", body, key="k1").status_code == 201


def test_a_message_that_is_being_worked_on_is_answered_with_come_again(northwind: Desk, task: Task):
    message = intake.Update(task_number=task.number, text="Hello", message_id="m1")
    keys = dedupe.keys_of(northwind.system, message, dialect="rest", idempotency_key="")
    claim = dedupe.claim(system=northwind.system, message=message, keys=keys)
    response = northwind.post(f"tasks/{task.number}/updates/", {"text": "Hello", "message_id": "m1"})
    assert (response.status_code, response.json()["code"]) == (409, "in_progress")
    assert int(response["Retry-After"]) > 0
    assert isinstance(claim, dedupe.Claim)
    dedupe.release(claim)
    assert northwind.post(f"tasks/{task.number}/updates/", {"text": "Hello", "message_id": "m1"}).status_code == 201


def test_a_claim_of_a_worker_that_died_is_taken_over_and_the_dead_one_cannot_finish(
    northwind: Desk, task: Task, monkeypatch: pytest.MonkeyPatch
):
    body = {"text": "Hello", "message_id": "m1"}
    address = f"tasks/{task.number}/updates/"
    answers = []
    real = operations.triggers.received

    def slow(**values: Any) -> Any:
        """The first delivery takes longer than a claim lives; meanwhile the second comes and is done."""
        monkeypatch.setattr(operations.triggers, "received", real)
        StoredAnswer.objects.update(created_at=timezone.now() - dedupe.ABANDONED_AFTER - timedelta(seconds=1))
        answers.append(northwind.post(address, body))
        return real(**values)

    monkeypatch.setattr(operations.triggers, "received", slow)
    first = northwind.post(address, body)
    assert answers[0].status_code == 201
    assert first.status_code == 409
    # Both deliveries wrote in this test's one transaction, so the first's savepoint took the second's rows with it;
    # what counts is that the first undid what it had done.
    assert Note.objects.count() == 0


def test_long_ids_are_told_apart(northwind: Desk, task: Task):
    for ending in "ab":
        body = {"text": ending, "message_id": "m" * 199 + ending}
        assert northwind.post(f"tasks/{task.number}/updates/", body, key="k" * 199 + ending).status_code == 201
