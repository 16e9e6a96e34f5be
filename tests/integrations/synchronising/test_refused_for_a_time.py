"""What a desk refuses for a time is caught up once it gives it; meanwhile everything else goes on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import OperationTemplate, TheirMessage, TheirTicket
from tests.integrations.synchronising.conftest import exchanged, look, notes, remarks, said, taken
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)


def refuses(theirs, ending, status, *, times=200):
    """Each request whose path ends so is refused."""
    theirs.faults = [lambda request: said({}, status) if request.path.endswith(ending) else None] * times


def an_hour_later(polling):
    """Everything that waits for its time has waited."""
    now = timezone.now()
    assert all(row.wanted_at > now for row in TheirTicket.objects.exclude(wanted_at=None))
    TheirTicket.objects.exclude(wanted_at=None).update(wanted_at=now)
    return look(polling)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_notes_that_were_refused_for_an_hour_are_caught_up(polling, theirs, task, status):
    theirs.say("T-1", "first")
    refuses(theirs, "/notes", status)
    look(polling, times=3)
    assert (notes(), polling.failures) == ([], 0)
    theirs.faults = []
    an_hour_later(polling)
    assert notes() == ["first"]
    assert TheirTicket.objects.get().refused_since is None


def test_the_values_are_taken_over_meanwhile(polling, theirs, task):
    theirs.change("T-1", status="solved", solution="Ink")
    refuses(theirs, "/notes", 404)
    look(polling, times=2)
    task.refresh_from_db()
    assert task.phase == "review"
    assert "notes of" in polling.last_error or TheirTicket.objects.get().wanted_at > timezone.now()


def test_what_is_refused_is_asked_for_less_and_less_often(polling, theirs, task):
    theirs.say("T-1", "first")
    refuses(theirs, "/notes", 404)
    look(polling)
    TheirTicket.objects.update(refused_since=timezone.now() - timedelta(hours=2), wanted_at=timezone.now())
    look(polling)
    row = TheirTicket.objects.get()
    assert timedelta(minutes=115) < row.wanted_at - timezone.now() < timedelta(minutes=125)
    asked = len(theirs.asked)
    look(polling)
    assert not any(each.endswith("/notes") for each in theirs.asked[asked:])


def test_a_refused_login_stops_the_poll_and_nothing_is_passed_over(polling, theirs, task):
    theirs.say("T-1", "first")
    refuses(theirs, "/notes", 401)
    look(polling)
    assert polling.failures == 1
    theirs.faults = []
    look(polling)
    assert notes() == ["first"]


@pytest.mark.parametrize("listed", [True, False])
def test_one_ticket_that_is_forbidden_keeps_no_other_from_being_looked_at(
    polling, theirs, task, desk, partner, listed
):
    exchanged(desk, partner, theirs, "T-2")
    if not listed:
        OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    theirs.say("T-1", "secret")
    theirs.say("T-2", "for you")
    theirs.faults = [lambda request: said({}, 403) if "/id-T-1" in request.path else None] * 200
    look(polling, times=3)
    assert (notes(), polling.failures) == (["for you"], 0)
    theirs.faults = []
    an_hour_later(polling)
    look(polling)
    assert sorted(notes()) == ["for you", "secret"]
    assert "gone" not in TheirTicket.objects.get(reference__task=task).untranslated


def test_a_desk_that_forbids_everything_is_told_as_failing(polling, theirs, task, desk, partner):
    for number in range(2, 6):
        exchanged(desk, partner, theirs, f"T-{number}")
    theirs.wait()
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    theirs.faults = [lambda request: said({}, 403) if request.path.endswith("/notes") else None] * 500
    look(polling)
    assert polling.failures == 1
    assert "403" in polling.last_error
    theirs.faults = []
    look(polling, times=2)
    an_hour_later(polling)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 6)]


def test_a_file_that_is_refused_for_an_hour_is_told_once_and_caught_up(polling, theirs, task):
    their_id = theirs.attach("T-1", "late.txt", b"content")
    refuses(theirs, f"/files/{their_id}", 404)
    look(polling)
    an_hour_later(polling)
    assert TheirMessage.objects.get(kind="file").origin == "later"
    assert len([remark for remark in remarks(task) if "late.txt" in remark]) == 1
    assert taken() == [("attach", "refused")]
    theirs.faults = []
    an_hour_later(polling)
    look(polling, times=2)
    assert list(Attachment.objects.values_list("name", "size")) == [("late.txt", 7)]
    assert TheirMessage.objects.get(kind="file").origin == "theirs"
