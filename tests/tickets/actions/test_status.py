"""A ticket's status: fixed and own, by hand, with its tasks, woken, and at the end of its hold."""

import datetime as dt
import itertools

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from tests.cast import Desk
from tickets import actions
from tickets.actors import Actor
from tickets.errors import InvalidInput, TransitionRefused
from tickets.lifecycle import STATUS_TRANSITIONS, TASKS_FOLLOW, WOKEN_BY_UPDATES, Phase, TasksThen, TicketStatus
from tickets.models import OwnStatus, Task, Ticket
from tickets.tasks import release_holds

BY_DESK = Actor.external(key="system:1", name="Northwind")
SOON = dt.timedelta(hours=2)


@pytest.fixture
def in_progress(db: None) -> OwnStatus:
    """The administrators' own name for working on it."""
    return OwnStatus.objects.create(code="in-progress", name="In progress", status=TicketStatus.OPEN)


def with_status(desk: Desk, status: int) -> Ticket:
    """A ticket with a task, brought to that status by actions alone."""
    ticket = desk.ticket()
    if status == TicketStatus.MERGED:
        actions.merge_tickets(actor=desk.by_agent, source=ticket, target=desk.ticket())
        return Ticket.objects.get(pk=ticket.pk)
    desk.task(desk.service_desk, ticket)
    return actions.set_status(actor=desk.by_agent, ticket=ticket, status=status)


EVERY_PAIR = list(itertools.product(TicketStatus, TicketStatus))


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
def test_exactly_what_the_table_allows_is_done_and_anything_else_names_what_would_be(
    desk: Desk, before: TicketStatus, after: TicketStatus
) -> None:
    ticket = with_status(desk, before)
    if after in STATUS_TRANSITIONS[before]:
        assert actions.set_status(actor=desk.by_agent, ticket=ticket, status=after).status == after
        return
    row = Ticket.objects.filter(pk=ticket.pk).values().get()
    with pytest.raises(TransitionRefused) as refusal:
        actions.set_status(actor=desk.by_agent, ticket=ticket, status=after)
    named = [status.label for status in STATUS_TRANSITIONS[before]] or ["was merged into 1002"]
    assert all(str(name) in str(refusal.value) for name in named)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == row


@pytest.mark.parametrize(("before", "after"), list(TASKS_FOLLOW))
def test_the_tasks_follow_the_ticket_as_the_table_says(desk: Desk, before: int, after: int) -> None:
    ticket = with_status(desk, before)
    actions.set_status(actor=desk.by_agent, ticket=ticket, status=after)
    task = Task.objects.get(ticket=ticket)
    expected = {
        TasksThen.CLOSED: (Phase.CLOSE, "fulfilled"),
        TasksThen.WITHDRAWN: (Phase.CLOSE, "withdrawn_by_user"),
        TasksThen.LAST_REOPENED: (Phase.INITIAL_SUPPORT, ""),
    }
    assert (task.phase, task.completion_code) == expected[TASKS_FOLLOW[before, after]]
    assert Ticket.objects.get(pk=ticket.pk).status == after


def test_where_they_disagree_the_fixed_status_wins_and_the_own_becomes_its_default(
    desk: Desk, in_progress: OwnStatus
) -> None:
    ticket = actions.set_status(
        actor=desk.by_agent,
        ticket=desk.ticket(),
        status=TicketStatus.AWAITING_INTERNAL,
        own_status=in_progress,
    )
    assert ticket.status == TicketStatus.AWAITING_INTERNAL
    assert ticket.own_status == OwnStatus.default_of(TicketStatus.AWAITING_INTERNAL)


def test_only_the_own_status_given_the_fixed_one_follows(desk: Desk, in_progress: OwnStatus) -> None:
    ticket = actions.set_status(
        actor=desk.by_agent, ticket=with_status(desk, TicketStatus.AWAITING_INTERNAL), own_status=in_progress
    )
    assert (ticket.status, ticket.own_status, ticket.last_open_status) == (1, in_progress, in_progress)


def test_a_status_changes_its_time_and_the_same_one_again_changes_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    before = ticket.status_changed_at
    ticket = actions.set_status(actor=desk.by_agent, ticket=ticket, status=TicketStatus.OPEN)
    assert (ticket.status_changed_at, ticket.version) == (before, 1)
    ticket = actions.set_status(actor=desk.by_agent, ticket=ticket, status=TicketStatus.AWAITING_INTERNAL)
    assert ticket.status_changed_at > before


