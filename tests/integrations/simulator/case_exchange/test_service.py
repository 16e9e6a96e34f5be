"""What each operation does at the practice desk, over a real socket."""

import hashlib
import json
from typing import Any

import pytest
import requests

from tests.integrations.simulator.conftest import Caller, attachments, number_in

NEW = {
    "DisplayLabel": "Printer is on fire",
    "Description": "Second floor.\nBring water & „sand“.",
    "Urgency": "SevereDisruption",
    "ContactName": "Ann Example",
    "ContactEmail": "ann@example.org",
    "ImpactScope": "SingleUser",
    "Category": "hardware",
}


def created(caller: Caller) -> str:
    number = number_in(caller.bring("Create", **NEW))
    assert number
    return number


def only(caller: Caller) -> dict[str, Any]:
    [ticket] = caller.desk.state()
    return ticket


@pytest.mark.parametrize("operation", ["Create", "Assign"])
def test_a_ticket_that_is_given_to_the_desk_is_taken(caller: Caller, operation: str) -> None:
    answer = caller.bring(operation, **NEW)
    assert answer.status_code == 201
    there = only(caller)
    assert number_in(answer) == there["number"]
    expected = {
        "caller_reference": "1001-1",
        "title": NEW["DisplayLabel"],
        "description": NEW["Description"],
        "priority": "high",
        "state": "new",
        "contact": {"name": "Ann Example", "email": "ann@example.org"},
        "requested_by": "deskbridge",
    }
    assert {name: there[name] for name in expected} == expected
    echo = answer.json()["entities"][0]["entity"]["ext_properties"]
    assert echo == {"ExternalSystem": "deskbridge", "Operation": operation, "ExternalId": "1001-1"}


def test_the_same_ticket_again_is_recognised_by_the_callers_number(caller: Caller) -> None:
    first, again = caller.bring("Create", **NEW), caller.bring("Create", **NEW)
    assert (first.status_code, again.status_code) == (201, 200)
    assert number_in(first) == number_in(again)
    caller.desk.set_fault("ignore_idempotency_keys")
    assert number_in(caller.bring("Create", **NEW)) != number_in(first)
    assert len(caller.desk.state()) == 2


def test_a_ticket_whose_answer_was_lost_is_found_again(caller: Caller) -> None:
    caller.desk.set_fault("time_out_after")
    with pytest.raises(requests.ConnectionError):
        caller.bring("Create", **NEW)
    assert number_in(caller.bring("Create", **NEW)) == only(caller)["number"]


def test_a_desk_that_withholds_its_number_answers_without_one(caller: Caller) -> None:
    caller.desk.configure(reference_later=True)
    answer = caller.bring("Create", **NEW)
    assert (answer.status_code, number_in(answer)) == (202, None)
    number = only(caller)["number"]
    assert caller.bring("Update", Id=number, Solution="x").status_code == 404
    assert number_in(caller.bring("Update", Solution="Water")) is None
    assert only(caller)["solution"] == "Water"


COMMENT = {"CreatedTime": 1700000000000, "IsSystem": False, "Body": "Which floor?", "PrivacyType": "PUBLIC"}


def test_comments_are_added_once_each_by_text_and_time(caller: Caller) -> None:
    number = created(caller)
    whisper = {**COMMENT, "PrivacyType": "PRIVATE", "Body": "He is upset", "Author": "Bo"}
    later = {**COMMENT, "CreatedTime": 1700000000001}
    caller.bring("Update", Id=number, comments=[COMMENT, whisper])
    caller.bring("Update", Id=number, comments=[COMMENT, whisper, later])
    notes = [(note["text"], note["public"], note["author"]) for note in only(caller)["notes"]]
    assert notes == [("Which floor?", True, ""), ("He is upset", False, "Bo"), ("Which floor?", True, "")]


def test_an_update_changes_what_it_names(caller: Caller) -> None:
    number = created(caller)
    caller.bring("Update", Id=number, DisplayLabel="Ash", Urgency="NoDisruption", Solution="Buy another")
    there = only(caller)
    assert (there["title"], there["priority"], there["solution"]) == ("Ash", "low", "Buy another")
    assert (there["description"], there["state"]) == (NEW["Description"], "new")


@pytest.mark.parametrize(
    ("operation", "properties", "after"),
    [
        (
            "Resolve",
            {"Solution": "Water", "CompletionCode": "CompletionCodeFulfilled"},
            ("solved", "Water", "Fulfilled"),
        ),
        (
            "Close",
            {"Solution": "Water", "CompletionCode": "CompletionCodeFulfilled"},
            ("closed", "Water", "Fulfilled"),
        ),
        ("Reject", {}, ("closed", "Sand", "RequestRejected")),
        ("Cancel", {}, ("closed", "Sand", "WithdrawnByUser")),
        ("Accept", {}, ("closed", "Sand", "Fulfilled")),
        ("Reopen", {}, ("open", "", "")),
        ("Assign", {}, ("open", "", "")),
    ],
)
def test_an_operation_moves_the_ticket_and_brings_its_comments(
    caller: Caller, operation: str, properties: dict[str, str], after: tuple[str, str, str]
) -> None:
    number = created(caller)
    code = "CompletionCodeFulfilled" if operation in ("Reopen", "Assign", "Accept") else ""
    caller.bring("Resolve", Id=number, Solution="Sand", CompletionCode=code)
    for _repetition in range(2):
        assert caller.bring(operation, comments=[COMMENT], Id=number, **properties).status_code == 200
    there = only(caller)
    assert (there["state"], there["solution"], there["completion_code"].removeprefix("CompletionCode")) == after
    assert [note["text"] for note in there["notes"]].count("Which floor?") == 1


def test_an_operation_about_nothing_or_about_another_ticket_is_refused(caller: Caller) -> None:
    assert caller.bring("Resolve", Solution="x").status_code == 404
    number = created(caller)
    assert caller.bring("Close", Id="PD-999999").status_code == 404
    assert caller.bring("Close", Id=number, external={"ExternalId": "1002-1"}).status_code == 409
    assert caller.bring("Reject", Id=number, external={"ExternalId": ""}).status_code == 200


def test_a_file_that_is_named_twice_is_attached_once_byte_for_byte(caller: Caller) -> None:
    number, content = created(caller), bytes(range(256)) * 500
    guid = caller.upload("plan%20%C3%BC.png", content)
    for _repetition in range(2):
        assert caller.bring("Update", Id=number, IncidentAttachments=attachments(guid)).ok
    [file] = only(caller)["attachments"]
    assert (file["name"], file["content_type"], file["message_id"]) == ("plan ü.png", "image/png", guid)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    answer = caller.send("GET", f"/rest/practice/frs/file-list/{guid}")
    assert answer.content == content
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_file_without_a_name_gets_that_of_the_message(caller: Caller) -> None:
    number, guid = created(caller), caller.upload("", b"x")
    listed = {"complexTypeProperties": [{"properties": {"id": guid, "file_name": "x.txt"}}]}
    assert caller.bring("Update", Id=number, IncidentAttachments=json.dumps(listed)).ok
    assert [file["name"] for file in only(caller)["attachments"]] == ["x.txt"]
