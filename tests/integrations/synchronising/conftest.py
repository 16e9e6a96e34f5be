"""A small desk of somebody else's, over a real socket: tickets, notes and files, with a clock of its own, lists in
pages that are in whatever order and move while they are read, changes that are committed late, and failures."""

import base64
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.engine import authentication, streams
from integrations.engine.references import store_reference
from integrations.engine.runner import work_off
from integrations.models import (
    Exchange,
    OperationTemplate,
    Polling,
    PollingKind,
    Step,
    StepKind,
    Stream,
    ValueMapping,
    Way,
)
from integrations.polling.worker import poll
from tests.cast import Desk, Partner
from tickets import actions
from tickets.models import Note, Priority, Task

SECOND = timedelta(seconds=1)
LIST = "/api/tickets?since={{ poll.since }}&page={{ poll.page }}&size={{ poll.size }}"
READS = """reference = item.number
external_id = item.id
modified = item.modified
title = item.title
status = item.status
priority = item.priority
category = item.category
assignee = item.assignee
group = item.group
solution = item.solution"""
ONE = READS.replace("item.", "response.json.")


class TheirDesk:
    """The other desk. `ahead` is by how much its clock is before ours; time passes only by `wait`."""

    def __init__(self, server: HTTPServer) -> None:
        self.now = timezone.now().replace(microsecond=0)
        self.ahead = timedelta()
        self.tickets: dict[str, dict[str, Any]] = {}
        self.order = "ascending"
        self.numbers = itertools.count(1)
        self.asked: list[str] = []
        self.faults: list[Callable[[Request], Response | None]] = []
        self.late: list[dict[str, Any]] = []
        self.random = random.Random(7)
        server.expect_request(re.compile("^/api/")).respond_with_handler(self.answer)

    def wait(self, seconds: float = 1) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @property
    def clock(self) -> datetime:
        """What their clock shows."""
        return self.now + self.ahead

    def add(self, number: str, **values: Any) -> dict[str, Any]:
        """A ticket, with an internal id of its own."""
        ticket = {
            "id": f"id-{number}",
            "number": number,
            "title": "The printer is on fire",
            "status": "new",
            "priority": "3 normal",
            "category": "",
            "assignee": "",
            "group": "first line",
            "solution": "",
            "notes": [],
            "files": [],
        }
        self.tickets[number] = ticket
        return self.change(number, **values)

    def change(self, number: str, **values: Any) -> dict[str, Any]:
        """Somebody over there changes it."""
        ticket = self.tickets[number]
        ticket.update(values, modified=self.clock.isoformat())
        return ticket

    def say(self, number: str, text: str, *, author: str = "Lena", **values: Any) -> str:
        """Somebody over there writes a note; its id."""
        note = {"id": f"n-{next(self.numbers)}", "text": text, "author": author, "at": self.clock.isoformat()}
        note |= {"visibility": "public", **values}
        self.tickets[number]["notes"].append(note)
        self.change(number)
        return note["id"]

    def attach(self, number: str, name: str, data: bytes, **values: Any) -> str:
        """Somebody over there attaches a file; its id."""
        file = {"id": f"f-{next(self.numbers)}", "name": name, "type": "text/plain", "size": len(data), "data": data}
        self.tickets[number]["files"].append({**file, **values})
        self.change(number)
        return file["id"]

    def answer(self, request: Request) -> Response:
        """Any request, after the next fault, which may answer in its place or only do something."""
        self.asked.append(f"{request.method} {request.full_path.rstrip('?')}")
        fault = self.faults.pop(0) if self.faults else None
        prepared = fault(request) if fault else None
        if prepared is not None:
            return prepared
        match [*request.path.removeprefix("/api/").split("/"), request.method]:
            case ["tickets", "GET"]:
                return said({"tickets": self.page(request)})
            case ["ids", "GET"]:
                return said({"ids": [ticket["id"] for ticket in self.page(request)]})
            case ["tickets", name, "GET"]:
                ticket = self.find(name)
                return said(shown(ticket)) if ticket else said({"error": "not found"}, 404)
            case ["tickets", name, "PATCH"]:
                self.change(self.find(name)["number"], **json.loads(request.data))
                return said({})
            case ["tickets", name, "notes", "GET"]:
                return said({"notes": self.find(name)["notes"]})
            case ["tickets", name, "notes", "POST"]:
                body = json.loads(request.data)
                return said({"id": self.say(self.find(name)["number"], body["text"], author="deskbridge")})
            case ["tickets", name, "files", "GET"]:
                files = [{k: v for k, v in file.items() if k != "data"} for file in self.find(name)["files"]]
                return said({"files": files})
            case ["files", their_id, "GET"]:
                return Response(self.data(their_id), content_type="application/octet-stream")
            case ["encoded", their_id, "GET"]:
                return said({"content": base64.b64encode(self.data(their_id)).decode()})
        return said({"error": "no such address"}, 404)

    def data(self, their_id: str) -> bytes:
        """The bytes of a file."""
        files = itertools.chain.from_iterable(ticket["files"] for ticket in self.tickets.values())
        return next(file["data"] for file in files if file["id"] == their_id)

    def find(self, name: str) -> dict[str, Any]:
        """A ticket by its number or its internal id."""
        return next((each for each in self.tickets.values() if name in (each["number"], each["id"])), {})

    def page(self, request: Request) -> list[dict[str, Any]]:
        """One page of what was modified since, in the order that this desk has."""
        since = datetime.fromisoformat(request.args["since"])
        changed = [each for each in self.tickets.values() if datetime.fromisoformat(each["modified"]) >= since]
        changed = [each for each in changed if each["number"] not in self.late]
        changed.sort(key=lambda each: each["modified"], reverse=self.order == "descending")
        if self.order in ("any", "by time alone"):
            self.random.shuffle(changed)
        if self.order == "by time alone":
            # As of a database that is told no second column to sort by: equals come in another order each time.
            changed.sort(key=lambda each: each["modified"])
        size = int(request.args.get("size", 1000))
        start = (int(request.args.get("page", 1)) - 1) * size
        return [shown(each) for each in changed[start : start + size]]


