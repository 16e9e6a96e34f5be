"""The practice desk's pages, over a real socket, without a browser."""

import base64
import re

import pytest
import requests

from tests.practice_desk import PracticeDesk


@pytest.fixture
def number(practice_desk: PracticeDesk) -> str:
    body = {"caller_reference": "1001-1", "title": "<script>alert(1)</script>", "contact": {"name": "Ann"}}
    return practice_desk.post("/api/tickets", json=body).json()["number"]


def submit(desk: PracticeDesk, page: str, action: str, data: dict[str, str], **options: object) -> requests.Response:
    """Post a form as a browser does: with the cookie and token of the page."""
    with requests.Session() as browser:
        browser.trust_env = False
        text = browser.get(f"{desk.url}{page}", timeout=30).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        assert token
        sent = {"csrfmiddlewaretoken": token[1], **data}
        return browser.post(f"{desk.url}{action}", data=sent, timeout=30, **options)


def test_the_list_shows_searches_and_escapes(practice_desk: PracticeDesk, number: str) -> None:
    practice_desk.post("/api/tickets", json={"title": "Another one"})
    page = practice_desk.get("/").text
    assert number in page
    assert "Another one" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    found = practice_desk.get("/", params={"q": "1001-1"}).text
    assert number in found
    assert "Another one" not in found
    assert "No ticket matches" in practice_desk.get("/", params={"q": "nothing like it"}).text
    assert number not in practice_desk.get("/", params={"state": "closed"}).text


def test_the_newest_ticket_comes_first_and_older_ones_are_on_later_pages(practice_desk: PracticeDesk) -> None:
    for position in range(52):
        practice_desk.post("/api/tickets", json={"title": f"Ticket {position:02}"})
    first, second = (practice_desk.get("/", params={"page": page}).text for page in (1, 2))
    assert re.findall(r"Ticket \d\d", first) == [f"Ticket {position:02}" for position in range(51, 1, -1)]
    assert re.findall(r"Ticket \d\d", second) == ["Ticket 01", "Ticket 00"]


def test_a_ticket_shows_its_notes_files_and_calls(practice_desk: PracticeDesk, number: str) -> None:
    practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "for agents", "public": False})
    content = base64.b64encode(b"<html>").decode()
    file = {"name": "ö.html", "content_type": "text/html", "content": content}
    practice_desk.post(f"/api/tickets/{number}/attachments", json=file)
    page = practice_desk.get(f"/tickets/{number}/").text
    for text in ("for agents", "internal", "ö.html", "POST /api/tickets", "Send acknowledgement"):
        assert text in page
    download = practice_desk.get(re.search(r'href="(/attachments/\d+/)"', page)[1])
    assert download.content == b"<html>"
    assert download.headers["Content-Disposition"].startswith("attachment;")
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["X-Content-Type-Options"] == "nosniff"


def test_sending_from_the_page_shows_the_portals_answer(practice_desk: PracticeDesk, number: str, httpserver) -> None:
    practice_desk.configure(portal_url=httpserver.url_for("/").rstrip("/"))
    httpserver.expect_request("/api/v1/tasks/1001-1/updates/").respond_with_json({"note": "kept"})
    address = f"/tickets/{number}/"
    form = {"kind": "message", "channel": "rest", "text": "hello", "visibility": "public"}
    answer = submit(practice_desk, address, f"{address}send/", form, files={"file": ("a.txt", b"hi")})
    assert answer.status_code == 200
    assert "Message delivered: the portal answered 200." in answer.text
    assert "&quot;note&quot;: &quot;kept&quot;" in answer.text
    [(request, _)] = httpserver.log
    assert request.json["attachments"][0]["content"] == base64.b64encode(b"hi").decode()
    again = submit(practice_desk, address, re.search(r"/outgoing/\d+/again/", answer.text)[0], {})
    assert "delivered" in again.text
    assert httpserver.log[1][0].get_data() == request.get_data()


def test_a_form_that_lacks_something_says_what(practice_desk: PracticeDesk, number: str) -> None:
    address = f"/tickets/{number}/"
    answer = submit(practice_desk, address, f"{address}send/", {"kind": "message", "channel": "rest"})
    assert answer.status_code == 400
    assert "This field is required." in answer.text
    assert practice_desk.calls(direction="out") == []


@pytest.mark.parametrize("action", ["send/", "faults/", "settings/", "outgoing/release/"])
def test_a_form_without_its_token_is_refused(practice_desk: PracticeDesk, number: str, action: str) -> None:
    address = f"/tickets/{number}/send/" if action == "send/" else f"/{action}"
    assert practice_desk.post(address, data={"kind": "acknowledgement"}).status_code == 403


