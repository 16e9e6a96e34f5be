"""A refused message is mapped again after what was in its way was mended."""

from typing import Any

import pytest

from integrations.inbound.replay import apply_anyway, replay_inbound, why_not
from integrations.models import Exchange, Outcome
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tests.integrations.inbound.workflow_service.soap import UPDATE, envelope, send
from tickets.errors import ActionRefused
from tickets.models import Note, Task

FILE = {"name": "größe.txt", "content_type": "text/plain", "content": "aGVsbG8="}


def refused_by_rest(desk: Desk, task: Task) -> None:
    """A message with a file, for a task that is not theirs yet."""
    body = {"text": "Grüße", "message_id": "m1", "author": "Nora", "attachments": [FILE]}
    assert desk.post(f"tasks/{task.number}/updates/", body, key="k1").status_code == 404


def refused_by_form(desk: Desk, task: Task) -> None:
    """The same as a form."""
    body = (
        '--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nGrüße\r\n'
        '--b\r\nContent-Disposition: form-data; name="author"\r\n\r\nNora\r\n'
        '--b\r\nContent-Disposition: form-data; name="attachments"; filename="größe.txt"\r\n\r\nhello\r\n--b--\r\n'
    )
    response = desk.post(f"tasks/{task.number}/updates/", body, content_type="multipart/form-data; boundary=b")
    assert response.status_code == 404


def refused_by_soap(desk: Desk, task: Task) -> None:
    """The same by SOAP, in another character set."""
    content = (
        f"<taskNumber>{task.number}</taskNumber><text>Grüße</text><author>Nora</author><attachments><attachment>"
        f"<name>{FILE['name']}</name><content>{FILE['content']}</content></attachment></attachments>"
    )
    body = envelope(UPDATE, content, prolog='<?xml version="1.0" encoding="iso-8859-1"?>')
    assert send(desk, body.encode("iso-8859-1"), content_type="text/xml").status_code == 500


@pytest.mark.parametrize("arrives", [refused_by_rest, refused_by_form, refused_by_soap])
def test_a_refused_message_has_its_effect_when_replayed(northwind: Desk, outsider: Desk, arrives: Any):
    task = make_task(outsider)
    arrives(northwind, task)
    refused = Exchange.objects.get()
    assert replay_inbound(refused, by=AGENT).outcome == Outcome.REFUSED
    Task.objects.filter(pk=task.pk).update(group=northwind.group)
    again = replay_inbound(refused, by=AGENT)
    assert (again.outcome, again.replay_of, again.task, again.status) == (Outcome.SUCCEEDED, refused, task, 200)
    note = Note.objects.get()
    assert (note.body, note.author_name) == ("Grüße", "Nora")
    assert note.attachments.get().name == "größe.txt"
    with note.attachments.get().file.open("rb") as stored:
        assert stored.read() == b"hello"
    assert str(refused.pk) in task.history.last().text
    assert Exchange.objects.get(pk=refused.pk).outcome == Outcome.REFUSED


def test_a_message_replayed_is_recognised_when_the_desk_sends_it_once_more(northwind: Desk, outsider: Desk):
    task = make_task(outsider)
    refused_by_rest(northwind, task)
    Task.objects.filter(pk=task.pk).update(group=northwind.group)
    replay_inbound(Exchange.objects.get(), by=AGENT)
    body = {"text": "Grüße", "message_id": "m1", "author": "Nora", "attachments": [FILE]}
    assert northwind.post(f"tasks/{task.number}/updates/", body, key="k1")["Idempotency-Replayed"] == "true"
    assert Note.objects.count() == 1


def test_it_is_replayed_with_success_only_once(northwind: Desk, outsider: Desk):
    task = make_task(outsider)
    refused_by_rest(northwind, task)
    Task.objects.filter(pk=task.pk).update(group=northwind.group)
    refused = Exchange.objects.get()
    replay_inbound(refused, by=AGENT)
    with pytest.raises(ActionRefused, match="already"):
        replay_inbound(refused, by=AGENT)
    assert why_not(refused, [Outcome.REFUSED])


def test_what_cannot_be_read_stays_refused_and_says_so(northwind: Desk, task: Task):
    northwind.client.generic(
        "POST",
        f"/api/v1/tasks/{task.number}/updates/",
        b"{broken",
        content_type="application/json",
        headers={"Authorization": f"Api-Key {northwind.key}"},
    )
    again = replay_inbound(Exchange.objects.get(), by=AGENT)
    assert (again.outcome, "read again" in again.error) == (Outcome.REFUSED, True)


def test_what_was_not_refused_or_came_from_nobody_known_cannot_be_replayed(northwind: Desk, task: Task):
    northwind.post(f"tasks/{task.number}/updates/", {"text": "x"})
    with pytest.raises(ActionRefused, match="refused, held back"):
        replay_inbound(Exchange.objects.get(), by=AGENT)
    with pytest.raises(ActionRefused, match="refused, held back"):
        apply_anyway(Exchange.objects.get(), by=AGENT)
    send(None, envelope(UPDATE, "<text>x</text>"))
    stranger = Exchange.objects.get(system=None)
    with pytest.raises(ActionRefused, match="not known who"):
        replay_inbound(stranger, by=AGENT)
