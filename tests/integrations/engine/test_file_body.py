"""A request whose body is the attached file itself: its bytes, its content type, and a remark in the log."""

import hashlib
from typing import Any

import pytest

from integrations.engine.decisions import replay_step, retry_now
from integrations.models import Exchange, ProcessRun, RunState, StepRun
from integrations.preview import Occurrence, preview
from tests.integrations.engine.conftest import only_steps, pass_time, work_everything
from tickets import actions
from tickets.models import Attachment, Task

pytestmark = pytest.mark.django_db(transaction=True)

PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff" + bytes(range(256))
UPLOAD: dict[str, Any] = {
    "kind": "request",
    "name": "upload",
    "path": "/files",
    "headers": "fs_filename: {{ attachment.name | urlencode }}",
    "sends_file": True,
    "repeat": "safe",
    "condition": "attachment.name",
}


@pytest.fixture
def task(desk, partner, other_desk) -> Task:
    """A task of the partner, whose files are uploaded."""
    only_steps(partner, UPLOAD)
    return desk.task(partner.group)


def attach(desk: Any, task: Task, name: str = "brücke 1.png", data: bytes = PICTURE) -> Attachment:
    content = actions.FileContent(name=name, data=data, content_type="image/png")
    return actions.attach(actor=desk.by_agent, ticket=task.ticket, task=task, content=content)


def test_the_file_arrives_byte_for_byte_with_its_own_type_and_name(desk, task, other_desk):
    other_desk.answers("/files", (200, {"guid": "1"}))
    attach(desk, task)
    work_everything()
    assert other_desk.bodies == [PICTURE]
    assert other_desk.sent[0].headers["Content-Type"] == "image/png"
    # The test's server drops names with an underscore, as many do: what was sent stands in the log.
    assert Exchange.objects.get(operation="upload").request_headers["fs_filename"] == "br%C3%BCcke%201.png"


def test_a_retry_and_a_replay_send_the_same_bytes_although_the_file_is_gone(desk, task, other_desk):
    other_desk.answers("/files", (503, ""), (400, "no"), (200, {}))
    attachment = attach(desk, task)
    work_everything()
    attachment.file.delete(save=False)
    pass_time()
    run = ProcessRun.objects.latest("pk")
    assert run.state == RunState.ATTENTION
    retry_now(run, by=desk.by_agent)
    work_everything()
    replay_step(StepRun.objects.get(run=run), by=desk.by_agent, same_bytes=True)
    work_everything()
    assert other_desk.bodies == [PICTURE] * 4
    assert {request.headers["Content-Type"] for request in other_desk.sent} == {"image/png"}


def test_the_log_has_a_remark_in_the_place_of_the_bytes(desk, task, other_desk):
    other_desk.answers("/files", (200, {}))
    attach(desk, task)
    work_everything()
    body = Exchange.objects.get(operation="upload").request_body
    digest = hashlib.sha256(PICTURE).hexdigest()
    assert body == f"[the file brücke 1.png, {len(PICTURE)} bytes, SHA-256 {digest}]"


def test_an_event_without_a_file_stops_with_a_reason_and_sends_nothing(desk, partner, other_desk):
    only_steps(partner, {**UPLOAD, "condition": ""})
    desk.task(partner.group)
    work_everything()
    run = ProcessRun.objects.get()
    assert run.state == RunState.ATTENTION
    assert "sends the attached file, but this event has none" in run.reason
    assert other_desk.sent == []


def test_an_empty_file_is_a_file(desk, task, other_desk):
    other_desk.answers("/files", (200, {}))
    attach(desk, task, name="empty.png", data=b"")
    work_everything()
    assert other_desk.bodies == [b""]


def test_the_preview_shows_which_file_would_be_sent_and_not_its_bytes(desk, partner, task):
    attachment = attach(desk, task)
    occurrence = Occurrence("Update", "update", "Out", attachment=attachment)
    (step,) = preview(partner.process, task=task, system=partner.system, occurrence=occurrence, actor=desk.by_agent)
    assert step.body.startswith("[the file brücke 1.png")
    assert step.headers["fs_filename"] == "br%C3%BCcke%201.png"
    assert ("attachment", "brücke 1.png") in [(source.path, source.value) for source in step.sources]
