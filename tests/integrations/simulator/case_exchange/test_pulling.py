"""Fetching the portal's feed and doing what it says; a stand-in for the portal listens on a real socket."""

import json
import time

import pytest
from pytest_httpserver import HTTPServer

from tests.integrations.simulator.portal import StandIn
from tests.practice_desk import PracticeDesk

COMMENT = {"CreatedTime": 1700000000000, "IsSystem": False, "Body": "Which floor?", "PrivacyType": "PUBLIC"}


@pytest.fixture
def portal(httpserver: HTTPServer, practice_desk: PracticeDesk) -> StandIn:
    return StandIn(httpserver, practice_desk)


def test_what_is_listed_is_taken_acknowledged_worked_on_and_closed(
    practice_desk: PracticeDesk, portal: StandIn
) -> None:
    portal.list_entry("Assign", comments=[COMMENT], DisplayLabel="Printer", Urgency="SevereDisruption", Status="Open")
    assert practice_desk.fetch() == 1
    [there] = practice_desk.state()
    assert (there["caller_reference"], there["title"], there["priority"]) == ("1001-1", "Printer", "high")
    assert [note["text"] for note in there["notes"]] == ["Which floor?"]
    [acknowledgement] = portal.brought
    assert acknowledgement["properties"]["Id"] == "1001-1"
    external = acknowledgement["ext_properties"]
    assert (external["Operation"], external["ExternalId"]) == ("Acknowledge", there["number"])
    assert there["acknowledged_at"]

    reference = there["number"]
    portal.list_entry("Update", comments=[{**COMMENT, "Body": "Hurry"}])  # written before they knew our number
    portal.list_entry("Resolve", reference=reference, Solution="Water")
    portal.list_entry("Reopen", reference=reference)
    portal.list_entry("Close", reference=reference, Solution="Sand")
    assert practice_desk.fetch() == 4
    assert practice_desk.fetch() == 0
    [there] = practice_desk.state()
    assert (there["state"], there["solution"]) == ("closed", "Sand")
    assert [note["text"] for note in there["notes"]] == ["Which floor?", "Hurry"]
    assert len(portal.brought) == 1


def test_more_than_a_page_is_fetched_at_once(practice_desk: PracticeDesk, portal: StandIn) -> None:
    portal.list_entry("Assign", DisplayLabel="Printer")
    for count in range(60):
        portal.list_entry("Update", comments=[{**COMMENT, "Body": f"{count}"}])
    assert practice_desk.fetch() == 61
    assert len(practice_desk.state()[0]["notes"]) == 60


def test_a_file_is_downloaded_and_attached_once(practice_desk: PracticeDesk, portal: StandIn) -> None:
    portal.files["theirs"] = bytes(range(256))
    file = {"id": "theirs", "file_name": "plan ü.png", "size": 256, "mime_type": "image/png"}
    attachments = json.dumps({"complexTypeProperties": [{"properties": file}]})
    portal.list_entry("Assign", DisplayLabel="Printer")
    for _repetition in range(2):
        portal.list_entry("Update", IncidentAttachments=attachments)
    assert practice_desk.fetch() == 3
    [there] = practice_desk.state()[0]["attachments"]
    assert (there["name"], there["content_type"], there["size"]) == ("plan ü.png", "image/png", 256)


def test_an_entry_that_cannot_be_done_is_in_the_log_and_holds_up_no_other(
    practice_desk: PracticeDesk, portal: StandIn
) -> None:
    portal.list_entry("Update", Solution="about nothing")
    portal.list_entry("Explode")
    portal.list_entry("Assign")
    portal.list_entry("Assign", DisplayLabel="Printer")
    assert practice_desk.fetch() == 4
    assert [there["title"] for there in practice_desk.state()] == ["Printer"]
    entries = [call for call in practice_desk.calls(direction="in") if call["protocol"] == "Case Exchange feed"]
    assert [(call["operation"], call["status"]) for call in entries] == [
        ("update", 404),
        ("explode", 400),
        ("assign", 400),
        ("assign", 200),
    ]
    assert "DisplayLabel" in entries[2]["response_body"]


def test_a_feed_that_cannot_be_fetched_says_why_and_is_fetched_later(
    practice_desk: PracticeDesk, portal: StandIn
) -> None:
    portal.list_entry("Assign", DisplayLabel="Printer")
    practice_desk.configure(case_exchange_key="wrong")
    answer = practice_desk.post("/api/feed/fetch")
    assert (answer.status_code, "401" in answer.json()["error"]["message"]) == (502, True)
    practice_desk.configure(case_exchange_key="southwind-key")
    assert practice_desk.fetch() == 1


def test_a_portal_that_lists_the_same_for_ever_is_asked_no_more_than_twice(
    practice_desk: PracticeDesk, portal: StandIn
) -> None:
    portal.list_entry("Assign", DisplayLabel="Printer")
    portal.looks_at_the_time = False
    assert practice_desk.fetch() == 1
    assert [call["status"] for call in practice_desk.calls(operation="feed")].count(200) == 2


def test_the_desk_fetches_by_itself_when_it_is_told_to(practice_desk: PracticeDesk, portal: StandIn) -> None:
    portal.list_entry("Assign", DisplayLabel="Printer")
    practice_desk.configure(pull_every=0.1)
    until = time.monotonic() + 10
    while not portal.brought and time.monotonic() < until:
        time.sleep(0.05)
    practice_desk.configure(pull_every=None)
    assert practice_desk.state()[0]["acknowledged_at"]


def test_the_acknowledgement_waits_for_the_button_where_the_desk_gives_numbers_later(
    practice_desk: PracticeDesk, portal: StandIn
) -> None:
    practice_desk.configure(reference_later=True)
    portal.list_entry("Assign", DisplayLabel="Printer")
    practice_desk.fetch()
    time.sleep(0.7)  # longer than the desk waits between two looks
    assert portal.brought == []
    [there] = practice_desk.state()
    assert practice_desk.send(there["number"], "acknowledgement")["state"] == "sent"
