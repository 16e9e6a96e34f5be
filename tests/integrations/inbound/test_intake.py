"""The record of a call: there before anything is done, free of secrets, complete at the end, short for strangers."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from integrations.inbound import intake, operations
from integrations.models import Exchange, Outcome, Way
from tests.integrations.inbound.conftest import Desk
from tests.integrations.inbound.workflow_service.soap import UPDATE, envelope, send, token
from tickets.models import Note, Task


def test_the_exchange_is_there_before_the_message_is_acted_upon(
    northwind: Desk, task: Task, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    real = operations.update

    def update(**values: Any) -> Any:
        seen.append(Exchange.objects.values_list("outcome", "operation", "system").get())
        return real(**values)

    monkeypatch.setattr(intake.operations, "update", update)
    northwind.post(f"tasks/{task.number}/updates/", {"text": "Hello"})
    assert seen == [(Outcome.SENDING, "update", northwind.system.pk)]


def test_a_finished_exchange_tells_what_was_asked_and_answered(northwind: Desk, task: Task):
    response = northwind.post(f"tasks/{task.number}/updates/", {"text": "Hello", "message_id": "m1"}, key="k1")
    exchange = Exchange.objects.get()
    assert (exchange.way, exchange.dialect, exchange.operation) == (Way.IN, "rest", "update")
    assert (exchange.system, exchange.task, exchange.message_id) == (northwind.system, task, "m1")
    assert (exchange.method, exchange.status, exchange.outcome) == ("POST", 201, Outcome.SUCCEEDED)
    assert exchange.url.endswith(f"/api/v1/tasks/{task.number}/updates/")
    assert json.loads(exchange.request_body) == {"text": "Hello", "message_id": "m1"}
    assert exchange.response_body == response.content.decode()
    assert exchange.request_headers["Idempotency-Key"] == "k1"
    assert exchange.duration_ms is not None


def test_secrets_are_in_no_part_of_the_record(northwind: Desk, task: Task):
    northwind.system.secret_names = "pin"
    northwind.system.save()
    northwind.post(f"tasks/{task.number}/updates/?token=s3cret", {"text": "x", "pin": "s3cret", "password": "s3cret"})
    body = envelope(UPDATE, f"<taskNumber>{task.number}</taskNumber>", header=token("northwind", northwind.key))
    send(None, body)
    send(northwind, envelope(UPDATE, "<text>x</text>"))
    for exchange in Exchange.objects.all():
        everything = f"{exchange.url}{exchange.request_headers}{exchange.request_body}{exchange.response_body}"
        assert "s3cret" not in everything
        assert northwind.key not in everything
        assert base64.b64encode(f"northwind:{northwind.key}".encode()).decode() not in everything


def test_of_a_strangers_call_only_the_beginning_is_kept(task: Task):
    Client().post(
        f"/api/v1/tasks/{task.number}/updates/",
        {"text": "x" * 100_000},
        content_type="application/json",
        headers={"X-Long": "y" * 10_000},
    )
    exchange = Exchange.objects.get()
    assert (exchange.system, exchange.task, exchange.outcome) == (None, None, Outcome.REFUSED)
    assert len(exchange.request_body) <= intake.UNAUTHENTICATED_CHARACTERS
    assert len(json.dumps(exchange.request_headers)) < 10_000


@pytest.mark.parametrize("text", ["nul \0 here", "half a \ud800 pair"])
def test_what_no_database_takes_is_refused_and_still_recorded(northwind: Desk, task: Task, text: str):
    assert northwind.post(f"tasks/{task.number}/updates/", {"text": text}).status_code == 400
    raw = Client().generic(
        "POST",
        f"/api/v1/tasks/{task.number}/updates/",
        b'{"text": "\x00\xff"}',
        content_type="application/json",
        headers={"Authorization": f"Api-Key {northwind.key}"},
    )
    assert raw.status_code == 400
    assert Exchange.objects.filter(outcome=Outcome.REFUSED).count() == 2


def test_a_large_file_is_kept_in_the_log_only_while_it_may_be_needed_again(northwind: Desk, task: Task):
    file = {"name": "a.bin", "content": base64.b64encode(b"\x01" * 200_000).decode()}
    northwind.post(f"tasks/{task.number}/updates/", {"text": "x", "attachments": [file]})
    done = Exchange.objects.get()
    assert "characters]" in done.request_body
    assert len(done.request_body) < 1000
    northwind.post("tasks/9-9/updates/", {"text": "x", "attachments": [file]})
    refused = Exchange.objects.exclude(pk=done.pk).get()
    assert json.loads(refused.request_body)["attachments"] == [file]


def test_an_author_who_is_not_named_is_the_desk(northwind: Desk, task: Task):
    for author in ("", "  ", "Nora Lind"):
        northwind.post(f"tasks/{task.number}/updates/", {"text": "x", "author": author})
    assert list(Note.objects.order_by("pk").values_list("author_name", flat=True)) == [
        "Northwind",
        "Northwind",
        "Nora Lind",
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_none_is_told_to_strangers_without_a_record_of_it(
    northwind: Desk, outsider: Desk, method: str
):
    for key, recorded in (("", 0), ("wrong.key", 0), (northwind.key, 1)):
        headers = {"Authorization": f"Api-Key {key}"} if key else {}
        response = Client().generic(method, "/api/v1/nothing/", headers=headers)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert Exchange.objects.count() == recorded


def test_a_refused_read_is_in_the_log_with_whom_it_was(northwind: Desk, outsider: Desk, task: Task):
    outsider.get(f"tasks/{task.number}/")
    exchange = Exchange.objects.get()
    assert (exchange.system, exchange.operation, exchange.status) == (outsider.system, "read", 404)
