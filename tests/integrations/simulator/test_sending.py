"""What the practice desk sends to the portal; a stand-in for the portal listens on a real socket."""

import base64
import time

import pytest
from lxml import etree
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.practice_desk import PracticeDesk

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "http://example.org/workflow"
SOAP_PATH = "/Workflow/WebService/WorkflowService.asmx"
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def requests_seen(httpserver: HTTPServer, practice_desk: PracticeDesk) -> list[Request]:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        return Response('{"ok": true}', 200, content_type="application/json")

    for path in (
        SOAP_PATH,
        *(f"/api/v1/tasks/1001-1/{end}/" for end in ("acknowledge", "updates", "reassign", "operations")),
    ):
        httpserver.expect_request(path, method="POST").respond_with_handler(answer)
    practice_desk.configure(portal_url=httpserver.url_for("/").rstrip("/"), api_key="key-1", soap_namespace=NAMESPACE)
    return seen


def ticket(desk: PracticeDesk, query: str = "") -> str:
    response = desk.post(f"/api/tickets{query}", json={"caller_reference": "1001-1", "title": "Printer"})
    assert response.ok
    return desk.state()[-1]["number"]


def arguments(request: Request) -> tuple[str, list[tuple[str, str]]]:
    """The method of a SOAP request and its arguments in order."""
    [call] = etree.fromstring(request.get_data()).find(f"{{{ENVELOPE}}}Body")
    assert etree.QName(call).namespace == NAMESPACE
    return etree.QName(call).localname, [(etree.QName(part).localname, part.text or "") for part in call]


