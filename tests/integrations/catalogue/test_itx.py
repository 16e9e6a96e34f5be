"""ITX: the documented requests; a change is read, changed and written as a whole, as a POST empties the rest."""

import pytest

from integrations.models import Exchange, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, parts, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

CASE = {
    "eactId": 17,
    "seqNo": 1017,
    "description": "The printer is on fire",
    "details": "Smoke",
    "status": 2,
    "emsStatus": {"emstId": 9, "name": "Done", "internalStatus": 2},
    "corporation": {"corpId": 1},
    "queue": {"ucquId": 541},
    "category": {"ctnoId": 768957},
    "priority": {"empriId": 46},
    "updateTs": "2026-01-31T09:30:00Z",
    "externalUpdateTs": "2026-01-31T09:45:00Z",
    "members": [{"id": 1, "role": 20}],
}


@pytest.fixture
def itx(adopt) -> Contract:
    """An installation that takes everything."""
    contract: Contract = adopt("itx", settings={"rcntrl": "r-1", "ccntrl": "c-1", "corporation": "1", "queue": "541"})
    contract.answers("POST /rest/itxems/case", (200, CASE))
    contract.answers("POST /rest/itxems/cases/search", (200, [CASE]))
    contract.answers("POST /rest/itxems/activitytexts", (200, {"id": 5}))
    return contract


@pytest.fixture
def task(itx) -> Task:
    """A task that is known there."""
    return itx.give()


def test_a_case_is_created_with_the_three_values(itx, task):
    assert itx.lines == ["POST /rest/itxems/case"]
    headers = itx.sent().headers
    assert (headers["tokenv2"], headers["rcntrl"], headers["ccntrl"]) == ("s3cret-of-the-desk", "r-1", "c-1")
    assert itx.body() == {
        "description": "The printer is on fire",
        "details": f"Smoke on floor 2\n\n({task.number})",
        "activityType": 15,
        "status": 1,
        "queue": {"ucquId": 541},
        "corporation": {"corpId": 1},
    }
    assert ExternalReference.objects.get(task=task).value == "17"
    logged = Exchange.objects.get().request_headers
    assert not {"s3cret-of-the-desk", "r-1", "c-1"} & set(logged.values())


def test_a_note_is_a_text_of_the_activity(itx, task):
    itx.note(task, "It still burns")
    assert itx.lines == ["POST /rest/itxems/activitytexts"]
    assert itx.body() == {"text": "It still burns", "activity": {"eactId": 17}}


def test_a_file_is_a_form_with_files(itx, task):
    itx.answers("POST /rest/core/corefile", (200, [{"id": 3}]))
    itx.attach(task)
    assert itx.lines == ["POST /rest/core/corefile?tblId=35007&type=3&id=17"]
    assert parts(itx.sent(), itx.body()) == [("files", "image/png", "brücke.png", b"\x89PNG")]


def test_declined_and_closed_write_the_whole_case_back(itx, task):
    itx.decline(task)
    assert itx.lines == [
        "POST /rest/itxems/activitytexts",
        "POST /rest/itxems/cases/search",
        "POST /rest/itxems/case",
    ]
    assert itx.body(1) == {"eactIds": [17], "getMembers": True}
    assert itx.body() == {**CASE, "status": 1}
    task.refresh_from_db()
    itx.close(task)
    assert itx.body(0)["text"] == "Replaced"
    assert itx.body() == {**CASE, "status": 2}


def test_a_case_that_is_not_there_is_not_written(itx, task):
    itx.played.server.clear()
    itx.answers("POST /rest/itxems/activitytexts", (200, {}))
    itx.answers("POST /rest/itxems/cases/search", (200, []))
    itx.close(task)
    assert itx.lines[-1] == "POST /rest/itxems/cases/search"
    assert run_states()[-1] == "attention"


def test_an_error_stops_with_its_words(itx, task):
    itx.played.server.clear()
    itx.answers("POST /rest/itxems/activitytexts", (403, {"errorCode": "denied", "message": "No access"}))
    itx.note(task, "Hello")
    assert "No access" in ProcessRun.objects.latest("pk").reason


def test_a_case_is_read_with_the_later_of_its_two_times(itx, task):
    (record,) = itx.read("fetch_ticket", task)
    assert record == {
        "reference": "17",
        "modified": "2026-01-31T09:45:00Z",
        "title": "The printer is on fire",
        "status": "2",
        "status_label": "Done",
        "priority": "46",
        "category": "768957",
    }
    texts = [{"id": 5, "text": "On our way", "creator": {"name": "Jo"}, "creationTs": "2026-01-31T09:40:00Z"}]
    itx.played.server.clear()
    itx.answers("POST /rest/itxems/cases/search", (200, [{**CASE, "texts": texts}]))
    assert itx.read("fetch_notes", task) == [
        {"id": 5, "text": "On our way", "author": "Jo", "at": "2026-01-31T09:40:00Z", "visibility": "public"}
    ]
    assert itx.body() == {"eactIds": [17], "getComments": True}


def test_what_is_written_and_closed_there_arrives_here(itx, task):
    text = {"id": 5, "text": "On our way", "creator": {"name": "Jo"}, "creationTs": "2026-01-31T09:40:00Z"}
    itx.played.server.clear()
    itx.answers("POST /rest/itxems/cases/search", (200, [{**CASE, "texts": [text]}]))
    itx.poll()
    task.refresh_from_db()
    assert (task.phase, itx.notes(task)) == ("review", ["On our way"])
