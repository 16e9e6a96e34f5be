"""A whole exchange over sockets, with an HTTP client that knows nothing of us but the docs."""

import json
from typing import Any

import pytest
import requests

from integrations.models import Exchange, Process, Step, StepKind
from tests.integrations.engine.conftest import work_everything
from tests.integrations.inbound.conftest import AGENT, Desk, make_desk, make_task
from tickets import actions
from tickets.actions import add_note
from tickets.actors import Actor, ActorKind
from tickets.lifecycle import Phase


class Client:
    """A desk that polls and answers."""

    def __init__(self, address: str, desk: Desk) -> None:
        self.base, self.code = address, desk.system.code
        self.session = requests.Session()
        self.time = 0
        login = f"{address}/auth/authentication-endpoint/authenticate/login?TENANTID=deskbridge"
        answer = self.session.post(login, json={"login": desk.system.code, "password": desk.key}, timeout=10)
        assert answer.status_code == 200
        assert answer.text == self.session.cookies["LWSSO_COOKIE_KEY"]

    def poll(self) -> list[dict[str, Any]]:
        """What is new."""
        query = {"type": "Incident", "system": self.code, "time": self.time, "skip": 0, "size": 50}
        answer = self.session.get(f"{self.base}/rest/deskbridge/ces", params=query, timeout=10).json()
        self.time = answer["meta"]["query_time"]
        return list(answer["entities"])

    def send(self, operation: str, number: str = "INC-7", **parts: Any) -> dict[str, Any]:
        """An operation; properties, or `comments`."""
        entity = {
            "entity_type": "Incident",
            "Comments": parts.pop("comments", []),
            "properties": parts,
            "ext_properties": {"ExternalSystem": self.code, "Operation": operation, "ExternalId": number},
        }
        answer = self.session.post(f"{self.base}/rest/deskbridge/ces", json={"entities": [entity]}, timeout=10)
        assert answer.ok, answer.text
        return dict(answer.json()["entities"][0]["entity"]["properties"])


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """A desk that pulls: one process publishes everything."""
    desk = make_desk("Northwind")
    process = Process.objects.create(name="Feed")
    Step.objects.create(process=process, name="publish", kind=StepKind.FEED)
    binding = desk.group.binding
    binding.assignment_process = binding.update_process = binding.closure_process = process
    binding.save()
    return desk


def test_a_task_goes_out_by_the_feed_and_comes_back_resolved(live_server: Any, northwind: Desk):
    task = make_task(northwind)
    client = Client(live_server.url, northwind)
    work_everything()
    (assigned,) = client.poll()
    assert assigned["ext_properties"]["Operation"] == "Assign"
    ours = assigned["properties"]["Id"]
    assert ours == task.number

    assert client.send("Acknowledge", Id=ours)["Id"] == ours
    assert task.external_references.get().value == "INC-7"
    client.send("Update", comments=[{"CreatedTime": 1, "Body": "We look into it"}])

    upload = client.session.post(
        f"{client.base}/rest/deskbridge/frs/file-list",
        data="hällo".encode(),
        headers={"fs_filename": "log.txt", "Content-Type": "text/plain"},
        timeout=10,
    ).json()
    named = {"complexTypeProperties": [{"properties": {"id": upload["guid"], "file_name": "log.txt"}}]}
    client.send("Update", IncidentAttachments=json.dumps(named))
    assert list(task.attachments.values_list("name", flat=True)) == ["log.txt"]

    content = actions.FileContent("photo.png", b"\x89PNG")
    actions.attach(actor=AGENT, ticket=task.ticket, task=task, content=content)
    work_everything()
    assert client.poll() == []
    agent = Actor(kind=ActorKind.AGENT, name="Ada")
    actions.attach(actor=agent, ticket=task.ticket, task=task, content=content)
    add_note(actor=agent, ticket=task.ticket, task=task, body="Any news?")
    work_everything()
    photo, question = client.poll()
    (file,) = json.loads(photo["properties"]["IncidentAttachments"])["complexTypeProperties"]
    address = f"{client.base}/rest/deskbridge/frs/file-list/{file['properties']['id']}"
    assert client.session.get(address, timeout=10).content == b"\x89PNG"
    assert [comment["Body"] for comment in question["Comments"]] == ["Any news?"]
    assert question["ext_properties"]["ExternalId"] == "INC-7"

    assert client.send("Resolve", Solution="New toner")["PhaseId"] == "Review"
    task.refresh_from_db()
    assert (task.phase, task.solution) == (Phase.REVIEW, "New toner")
    actions.accept_solution(actor=AGENT, task=task)
    work_everything()
    assert [entity["ext_properties"]["Operation"] for entity in client.poll()] == ["Close"]
    assert client.poll() == []
    ways = list(Exchange.objects.order_by("pk").values_list("way", "operation"))
    assert ways == [
        ("out", "assign"),
        ("in", "acknowledge"),
        ("in", "update"),
        ("in", "upload"),
        ("in", "update"),
        ("out", "update"),
        ("out", "update"),
        ("in", "resolve"),
        ("out", "close"),
    ]
