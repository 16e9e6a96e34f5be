"""GLPI: the documented requests and answers of apirest.php."""

import json
from urllib.parse import unquote

import pytest

from integrations.models import ContactReference, Exchange, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, parts, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

API = "/apirest.php"
NOBODY = {"totalcount": 0, "count": 0, "sort": ["1"], "order": ["ASC"], "content-range": "0-0/0"}
SESSION = "83af7e620c83a50a18d3eac2f6ed05a3ca0bea62"


@pytest.fixture
def glpi(adopt) -> Contract:
    """An installation that knows nobody and takes everything."""
    contract: Contract = adopt("glpi", settings={"groups_id": "4", "time_zone": "Europe/Paris"})
    contract.answers(f"GET {API}/initSession", (200, {"session_token": SESSION}))
    contract.answers(f"GET {API}/search/User", (200, NOBODY))
    contract.answers(f"POST {API}/User", (201, {"id": 11, "message": ""}))
    contract.answers(f"POST {API}/Ticket", (201, {"id": 5, "message": ""}))
    contract.answers(f"PUT {API}/Ticket/5", (200, [{"5": True, "message": ""}]))
    contract.answers(f"POST {API}/ITILFollowup", (201, {"id": 31, "message": ""}))
    return contract


@pytest.fixture
def task(glpi) -> Task:
    """A task that is known there."""
    return glpi.give()


@pytest.mark.parametrize(
    ("emails", "login", "known"),
    [
        ("Emil@customer.test", "x", 7),
        (["other@x.test", "emil@customer.test"], "x", 7),
        (None, "EMIL", 7),
        # "%" is allowed in an address, and stands for anything in their search: `%@customer.test`.
        ("boss@customer.test", "boss", ""),
    ],
)
def test_nobody_else_is_taken_for_the_person(adopt, desk, emails, login, known):
    glpi = adopt("glpi")
    glpi.answers(f"GET {API}/initSession", (200, {"session_token": SESSION}))
    desk.contact.login = "emil"
    desk.contact.save()
    task = glpi.desk.task(glpi.group)
    row = {"1": login, "2": 7, "5": emails}
    glpi.answers(f"GET {API}/search/User", (200, {**NOBODY, "totalcount": 1, "data": [row]}))
    assert glpi.captured("find_contact", task) == {"contact": known}


def test_a_session_is_begun_and_the_requester_found_or_created(glpi, task):
    assert [unquote(line) for line in glpi.lines] == [
        f"GET {API}/initSession",
        f"GET {API}/search/User?criteria[0][field]=5&criteria[0][searchtype]=contains"
        "&criteria[0][value]=^emil@customer.test$&forcedisplay[0]=1&forcedisplay[1]=2&forcedisplay[2]=5"
        "&forcedisplay[3]=6&forcedisplay[4]=9&forcedisplay[5]=34&range=0-0",
        f"POST {API}/User",
        f"POST {API}/Ticket",
    ]
    assert glpi.sent(0).headers["Authorization"] == "user_token s3cret-of-the-desk"
    assert {request.headers["Session-Token"] for request in glpi.played.sent[1:]} == {SESSION}
    assert glpi.body(2)["input"] == {
        "name": "emil@customer.test",
        "firstname": "Emil",
        "realname": "Ende",
        "phone": "",
        "_useremails": ["emil@customer.test"],
        "entities_id": 0,
    }
    assert glpi.body(3)["input"] == {
        "name": "The printer is on fire",
        "content": f"Smoke on floor 2<br><br>({task.number})",
        "entities_id": 0,
        "type": 1,
        "_users_id_requester": 11,
        "_groups_id_assign": 4,
        "urgency": 3,
        "priority": 3,
    }
    assert ExternalReference.objects.get(task=task).value == "5"
    assert ContactReference.objects.get().value == "11"
    assert not any("s3cret" in json.dumps(row.request_headers) for row in Exchange.objects.all())


@pytest.mark.parametrize(("visibility", "private"), [("public", 0), ("internal", 1)])
def test_a_note_is_a_followup(glpi, task, visibility, private):
    task.group.binding.send_internal = True
    task.group.binding.save()
    glpi.note(task, "It still burns", visibility=visibility)
    assert glpi.body()["input"] == {
        "itemtype": "Ticket",
        "items_id": 5,
        "content": "It still burns",
        "is_private": private,
    }


def test_a_file_is_a_document_with_a_manifest(glpi, task):
    glpi.answers(f"POST {API}/Document", (201, {"id": 8, "message": "Document move succeeded."}))
    glpi.attach(task)
    assert glpi.lines == [f"POST {API}/Document"]
    manifest, file = parts(glpi.sent(), glpi.body())
    assert (manifest[0], manifest[1], json.loads(manifest[3])) == (
        "uploadManifest",
        "application/json",
        {
            "input": {
                "name": "brücke.png",
                "_filename": ["brücke.png"],
                "itemtype": "Ticket",
                "items_id": 5,
                "entities_id": 0,
            }
        },
    )
    assert file == ("filename[0]", "image/png", "brücke.png", b"\x89PNG")


def test_declined_reopens_with_a_followup_and_closed_is_a_status(glpi, task):
    glpi.decline(task)
    assert (glpi.body()["input"]["content"], glpi.body()["input"]["add_reopen"]) == ("Still broken", 1)
    task.refresh_from_db()
    glpi.close(task)
    assert (glpi.lines, glpi.body()) == ([f"PUT {API}/Ticket/5"], {"input": {"status": 6}})


