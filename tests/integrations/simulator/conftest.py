"""A caller of the practice desk's Case Exchange, signed in as partners do it."""

import json
from typing import Any

import pytest
import requests

from tests.practice_desk import PracticeDesk

SIGN_IN = "/auth/authentication-endpoint/authenticate/login"


class Caller:
    """Brings entities over a session of its own."""

    def __init__(self, desk: PracticeDesk) -> None:
        self.desk = desk
        self.http = requests.Session()
        self.http.trust_env = False
        sign_in = {"login": desk.user, "password": desk.password}
        answer = self.send("POST", f"{SIGN_IN}?TENANTID=practice", json=sign_in)
        assert answer.status_code == 200, answer.text
        self.token = answer.text
        # The cookies are for browsers; callers write the header themselves.
        self.http.cookies.clear()
        self.http.headers["Cookie"] = f"LWSSO_COOKIE_KEY={self.token}; TENANTID=practice"

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call any address; no status is an error here."""
        return self.http.request(method, f"{self.desk.url}{path}", **{"timeout": 30, **options})

    def bring(
        self, operation: str, *, comments: Any = (), external: Any = None, **properties: Any
    ) -> requests.Response:
        """Bring one entity about our task 1001-1."""
        entity = {
            "entity_type": "Incident",
            "properties": properties,
            "Comments": list(comments),
            "ext_properties": {
                "ExternalSystem": "deskbridge",
                "Operation": operation,
                "ExternalId": "1001-1",
                **(external or {}),
            },
        }
        return self.send("POST", "/rest/practice/ces", json={"entities": [entity]})

    def upload(self, name: str, content: bytes, content_type: str = "image/png") -> str:
        """Put a file into the file list; its id."""
        headers = {"fs_filename": name, "Content-Type": content_type}
        answer = self.send("POST", "/rest/practice/frs/file-list", data=content, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["guid"])

    def feed(self, **query: Any) -> dict[str, Any]:
        """The desk's own changes."""
        params = {"type": "Incident", "system": "deskbridge", **query}
        answer = self.send("GET", "/rest/practice/ces", params=params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def number_in(answer: requests.Response) -> str | None:
    """The desk's number in the answer to an entity."""
    assert answer.ok, answer.text
    assert answer.json()["meta"]["completion_status"] == "OK"
    [result] = answer.json()["entities"]
    number: str | None = result["entity"]["properties"]["Id"]
    return number


def attachments(*guids: str) -> str:
    """Files as the property names them."""
    return json.dumps({"complexTypeProperties": [{"properties": {"id": guid}} for guid in guids]})


@pytest.fixture
def caller(practice_desk: PracticeDesk) -> Any:
    """A caller that is signed in."""
    caller = Caller(practice_desk)
    yield caller
    caller.http.close()
