"""Everything that an agent does on a ticket's page is the action that the API would call."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.actors import Actor
from tickets.admin import ticket_page
from tickets.events import Event, EventName
from tickets.lifecycle import Phase, TaskMove, TicketStatus, allowed_moves
from tickets.models import Attachment, Note, Queue, Task

Send = Callable[..., Any]


def task_in_review(desk: Desk) -> Task:
    task = desk.task(desk.service_desk)
    return actions.propose_solution(actor=desk.by_agent, task=task, solution="Bring water")


@pytest.mark.parametrize(
    ("do", "values", "event"),
    [
        ("edit", {"title_text": "It smoulders"}, EventName.TICKET_CHANGED),
        ("add_task", {"title_text": "Call them"}, EventName.TASK_CREATED),
        ("close_ticket", {"solution": "Burnt down"}, EventName.TICKET_CLOSED),
        ("note", {"body": "Hello"}, EventName.NOTE_ADDED),
    ],
)
def test_what_is_done_with_a_ticket_is_told(
    desk: Desk, send: Send, events: list[Event], do: str, values: dict[str, str], event: EventName
) -> None:
    ticket = desk.ticket()
    events.clear()

    answer = send(ticket, do, **values)

    assert answer.status_code == 302, answer.context and answer.context["opened"].errors
    assert [heard.name for heard in events] == [event]
    assert events[0].actor == desk.by_agent


@pytest.mark.parametrize(
    ("do", "values", "event"),
    [
        ("assign", {"assignee": ""}, EventName.TASK_ASSIGNED),
        ("escalate", {}, EventName.TASK_CHANGED),
        ("propose", {"solution": "Water"}, EventName.SOLUTION_PROPOSED),
        ("close", {"solution": "Water"}, EventName.TASK_CLOSED),
        ("edit_task", {"title_text": "Extinguish"}, EventName.TASK_CHANGED),
        ("note", {"body": "Hello"}, EventName.NOTE_ADDED),
    ],
)
def test_what_is_done_with_a_task_is_told(
    desk: Desk, send: Send, events: list[Event], do: str, values: dict[str, Any], event: EventName
) -> None:
    task = desk.task(desk.service_desk)
    if do == "assign":
        values = {**values, "group": desk.service_desk.pk}
    events.clear()

    answer = send(task.ticket, do, task.number, **values)

    assert answer.status_code == 302
    assert events[0].name == event
    assert events[0].task == task


@pytest.mark.parametrize(
    ("do", "values", "phase"),
    [
        ("accept", {}, Phase.CLOSE),
        ("decline", {"reason": "Still burning"}, Phase.INITIAL_SUPPORT),
        ("reopen", {"reason": "Again"}, Phase.INITIAL_SUPPORT),
    ],
)
def test_a_solution_is_judged(desk: Desk, send: Send, do: str, values: dict[str, str], phase: Phase) -> None:
    task = task_in_review(desk)
    assert send(task.ticket, do, task.number, **values).status_code == 302
    task.refresh_from_db()
    assert task.phase == phase


def test_a_closed_ticket_is_reopened(desk: Desk, send: Send) -> None:
    ticket = actions.close_ticket(actor=desk.by_agent, ticket=desk.ticket())
    assert send(ticket, "reopen_ticket", reason="Again").status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.OPEN


@pytest.mark.parametrize("phase", list(Phase))
def test_a_task_offers_exactly_the_moves_of_its_phase(desk: Desk, agent: Client, phase: Phase) -> None:
    task = desk.task(desk.service_desk)
    Task.objects.filter(pk=task.pk).update(phase=phase)
    card = agent.get(page_of(task.ticket)).context["cards"][0]
    offered = [form.name for form in card.forms if form.name != "edit_task"]
    assert offered == [move.value for move in allowed_moves(phase) if move != TaskMove.RESUME]


def test_a_refusal_is_shown_in_the_form_and_what_was_typed_is_kept(desk: Desk, agent: Client, send: Send) -> None:
    task = desk.task(desk.service_desk)
    desk.service_desk.members.clear()
    outsider_group = send(task.ticket, "propose", task.number, solution="<b>long text</b>", completion_code="no")
    assert outsider_group.status_code == 422
    assert "&lt;b&gt;long text&lt;/b&gt;</textarea>" in outsider_group.content.decode()


def test_a_move_that_the_phase_does_not_allow_is_refused_with_what_is(desk: Desk, agent: Client) -> None:
    task = desk.task(desk.service_desk)
    values = {"do": "accept", "task": task.number, "version": task.version, "token": "0" * 32}
    answer = agent.post(page_of(task.ticket), values)
    assert answer.status_code == 422
    assert "cannot do this: accept the solution" in answer.content.decode()


def test_a_note_with_files_goes_where_it_is_said_to(desk: Desk, send: Send) -> None:
    task = desk.task(desk.service_desk)
    files = [SimpleUploadedFile("a.txt", b"1"), SimpleUploadedFile("b.txt", b"2")]
    send(task.ticket, "note", body="Between us", about=task.number, visibility="internal", files=files)
    note = Note.objects.get()
    assert (note.task, note.visibility) == (task, "internal")
    kept = Attachment.objects.values_list("name", "note", "visibility")
    assert set(kept) == {("a.txt", note.pk, "internal"), ("b.txt", note.pk, "internal")}


def test_files_need_no_text_but_nothing_at_all_is_refused(desk: Desk, send: Send) -> None:
    ticket = desk.ticket()
    assert send(ticket, "note", files=[SimpleUploadedFile("a.txt", b"1")]).status_code == 302
    assert (Note.objects.count(), Attachment.objects.get().name) == (0, "a.txt")

    nothing = send(ticket, "note", body=" ")
    assert nothing.status_code == 422
    assert "Write a text or choose a file." in nothing.content.decode()


def test_a_double_click_adds_one_note(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket)).context["note"]
    values = {"do": "note", "body": "Once", "visibility": "public"}
    values |= {name: form[name].value() for name in ("token", "version")}
    assert [agent.post(page_of(ticket), values).status_code for _ in range(2)] == [302, 302]
    assert Note.objects.count() == 1


def test_conversation_and_history_escape_what_people_wrote(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket(title="<script>alert(1)</script>")
    task = desk.task(desk.service_desk, ticket)
    evil = "<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/?a=<b>"
    actor = Actor.external(key="system:1", name=evil)
    actions.add_note(actor=actor, ticket=ticket, body=evil, files=[actions.FileContent(f"{evil}.txt", b"1")])
    actions.propose_solution(actor=actor, task=task, solution=evil)

    for tab in ("conversation", "history"):
        page = agent.get(page_of(ticket), {"tab": tab}).content.decode()
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert 'href="javascript:' not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_internal_and_public_notes_are_told_apart_by_a_word(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="for all")
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="for us", visibility="internal")
    page = agent.get(page_of(ticket)).content.decode()
    assert (
        page.index(">Public</span>") < page.index("for all") < page.index(">Internal</span>") < page.index("for us")
    )


def test_the_page_asks_for_news_and_gets_none_while_nothing_happens(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    latest = agent.get(page_of(ticket)).context["latest"]
    assert agent.get(page_of(ticket), {"seen": latest}).status_code == 204
    actions.add_note(actor=desk.by_end_user, ticket=ticket, body="More smoke")
    news = agent.get(page_of(ticket), {"seen": latest})
    assert "More smoke" in news.content.decode()


def test_editing_a_task_leaves_alone_what_was_not_touched(desk: Desk, send: Send, events: list[Event]) -> None:
    task = desk.task(desk.service_desk)
    Task.objects.filter(pk=task.pk).update(expected_resolution_at="2026-12-01T09:30:15Z")
    events.clear()
    send(task.ticket, "edit_task", task.number, title_text="Other", expected_resolution_at="2026-12-01T09:30")
    assert list(events[0].changes) == ["title"]


def test_queue_and_priority_change_with_the_form(desk: Desk, send: Send, events: list[Event]) -> None:
    ticket, queue = desk.ticket(), Queue.objects.create(name="Hardware", code="hardware")
    events.clear()
    send(ticket, "edit", queue=queue.pk)
    assert events[0].changes == {"queue": (None, queue)}


def test_a_long_history_has_pages_and_says_changes_in_words(
    desk: Desk, agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_page, "HISTORY_PER_PAGE", 3)
    task = desk.task(desk.service_desk)
    actions.escalate_task(actor=desk.by_agent, task=task)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="x")
    first = agent.get(page_of(task.ticket), {"tab": "history"}).content.decode()
    assert "<del>Initial support</del> <ins>Escalate</ins>" in first
    assert "raised the ticket" not in first
    assert "?tab=history&amp;page=2" in first
    assert "raised the ticket" in agent.get(page_of(task.ticket), {"tab": "history", "page": 2}).content.decode()
