"""A desk that is asked by its operation templates: what has changed over there arrives, once."""

import pytest

from integrations.models import TheirTicket
from tests.integrations.synchronising.conftest import exchanged, look, notes, taken

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_note_and_a_solution_arrive_in_this_order(polling, theirs, task):
    theirs.say("T-1", "Ink is on its way")
    theirs.change("T-1", status="solved", solution="New ink")
    look(polling)
    assert polling.last_error == ""
    assert taken() == [("update", "succeeded"), ("resolve", "succeeded")]
    assert notes() == ["Ink is on its way"]
    task.refresh_from_db()
    assert (task.phase, task.solution) == ("review", "New ink")
    seen = TheirTicket.objects.get(reference__task=task)
    assert (seen.values["status"], seen.ours["phase"]) == ("solved", "review")


def test_nothing_is_taken_over_again(polling, theirs, task):
    theirs.say("T-1", "once")
    theirs.change("T-1", status="solved", solution="New ink")
    look(polling, times=4)
    assert taken() == [("update", "succeeded"), ("resolve", "succeeded")]


def test_tickets_that_are_not_known_here_are_passed_over(polling, theirs, task):
    theirs.add("T-99", title="Somebody else's")
    theirs.say("T-99", "Not for you")
    look(polling)
    assert (notes(), taken(), polling.last_error) == ([], [], "")


def test_what_was_solved_before_the_first_look_is_seen(polling, theirs, desk, partner):
    task = exchanged(desk, partner, theirs, "T-2")
    theirs.change("T-2", status="solved", solution="Quick")
    look(polling)
    task.refresh_from_db()
    assert (task.phase, task.solution) == ("review", "Quick")
