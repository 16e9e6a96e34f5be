"""A desk that lists what it has done: a feed over a real socket, with whatever goes wrong there."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.engine import authentication, streams
from integrations.engine.references import store_reference
from integrations.models import Exchange, Polling, Way
from integrations.polling.worker import poll
from tests.cast import Desk, Partner
from tickets.models import Note, Task

PATH = "/rest/acme/ces"
FILES = "/rest/acme/frs/file-list"
# A clock that is years behind ours, in milliseconds.
START = 1_000_000_000_000


class Feed:
    """The other desk: entries in order of their time, listed by `time`, `skip` and `size` as the contract says."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.entries: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.asked: list[dict[str, str]] = []
        self.fetched: list[str] = []
        self.answers: list[Callable[[Request], Response] | None] = []
        server.expect_request(PATH).respond_with_handler(self.listing)
        server.expect_request(FILES + "/f-1").respond_with_handler(self.file)
        server.expect_request(FILES + "/f-2").respond_with_handler(self.file)

    def add(self, operation: str = "Update", *, time: int, **values: Any) -> dict[str, Any]:
        """One more entry: of their A-1, unless values say otherwise. Names with a capital are properties."""
        properties = {"Id": "A-1", "LastUpdateTime": time} | {k: v for k, v in values.items() if k[0].isupper()}
        entity = {
            "entity_type": "Incident",
            "properties": properties,
            "Comments": values.get("comments", []),
            "ext_properties": {"ExternalSystem": "us", "Operation": operation, "ExternalId": values.get("ours", "")},
        }
        self.entries.append(entity)
        return entity

    def say(self, text: str, *, time: int, **values: Any) -> dict[str, Any]:
        """An update with one comment."""
        comment = {"CreatedTime": time, "Body": text, "PrivacyType": "PUBLIC", "IsSystem": False}
        return self.add(time=time, comments=[comment], **values)

    def listing(self, request: Request) -> Response:
        """Entries strictly after `time`, oldest first; or the next of the prepared `answers`."""
        self.asked.append(request.args.to_dict())
        prepared = self.answers.pop(0) if self.answers else None
        if prepared is not None:
            return prepared(request)
        after, skip, size = (int(request.args[name]) for name in ("time", "skip", "size"))
        found = [entry for entry in self.entries if entry["properties"]["LastUpdateTime"] > after]
        found.sort(key=lambda entry: entry["properties"]["LastUpdateTime"])
        return answer({"entities": found[skip : skip + size], "meta": {"completion_status": "OK"}})

    def file(self, request: Request) -> Response:
        """A file's bytes."""
        guid = request.path.rpartition("/")[2]
        self.fetched.append(guid)
        if guid not in self.files:
            return Response("busy", status=503)
        return Response(self.files[guid], content_type="application/octet-stream")


def answer(body: Any, status: int = 200) -> Response:
    """JSON, or the text itself."""
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(text, status=status, content_type="application/json")


def named(*files: str) -> str:
    """The value of IncidentAttachments for these ids."""
    listed = [{"properties": {"id": name, "file_name": f"{name}.txt", "mime_type": "text/plain"}} for name in files]
    return json.dumps({"complexTypeProperties": listed})


def poll_now(polling: Polling) -> bool:
    """As if its time had come."""
    Polling.objects.filter(pk=polling.pk).update(due_at=timezone.now())
    done = poll(polling.pk)
    polling.refresh_from_db()
    return done


def notes() -> list[str]:
    """Every note there is, in order."""
    return list(Note.objects.order_by("pk").values_list("body", flat=True))


def incoming() -> list[str]:
    """What became of every entry, in order."""
    return list(Exchange.objects.filter(way=Way.IN).order_by("pk").values_list("outcome", flat=True))


@pytest.fixture
def feed(httpserver: HTTPServer) -> Iterator[Feed]:
    """A desk with nothing to tell so far."""
    yield Feed(httpserver)
    httpserver.check_handler_errors()


@pytest.fixture
def polling(partner: Partner, feed: Feed) -> Polling:
    """The partner is polled, two entries a page."""
    return Polling.objects.create(system=partner.system, path=PATH, our_name="deskbridge", page_size=2)


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    """A task of the partner, who knows it as A-1."""
    task: Task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    return task


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Sessions, and that the broker was down."""
    authentication._sessions.clear()
    streams._broker_down_until = 0.0
    yield
    authentication._sessions.clear()
    streams._broker_down_until = 0.0
