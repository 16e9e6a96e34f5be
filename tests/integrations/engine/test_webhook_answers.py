"""Answers to deliveries of which only the beginning is of use: the status alone says what came of it."""

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from integrations import webhooks
from integrations.models import Exchange, Outcome, ProcessRun, RunState, WebhookSubscription
from tests.integrations.engine.conftest import work_everything
from tickets import actions

pytestmark = pytest.mark.django_db


class Answering:
    """A receiver that answers each delivery with these bytes and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/hook"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        """One after the other."""
        with suppress(OSError):
            while True:
                connection, _address = self.listening.accept()
                with connection:
                    self.requests.append(self.read(connection))
                    with suppress(OSError):
                        connection.sendall(self.answer)

    def read(self, connection: socket.socket) -> bytes:
        """A whole request."""
        said = b""
        while b"\r\n\r\n" not in said:
            said += connection.recv(65_536)
        head, _blank, body = said.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65_536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def answering(desk: Any, partner: Any, request: Any) -> Iterator[Answering]:
    """The receiver of the partner's webhook."""
    made = Answering(request.param)
    WebhookSubscription.objects.create(
        system=partner.system, name="events", url=made.url, events=["note_added"], secret=webhooks.new_secret()
    )
    yield made
    made.listening.close()


def tell(desk: Any, partner: Any) -> ProcessRun:
    """Something happens; the run of its delivery, when that was tried."""
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="It smokes")
    work_everything()
    return ProcessRun.objects.exclude(stream__subscription=None).get()


CUT_OFF = b"HTTP/1.1 %s\r\nContent-Length: 500\r\n\r\nThank"
HUGE = b"HTTP/1.1 %s\r\nContent-Length: 12000000\r\n\r\n" + b"x" * 12_000_000


@pytest.mark.parametrize(
    "answering", [CUT_OFF % b"200 OK", HUGE % b"202 Accepted"], indirect=True, ids=["cut", "huge"]
)
def test_taken_is_taken_whatever_stands_behind_the_status(desk, partner, answering):
    assert tell(desk, partner).state == RunState.DONE
    assert len(answering.requests) == 1
    log = Exchange.objects.get(dialect="webhook")
    assert (log.outcome, log.status // 100) == (Outcome.SUCCEEDED, 2)
    assert log.error
    assert WebhookSubscription.objects.get().failures == 0


@pytest.mark.parametrize("answering", [CUT_OFF % b"410 Gone", HUGE % b"410 Gone"], indirect=True, ids=["cut", "huge"])
def test_gone_is_gone_whatever_stands_behind_it(desk, partner, answering):
    assert tell(desk, partner).state == RunState.CANCELLED
    assert not WebhookSubscription.objects.get().is_active


@pytest.mark.parametrize(
    "answering", [CUT_OFF % b"500 Oops", b"", b"HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"],
    indirect=True, ids=["cut", "nothing", "redirect"],
)  # fmt: skip
def test_anything_else_is_tried_again_at_the_same_address(desk, partner, answering):
    assert tell(desk, partner).state == RunState.RETRYING
    assert [said.split()[1] for said in answering.requests] == [b"/hook"]


@pytest.mark.parametrize("answering", [b"HTTP/1.1 204 No Content\r\n\r\n"], indirect=True, ids=["fine"])
def test_the_signature_is_what_the_standard_says_byte_for_byte(desk, partner, answering):
    """Verified without anybody's package: HMAC-SHA256 over id, time and body, in base64, by each secret."""
    old = WebhookSubscription.objects.get().secret
    new = webhooks.rotate_secret(WebhookSubscription.objects.get(), keep=timedelta(hours=1))
    tell(desk, partner)
    head, _blank, body = answering.requests[0].partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    headers = {name.lower().decode(): value for name, _colon, value in lines}
    signed = b".".join((headers["webhook-id"], headers["webhook-timestamp"], body))
    proofs = [
        b"v1," + base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), signed, hashlib.sha256))
        for secret in (new, old)
    ]
    assert headers["webhook-signature"].split(b" ") == proofs
    assert headers["content-type"] == b"application/json"