@pytest.mark.parametrize("status", TicketStatus.values)
def test_what_comes_in_wakes_a_closed_or_awaiting_ticket_to_its_last_open_status(
    desk: Desk, in_progress: OwnStatus, status: int
) -> None:
    ticket = with_status(desk, TicketStatus.OPEN)
    actions.set_status(actor=desk.by_agent, ticket=ticket, own_status=in_progress)
    if status == TicketStatus.MERGED:
        actions.merge_tickets(actor=desk.by_agent, source=ticket, target=desk.ticket())
    else:
        actions.set_status(actor=desk.by_agent, ticket=ticket, status=status)
    phases = list(ticket.tasks.values_list("phase", flat=True))
    actions.wake_ticket(actor=BY_DESK, ticket=ticket)
    ticket.refresh_from_db()
    if status in WOKEN_BY_UPDATES or status == TicketStatus.OPEN:
        assert (ticket.status, ticket.own_status) == (TicketStatus.OPEN, in_progress)
    else:
        assert ticket.status == status
    assert list(ticket.tasks.values_list("phase", flat=True)) == phases, "its tasks stay as they are"


def test_a_message_of_the_contact_wakes_and_one_of_an_agent_does_not(desk: Desk) -> None:
    ticket = with_status(desk, TicketStatus.AWAITING_EXTERNAL)
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="Any news?")
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.AWAITING_EXTERNAL
    actions.add_note(actor=desk.by_end_user, ticket=ticket, body="Here you are")
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.OPEN


def test_a_hold_ends_when_its_time_has_passed_and_not_before(desk: Desk, in_progress: OwnStatus) -> None:
    with time_machine.travel(dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC), tick=False) as clock:
        ticket = actions.set_status(actor=desk.by_agent, ticket=desk.ticket(), own_status=in_progress)
        ticket = actions.set_status(
            actor=desk.by_agent,
            ticket=ticket,
            status=TicketStatus.ON_HOLD,
            on_hold_until=timezone.now() + SOON,
            on_hold_comment="The part is ordered",
        )
        clock.shift(SOON - dt.timedelta(seconds=1))
        assert release_holds() == 0
        ticket.refresh_from_db()
        assert (ticket.status, ticket.on_hold_comment) == (TicketStatus.ON_HOLD, "The part is ordered")
        clock.shift(dt.timedelta(seconds=1))
        assert release_holds() == 1
        ticket.refresh_from_db()
        assert (ticket.status, ticket.own_status) == (TicketStatus.OPEN, in_progress)
        assert (ticket.on_hold_until, ticket.on_hold_comment) == (None, "")
        assert ticket.history.filter(text="The hold is over.").exists()
        assert release_holds() == 0


def test_a_hold_without_a_time_stays_until_somebody_changes_it(desk: Desk) -> None:
    ticket = with_status(desk, TicketStatus.ON_HOLD)
    with time_machine.travel(timezone.now() + dt.timedelta(days=900)):
        release_holds()
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.ON_HOLD


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": 8, "on_hold_until": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "is over already"),
        ({"status": 8, "on_hold_until": dt.datetime(2999, 1, 1)}, "needs a time zone"),
        ({"status": 1, "on_hold_comment": "why"}, "Only a ticket on hold"),
        ({"status": 8, "on_hold_comment": "x" * 501}, "longer than 500"),
        ({"status": 9}, '"9" is not a status'),
        ({}, "Choose a status"),
    ],
)
def test_bad_input_is_refused_in_words(desk: Desk, values: dict, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        actions.set_status(actor=desk.by_agent, ticket=desk.ticket(), **values)


def test_the_database_itself_keeps_hold_and_status_together(desk: Desk) -> None:
    ticket = desk.ticket()
    with pytest.raises(IntegrityError):
        Ticket.objects.filter(pk=ticket.pk).update(on_hold_comment="why")


def test_the_database_itself_knows_one_default_for_each_fixed_status(desk: Desk) -> None:
    OwnStatus.default_of(TicketStatus.OPEN)
    with pytest.raises(IntegrityError):
        OwnStatus.objects.create(code="x", name="X", status=TicketStatus.OPEN, is_default=True)