def test_an_update_that_was_refused_within_a_success_is_none(glpi, task):
    glpi.played.server.clear()
    glpi.answers(f"PUT {API}/Ticket/5", (200, [{"5": False, "message": "You don't have permission"}]))
    glpi.close(task)
    assert run_states()[-1] == "attention"
    assert "You don't have permission" in ProcessRun.objects.latest("pk").reason


def test_an_error_stops_with_its_words(glpi, task):
    glpi.played.server.clear()
    glpi.answers(f"POST {API}/ITILFollowup", (400, ["ERROR_GLPI_ADD", "You don't have permission"]))
    glpi.note(task, "Hello")
    assert "ERROR_GLPI_ADD" in ProcessRun.objects.latest("pk").reason


def test_a_number_is_not_found_in_a_longer_one(glpi, task):
    """1001-1 is contained in 1001-12: with the brackets in which it was written, it is not."""
    glpi.answers(f"GET {API}/search/Ticket", (200, {"totalcount": 1, "count": 1, "data": [{"2": 5}]}))
    assert glpi.captured("find_ticket", task) == {"reference": 5}
    assert f"[searchtype]=contains&criteria[0][value]=({task.number})&" in unquote(glpi.lines[-1])


def test_tickets_are_searched_in_their_time_zone_to_the_end_of_the_range(glpi, task):
    row = {"1": "x", "2": 5, "3": 3, "8": "Support", "12": 5, "19": "2026-01-31 10:45:10"}
    row["24"] = "&lt;p&gt;Replaced &amp;amp; tested&lt;/p&gt;"
    glpi.answers(f"GET {API}/search/Ticket", (206, {"totalcount": 1, "count": 1, "data": [row]}))
    glpi.forget()
    (record,) = glpi.read("fetch_modified_since")
    assert "criteria[0][value]=2026-01-31 10:30:00&" in unquote(glpi.lines[0])
    assert glpi.lines[0].endswith("&sort=19&order=ASC&range=0-49")
    assert (record["reference"], record["modified"], record["status"], record["status_label"]) == (
        "5",
        "2026-01-31T09:45:10Z",
        "5",
        "Solved",
    )
    assert record["solution"] == "Replaced & tested"
    assert glpi.read("fetch_ticket", task) == [record]
    glpi.played.server.clear()
    beyond = ["ERROR_RANGE_EXCEED_TOTAL", "Provided range exceed total count of data: 50"]
    glpi.answers(f"GET {API}/search/Ticket", (400, beyond))
    assert glpi.read("fetch_modified_since", poll={"page": 2, "offset": 50}) == []


def test_followups_and_documents_are_read(glpi, task):
    row = {"id": 31, "content": "&lt;p&gt;On our way&lt;/p&gt;", "users_id": "tech", "is_private": 0}
    row["date"] = "2026-01-31 10:40:00"
    glpi.answers(f"GET {API}/Ticket/5/ITILFollowup", (200, [row]))
    assert glpi.read("fetch_notes", task) == [
        {"id": 31, "text": "On our way", "author": "tech", "at": "2026-01-31T09:40:00Z", "visibility": "public"}
    ]
    documents = [{"id": 8, "assocID": 3, "filename": "a.txt", "mime": "text/plain"}]
    glpi.answers(f"GET {API}/Ticket/5", (200, {"id": 5, "_documents": documents}))
    assert glpi.read("fetch_attachments", task) == [{"id": 8, "name": "a.txt", "content_type": "text/plain"}]
    glpi.answers(f"GET {API}/Document/8", (200, b"abc"))
    came, _template, _context = glpi.call("download_attachment", task, file={"id": 8})
    assert came.response.body == b"abc"
    assert glpi.sent().headers["Accept"] == "application/octet-stream"


def test_what_is_written_and_solved_there_arrives_here(glpi, task):
    row = {"1": "x", "2": 5, "3": 3, "8": None, "12": 5, "19": "2026-01-31 10:45:10", "24": "Replaced"}
    glpi.answers(f"GET {API}/search/Ticket", (200, {"totalcount": 1, "count": 1, "data": [row]}))
    said = {"content": "On our way", "users_id": "tech", "is_private": 0, "date": "2026-01-31 10:40:00"}
    glpi.answers(f"GET {API}/Ticket/5/ITILFollowup", (200, [{**said, "id": 31}]))
    glpi.answers(f"GET {API}/Ticket/5", (200, {"id": 5}))
    glpi.poll()
    task.refresh_from_db()
    assert (task.phase, task.solution, glpi.notes(task)) == ("review", "Replaced", ["On our way"])


def test_fixed_values_are_offered_and_categories_and_groups_read(glpi):
    glpi.answers(f"GET {API}/getMyProfiles", (200, {"myprofiles": []}))
    assert {row["value"] for row in glpi.read("fetch_statuses")} == set("123456")
    assert glpi.read("fetch_priorities")[0] == {"value": "6", "label": "Major"}
    glpi.answers(f"GET {API}/ITILCategory", (200, [{"id": 3, "completename": "Hardware > Printer"}]))
    assert glpi.read("fetch_categories") == [{"value": "3", "label": "Hardware > Printer"}]
