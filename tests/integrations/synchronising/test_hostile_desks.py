"""Desks that list badly, and workers and administrators that interrupt: nothing is lost, doubled or stuck."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import OperationTemplate, Polling, TheirTicket
from integrations.polling import delivering
from integrations.polling.worker import poll
from tests.integrations.synchronising.conftest import READS, exchanged, look, notes, said, shown, taken
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)


def test_empty_pages_in_the_middle_of_a_list_end_it_only_where_nothing_is_named_next(polling, theirs, task):
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.path = "/api/cursor?since={{ poll.since }}&after={{ poll.next }}"
    listing.captures = 'next = response.json.next | default("")'
    listing.save()
    theirs.say("T-1", "behind empty pages")

    def cursor(request):
        if request.path != "/api/cursor":
            return None
        page = int(request.args["after"] or 0)
        if page < 3:
            return said({"tickets": [], "next": str(page + 1)})
        return said({"tickets": [shown(theirs.tickets["T-1"])]})

    theirs.faults = [cursor] * 60
    look(polling, times=2)
    assert (notes(), polling.last_error) == (["behind empty pages"], "")


def test_a_cursor_that_goes_in_a_circle_is_told(polling, theirs, task):
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.path = "/api/cursor?after={{ poll.next }}"
    listing.captures = "next = response.json.next"
    listing.save()

    def cursor(request):
        if request.path != "/api/cursor":
            return None
        return said({"tickets": [], "next": "b" if request.args["after"] == "a" else "a"})

    theirs.faults = [cursor] * 300
    look(polling)
    assert "the same page again and again" in polling.last_error
    assert len(theirs.asked) < 30


def test_a_clock_that_is_set_back_there_loses_no_note_within_the_overlap(polling, theirs, task):
    theirs.ahead = timedelta(minutes=5)
    theirs.say("T-1", "with a fast clock")
    look(polling, times=2)
    theirs.ahead = timedelta()
    Polling.objects.update(overlap_ms=600_000)
    polling.refresh_from_db()
    theirs.wait(1)
    theirs.say("T-1", "after it was set right")
    look(polling, times=2)
    assert set(notes()) == {"with a fast clock", "after it was set right"}


@pytest.mark.parametrize("kind", [int, str])
def test_ids_whose_type_changes_are_the_same_ids(polling, theirs, task, kind):
    theirs.say("T-1", "numbered", id=kind(17))
    theirs.attach("T-1", "a.txt", b"content", id=kind(9))
    theirs.tickets["T-1"]["files"][0]["data"] = b"content"
    original = theirs.data
    theirs.data = lambda their_id: original(kind(their_id))
    look(polling, times=2)
    for entry in theirs.tickets["T-1"]["notes"] + theirs.tickets["T-1"]["files"]:
        entry["id"] = str(entry["id"]) if kind is int else int(entry["id"])
    theirs.wait()
    theirs.change("T-1", title="touched")
    look(polling, times=2)
    assert notes() == ["numbered"]
    assert Attachment.objects.count() == 1


def test_broken_notes_among_good_ones(polling, theirs, task):
    theirs.say("T-1", "good")
    broken = [None, 5, "text", [], {}, {"id": None, "text": None}, {"id": {"a": 1}, "text": ["x"]}]
    theirs.tickets["T-1"]["notes"] += broken
    theirs.say("T-1", "good too")
    look(polling, times=2)
    assert {"good", "good too"} <= set(notes())
    assert "A note of" in polling.last_error or TheirTicket.objects.get().refused_since


def test_a_ticket_that_a_search_does_not_find_keeps_no_other_from_being_looked_at(
    polling, theirs, task, desk, partner
):
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    OperationTemplate.objects.filter(name="fetch_ticket").update(items="response.json.found", reads=READS)
    exchanged(desk, partner, theirs, "T-2")
    theirs.say("T-2", "for you")

    def found(request):
        name = request.path.rpartition("/")[2]
        if name == "id-T-1":
            return said({"found": []})
        return said({"found": [shown(theirs.tickets["T-2"])]}) if name == "id-T-2" else None

    theirs.faults = [found] * 30
    look(polling, times=3)
    assert (notes(), polling.failures) == (["for you"], 0)


@pytest.mark.parametrize("broken", [None, 5, "text", [], {}, {"number": {}}, {"number": "T-1", "modified": [1]}])
def test_a_broken_record_in_a_listing_keeps_no_other_from_being_taken_over(polling, theirs, task, broken):
    theirs.say("T-1", "on our way")
    good = shown(theirs.tickets["T-1"])
    TheirTicket.objects.update(wanted_at=None)
    theirs.faults = [
        lambda request: said({"tickets": [broken, good]}) if request.path == "/api/tickets" else None
    ] * 9
    look(polling)
    assert notes() == ["on our way"], polling.last_error


@pytest.mark.parametrize("after", range(1, 9))
def test_a_worker_that_dies_in_the_middle_of_a_round(polling, theirs, task, desk, partner, after, monkeypatch):
    for number in range(2, 5):
        exchanged(desk, partner, theirs, f"T-{number}")
    theirs.wait()
    for number in range(1, 5):
        theirs.say(f"T-{number}", f"text {number}")
        theirs.attach(f"T-{number}", f"{number}.txt", f"content {number}".encode())
    count = 0

    class Killed(BaseException):
        """As the process would end."""

    real = delivering.intake.deliver

    def dies(call, message):
        nonlocal count
        count += 1
        if count == after:
            real(call, message)
            raise Killed
        return real(call, message)

    monkeypatch.setattr(delivering.intake, "deliver", dies)
    Polling.objects.update(due_at=timezone.now())
    with pytest.raises(Killed):
        poll(polling.pk)
    monkeypatch.undo()
    Polling.objects.update(lease_until=None)
    look(polling, times=3)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 5)]
    assert sorted(Attachment.objects.values_list("name", flat=True)) == [f"{number}.txt" for number in range(1, 5)]


def test_a_system_that_is_switched_off_in_the_middle_of_a_round_is_asked_no_more(
    polling, theirs, task, desk, partner
):
    for number in range(2, 5):
        exchanged(desk, partner, theirs, f"T-{number}")
    theirs.wait()
    for number in range(1, 5):
        theirs.say(f"T-{number}", f"text {number}")

    def off(request):
        if request.path.endswith("/notes") and polling.system.active:
            polling.system.active = False
            type(polling.system).objects.update(active=False)

    theirs.faults = [off] * 100
    Polling.objects.update(due_at=timezone.now())
    before = len(theirs.asked)
    poll(polling.pk)
    assert len(theirs.asked) - before < 8
    type(polling.system).objects.update(active=True)
    polling.refresh_from_db()
    theirs.faults = []
    look(polling, times=3)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 5)]


def test_identical_texts_of_one_author_in_one_second_are_as_many(polling, theirs, task):
    for _ in range(4):
        theirs.say("T-1", "ok", author="Lena")
    look(polling)
    theirs.say("T-1", "ok", author="Lena")
    look(polling, times=3)
    assert notes() == ["ok"] * 5
    assert taken() == [("update", "succeeded")] * 5


def test_a_desk_that_ignores_the_page_of_notes_is_told_and_the_notes_are_not_doubled(polling, theirs, task):
    OperationTemplate.objects.filter(name="fetch_notes").update(
        path="/api/tickets/{{ task.external_id }}/notes?ignored={{ poll.page }}"
    )
    for number in range(4):
        theirs.say("T-1", f"text {number}")
    look(polling)
    assert len(notes()) in (0, 4)
    assert len(set(notes())) == len(notes())
    assert polling.last_error or notes()


@pytest.mark.parametrize("listed", [True, False])
def test_one_ticket_that_cannot_be_read_keeps_no_other_from_being_looked_at(
    polling, theirs, task, desk, partner, listed
):
    if not listed:
        OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    exchanged(desk, partner, theirs, "T-2")
    theirs.say("T-2", "for you")
    theirs.faults = [lambda request: said({"number": "T-1"}) if request.path.endswith("/id-T-1") else None] * 60
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling, times=3)
    assert (notes(), polling.failures) == (["for you"], 0)


def test_a_template_that_can_read_no_ticket_is_told_as_failing(polling, theirs, task, desk, partner):
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    for number in range(2, 6):
        exchanged(desk, partner, theirs, f"T-{number}")
    Polling.objects.update(page_size=5)
    polling.refresh_from_db()
    OperationTemplate.objects.filter(name="fetch_ticket").update(reads="reference = response.json.wrong")
    look(polling)
    assert polling.failures == 1
