"""The last words of a conversation: what is written there with or after closing, and on tickets that were merged."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import OperationTemplate, TheirTicket
from tests.integrations.synchronising.conftest import exchanged, look, notes
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def by_number(task):
    """The desk has no list; its T-1 is a task of ours."""
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    return task


def closed_there(polling, theirs, task):
    """They close it, and we have seen it."""
    theirs.change("T-1", status="closed", solution="Ink")
    look(polling)
    task.refresh_from_db()
    assert task.phase == "close"
    theirs.wait(3600)


def test_a_note_that_is_written_with_the_closing_arrives(polling, theirs, by_number):
    theirs.say("T-1", "that is all")
    closed_there(polling, theirs, by_number)
    assert notes() == ["that is all"]


def test_a_note_that_is_written_after_the_closing_arrives(polling, theirs, by_number):
    closed_there(polling, theirs, by_number)
    look(polling, times=2)
    theirs.say("T-1", "one more thing")
    theirs.attach("T-1", "bill.txt", b"content")
    look(polling)
    assert notes() == ["one more thing"]
    assert by_number.attachments.count() == 1


def test_a_ticket_that_was_closed_long_ago_is_not_looked_at_any_more(polling, theirs, by_number):
    closed_there(polling, theirs, by_number)
    look(polling, times=2)
    Task.objects.update(closed_at=timezone.now() - timedelta(days=20))
    theirs.asked.clear()
    look(polling, times=2)
    assert theirs.asked == []


def test_a_desk_that_was_down_since_the_closing_is_asked_once_more(polling, theirs, by_number):
    closed_there(polling, theirs, by_number)
    look(polling, times=2)
    theirs.say("T-1", "one more thing")
    long_ago = timezone.now() - timedelta(days=20)
    Task.objects.update(closed_at=long_ago)
    TheirTicket.objects.update(seen_at=long_ago)
    look(polling)
    assert notes() == ["one more thing"]


def test_tickets_that_were_closed_take_no_turns_from_those_that_are_worked_on(
    polling, theirs, by_number, desk, partner
):
    closed_there(polling, theirs, by_number)
    for number in range(2, 6):
        exchanged(desk, partner, theirs, f"T-{number}")
    look(polling)
    theirs.asked.clear()
    look(polling)
    fetched = {asked.rpartition("/")[2] for asked in theirs.asked if asked.count("/") == 3}
    assert len(fetched - {"id-T-1"}) >= 2


@pytest.mark.parametrize("listed", [True, False])
def test_notes_on_a_ticket_that_was_merged_here_arrive_at_the_ticket_that_it_is_now(
    polling, theirs, task, desk, listed
):
    if not listed:
        OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    target = desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=task.ticket, target=target)
    theirs.say("T-1", "after the merge")
    look(polling, times=2)
    assert list(target.notes.values_list("body", flat=True)) == ["after the merge"]