def test_rest_messages_carry_key_idempotency_key_and_fields(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    file = {"name": "a.txt", "content_type": "text/plain", "content": base64.b64encode(b"hi").decode()}
    practice_desk.send(number, "acknowledgement", message_id="m-1")
    practice_desk.send(
        number, "message", text="hello", visibility="internal", author="Bo", attachments=[file], message_id="m-2"
    )
    practice_desk.send(number, "solution", solution="Water.", completion_code="OK", message_id="m-3")
    practice_desk.send(number, "rejection", solution="Not ours.", message_id="m-4")
    assert [request.path.split("/")[-2] for request in requests_seen] == [
        "acknowledge",
        "updates",
        "reassign",
        "reassign",
    ]
    assert {request.headers["Authorization"] for request in requests_seen} == {"Api-Key key-1"}
    assert [request.headers["Idempotency-Key"] for request in requests_seen] == ["m-1", "m-2", "m-3", "m-4"]
    assert [request.json for request in requests_seen] == [
        {"external_reference": number, "message_id": "m-1"},
        {
            "text": "hello",
            "visibility": "internal",
            "author": "Bo",
            "attachments": [file],
            "message_id": "m-2",
        },
        {"solution": "Water.", "completion_code": "OK", "status": "ready", "message_id": "m-3"},
        {"solution": "Not ours.", "status": "rejected", "message_id": "m-4"},
    ]
    [kept] = practice_desk.state()
    assert (kept["state"], kept["solution"], bool(kept["acknowledged_at"])) == ("closed", "Water.", True)
    assert [note["text"] for note in kept["notes"]] == ["hello", "Water.", "Not ours."]


def test_the_further_operations_travel_over_rest_by_their_name(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    practice_desk.send(number, "assignment", message_id="m-1")
    practice_desk.send(number, "closing", solution="Water.", completion_code="fulfilled", message_id="m-2")
    practice_desk.send(number, "reopening", text="It burns.", author="Bo", message_id="m-3")
    practice_desk.send(number, "cancellation", message_id="m-4")
    assert {request.path for request in requests_seen} == {"/api/v1/tasks/1001-1/operations/"}
    assert [request.json for request in requests_seen] == [
        {"operation": "assign", "message_id": "m-1"},
        {"operation": "close", "solution": "Water.", "completion_code": "fulfilled", "message_id": "m-2"},
        {"operation": "reopen", "reason": "It burns.", "author": "Bo", "message_id": "m-3"},
        {"operation": "cancel", "message_id": "m-4"},
    ]


def test_soap_messages_carry_the_arguments_in_the_order_of_the_contract(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    options = {"channel": "soap", "message_id": "m"}
    practice_desk.send(number, "acknowledgement", **options)
    practice_desk.send(number, "message", text="<b>&\x07", author="Bo", visibility="internal", **options)
    practice_desk.send(number, "solution", solution="Water.", completion_code="OK", status="closed", **options)
    practice_desk.send(number, "rejection", solution="Not ours.", **options)
    about, ours, key = ("taskNumber", "1001-1"), ("externalReference", number), ("messageId", "m")
    assert [arguments(request) for request in requests_seen] == [
        ("ProcessInstanceTaskExternalAcknowledgement", [about, ours, key]),
        (
            "ProcessInstanceTaskExternalUpdateMessage",
            [about, ours, ("text", "<b>&"), ("visibility", "Internal"), ("author", "Bo"), key],
        ),
        (
            "ProcessInstanceTaskExternalReassignment",
            [about, ours, ("solution", "Water."), ("completionCode", "OK"), ("status", "Closed"), key],
        ),
        (
            "ProcessInstanceTaskExternalReassignment",
            [about, ours, ("solution", "Not ours."), ("status", "Rejected"), key],
        ),
    ]
    [first, *_] = requests_seen
    assert first.headers["SOAPAction"] == f'"{NAMESPACE}ProcessInstanceTaskExternalAcknowledgement"'
    assert (first.authorization.username, first.authorization.password) == ("practice-desk", "key-1")
    assert first.content_type == "text/xml; charset=utf-8"


def test_send_twice_delivers_the_same_message_under_the_same_key(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    practice_desk.set_fault("send_twice")
    practice_desk.send(number, "message", text="hello")
    practice_desk.send(number, "message", text="again")
    first, second, third = requests_seen
    assert first.get_data() == second.get_data()
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert third.json["text"] == "again"
    assert [note["text"] for note in practice_desk.state()[0]["notes"]] == ["hello", "again"]


def test_out_of_order_delivers_a_batch_from_its_end(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    practice_desk.set_fault("out_of_order", batch=3)
    assert practice_desk.send(number, "acknowledgement")["state"] == "held"
    assert practice_desk.send(number, "message", text="hello")["state"] == "held"
    assert requests_seen == []
    assert practice_desk.send(number, "solution", solution="Water.")["state"] == "sent"
    assert [request.path.split("/")[-2] for request in requests_seen] == ["reassign", "updates", "acknowledge"]
    practice_desk.send(number, "message", text="in order again")
    assert len(requests_seen) == 4


def test_what_is_held_back_can_be_released_before_the_batch_is_full(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    number = ticket(practice_desk)
    practice_desk.set_fault("out_of_order", batch=9)
    practice_desk.send(number, "acknowledgement")
    practice_desk.send(number, "message", text="hello")
    assert practice_desk.control("POST", "/api/outgoing/release") == {"released": 2}
    assert [request.path.split("/")[-2] for request in requests_seen] == ["updates", "acknowledge"]


def test_a_ticket_without_number_is_acknowledged_by_itself(
    practice_desk: PracticeDesk, requests_seen: list[Request]
) -> None:
    practice_desk.configure(acknowledge_after=0.2)
    number = ticket(practice_desk, "?reference=later")
    until = time.monotonic() + 10
    while not practice_desk.state()[0]["acknowledged_at"] and time.monotonic() < until:
        time.sleep(0.05)
    [request] = requests_seen
    assert request.json["external_reference"] == number
    assert practice_desk.get(f"/api/tickets/{number}").status_code == 200


@pytest.mark.parametrize("channel", ["rest", "soap"])
def test_a_portal_that_refuses_or_is_away_is_a_failure_that_changes_nothing(
    practice_desk: PracticeDesk, httpserver: HTTPServer, channel: str
) -> None:
    number = ticket(practice_desk, "?reference=later")
    httpserver.expect_request(SOAP_PATH).respond_with_data("<r><success>false</success></r>", 200)
    httpserver.expect_request("/api/v1/tasks/1001-1/acknowledge/").respond_with_data("no", 403)
    practice_desk.configure(portal_url=httpserver.url_for("/").rstrip("/"))
    refused = practice_desk.send(number, "acknowledgement", channel=channel)
    practice_desk.configure(portal_url=CLOSED_PORT)
    away = practice_desk.send(number, "acknowledgement", channel=channel)
    assert (refused["state"], refused["status"]) == ("failed", 200 if channel == "soap" else 403)
    assert (away["state"], away["status"]) == ("failed", None)
    assert "refused" in away["answer"]
    [kept] = practice_desk.state()
    assert kept["number_withheld"]
    first, second = practice_desk.calls(direction="out")
    assert first["response_body"]
    assert second["problem"]


def test_the_portals_key_is_not_in_the_log(practice_desk: PracticeDesk, requests_seen: list[Request]) -> None:
    number = ticket(practice_desk)
    for channel in ("rest", "soap"):
        practice_desk.send(number, "acknowledgement", channel=channel)
    log = practice_desk.calls(direction="out")
    assert [call["request_headers"]["Authorization"] for call in log] == ["(removed)", "(removed)"]
    assert "key-1" not in str(log)
    assert "key-1" not in practice_desk.get("/api/settings").text
    assert "key-1" not in practice_desk.get("/settings/").text


@pytest.mark.parametrize("message", [{"kind": "message"}, {"kind": "solution"}, {"kind": "x"}, {}])
def test_a_message_without_what_it_needs_is_not_sent(
    practice_desk: PracticeDesk, requests_seen: list[Request], message: dict[str, str]
) -> None:
    response = practice_desk.post("/api/outgoing", json={"ticket": ticket(practice_desk), **message})
    assert response.status_code == 400
    assert requests_seen == []
