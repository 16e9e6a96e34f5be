"""Texts and files of a case: sent, read, repeated, out of order."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from integrations.inbound.replay import replay_inbound
from integrations.models import Exchange, GroupBinding, Outcome, Process
from tests.integrations.inbound.conftest import AGENT
from tests.integrations.inbound.itx.conftest import Itx, refused, second_task
from tickets import actions
from tickets.actors import Actor, ActorKind
from tickets.models import Attachment, Category, Note, Task, Ticket


def text(itx: Itx, case: int, body: str = "Hello", *, key: str = "", **values: Any) -> Any:
    """Send a text."""
    return itx.post("itxems/activitytexts", {"text": body, "activity": {"eactId": case}, **values}, key=key)


def file(name: str = "a.txt", content: bytes = b"hello") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/plain")


def test_a_text_is_a_note_on_the_desk_s_task(itx: Itx, given: Task):
    response = text(itx, given.ticket_id, "We look into it: Grüße", author="Nora", visibility="internal")
    note = Note.objects.get()
    assert (response.status_code, response.json()["text"]) == (201, {"id": note.pk})
    assert (note.task, note.body, note.author_name) == (given, "We look into it: Grüße", "Nora")
    assert note.visibility == "internal"
    assert itx.case(given.ticket, "getComments")["texts"][0]["text"] == "We look into it: Grüße"


def test_a_text_goes_to_the_first_task_that_is_open(itx: Itx, given: Task):
    other = second_task(given.ticket, itx.desk)
    actions.close_task(actor=AGENT, task=given)
    text(itx, given.ticket_id)
    assert Note.objects.get().task == other


def test_a_text_wakes_a_closed_case(itx: Itx):
    ticket = itx.raised(status=2)
    text(itx, ticket.pk)
    assert Ticket.objects.get().status == 1


def test_texts_are_those_that_the_desk_was_sent_and_its_own(itx: Itx, given: Task):
    actions.add_note(actor=AGENT, ticket=given.ticket, body="Before there was a process")
    process = Process.objects.create(name="Everything")
    GroupBinding.objects.update(update_process=process, assignment_process=process)
    # What it was given it is told of from now on.
    ada = Actor(ActorKind.AGENT, "Ada")
    actions.assign_task(actor=ada, task=given, group=itx.desk.group)
    actions.add_note(actor=ada, ticket=given.ticket, task=given, body="Sent")
    actions.add_note(actor=ada, ticket=given.ticket, body="For our own people", visibility="internal")
    text(itx, given.ticket_id, "Theirs")
    assert [row["text"] for row in itx.case(given.ticket, "getComments")["texts"]] == ["Sent", "Theirs"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": " ", "activity": {"eactId": 1}}, "text"),
        ({"activity": {"eactId": 1}}, "text"),
        ({"text": "x"}, "activity"),
        ({"text": "x", "activity": {}}, "activity.eactId"),
        ({"text": "x", "activity": {"eactId": "one"}}, "activity.eactId"),
        ({"text": "x", "activity": {"eactId": 1}, "texts": "y"}, "texts"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_text_is_named(itx: Itx, body: dict[str, Any], field: str):
    assert refused(itx.post("itxems/activitytexts", body)) == (400, "invalid", {field})


def test_files_are_attached_one_or_several(itx: Itx, given: Task):
    response = itx.upload(given.ticket_id, files=[file(), file("b.bin", b"\x00\xff")])
    assert response.status_code == 201
    held = itx.case(given.ticket, "getFiles")["coreFileReferences"]
    assert [(row["name"], row["size"]) for row in held] == [("a.txt", 5), ("b.bin", 2)]
    assert response.json()["coreFileReferences"] == [{"id": row["id"]} for row in held]
    content = itx.get("core/corefile", id=held[1]["id"])
    assert (b"".join(content.streaming_content), content["Content-Type"]) == (b"\x00\xff", "application/octet-stream")
    # The log of what was done keeps no long files, and never the three values.
    assert Exchange.objects.filter(operation="attach", outcome=Outcome.SUCCEEDED).count() == 1


@pytest.mark.parametrize(
    "query", ["", "tblId=35007&type=3", "tblId=1&type=3&id={case}", "tblId=35007&type=4&id={case}", "x=1&id={case}"]
)
def test_the_constants_and_the_case_are_asked_for(itx: Itx, given: Task, query: str):
    address = f"core/corefile?{query.format(case=given.ticket_id)}"
    response = itx.post(address, {"files": file()}, content_type=MULTIPART_CONTENT)
    assert refused(response)[:2] == (400, "invalid")
    assert not Attachment.objects.exists()


def test_a_form_without_files_with_others_or_with_json_is_refused(itx: Itx, given: Task):
    assert refused(itx.upload(given.ticket_id, file=file())) == (400, "invalid", {"file"})
    assert refused(itx.upload(given.ticket_id, text="x"))[2] == {"text"}
    address = f"core/corefile?tblId=35007&type=3&id={given.ticket_id}"
    assert refused(itx.post(address, {"files": []}))[:2] == (415, "unsupported_media_type")
    assert not Attachment.objects.exists()


def test_a_file_that_the_desk_was_not_sent_is_not_there(itx: Itx, stranger: Itx, given: Task):
    ours = actions.attach(actor=AGENT, ticket=given.ticket, content=actions.FileContent("ours.txt", b"x"))
    itx.upload(given.ticket_id, files=file())
    theirs = Attachment.objects.latest("pk")
    for caller, pk in ((itx, ours.pk), (stranger, theirs.pk), (itx, 2**63 - 1)):
        assert refused(caller.get("core/corefile", id=pk))[:2] == (404, "not_found")


def test_what_is_repeated_under_its_key_has_its_effect_once_whichever_task_is_open_by_then(itx: Itx, given: Task):
    second_task(given.ticket, itx.desk)
    first = text(itx, given.ticket_id, key="k1")
    actions.close_task(actor=AGENT, task=given)
    again = text(itx, given.ticket_id, key="k1")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert Note.objects.count() == 1
    assert refused(text(itx, given.ticket_id, "Other", key="k1"))[:2] == (422, "repeated_with_other_content")
    other = itx.raised()
    assert text(itx, other.pk, key="k1").status_code == 201


def test_a_creation_repeated_under_its_key_creates_once(itx: Itx):
    answers = [itx.post("itxems/case", {"description": "No delivery"}, key="k1") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert Ticket.objects.count() == 1
    assert refused(itx.post("itxems/case", {"description": "Other"}, key="k1"))[0] == 422


def test_a_text_for_a_case_that_is_not_there_yet_is_replayed_once_it_is(itx: Itx, given: Task):
    missing = given.ticket_id + 1
    assert refused(text(itx, missing, "Early"))[:2] == (404, "not_found")
    assert refused(itx.upload(missing, files=file()))[:2] == (404, "not_found")
    assert itx.raised().pk == missing
    for exchange in Exchange.objects.filter(outcome=Outcome.REFUSED).order_by("pk"):
        assert replay_inbound(exchange, by=AGENT).outcome == Outcome.SUCCEEDED
    assert Note.objects.get().ticket_id == missing
    with Attachment.objects.get().file.open() as content:
        assert content.read() == b"hello"


def test_a_case_that_was_refused_is_replayed_once_its_category_is_there(itx: Itx, given: Task):
    body = {"description": "No delivery", "category": {"ctnoId": 9999}}
    assert itx.post("itxems/case", body).status_code == 400
    refused_search = itx.post("itxems/cases/search", {"colour": "red"})
    assert refused_search.status_code == 400
    Category.objects.create(pk=9999, code="late", name="Late")
    first, second = Exchange.objects.filter(outcome=Outcome.REFUSED).order_by("pk")
    assert json.loads(first.request_body) == body
    assert replay_inbound(first, by=AGENT).outcome == Outcome.SUCCEEDED
    assert Ticket.objects.latest("pk").category_id == 9999
    # A search is no message.
    assert replay_inbound(second, by=AGENT).outcome == Outcome.REFUSED
