"""What the practice desk brings to the portal over Case Exchange, and what it lists for it."""

import base64
import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.integrations.simulator.conftest import Caller
from tests.integrations.simulator.portal import KEY, StandIn
from tests.practice_desk import PracticeDesk

FILE = {"name": "a ü.txt", "content_type": "text/plain", "content": base64.b64encode(b"hi").decode()}
# Kind and fields of a message; the operation, and the properties besides the number; text and privacy of its comment.
MESSAGES = [
    ("acknowledgement", {}, "Acknowledge", {}, None),
    ("message", {"text": "hello", "visibility": "internal"}, "Update", {}, ("hello", "PRIVATE")),
    ("message", {"text": "hello"}, "Update", {}, ("hello", "PUBLIC")),
    (
        "solution",
        {"solution": "Water", "completion_code": "CompletionCodeFulfilled"},
        "Resolve",
        {"Solution": "Water", "CompletionCode": "CompletionCodeFulfilled"},
        None,
    ),
    ("closing", {"solution": "Sand"}, "Close", {"Solution": "Sand"}, None),
    ("reopening", {"text": "It burns"}, "Reopen", {}, ("It burns", "PUBLIC")),
    ("assignment", {}, "Assign", {}, None),
    ("cancellation", {}, "Cancel", {}, None),
    ("rejection", {"solution": "Not ours"}, "Reject", {}, ("Not ours", "PUBLIC")),
]
STATES = ["new", "new", "new", "solved", "closed", "open", "open", "closed", "closed"]


@pytest.fixture
def portal(httpserver: HTTPServer, practice_desk: PracticeDesk) -> StandIn:
    return StandIn(httpserver, practice_desk)


@pytest.fixture
def number(practice_desk: PracticeDesk) -> str:
    body = {"caller_reference": "1001-1", "title": "Printer"}
    number: str = practice_desk.post("/api/tickets", json=body).json()["number"]
    return number


def comment_of(entity: dict[str, Any]) -> tuple[str, str] | None:
    """Text and privacy of the one comment, if there is one."""
    if "Comments" not in entity:
        return None
    [comment] = entity["Comments"]
    assert (comment["IsSystem"], comment["CreatedTime"] > 1_700_000_000_000) == (False, True)
    return comment["Body"], comment["PrivacyType"]


def test_each_message_is_brought_as_its_operation_with_both_numbers(
    practice_desk: PracticeDesk, portal: StandIn, number: str
) -> None:
    states = []
    for kind, fields, *_expected in MESSAGES:
        assert practice_desk.send(number, kind, **fields)["state"] == "sent"
        states.append(practice_desk.state()[0]["state"])
    found = []
    for entity in portal.brought:
        external = entity["ext_properties"]
        assert (entity["entity_type"], external["ExternalId"]) == ("Incident", number)
        assert external["ExternalSystem"] == "southwind"
        assert entity["properties"].pop("Id") == "1001-1"
        found.append((external["Operation"], entity["properties"], comment_of(entity)))
    assert found == [(operation, properties, comment) for _kind, _fields, operation, properties, comment in MESSAGES]
    assert states == STATES


def test_our_feed_lists_the_same_with_the_numbers_the_other_way_about(caller: Caller, number: str) -> None:
    caller.desk.configure(channel="feed")
    for kind, fields, *_expected in MESSAGES:
        assert caller.desk.send(number, kind, **fields)["state"] == "sent"
    entities = caller.feed()["entities"]
    found = [(entity["ext_properties"]["Operation"], comment_of(entity)) for entity in entities]
    assert found == [(operation, comment) for _kind, _fields, operation, _properties, comment in MESSAGES]
    assert {entity["properties"]["Id"] for entity in entities} == {number}
    assert {entity["ext_properties"]["ExternalId"] for entity in entities} == {"1001-1"}
    times = [entity["properties"]["LastUpdateTime"] for entity in entities]
    assert times == sorted(set(times))
    assert caller.desk.calls(direction="out") == []


