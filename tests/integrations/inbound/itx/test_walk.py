"""A whole case with curl and with requests, over HTTP, with the three values as headers and in the query."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.models import Exchange
from tests.integrations.inbound.conftest import make_desk
from tests.integrations.inbound.itx.conftest import Itx
from tickets.models import Priority

Send = Callable[..., Any]


def by_curl(url: str, values: dict[str, str], in_query: bool, folder: Path) -> Send:
    """As the document's own example calls."""

    def send(path: str, body: Any = None, file: str = "") -> Any:
        arguments = ["curl", "--silent", "--noproxy", "*", "--max-time", "30", "--fail-with-body"]
        address = f"{url}/rest/{path}"
        if in_query:
            mark = "&" if "?" in path else "?"
            address += mark + "&".join(f"{name}={value}" for name, value in values.items())
        else:
            for name, value in values.items():
                arguments += ["--header", f"{name}: {value}"]
        if file:
            (folder / "sample.pdf").write_text(file)
            arguments += ["--request", "POST", "--header", "content-type: multipart/form-data"]
            arguments += ["--form", f"files=@{folder / 'sample.pdf'}"]
        elif body is not None:
            arguments += ["--header", "content-type: application/json", "--data", json.dumps(body)]
        done = subprocess.run([*arguments, address], capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    return send


def by_requests(url: str, values: dict[str, str], in_query: bool, folder: Path) -> Send:
    """As a program would."""
    session = requests.Session()
    session.trust_env = False
    (session.params if in_query else session.headers).update(values)

    def send(path: str, body: Any = None, file: str = "") -> Any:
        files = {"files": ("sample.pdf", file)} if file else None
        method = "POST" if body is not None or file else "GET"
        response = session.request(method, f"{url}/rest/{path}", json=body, files=files, timeout=30)
        assert response.ok, response.text
        return response.json()

    return send


@pytest.mark.parametrize("client", [by_curl, by_requests])
@pytest.mark.parametrize("in_query", [False, True], ids=["headers", "query"])
def test_a_case_is_created_spoken_of_changed_closed_and_read(
    live_server: Any, tmp_path: Path, client: Callable[..., Send], in_query: bool
):
    priority = Priority.objects.create(code="normal", name="Normal", rank=3, is_default=True)
    itx = Itx(make_desk("Northwind"))
    send = client(live_server.url, itx.values, in_query, tmp_path)
    assert send("api/state")["state"] == "active"
    assert [row["emprId"] for row in send("itxems/priorities")] == [priority.pk]
    closed = next(row for row in send("itxems/statuses?type=35013") if row["internalStatus"] == 2)
    assert send("itxems/categories") == send("itxpbx/queue") == []
    made = send("itxems/case", {"description": "Grüße", "corporation": {"corpId": 1}, "status": 1})
    case = made["eactId"]
    send("itxems/activitytexts", {"text": "Still nothing", "activity": {"eactId": case}})
    send(f"core/corefile?tblId=35007&type=3&id={case}", file="hello")
    (read,) = send(f"itxems/cases?seqNo={made['seqNo']}&getMembers=true&getComments=true&limitFrom=0&limitTo=1")
    assert (read["description"], read["texts"][0]["text"]) == ("Grüße", "Still nothing")
    send("itxems/case", {**read, "status": 2})
    (after,) = send("itxems/cases/search", {"eactIds": [case], "getFiles": True, "getLogs": True})
    assert (after["status"], after["emsStatus"]["emstId"]) == (2, closed["emstId"])
    assert [row["name"] for row in after["coreFileReferences"]] == ["sample.pdf"]
    assert "status" in {log["attribute"] for log in after["logs"]}
    for exchange in Exchange.objects.all():
        assert itx.desk.key not in f"{exchange.url}{exchange.request_headers}{exchange.request_body}"
