"""The practice desk's REST interface, over a real socket."""

import base64
import hashlib

import pytest
import requests

from tests.practice_desk import PracticeDesk

TICKET = {
    "caller_reference": "1001-1",
    "title": "Printer is on fire",
    "description": "Second floor.\nBring water.",
    "priority": "high",
    "contact": {"name": "Ann Example", "email": "ann@example.org"},
    "requested_by": "Service desk",
}


def create(desk: PracticeDesk, **changes: object) -> str:
    response = desk.post("/api/tickets", json={**TICKET, **changes})
    assert response.status_code == 201, response.text
    return response.json()["number"]


def test_a_ticket_is_taken_shown_found_and_kept(practice_desk: PracticeDesk) -> None:
    response = practice_desk.post("/api/tickets", json=TICKET)
    assert response.status_code == 201
    taken = response.json()
    assert taken["number"] == f"PD-{taken['id']:06d}"
    assert taken["state"] == "new"
    assert {name: taken[name] for name in TICKET} == TICKET
    assert practice_desk.get(f"/api/tickets/{taken['number']}").json() == taken
    found = practice_desk.get("/api/tickets", params={"caller_reference": "1001-1"}).json()
    assert found == {"count": 1, "tickets": [taken]}
    assert practice_desk.get("/api/tickets", params={"caller_reference": "1001-2"}).json()["count"] == 0
    [kept] = practice_desk.state()
    assert kept["number"] == taken["number"]


def test_an_update_changes_only_what_is_given(practice_desk: PracticeDesk) -> None:
    number = create(practice_desk)
    changed = practice_desk.request("PATCH", f"/api/tickets/{number}", json={"state": "solved"}).json()
    assert (changed["state"], changed["title"], changed["priority"]) == ("solved", TICKET["title"], "high")


def test_notes_keep_their_order_and_are_found_by_message_id(practice_desk: PracticeDesk) -> None:
    number = create(practice_desk)
    for text, message_id, public in (("first", "m-1", True), ("second", "m-2", False)):
        note = {"text": text, "author": "Ann", "message_id": message_id, "public": public}
        assert practice_desk.post(f"/api/tickets/{number}/notes", json=note).status_code == 201
    [ticket] = practice_desk.state()
    assert [(note["text"], note["public"]) for note in ticket["notes"]] == [("first", True), ("second", False)]
    found = practice_desk.get(f"/api/tickets/{number}/notes", params={"message_id": "m-2"}).json()
    assert [note["text"] for note in found["notes"]] == ["second"]


@pytest.mark.parametrize("way", ["json", "multipart"])
def test_an_attachment_arrives_byte_for_byte(practice_desk: PracticeDesk, way: str) -> None:
    number, content = create(practice_desk), bytes(range(256)) * 5000
    address = f"/api/tickets/{number}/attachments"
    if way == "json":
        encoded = base64.b64encode(content).decode()
        body = {"name": "a.bin", "content_type": "image/x", "content": encoded, "message_id": "a-1"}
        response = practice_desk.post(address, json=body)
    else:
        files = {"file": ("a.bin", content, "image/x")}
        response = practice_desk.post(address, files=files, data={"message_id": "a-1"})
    assert response.status_code == 201, response.text
    [attachment] = practice_desk.state()[0]["attachments"]
    assert attachment["sha256"] == hashlib.sha256(content).hexdigest()
    assert (attachment["name"], attachment["content_type"], attachment["message_id"]) == (
        "a.bin",
        "image/x",
        "a-1",
    )
    assert practice_desk.get(address, params={"message_id": "a-1"}).json()["count"] == 1


def test_closing_and_opening_again_change_state_solution_and_notes(practice_desk: PracticeDesk) -> None:
    number = create(practice_desk)
    closed = practice_desk.post(
        f"/api/tickets/{number}/close", json={"reason": "Done.", "solution": "Water.", "completion_code": "OK"}
    ).json()
    assert (closed["state"], closed["solution"], closed["completion_code"]) == ("closed", "Water.", "OK")
    opened = practice_desk.post(f"/api/tickets/{number}/reopen", json={"reason": "Still burns."}).json()
    assert (opened["state"], opened["solution"]) == ("open", "")
    assert [note["text"] for note in practice_desk.state()[0]["notes"]] == ["Done.", "Still burns."]


