"""A desk that speaks Case Exchange: it signs in, sends entities, polls and exchanges files."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from integrations.models import Exchange, FeedEntry
from tests.integrations.inbound.conftest import Desk, make_task
from tickets.models import Task

LOGIN = "/auth/authentication-endpoint/authenticate/login"
CES = "/rest/deskbridge/ces"
FILES = "/rest/deskbridge/frs/file-list"
NEW = {"DisplayLabel": "No delivery", "Description": "Since Monday", "ContactEmail": "ada@example.com"}


@dataclass
class CaseDesk:
    """Northwind's client; signed in unless a test wants it otherwise."""

    desk: Desk
    client: Client = field(default_factory=Client)

    def sign_in(self, path: str = f"{LOGIN}?TENANTID=deskbridge", **given: Any) -> Any:
        """Ask for a session; the client keeps its cookies."""
        body = {"login": self.desk.system.code, "password": self.desk.key, **given}
        return self.client.post(path, body, content_type="application/json")

    def send(self, operation: str, task: Task | None = None, *, reference: str = "INC-1", **parts: Any) -> Any:
        """One operation; `comments` are the entity's, `query` and `key` the request's, the rest are properties."""
        query, key = parts.pop("query", ""), parts.pop("key", "")
        entity = {
            "entity_type": "Incident",
            "Comments": parts.pop("comments", []),
            "ext_properties": {"ExternalSystem": "northwind", "Operation": operation, "ExternalId": reference},
            "properties": ({"Id": task.number} if task else {}) | parts,
        }
        return self.post({"entities": [entity]}, query=query, key=key)

    def post(self, body: Any, *, query: str = "", key: str = "") -> Any:
        """Any body."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(CES + query, body, content_type="application/json", headers=headers)

    def poll(self, time: int = 0, **query: Any) -> Any:
        """The feed from a time on."""
        return self.client.get(CES, {"type": "Incident", "system": self.desk.system.code, "time": time, **query})

    def upload(self, data: bytes, name: str = "", content_type: str = "text/plain") -> str:
        """The guid of an uploaded file."""
        headers = {"fs-filename": name} if name else {}
        response = self.client.generic("POST", FILES, data, content_type=content_type, headers=headers)
        assert response.status_code == 200, response.content
        return str(response.json()["guid"])


def comment(text: str, at: int = 1_700_000_000_000, **values: Any) -> dict[str, Any]:
    """A comment of an entity."""
    return {"CreatedTime": at, "IsSystem": False, "Body": text, "PrivacyType": "PUBLIC", **values}


def named(*guids: str, **values: Any) -> str:
    """The value of `IncidentAttachments`."""
    files = [{"properties": {"id": guid, **values}} for guid in guids]
    return json.dumps({"complexTypeProperties": files})


def problem(response: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    body = response.json()
    assert (body["entities"], body["meta"]["completion_status"]) == ([], "FAILED")
    (details,) = body["meta"]["errorDetailsList"]
    assert details["message"]
    return response.status_code, details["errorCode"]


def wrong_fields(response: Any) -> dict[str, list[str]]:
    """What a refusal says of which field."""
    fields: dict[str, list[str]] = response.json()["meta"]["errorDetailsList"][0]["fields"]
    return fields


def last_exchange() -> Exchange:
    """The newest of the log."""
    return Exchange.objects.latest("pk")


def entry_for(task: Task, system: Any, operation: str = "update", **properties: Any) -> FeedEntry:
    """A feed entry without a run."""
    content = {
        "entity_type": "Incident",
        "properties": {"Id": task.number, "DisplayLabel": task.title, **properties},
        "Comments": [],
        "ext_properties": {"Operation": operation.capitalize(), "ExternalId": "", "ExternalSystem": system.code},
    }
    return FeedEntry.objects.create(system=system, task=task, operation=operation, content=content)


@pytest.fixture
def cases(northwind: Desk) -> CaseDesk:
    """Northwind, signed in."""
    signed_in = CaseDesk(northwind)
    assert signed_in.sign_in().status_code == 200
    return signed_in


@pytest.fixture
def known(northwind: Desk) -> Task:
    """A task that Northwind knows as INC-1."""
    return make_task(northwind, reference="INC-1")