def test_the_feed_is_read_in_pages_from_a_time_on_and_as_much_as_the_layout_says(caller: Caller, number: str) -> None:
    for text in ("one", "two", "three"):
        caller.desk.send(number, "message", text=text, channel="feed")
    first = caller.feed(size=2, layout="Id,LastUpdateTime")
    assert [set(entity["properties"]) for entity in first["entities"]] == [{"Id", "LastUpdateTime"}] * 2
    assert first["meta"]["total_count"] == 3
    [last] = caller.feed(time=first["entities"][-1]["properties"]["LastUpdateTime"])["entities"]
    assert comment_of(last) == ("three", "PUBLIC")
    assert caller.feed(skip=2)["entities"] == [last]


def test_a_file_is_uploaded_once_and_named_again_when_the_message_is_repeated(
    practice_desk: PracticeDesk, portal: StandIn, number: str
) -> None:
    practice_desk.set_fault("send_twice")
    practice_desk.send(number, "message", text="see", attachments=[FILE])
    upload, first, second = portal.seen
    assert (upload.headers["Content-Type"], upload.get_data()) == ("text/plain", b"hi")
    # The stand-in drops headers with an underscore, as many servers do.
    assert practice_desk.calls(operation="upload")[-1]["request_headers"]["fs_filename"] == "a%20%C3%BC.txt"
    assert first.get_data() == second.get_data()
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    listed = json.loads(portal.brought[0]["properties"]["IncidentAttachments"])
    named = {"id": "guid-1", "file_name": "a ü.txt", "size": 2, "mime_type": "text/plain"}
    assert listed == {"complexTypeProperties": [{"properties": named}]}


def test_a_file_of_our_feed_can_be_fetched(caller: Caller, number: str) -> None:
    caller.desk.send(number, "message", text="see", attachments=[FILE], channel="feed")
    [entity] = caller.feed()["entities"]
    [file] = json.loads(entity["properties"]["IncidentAttachments"])["complexTypeProperties"]
    answer = caller.send("GET", f"/rest/practice/frs/file-list/{file['properties']['id']}")
    assert (answer.content, file["properties"]["file_name"]) == (b"hi", "a ü.txt")


def test_one_session_serves_many_calls_and_is_replaced_when_it_ended(
    practice_desk: PracticeDesk, portal: StandIn, number: str
) -> None:
    for text in ("one", "two"):
        practice_desk.send(number, "message", text=text)
    assert portal.sign_ins == 1
    portal.end_sessions()
    assert practice_desk.send(number, "message", text="three")["state"] == "sent"
    assert (portal.sign_ins, len(portal.brought)) == (1002, 3)
    log = json.dumps(practice_desk.calls(direction="out"))
    for secret in (KEY, "token-1"):
        assert secret not in log


@pytest.mark.parametrize("trouble", ["wrong key", "no token", "refused", "refused with 200", "away"])
def test_what_does_not_arrive_is_a_failure_that_changes_nothing(
    practice_desk: PracticeDesk, portal: StandIn, number: str, trouble: str
) -> None:
    if trouble == "wrong key":
        practice_desk.configure(case_exchange_key="wrong")
    elif trouble == "no token":
        portal.end_sessions()
        portal.answers_html = True
    elif trouble == "away":
        practice_desk.configure(portal_url="http://127.0.0.1:9")
    else:
        portal.refuse = 422 if trouble == "refused" else 200
    message = practice_desk.send(number, "solution", solution="Water")
    expected = {"wrong key": 401, "no token": None, "refused": 422, "refused with 200": 200, "away": None}
    assert (message["state"], message["status"]) == ("failed", expected[trouble])
    assert practice_desk.state()[0]["state"] == "new"


def test_a_ticket_that_came_over_case_exchange_is_answered_so(caller: Caller, portal: StandIn) -> None:
    caller.desk.configure(channel="rest")
    assert caller.bring("Create", DisplayLabel="Printer").ok
    [there] = caller.desk.state()
    assert caller.desk.send(there["number"], "acknowledgement")["channel"] == "case_exchange"
    assert portal.brought[0]["ext_properties"]["Operation"] == "Acknowledge"