def test_the_same_key_gives_the_same_answer_and_one_ticket(practice_desk: PracticeDesk) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = practice_desk.post("/api/tickets", json=TICKET, headers=headers)
    again = practice_desk.post("/api/tickets", json=TICKET, headers=headers)
    other = practice_desk.post("/api/tickets", json={**TICKET, "title": "Other"}, headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(practice_desk.state()) == 1


def test_a_withheld_number_is_told_to_nobody(practice_desk: PracticeDesk) -> None:
    response = practice_desk.post("/api/tickets?reference=later", json=TICKET)
    assert (response.status_code, response.json()["number"]) == (202, None)
    [found] = practice_desk.get("/api/tickets", params={"caller_reference": "1001-1"}).json()["tickets"]
    assert found["number"] is None
    [ticket] = practice_desk.state()
    assert practice_desk.get(f"/api/tickets/{ticket['number']}").status_code == 404
    practice_desk.configure(reference_later=True)
    assert practice_desk.post("/api/tickets", json=TICKET).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Api-Key": "practice-key"},
        {"Authorization": "Bearer practice-key"},
        {"Authorization": "Basic " + base64.b64encode(b"practice:practice-desk-password").decode()},
    ],
)
def test_each_kind_of_credentials_is_accepted_and_not_kept(
    practice_desk: PracticeDesk, headers: dict[str, str]
) -> None:
    assert requests.get(f"{practice_desk.url}/api/tickets", headers=headers, timeout=30).status_code == 200
    [call] = practice_desk.calls()
    [name] = headers
    assert call["request_headers"][name] == "(removed)"
    assert headers[name] not in str(call)


def test_a_login_gives_a_session_that_is_accepted_and_not_kept(practice_desk: PracticeDesk) -> None:
    login = {"user": practice_desk.user, "password": practice_desk.password}
    session = requests.post(f"{practice_desk.url}/api/login", json=login, timeout=30).json()["session"]
    address = f"{practice_desk.url}/api/tickets"
    assert requests.get(address, headers={"X-Session": session}, timeout=30).status_code == 200
    wrong = requests.post(f"{practice_desk.url}/api/login", json={**login, "password": "x"}, timeout=30)
    assert wrong.status_code == 401
    log = str(practice_desk.calls())
    assert session not in log
    assert practice_desk.password not in log


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Api-Key": "x"}, {"Authorization": "Basic %%%"}, {"Authorization": "Bearer"}, {"X-Session": "x"}],
)
def test_wrong_credentials_are_refused_and_written_down(practice_desk: PracticeDesk, headers: dict[str, str]) -> None:
    response = requests.post(f"{practice_desk.url}/api/tickets", json=TICKET, headers=headers, timeout=30)
    assert response.status_code == 401
    assert practice_desk.state() == []
    assert [call["status"] for call in practice_desk.calls()] == [401]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"title": ', None),
        (b"[]", None),
        (b"{}", "title"),
        (b'{"title": "x", "priority": "P1"}', "priority"),
        (b'{"title": {"a": 1}}', "title"),
        (b'{"title": "x", "contact": "Ann"}', "contact"),
        (b'{"title": "x", "contact": {"email": "nobody"}}', "contact_email"),
        (b'{"title": "a\\u0000b"}', "title"),
        (b'{"title": "a\\ud800b"}', "title"),
        (b'{"title": "\xff"}', None),
        (b"[" * 100_000, None),
    ],
)
def test_a_wrong_ticket_is_refused_and_says_why(practice_desk: PracticeDesk, body: bytes, field: str | None) -> None:
    response = practice_desk.post("/api/tickets", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert list(response.json()["error"].get("fields", {})) == ([field] if field else [])
    assert practice_desk.state() == []


def test_unknown_tickets_and_methods_have_their_own_status(practice_desk: PracticeDesk) -> None:
    assert practice_desk.get("/api/tickets/PD-999999").status_code == 404
    assert practice_desk.post("/api/tickets/PD-999999/notes", json={"text": "x"}).status_code == 404
    assert practice_desk.request("DELETE", "/api/tickets").status_code == 405


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n--b--"),
        ("application/json", b'{"name": "a", "content": "***"}'),
        ("application/json", b'{"name": "a"}'),
        ("application/json", b'{"content": "eA=="}'),
    ],
)
def test_a_wrong_attachment_is_refused(practice_desk: PracticeDesk, kind: str, body: bytes) -> None:
    address = f"/api/tickets/{create(practice_desk)}/attachments"
    response = practice_desk.post(address, data=body, headers={"Content-Type": kind})
    assert response.status_code == 400
    assert response.json()["error"]["message"]
    assert practice_desk.state()[0]["attachments"] == []
    assert practice_desk.calls()[-1]["status"] == 400


def test_a_body_that_is_too_large_is_refused(practice_desk: PracticeDesk) -> None:
    body = b'{"title": "' + b"x" * (31 * 1024 * 1024) + b'"}'
    assert practice_desk.post("/api/tickets", data=body).status_code == 413
    assert practice_desk.state() == []
