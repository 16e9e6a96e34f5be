"""The other desk's side of a contract: documented answers over a real socket, and what stood on the wire."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.catalogue import add, load
from integrations.catalogue.building import process_name
from integrations.definition import describe_request
from integrations.engine.outcome import captured
from integrations.engine.rendering import render_request
from integrations.engine.sending import Occasion, attempt
from integrations.models import ExternalSystem, GroupBinding, Outcome, Polling, Process
from integrations.polling.worker import poll
from integrations.reading import records_of
from integrations.snapshot import contact_there, numbers_there, snapshot
from integrations.value_maps import theirs_for
from tests.cast import Desk
from tests.integrations.engine.conftest import OtherDesk, respond, run_states, work_everything
from tickets import actions
from tickets.models import AssignmentGroup, Note, Task

__all__ = ["Contract", "adopted", "run_states", "work_everything"]

POLL = {
    "since": "2026-01-31T09:30:00+00:00",
    "since_seconds": 1769851800,
    "since_ms": 1769851800000,
    "page": 1,
    "offset": 0,
    "size": 50,
    "next": "",
}


@dataclass
class Contract:
    """A desk that was added from the catalogue, with a bound group, and the server that plays it."""

    system: ExternalSystem
    group: AssignmentGroup
    played: OtherDesk
    desk: Desk

    def answers(self, line: str, *answers: Any) -> None:
        """What it answers to `METHOD /path`, one after the other (the last one repeats): (status, body, headers)."""
        method, _space, path = line.partition(" ")
        self.played.answers(path, *answers, method=method)

    @property
    def lines(self) -> list[str]:
        """Method and address of every request, as they stood on the wire."""
        return [f"{request.method} {request.environ['RAW_URI']}" for request in self.played.sent]

    def sent(self, index: int = -1) -> Request:
        """A request: the last one, if no other is named."""
        return self.played.sent[index]

    def body(self, index: int = -1) -> Any:
        """A body: JSON as data, else the bytes."""
        content = self.played.bodies[index]
        return json.loads(content) if "json" in self.sent(index).headers.get("Content-Type", "") else content

    def forget(self) -> None:
        """Begin a new list of requests."""
        self.played.sent.clear()
        self.played.bodies.clear()

    def worked(self, act: Callable[[], Any]) -> Any:
        """Do something at our desk and work off what follows, with a new list of requests; what it gave."""
        self.forget()
        result = act()
        work_everything()
        return result

    def give(self, **values: Any) -> Task:
        """A new task of the desk's group, worked off."""
        task: Task = self.worked(lambda: self.desk.task(self.group, self.desk.ticket(**values)))
        return task

    def note(self, task: Task, text: str, **values: Any) -> None:
        """A note on the task, worked off."""
        values = {"actor": self.desk.by_agent, "ticket": task.ticket, "task": task, "body": text, **values}
        self.worked(lambda: actions.add_note(**values))

    def attach(self, task: Task, name: str = "brücke.png", data: bytes = b"\x89PNG") -> None:
        """A file on the task, worked off."""
        content = actions.FileContent(name=name, data=data, content_type="image/png")
        self.worked(lambda: actions.attach(actor=self.desk.by_agent, ticket=task.ticket, task=task, content=content))

    def close(self, task: Task, solution: str = "Replaced", **values: Any) -> None:
        """The task closed, worked off."""
        self.worked(lambda: actions.close_task(actor=self.desk.by_agent, task=task, solution=solution, **values))

    def decline(self, task: Task, reason: str = "Still broken") -> None:
        """The desk has solved it (by whatever way it says so), and we decline."""
        from integrations.inbound import operations

        operations.reassign(system=self.system, task=task, solution="Done", completion_code="")
        task.refresh_from_db()
        self.worked(lambda: actions.decline_solution(actor=self.desk.by_agent, task=task, reason=reason))

    def poll(self) -> None:
        """Ask it for news by the preset's own polling, as the worker does."""
        polling = Polling.objects.get(system=self.system)
        Polling.objects.filter(pk=polling.pk).update(due_at=None, lease_until=None)
        self.forget()
        assert poll(polling.pk)
        polling.refresh_from_db()
        assert not polling.last_error, polling.last_error

    def notes(self, task: Task) -> list[str]:
        """What people read on the task's ticket."""
        return list(
            Note.objects.filter(ticket=task.ticket).order_by("written_at", "pk").values_list("body", flat=True)
        )

    def call(self, name: str, task: Task | None = None, **further: Any) -> Any:
        """One operation outside of a process, as a poll or a form calls it: what the try came to."""
        template = self.system.operations.get(name=name)
        request = {**describe_request(template, with_probe=False), "operation": name}
        context = self.context(task, **further)
        prepared = render_request(request, system=self.system, context=context)
        occasion = Occasion(system=self.system, dialect=request["protocol"], operation=name)
        return attempt(occasion, prepared, request, context), template, context

    def read(self, name: str, task: Task | None = None, **further: Any) -> list[dict[str, Any]]:
        """The records that a reading operation finds."""
        came, template, context = self.call(name, task, **further)
        assert came.verdict.outcome == Outcome.SUCCEEDED, came.verdict.reason
        assert came.response is not None
        return records_of(template, came.response, context)

    def captured(self, name: str, task: Task | None = None, **further: Any) -> dict[str, Any]:
        """What an operation captures."""
        came, template, context = self.call(name, task, **further)
        assert came.response is not None
        values, problems = captured(describe_request(template, with_probe=False), came.response, context)
        assert not problems
        return values

    def context(self, task: Task | None, **further: Any) -> dict[str, Any]:
        """What a poll's templates see."""
        system = self.system
        known: dict[str, Any] = {
            "system": {"code": system.code, "name": system.name, "settings": system.settings},
            "attachment": {},
            "event": {"operation": ""},
            "task": {},
            "ticket": {},
        }
        if task is not None:
            task.refresh_from_db()
            known = snapshot(
                task=task,
                system=system,
                request_type="Update",
                direction="Out",
                operation="",
                actor=self.desk.by_agent,
            )
            known["task"] |= numbers_there(task.pk, system.pk)
            known["ticket"]["contact"]["external_id"] = contact_there(task.ticket.contact_id, system.pk)
        known["poll"] = POLL | further.pop("poll", {})
        return {**known, "theirs": theirs_for(system, known), **further}


