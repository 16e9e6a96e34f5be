"""A request whose body is a form: texts, and the attached file among them."""

import hashlib
import json
from typing import Any

import pytest

from integrations.models import Exchange, ProcessRun, RunState
from integrations.preview import Occurrence, preview
from tests.integrations.engine.conftest import only_steps, work_everything
from tests.integrations.engine.test_file_body import PICTURE, attach, try_again
from tickets.models import Task

pytestmark = pytest.mark.django_db

UPLOAD: dict[str, Any] = {
    "kind": "request",
    "name": "upload",
    "path": "/files",
    "content_type": "multipart/form-data",
    "body": "note = {{ task.number }}: {{ attachment.name }}\npassword = open sesame\n"
    'manifest; application/json = {"name": "{{ attachment.name }}"}',
    "file_part": "file",
    "repeat": "safe",
    "condition": "attachment.name",
}
NAME = 'brücke "1".png'


@pytest.fixture
def task(desk, partner, other_desk) -> Task:
    """A task of the partner, whose files are uploaded."""
    only_steps(partner, UPLOAD)
    return desk.task(partner.group)


def test_the_fields_and_the_file_arrive(desk, task, other_desk):
    other_desk.answers("/files", (200, {"guid": "1"}))
    attach(desk, task, name=NAME)
    work_everything()
    [form] = other_desk.sent
    assert form.form["note"] == f"{task.number}: {NAME}"
    assert json.loads(form.form["manifest"]) == {"name": NAME}
    upload = form.files["file"]
    assert (upload.filename, upload.mimetype, upload.read()) == (NAME, "image/png", PICTURE)
    form.close()


def test_a_retry_and_a_replay_send_the_same_bytes(desk, task, other_desk):
    other_desk.answers("/files", (503, ""), (400, "no"), (200, {}))
    attach(desk, task)
    try_again(desk)
    assert len(other_desk.bodies) == 4 and len(set(other_desk.bodies)) == 1
    assert PICTURE in other_desk.bodies[0]
    assert len({request.headers["Content-Type"] for request in other_desk.sent}) == 1


def test_the_log_shows_the_form_without_secrets_and_without_the_bytes(desk, task, other_desk):
    other_desk.answers("/files", (200, {}))
    attach(desk, task)
    work_everything()
    body = Exchange.objects.get(operation="upload").request_body
    digest = hashlib.sha256(PICTURE).hexdigest()
    assert f"[the file brücke 1.png, {len(PICTURE)} bytes, SHA-256 {digest}]" in body
    assert f"{task.number}: brücke 1.png" in body
    assert "open sesame" not in body and "PNG\r" not in body


def test_an_event_without_a_file_stops_with_a_reason_and_sends_nothing(desk, partner, other_desk):
    only_steps(partner, {**UPLOAD, "condition": ""})
    desk.task(partner.group)
    work_everything()
    run = ProcessRun.objects.get()
    assert run.state == RunState.ATTENTION
    assert "sends the attached file, but this event has none" in run.reason
    assert other_desk.sent == []


def test_a_file_above_the_limit_stops_with_a_reason(desk, task, other_desk, settings):
    attach(desk, task)
    settings.MAX_ATTACHMENT_BYTES = len(PICTURE) - 1
    work_everything()
    assert f"{len(PICTURE)} bytes, and {len(PICTURE) - 1} may be exchanged" in ProcessRun.objects.latest("pk").reason
    assert other_desk.sent == []


def test_the_preview_shows_the_form_and_which_file_would_be_sent(desk, partner, task):
    attachment = attach(desk, task)
    occurrence = Occurrence("Update", "update", "Out", attachment=attachment)
    (step,) = preview(partner.process, task=task, system=partner.system, occurrence=occurrence, actor=desk.by_agent)
    assert "[the file brücke 1.png" in step.body
    assert step.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    sources = {(source.part, source.path, source.value) for source in step.sources}
    assert ("file", "attachment", "brücke 1.png") in sources
    assert ("body", "task.number", task.number) in sources
