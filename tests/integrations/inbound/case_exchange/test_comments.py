"""Desks send all comments again with each message: what was seen is dropped, by text and time."""

import pytest

from integrations.models import ExternalReference, ProcessRun
from tests.integrations.inbound.case_exchange.conftest import NEW, CaseDesk, comment, entry_for, named, problem
from tests.integrations.inbound.conftest import Desk, make_task
from tickets.lifecycle import Phase
from tickets.models import Note, Task, Visibility


def texts() -> list[str]:
    """What was said, in order."""
    return list(Note.objects.order_by("pk").values_list("body", flat=True))


def test_comments_are_added_in_their_order_with_author_and_privacy(cases: CaseDesk, known: Task):
    cases.send("Update", comments=[comment("One", Author="Nora"), comment("Two", PrivacyType="private")])
    first, second = Note.objects.order_by("pk")
    assert (first.body, first.author_name, first.visibility) == ("One", "Nora", Visibility.PUBLIC)
    assert (second.body, second.author_name, second.visibility) == ("Two", "Northwind", Visibility.INTERNAL)


def test_a_comment_that_was_seen_is_dropped_and_a_new_one_added(cases: CaseDesk, known: Task):
    cases.send("Update", comments=[comment("One")])
    answer = cases.send("Update", comments=[comment("One"), comment("Two")]).json()["entities"][0]
    assert (texts(), answer["changed"]) == (["One", "Two"], True)


def test_nothing_new_is_an_answer_that_says_so(cases: CaseDesk, known: Task):
    cases.send("Update", comments=[comment("One")])
    response = cases.send("Update", comments=[comment("One")])
    assert (response.status_code, response.json()["entities"][0]["changed"]) == (200, False)
    assert texts() == ["One"]


def test_the_same_text_at_another_time_is_another_comment(cases: CaseDesk, known: Task):
    cases.send("Update", comments=[comment("Any news?", 1), comment("Any news?", 2), comment("Any news?", 1)])
    assert texts() == ["Any news?", "Any news?"]


def test_the_same_comment_on_another_task_is_another_comment(cases: CaseDesk, northwind: Desk, known: Task):
    make_task(northwind, reference="INC-2")
    cases.send("Update", comments=[comment("One")])
    cases.send("Update", reference="INC-2", comments=[comment("One")])
    assert texts() == ["One", "One"]


def test_comments_come_along_with_every_operation(cases: CaseDesk, known: Task):
    cases.send("Resolve", comments=[comment("One")], Solution="New toner")
    cases.send("Close", comments=[comment("One"), comment("Two", 2)])
    assert texts() == ["One", "Two"]
    known.refresh_from_db()
    assert known.phase == Phase.CLOSE


def test_what_comes_with_an_acknowledge_is_taken_along(cases: CaseDesk, northwind: Desk):
    task = make_task(northwind)
    values = {"comments": [comment("We have it")], "IncidentAttachments": named(cases.upload(b"hello", "a.txt"))}
    for changed in (True, False):
        response = cases.send("Acknowledge", task, reference="INC-9", **values)
        assert (response.status_code, response.json()["entities"][0]["changed"]) == (200, changed)
    assert texts() == ["We have it"]
    assert task.attachments.count() == 1
    assert ExternalReference.objects.get(task=task).value == "INC-9"


def test_new_words_with_an_operation_that_was_known_are_a_change(cases: CaseDesk, known: Task):
    said = [comment("One"), comment("Two", 2)]
    answers = [cases.send("Resolve", comments=said[:count], Solution="New toner") for count in (1, 1, 2)]
    assert [answer.json()["entities"][0]["changed"] for answer in answers] == [True, False, True]
    assert texts() == ["One", "Two"]


def test_comments_of_a_create_are_kept_also_where_it_comes_again(cases: CaseDesk, known: Task):
    cases.send("Create", reference="INC-2", comments=[comment("One")], **NEW)
    cases.send("Create", reference="INC-2", comments=[comment("One"), comment("Two")], **NEW)
    assert texts() == ["One", "Two"]
    assert ExternalReference.objects.filter(value="INC-2").count() == 1


def test_a_comment_before_the_acknowledgement_is_taken(cases: CaseDesk, northwind: Desk):
    task = make_task(northwind)
    assert cases.send("Update", task, reference="INC-9", comments=[comment("Early")]).status_code == 200
    assert cases.send("Acknowledge", task, reference="INC-9").status_code == 200
    assert texts() == ["Early"]


def test_a_resolve_before_the_create_is_404_and_its_comments_are_not_kept(cases: CaseDesk, known: Task):
    response = cases.send("Resolve", reference="INC-9", comments=[comment("Early")])
    assert problem(response) == (404, "not_found")
    assert texts() == []
    assert cases.send("Create", reference="INC-9", **NEW).status_code == 201
    assert cases.send("Resolve", reference="INC-9", comments=[comment("Early")]).status_code == 200
    assert "Early" in texts()


def test_a_refused_operation_keeps_none_of_its_comments(cases: CaseDesk, known: Task):
    assert cases.send("Resolve", comments=[comment("Early")], CompletionCode="Magic").status_code == 400
    assert texts() == []
    cases.send("Resolve", comments=[comment("Early")])
    assert texts() == ["Early"]


def test_an_accept_without_words_changes_nothing(cases: CaseDesk, known: Task):
    response = cases.send("Accept")
    assert response.status_code == 200, response.content
    assert response.json()["entities"][0]["changed"] is False
    assert not ProcessRun.objects.exists()


@pytest.mark.parametrize("text", ["Grüße aus Köln", "日本語", "a\u2028b", "<b>x</b>", '"; DROP TABLE'])
def test_words_arrive_as_they_were_written(cases: CaseDesk, known: Task, text: str):
    cases.send("Update", comments=[comment(text)])
    assert texts() == [text]


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16", "windows-1252"])
def test_the_body_is_read_in_the_callers_character_set(cases: CaseDesk, known: Task, charset: str):
    body = (
        '{"entities": [{"ext_properties": {"Operation": "Update", "ExternalId": "INC-1"}, '
        '"Comments": [{"CreatedTime": 1, "Body": "Müller"}]}]}'
    )
    content_type = f"application/json; charset={charset}"
    response = cases.client.generic("POST", "/rest/deskbridge/ces", body.encode(charset), content_type=content_type)
    assert (response.status_code, texts()) == (200, ["Müller"])


@pytest.mark.parametrize("at", [1_700_000_000_000, 1_700_000_009_999])
def test_what_we_have_published_ourselves_is_not_taken_over_when_it_comes_back(
    cases: CaseDesk, northwind: Desk, known: Task, at: int
):
    """As we wrote it, or under a time of their own."""
    entry = entry_for(known, northwind.system)
    entry.content["Comments"] = [comment("Any news?")]
    entry.save()
    cases.poll()
    answer = cases.send("Update", comments=[comment("Any news?", at), comment("No.", at)])
    assert (answer.status_code, texts()) == (200, ["No."])