def shown(ticket: dict[str, Any]) -> dict[str, Any]:
    """A ticket as the desk lists it."""
    return {name: value for name, value in ticket.items() if name not in ("notes", "files")}


def said(body: Any, status: int = 200) -> Response:
    """JSON."""
    return Response(json.dumps(body), status=status, content_type="application/json")


@pytest.fixture
def theirs(httpserver: HTTPServer) -> Iterator[TheirDesk]:
    """The other desk, without tickets."""
    yield TheirDesk(httpserver)
    httpserver.check_handler_errors()


@pytest.fixture
def polling(partner: Partner, theirs: TheirDesk) -> Polling:
    """The partner is asked by its operations, two tickets a page, at level full, with maps."""
    system = partner.system
    system.level = "full"
    system.save()
    for name, values in {
        "fetch_modified_since": {"path": LIST, "items": "response.json.tickets", "reads": READS},
        "fetch_ticket": {"path": "/api/tickets/{{ task.external_id }}", "reads": ONE},
        "fetch_notes": {
            "path": "/api/tickets/{{ task.external_id }}/notes",
            "items": "response.json.notes",
            "reads": "\n".join(f"{name} = item.{name}" for name in ("id", "text", "author", "at", "visibility")),
        },
        "fetch_attachments": {
            "path": "/api/tickets/{{ task.external_id }}/files",
            "items": "response.json.files",
            "reads": "id = item.id\nname = item.name\ncontent_type = item.type\nsize = item.size",
        },
        "download_attachment": {"path": "/api/files/{{ file.id }}"},
    }.items():
        OperationTemplate.objects.create(system=system, name=name, method="GET", **values)
    partner.note.path = "/api/tickets/{{ task.external_id }}/notes"
    partner.note.captures = "message_id = response.json.id"
    partner.note.save()
    for kind, ours, their, way in (
        ("status", "initial_support", "new", "both"),
        ("status", "", "pending", "in"),
        ("status", "initial_support", "open", "in"),
        ("status", "review", "solved", "both"),
        ("status", "close", "closed", "both"),
        ("status", "cancelled", "cancelled", "in"),
        ("status", "rejected", "refused", "in"),
        ("priority", "p1", "1 very high", "both"),
        ("priority", "p2", "1 very high", "out"),
        ("priority", "p3", "3 normal", "both"),
    ):
        ValueMapping.objects.create(system=system, kind=kind, ours=ours, theirs=their, way=way)
    return Polling.objects.create(system=system, kind=PollingKind.OPERATIONS, page_size=2)