def adopted(code: str, *, server: HTTPServer, desk: Desk, path: str = "", **values: Any) -> Contract:
    """The preset added with the server's address, its group bound by the preset's own bindings."""
    preset = load(code)
    values = {"username": "bridge", "secret": "s3cret-of-the-desk", "settings": {}, **values}
    system = add(
        preset,
        name="Acme",
        code="acme-desk",
        base_url=server.url_for(path).rstrip("/"),
        allow_private=True,
        retry_schedule="1 s, 1 s, 1 s",
        **values,
    )
    group = AssignmentGroup.objects.create(name="Acme group", code="acme-group")
    bound = {
        f"{event}_process": Process.objects.get(name=process_name(system, key))
        for event, key in preset.bindings.items()
    }
    GroupBinding.objects.create(group=group, integrated=True, system=system, **bound)
    return Contract(system, group, OtherDesk(server), desk)


def text(status: int, body: str, content_type: str) -> Callable[[Request], Response]:
    """An answer that is not JSON."""

    def answer(_request: Request) -> Response:
        response = respond(status, body)
        response.content_type = content_type
        return response

    return answer


def parts(request: Request, body: bytes) -> list[tuple[str, str, str, bytes]]:
    """The parts of a form in their order: name, content type, file name, content."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    found = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _blank, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        values = {
            name.strip().lower(): value.strip()
            for name, _colon, value in (line.partition(":") for line in head.decode().splitlines())
        }
        named = dict(re.findall(r'(\w+)="([^"]*)"', values["content-disposition"]))
        found.append((named["name"], values.get("content-type", ""), named.get("filename", ""), content))
    return found
