"""Who may call the practice desk over Case Exchange, and how its answers say what is wrong."""

import json
from typing import Any

import pytest

from tests.integrations.simulator.conftest import SIGN_IN, Caller, attachments, number_in
from tests.practice_desk import PracticeDesk

CES, FILES = "/rest/practice/ces", "/rest/practice/frs/file-list"
FEED = f"{CES}?type=Incident&system=deskbridge"


def test_a_sign_in_gives_the_token_as_text_and_as_cookies_that_scripts_cannot_read(caller: Caller) -> None:
    desk = caller.desk
    credentials = {"login": desk.user, "password": desk.password}
    answer = caller.send("POST", f"{SIGN_IN}?TENANTID=practice", json=credentials)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert (answer.cookies["LWSSO_COOKIE_KEY"], answer.cookies["TENANTID"]) == (answer.text, "practice")
    assert (
        answer.headers["Set-Cookie"].count("HttpOnly") == answer.headers["Set-Cookie"].count("SameSite=Strict") == 2
    )
    for secret in (answer.text, caller.token, desk.password):
        assert secret not in json.dumps(desk.calls())


@pytest.mark.parametrize(
    ("cookie", "status"),
    [
        ("", 401),
        ("LWSSO_COOKIE_KEY=guessed", 401),
        ("LWSSO_COOKIE_KEY=<token>; TENANTID=another", 401),
        ("LWSSO_COOKIE_KEY=<token>", 200),
    ],
)
def test_only_a_session_of_this_tenant_is_served(caller: Caller, cookie: str, status: int) -> None:
    headers = {"Cookie": cookie.replace("<token>", caller.token)}
    assert caller.send("GET", FEED, headers=headers).status_code == status


def test_a_wrong_password_and_another_tenant_are_answered_in_the_protocols_form(caller: Caller) -> None:
    wrong = caller.send("POST", SIGN_IN, json={"login": "practice", "password": "wrong"})
    elsewhere = caller.send("GET", FEED.replace("practice", "another"))
    for answer, status, code in ((wrong, 401, "unauthenticated"), (elsewhere, 404, "not_found")):
        assert answer.status_code == status
        assert answer.json()["meta"]["completion_status"] == "FAILED"
        assert answer.json()["meta"]["errorDetailsList"][0]["errorCode"] == code


def test_half_a_surrogate_pair_is_no_login(caller: Caller) -> None:
    for credentials in ({"login": "\ud800", "password": "x"}, {"login": caller.desk.user, "password": "\udfff"}):
        assert caller.send("POST", SIGN_IN, json=credentials).status_code == 401


def entity(**changes: Any) -> dict[str, Any]:
    return {
        "entity_type": "Incident",
        "properties": {"DisplayLabel": "Printer"},
        "ext_properties": {"Operation": "Create", "ExternalId": "1001-1"},
        **changes,
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "entities"),
        ({"entities": []}, "entities"),
        ({"entities": [entity(), entity()]}, "entities"),
        ({"entities": ["x"]}, "entity"),
        ({"entities": [entity(entity_type="Change")]}, "entity_type"),
        ({"entities": [entity(related={})]}, "related"),
        ({"entities": [entity(properties={"Title": "x"})]}, "Title"),
        ({"entities": [entity(properties={})]}, "DisplayLabel"),
        ({"entities": [entity(properties={"DisplayLabel": 7})]}, "DisplayLabel"),
        ({"entities": [entity(properties={"DisplayLabel": "x", "Urgency": "High"})]}, "Urgency"),
        ({"entities": [entity(properties={"DisplayLabel": "x", "ContactEmail": "nobody"})]}, "ContactEmail"),
        (
            {"entities": [entity(properties={"DisplayLabel": "x", "IncidentAttachments": "[]"})]},
            "IncidentAttachments",
        ),
        (
            {"entities": [entity(properties={"DisplayLabel": "x", "IncidentAttachments": attachments("no-such")})]},
            "IncidentAttachments",
        ),
        ({"entities": [entity(ext_properties={"Operation": "Delete"})]}, "Operation"),
        ({"entities": [entity(Comments=[{"Body": ""}])]}, "Body"),
        ({"entities": [entity(Comments=[{"Body": "x", "CreatedTime": "now"}])]}, "CreatedTime"),
        ({"entities": [entity(Comments=[{"Body": "x", "PrivacyType": "SECRET"}])]}, "PrivacyType"),
        ({"entities": [entity(Comments={"Body": "x"})]}, "Comments"),
        ({"entities": [entity(Comments=[{"Body": "half \ud800"}])]}, "Body"),
        ({"entities": [entity(ext_properties={"Operation": "Create", "ExternalId": "\udfff"})]}, "ExternalId"),
        (
            {"entities": [entity(properties={"DisplayLabel": "x", "IncidentAttachments": attachments("\ud800")})]},
            "IncidentAttachments",
        ),
    ],
)
def test_a_wrong_entity_is_refused_naming_the_field_and_leaves_nothing(caller: Caller, body: Any, field: str) -> None:
    answer = caller.send("POST", CES, json=body)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["meta"]["errorDetailsList"]
    assert list(error["fields"]) == [field]
    assert field in error["message"]
    assert caller.desk.state() == []
    assert caller.desk.calls()[-1]["status"] == 400


@pytest.mark.parametrize("query", ["type=Change", "system=", "time=x", "size=0", "size=201", "skip=-1", "since=5"])
def test_a_wrong_parameter_of_the_feed_is_refused_by_its_name(caller: Caller, query: str) -> None:
    name, _equals, value = query.partition("=")
    answer = caller.send("GET", CES, params={"type": "Incident", "system": "deskbridge", name: value})
    assert answer.status_code == 400
    assert list(answer.json()["meta"]["errorDetailsList"][0]["fields"]) == [name]


def test_other_methods_and_unknown_files_have_their_own_status(caller: Caller) -> None:
    assert caller.send("DELETE", CES).status_code == 405
    assert caller.send("GET", FILES).status_code == 405
    assert caller.send("GET", f"{FILES}/no-such").status_code == 404
    assert caller.send("POST", FILES, data=b"x", headers={"fs_filename": "x" * 256}).status_code == 400


def test_every_fault_of_an_answer_happens_here_too(practice_desk: PracticeDesk, caller: Caller) -> None:
    for kind, status in (("server_error", 500), ("too_many_requests", 429), ("refuse", 400), ("error_in_200", 200)):
        practice_desk.set_fault(kind, operation="create")
        answer = caller.bring("Create", DisplayLabel="Printer")
        assert answer.status_code == status
        assert answer.json()["meta"]["completion_status"] == "FAILED"
        assert ("Retry-After" in answer.headers) == (status == 429)
    assert practice_desk.state() == []
    assert number_in(caller.bring("Create", DisplayLabel="Printer"))