@pytest.fixture
def priorities(desk: Desk) -> dict[str, Priority]:
    """P1 and P2, beside the desk's P3."""
    made = [Priority.objects.create(code=f"p{rank}", name=f"Priority {rank}", rank=rank) for rank in (1, 2)]
    return {each.code: each for each in (*made, desk.priority)}


def exchanged(desk: Desk, partner: Partner, theirs: TheirDesk, number: str) -> Task:
    """A task of ours that is theirs `number`."""
    theirs.add(number)
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value=number, external_id=f"id-{number}")
    # What its create would have sent is of no interest here.
    Stream.objects.get(task=task).runs.update(state="done", finished_at=timezone.now())
    return task


@pytest.fixture
def task(desk: Desk, partner: Partner, theirs: TheirDesk, polling: Polling, priorities: Any) -> Task:
    """A task of ours, their T-1, at which was looked once."""
    task = exchanged(desk, partner, theirs, "T-1")
    look(polling)
    theirs.wait(60)
    return task


@pytest.fixture
def tells(partner: Partner, polling: Polling) -> OperationTemplate:
    """The partner is told our priority and phase, in its own words, at each update without a text."""
    update = OperationTemplate.objects.create(
        system=partner.system,
        name="update_ticket",
        method="PATCH",
        path="/api/tickets/{{ task.external_id }}",
        body='{"priority": "{{ theirs.priority }}", "status": "{{ theirs.status }}"}',
        repeat="safe",
    )
    Step.objects.create(
        process=partner.process,
        position=0,
        name="update_ticket",
        kind=StepKind.OPERATION,
        operation=update,
        condition='event.request_type == "Update" and not event.text',
    )
    partner.process.steps.filter(name="add_note").update(condition='event.request_type == "Update" and event.text')
    return update


def ours(task: Task) -> tuple[str, str]:
    """Phase and priority as they are now."""
    task.refresh_from_db()
    return task.phase, task.ticket.priority.code


def set_priority(desk: Desk, task: Task, priority: Priority) -> None:
    """Our agent changes it."""
    task.ticket = actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, priority=priority)


def look(polling: Polling, times: int = 1) -> Polling:
    """Poll as if its time had come, until the claim has no more to do."""
    for _ in range(times):
        for _claim in range(30):
            Polling.objects.filter(pk=polling.pk).update(due_at=timezone.now())
            poll(polling.pk)
            polling.refresh_from_db()
            if not polling.round or polling.failures:
                break
    return polling


def send_all() -> None:
    """The engine works off what is due."""
    for stream in Stream.objects.order_by("pk"):
        work_off(stream.pk)


def notes(task: Task | None = None) -> list[str]:
    """Every note there is, in order, as people read them."""
    found = Note.objects.order_by("written_at", "pk")
    return list((found.filter(task=task) if task else found).values_list("body", flat=True))


def taken() -> list[tuple[str, str]]:
    """What was taken over: operation and outcome, in order."""
    rows = Exchange.objects.filter(way=Way.IN, dialect="operations").order_by("pk")
    return list(rows.values_list("operation", "outcome"))


def remarks(task: Task) -> list[str]:
    """What the history says in words."""
    return list(task.ticket.history.filter(event="remark").order_by("pk").values_list("text", flat=True))


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Sessions, and that the broker was down."""
    authentication._sessions.clear()
    streams._broker_down_until = 0.0
    yield
    authentication._sessions.clear()
    streams._broker_down_until = 0.0


__all__ = [
    "SECOND",
    "UTC",
    "TheirDesk",
    "exchanged",
    "look",
    "notes",
    "ours",
    "remarks",
    "said",
    "send_all",
    "set_priority",
    "taken",
]
