"""A contact who follows a ticket reads it and writes on it; closing, judging and opening again is its contact's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.tickets.views.cast import Cast, raise_ticket
from tickets import actions
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Member, Ticket

Tokens = Callable[[Client, str], dict[str, str]]


@pytest.fixture
def follower(cast: Cast, outsider: Client) -> Client:
    """The outsider, who follows the ticket by now."""
    actions.add_follower(actor=cast.desk, ticket=cast.ticket, contact=cast.outsider.contact)
    return outsider


def page(browser: Client, ticket: Ticket) -> str:
    answer = browser.get(f"/tickets/{ticket.number}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_follower_reads_what_is_public_and_is_told_that_they_follow(cast: Cast, follower: Client) -> None:
    content = page(follower, cast.ticket)
    assert "You follow this ticket of Olga" in content
    assert "We are looking into it." in content
    assert "SECRET" not in content
    assert cast.ticket.title in follower.get("/tickets/").content.decode()
    address = f"/tickets/{cast.ticket.number}/files"
    assert b"".join(follower.get(f"{address}/{cast.file.pk}/").streaming_content) == b"<h1>hi</h1>"
    assert follower.get(f"{address}/{cast.internal_file.pk}/").status_code == 404


def test_a_followers_message_wakes_the_ticket(cast: Cast, follower: Client, tokens: Tokens) -> None:
    actions.set_status(actor=cast.desk, ticket=cast.ticket, status=TicketStatus.AWAITING_EXTERNAL)
    address = f"/tickets/{cast.ticket.number}/"
    follower.post(f"{address}note/", {"token": tokens(follower, address)["note"], "body": "It smells, too."})
    assert Ticket.objects.get(pk=cast.ticket.pk).status == TicketStatus.OPEN
    assert "It smells, too." in page(follower, cast.ticket)


def test_a_follower_is_offered_no_judgement_and_no_closing(cast: Cast, follower: Client, owner: Client) -> None:
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    mine, theirs = page(owner, cast.ticket), page(follower, cast.ticket)
    for words in ("Is it solved?", "Close this ticket"):
        assert words in mine
        assert words not in theirs
    assert "Turned it off." in theirs
    assert cast.ticket.title in owner.get("/tickets/?status=check").content.decode()
    assert cast.ticket.title not in follower.get("/tickets/?status=check").content.decode()
    actions.accept_solution(actor=cast.desk, task=cast.task)
    assert "Open it again" not in page(follower, cast.ticket)


@pytest.mark.parametrize("name", ["accept", "decline", "close", "reopen"])
def test_what_is_the_contacts_is_refused_to_a_follower(cast: Cast, follower: Client, name: str) -> None:
    task = actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    if name == "reopen":
        actions.accept_solution(actor=cast.desk, task=task)
    before = cast.ticket.history.count()
    fields: dict[str, Any] = {"token": "9b2c3a1e-7b0e-4a55-9d53-0d1e4f8a7c66", "reason": "x", "why": "fulfilled"}
    fields |= {"task": task.pk, "version": task.version}
    answer = follower.post(f"/tickets/{cast.ticket.number}/{name}/", fields)
    assert answer.status_code == 422
    assert "only its contact can do this" in answer.content.decode()
    assert cast.ticket.history.count() == before
    task.refresh_from_db()
    assert task.phase == (Phase.CLOSE if name == "reopen" else Phase.REVIEW)


def test_who_no_longer_follows_no_longer_reads(cast: Cast, follower: Client) -> None:
    actions.end_follower(
        actor=cast.desk,
        ticket=cast.ticket,
        member=Member.objects.get(contact=cast.outsider.contact, ended_at=None, role=2),
    )
    assert follower.get(f"/tickets/{cast.ticket.number}/").status_code == 404
    assert cast.ticket.title not in follower.get("/tickets/").content.decode()


def test_a_former_contact_no_longer_reads(cast: Cast, owner: Client) -> None:
    actions.change_ticket(actor=cast.desk, ticket=cast.ticket, contact=cast.outsider.contact)
    assert owner.get(f"/tickets/{cast.ticket.number}/").status_code == 404


def test_an_agent_who_follows_reads_no_more_in_the_portal_than_before(cast: Cast, client: Client) -> None:
    actions.add_follower(actor=cast.desk, ticket=cast.ticket, user=cast.nobody)
    client.force_login(cast.nobody)
    assert client.get(f"/tickets/{cast.ticket.number}/").status_code == 403


def test_a_merged_ticket_leads_its_contact_to_the_one_that_goes_on(
    cast: Cast, owner: Client, outsider: Client
) -> None:
    theirs = raise_ticket(cast.outsider, "Smells")
    actions.merge_tickets(actor=cast.desk, source=theirs, target=cast.ticket)
    content = page(outsider, theirs)
    assert "Continued in another ticket" in content
    assert f'<a href="/tickets/{cast.ticket.number}/">' in content
    assert "takes no more messages" in content
    assert page(outsider, cast.ticket)
    assert owner.get(f"/tickets/{theirs.number}/").status_code == 404, "the other way round nothing is shown"


def test_a_merged_ticket_names_no_ticket_that_its_contact_may_not_read(cast: Cast, outsider: Client) -> None:
    theirs = raise_ticket(cast.outsider, "Smells")
    actions.merge_tickets(actor=cast.desk, source=theirs, target=cast.ticket)
    for member in Member.objects.filter(ticket=cast.ticket, contact=cast.outsider.contact, ended_at=None):
        actions.end_follower(actor=cast.desk, ticket=cast.ticket, member=member)
    content = page(outsider, theirs)
    assert cast.ticket.number not in content
    assert cast.ticket.title not in content


def test_following_many_asks_the_database_no_more_often(
    cast: Cast, follower: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    follower.get("/tickets/")
    with django_assert_max_num_queries(50) as few:
        follower.get("/tickets/")
    for _each in range(8):
        ticket = raise_ticket(cast.owner, "More")
        actions.create_task(actor=cast.desk, ticket=ticket, group=cast.group)
        actions.add_follower(actor=cast.desk, ticket=ticket, contact=cast.outsider.contact)
    with django_assert_max_num_queries(len(few)):
        assert follower.get("/tickets/").content.decode().count("More</a>") == 8