def test_faults_are_switched_on_and_off_on_their_page(practice_desk: PracticeDesk, number: str) -> None:
    page = practice_desk.get("/faults/").text
    kinds = re.findall(r'name="(\w+)-mode"', page)
    form = {}
    for kind in kinds:
        form |= {f"{kind}-mode": "off", f"{kind}-count": "1", f"{kind}-seconds": "3", f"{kind}-batch": "2"}
    form |= {"refuse-mode": "next", "refuse-count": "2", "refuse-operation": "note", "late-mode": "always"}
    answer = submit(practice_desk, "/faults/", "/faults/", form)
    assert "The faults are set." in answer.text
    assert "Refuse (next 2 calls)" in answer.text
    present = practice_desk.control("GET", "/api/faults")["faults"]
    assert {kind: fault["count"] for kind, fault in present.items() if fault["count"]} == {"late": -1, "refuse": 2}
    assert present["refuse"]["operation"] == "note"
    submit(practice_desk, "/faults/", "/faults/", {"all_off": "1"})
    assert not any(fault["count"] for fault in practice_desk.control("GET", "/api/faults")["faults"].values())


def test_settings_keep_the_key_when_none_is_typed(practice_desk: PracticeDesk) -> None:
    assert "There is no API key" in practice_desk.get("/settings/").text
    form = {"portal_url": "http://127.0.0.1:9", "system_slug": "north", "channel": "soap", "soap_namespace": "urn:x"}
    for key in ("first", ""):
        answer = submit(practice_desk, "/settings/", "/settings/", {**form, "api_key": key})
        assert "The settings are saved." in answer.text
        assert "There is no API key" not in answer.text
    assert practice_desk.control("GET", "/api/settings")["system_slug"] == "north"
    wrong = submit(practice_desk, "/settings/", "/settings/", {**form, "portal_url": "nowhere"})
    assert wrong.status_code == 400


def test_case_exchange_has_settings_and_a_key_of_its_own(practice_desk: PracticeDesk, httpserver) -> None:
    form = {
        "part": "case_exchange",
        "case_exchange_user": "south",
        "case_exchange_tenant": "theirs",
        "pull_every": "",
    }
    for key in ("key-2", ""):
        answer = submit(practice_desk, "/settings/", "/settings/", {**form, "case_exchange_key": key})
        assert "The settings are saved." in answer.text
    assert practice_desk.control("GET", "/api/settings")["case_exchange_user"] == "south"
    practice_desk.configure(portal_url=httpserver.url_for("/").rstrip("/"))
    answer = submit(practice_desk, "/", "/feed/fetch/", {})
    assert "The portal&#x27;s feed could not be fetched" in answer.text
    assert httpserver.log[0][0].json == {"login": "south", "password": "key-2"}
    assert "key-2" not in practice_desk.get("/settings/").text


def test_the_further_operations_are_offered_but_not_over_soap(practice_desk: PracticeDesk, number: str) -> None:
    address = f"/tickets/{number}/"
    for kind in ("assignment", "reopening", "cancellation", "closing"):
        assert f'value="{kind}"' in practice_desk.get(address).text
        listed = submit(practice_desk, address, f"{address}send/", {"kind": kind, "channel": "feed"})
        assert "listed for the portal to fetch" in listed.text
        refused = submit(practice_desk, address, f"{address}send/", {"kind": kind, "channel": "soap"})
        assert (refused.status_code, "no method for this" in refused.text) == (400, True)
    assert practice_desk.state()[0]["state"] == "closed"


def test_the_log_of_calls_can_be_narrowed_to_what_went_wrong(practice_desk: PracticeDesk, number: str) -> None:
    practice_desk.get("/api/tickets/PD-999999")
    everything = practice_desk.get("/calls/").text
    wrong = practice_desk.get("/calls/", params={"problems": "1"}).text
    assert (everything.count("<details"), wrong.count("<details")) == (2, 1)
    assert "PD-999999" in wrong


def test_pages_load_nothing_from_elsewhere_and_say_so_to_the_browser(practice_desk: PracticeDesk) -> None:
    page = practice_desk.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "//" not in page.text.replace("<!doctype", "").replace("</", "")
    assert practice_desk.get("/static/simulator/desk.css").status_code == 200
    assert practice_desk.get("/nowhere/").status_code == 404
