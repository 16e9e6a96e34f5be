"""What a contact may read, and in which words."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Desk
from tickets import actions, panels
from tickets.actors import Actor
from tickets.lifecycle import TicketStatus
from tickets.models import Task, Ticket, Visibility
from tickets.selectors import (
    Standing,
    last_change,
    public_timeline,
    solution_to_judge,
    standing,
    status_words,
    tickets_of,
    visible_ticket,
)


def test_people_read_their_own_tickets_only(desk: Desk) -> None:
    ticket = desk.ticket()
    assert list(tickets_of(desk.end_user)) == [ticket]
    for other in (desk.outsider, desk.agent, AnonymousUser()):
        assert not tickets_of(other).exists()
        with pytest.raises(Ticket.DoesNotExist):
            visible_ticket(other, ticket.number)
    assert visible_ticket(desk.end_user, ticket.number) == ticket


@pytest.mark.parametrize("status", [TicketStatus.DELETED, TicketStatus.SPAM])
def test_deleted_and_spam_are_not_shown(desk: Desk, status: TicketStatus) -> None:
    ticket = desk.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(status=status)
    assert not tickets_of(desk.end_user).exists()


def test_the_timeline_has_what_is_public_in_order_and_never_what_is_internal(desk: Desk) -> None:
    ticket = desk.ticket()
    task = desk.task(desk.service_desk, ticket)
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="SECRET", visibility=Visibility.INTERNAL)
    secret = actions.FileContent("SECRET.txt", b"1")
    actions.attach(actor=desk.by_agent, ticket=ticket, content=secret, visibility=Visibility.INTERNAL)
    actions.add_note(
        actor=Actor.external(key="system:1", name="Their desk"),
        ticket=ticket,
        task=task,
        body="On our way",
        files=[actions.FileContent("route.pdf", b"1")],
    )
    actions.attach(actor=desk.by_end_user, ticket=ticket, content=actions.FileContent("photo.jpg", b"1"))
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    actions.decline_solution(actor=desk.by_end_user, task=task, reason="Still burning")
    actions.close_task(actor=desk.by_agent, task=task, solution="Foam")

    told = [(entry.kind, entry.author, entry.text) for entry in public_timeline(ticket)]

    assert told == [
        ("ticket_created", "Ada", "Smoke on floor 2"),
        ("note", "Their desk", "On our way"),
        ("files", "Emil", ""),
        ("solution_proposed", "Ada", "Water"),
        ("solution_declined", "Emil", "Still burning"),
        ("task_closed", "Ada", "Foam"),
        ("ticket_closed", "Ada", ""),
    ]
    assert "SECRET" not in repr(public_timeline(ticket))
    assert [file.name for entry in public_timeline(ticket) for file in entry.files] == ["route.pdf", "photo.jpg"]


def test_a_public_file_is_not_lost_with_an_internal_note(desk: Desk) -> None:
    ticket = desk.ticket()
    note = actions.add_note(
        actor=desk.by_agent,
        ticket=ticket,
        body="SECRET",
        visibility=Visibility.INTERNAL,
        files=[actions.FileContent("a.txt", b"1")],
    )
    note.attachments.update(visibility=Visibility.PUBLIC)
    assert [entry.kind for entry in public_timeline(ticket)] == ["ticket_created", "files"]


def test_an_accepted_solution_is_not_told_twice(desk: Desk) -> None:
    task = actions.propose_solution(actor=desk.by_agent, task=desk.task(), solution="Water")
    actions.accept_solution(actor=desk.by_end_user, task=task)
    assert [entry.text for entry in public_timeline(task.ticket)].count("Water") == 1


def test_the_timeline_needs_as_many_queries_for_many_entries_as_for_few(desk: Desk) -> None:
    ticket = desk.ticket()

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            public_timeline(ticket)
        return len(captured)

    few = count()
    for _ in range(5):
        task = desk.task(desk.service_desk, ticket)
        actions.add_note(
            actor=desk.by_agent, ticket=ticket, task=task, body="x", files=[actions.FileContent("a", b"1")]
        )
        actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    assert count() == few == 3


def test_a_ticket_stands_where_its_tasks_stand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with_partner: set[int] = set()
    monkeypatch.setattr(panels, "_partner_checks", {lambda task: task.pk in with_partner: ()})
    ticket = desk.ticket()

    def now() -> Standing:
        fresh = visible_ticket(desk.end_user, ticket.number)
        return standing(fresh, fresh.tasks.all())

    assert now() == Standing.RECEIVED
    task, other = desk.task(desk.service_desk, ticket), desk.task(desk.service_desk, ticket)
    assert now() == Standing.WORKED_ON
    with_partner.add(task.pk)
    assert now() == Standing.WITH_PARTNER
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    assert now() == Standing.PARTLY_SOLVED
    actions.close_task(actor=desk.by_agent, task=other)
    assert now() == Standing.SOLVED
    actions.accept_solution(actor=desk.by_end_user, task=task)
    assert now() == Standing.CLOSED
    ticket.refresh_from_db()
    assert status_words(ticket, ticket.tasks.all()) == "Closed"


@pytest.mark.parametrize(
    ("status", "words"),
    [(TicketStatus.ON_HOLD, "On hold"), (TicketStatus.MERGED, "Continued in another ticket")],
)
def test_a_status_that_was_set_is_said(desk: Desk, status: TicketStatus, words: str) -> None:
    ticket = desk.ticket()
    ticket.status = status
    assert status_words(ticket, []) == words


def test_the_solution_that_waits_longest_is_judged_first_and_none_of_a_closed_ticket(desk: Desk) -> None:
    ticket = desk.ticket()
    first, second = desk.task(ticket=ticket), desk.task(ticket=ticket)
    assert solution_to_judge(visible_ticket(desk.end_user, ticket.number)) is None
    for task in (second, first):
        actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    assert solution_to_judge(visible_ticket(desk.end_user, ticket.number)) == first
    Task.objects.filter(pk=first.pk).update(solution="")
    assert solution_to_judge(visible_ticket(desk.end_user, ticket.number)) == second
    ticket.status = TicketStatus.CLOSED
    assert solution_to_judge(ticket) is None


def test_the_last_change_grows_with_everything_that_happens(desk: Desk) -> None:
    ticket = desk.ticket()
    task = desk.task(ticket=ticket)
    seen = [last_change(ticket)]
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="x")
    seen.append(last_change(ticket))
    actions.escalate_task(actor=desk.by_agent, task=task)
    seen.append(last_change(ticket))
    desk.ticket()
    assert seen == sorted(set(seen))
    assert last_change(ticket) == seen[-1], "another ticket's changes do not count"


def test_a_task_that_an_agent_gives_away_comes_back_to_a_group_of_the_agent(desk):
    from tickets.models import AssignmentGroup
    from tickets.selectors import own_group

    second_line = AssignmentGroup.objects.create(name="Second line", code="second-line")
    assert own_group(desk.by_agent, other_than=second_line) is None
    second_line.members.add(desk.agent)
    desk.service_desk.members.add(desk.agent)
    assert own_group(desk.by_agent, other_than=second_line) == desk.service_desk
    assert own_group(desk.by_agent, other_than=desk.service_desk) == second_line
