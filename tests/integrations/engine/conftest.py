"""Working off by hand, moving the clock of what waits, and another desk that answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.engine import authentication, streams
from integrations.engine.runner import work_off
from integrations.models import ProcessRun, RunState, Step, StepKind, Stream
from tickets.models import Task

HOUR = timedelta(hours=1)


def work_everything() -> None:
    """Work off every stream once, as the workers would right now."""
    for stream in Stream.objects.order_by("pk"):
        work_off(stream.pk)


def pass_time(wait: timedelta = HOUR) -> None:
    """Let that much time pass for every run that waits for its next try, and work off what is due then."""
    for run in ProcessRun.objects.exclude(due_at=None):
        ProcessRun.objects.filter(pk=run.pk).update(due_at=run.due_at - wait)
    for stream in Stream.objects.exclude(awaiting_since=None):
        Stream.objects.filter(pk=stream.pk).update(awaiting_since=stream.awaiting_since - wait)
    work_everything()


def only_run() -> ProcessRun:
    """The one run that there is."""
    return ProcessRun.objects.select_related("stream__task", "version__process").get()


def run_states() -> list[str]:
    """The state of every run, oldest first."""
    return list(ProcessRun.objects.order_by("pk").values_list("state", flat=True))


def stop_stream(task: Task) -> None:
    """Put the stream's first run on hold, so that what comes behind it stays."""
    run = ProcessRun.objects.filter(stream__task=task).earliest("position")
    ProcessRun.objects.filter(pk=run.pk).update(state=RunState.HELD)


def only_steps(partner: Any, *steps: dict[str, Any]) -> None:
    """Let the partner's process consist of these steps, in this order."""
    partner.process.steps.all().delete()
    for position, values in enumerate(steps):
        values = {"name": f"step_{position}", "kind": StepKind.OPERATION, **values}
        Step.objects.create(process=partner.process, position=position, **values)


def in_threads(*jobs: Callable[[], object]) -> list[object]:
    """Do the jobs at once, each with a database connection of its own; their results in order."""
    results: list[object] = [None] * len(jobs)

    def work(index: int) -> None:
        try:
            results[index] = jobs[index]()
        except Exception as error:  # noqa: BLE001 - handed to the test, which compares it
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


class OtherDesk:
    """The other desk's side: a list of answers per address (the last one repeats), and everything that it was sent.

    An answer is (status, JSON or text, headers) or a function of the request.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.sent: list[Request] = []
        self.bodies: list[bytes] = []

    def answers(self, path: str, *answers: Any, method: str = "POST") -> None:
        """What it answers at this address, one after the other."""
        left = list(answers)

        def handle(request: Request) -> Response:
            self.bodies.append(request.get_data())
            self.sent.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            return answer(request) if callable(answer) else respond(*answer)

        self.server.expect_request(path, method=method).respond_with_handler(handle)

    @property
    def paths(self) -> list[str]:
        """The addresses that were called, in order."""
        return [f"{request.method} {request.path}" for request in self.sent]

    def count(self, path: str) -> int:
        """How often it was called there."""
        return self.paths.count(path)


def respond(status: int, body: Any = "", headers: dict[str, str] | None = None) -> Response:
    """JSON, unless the body is text or bytes already."""
    response = Response(status=status, headers=headers)
    if isinstance(body, str | bytes):
        response.set_data(body)
    else:
        response.set_data(json.dumps(body))
        response.content_type = "application/json"
    return response


@pytest.fixture
def other_desk(httpserver: HTTPServer) -> Iterator[OtherDesk]:
    """A desk that takes everything: tickets get A-1, notes and closing are fine. `answers` changes that."""
    yield OtherDesk(httpserver)
    httpserver.check_handler_errors()


@pytest.fixture
def friendly(other_desk: OtherDesk) -> OtherDesk:
    """The same, with the answers of a desk where nothing goes wrong."""
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    for action in ("notes", "close", "reopen"):
        other_desk.answers(f"/tickets/A-1/{action}", (200, {}))
    return other_desk


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a process remembers between tries, forgotten: sessions, and that the broker was down."""
    authentication._sessions.clear()
    streams._broker_down_until = 0.0
    yield
    authentication._sessions.clear()
    streams._broker_down_until = 0.0


@pytest.fixture
def exchanged_task(desk: Any, partner: Any, friendly: OtherDesk) -> Task:
    """A task that the partner knows as A-1."""
    task: Task = desk.task(partner.group)
    work_everything()
    assert friendly.paths == ["POST /tickets"]
    return task
