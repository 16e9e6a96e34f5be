"""A request whose body is the attached file itself: its bytes, its content type, and a remark in the log."""

import hashlib
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from integrations.engine.decisions import replay_step, retry_now
from integrations.models import Exchange, ProcessRun, RunState, StepRun
from integrations.preview import Occurrence, preview
from tests.integrations.engine.conftest import only_steps, pass_time, work_everything
from tickets import actions
from tickets.models import Attachment, Task

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1024 * 1024
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


def try_again(desk: Any) -> None:
    """Work off what is refused for a moment, then for good. A person repeats it, then replays the same bytes."""
    work_everything()
    pass_time()
    run = ProcessRun.objects.latest("pk")
    assert run.state == RunState.ATTENTION
    retry_now(run, by=desk.by_agent)
    work_everything()
    replay_step(StepRun.objects.get(run=run), by=desk.by_agent, same_bytes=True)
    work_everything()


def test_the_file_arrives_byte_for_byte_with_its_own_type_and_name(desk, task, other_desk):
    other_desk.answers("/files", (200, {"guid": "1"}))
    attach(desk, task)
    work_everything()
    assert other_desk.bodies == [PICTURE]
    assert other_desk.sent[0].headers["Content-Type"] == "image/png"
    # The test's server drops names with an underscore, as many do: what was sent stands in the log.
    assert Exchange.objects.get(operation="upload").request_headers["fs_filename"] == "br%C3%BCcke%201.png"


def test_a_retry_and_a_replay_send_the_same_bytes(desk, task, other_desk):
    other_desk.answers("/files", (503, ""), (400, "no"), (200, {}))
    attach(desk, task)
    try_again(desk)
    assert other_desk.bodies == [PICTURE] * 4
    assert {request.headers["Content-Type"] for request in other_desk.sent} == {"image/png"}
    # The file is in the store once, not in each row of the database too.
    assert {bytes(step.request_body) for step in StepRun.objects.exclude(request_body=None)} == {b""}


@pytest.mark.parametrize(
    ("become", "reason"), [(None, "cannot be read"), (PICTURE[:-1] + b"x", "checksum is another"), (b"", "checksum")]
)
def test_a_retry_sends_the_same_bytes_or_none(desk, task, other_desk, become, reason):
    other_desk.answers("/files", (503, ""))
    path = Path(attach(desk, task).file.path)
    work_everything()
    path.unlink() if become is None else path.write_bytes(become)
    pass_time()
    run = ProcessRun.objects.latest("pk")
    assert (run.state, len(other_desk.bodies)) == (RunState.ATTENTION, 1)
    assert reason in run.reason
    path.write_bytes(PICTURE)
    retry_now(run, by=desk.by_agent)
    other_desk.answers("/files", (200, {}))
    work_everything()
    assert other_desk.bodies == [PICTURE] * 2


class Swallowing(BaseHTTPRequestHandler):
    """A desk that reads what it is sent piece by piece, and forgets it: the measure below is of this process."""

    received: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        left = length = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 65_536)))
        self.received.append(length)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize(
    "form", [{}, {"sends_file": False, "content_type": "multipart/form-data", "file_part": "file"}]
)
def test_a_large_file_is_never_in_memory_as_a_whole(desk, partner, task, form):
    def measured(size: int) -> int:
        attach(desk, task, data=b"x" * size)
        tracemalloc.start()
        work_everything()
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert ProcessRun.objects.latest("pk").state == RunState.DONE
        return peak

    only_steps(partner, UPLOAD | form)
    with ThreadingHTTPServer(("127.0.0.1", 0), Swallowing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        partner.system.base_url = f"http://127.0.0.1:{server.server_port}"
        partner.system.save()
        small, large = measured(8_000), measured(19 * MEGABYTE)
        server.shutdown()
    sent = Swallowing.received[-1] - Swallowing.received[-2]
    assert (sent, large - small < MEGABYTE) == (19 * MEGABYTE - 8_000, True)


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
