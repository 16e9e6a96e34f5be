"""A ticket that is too large, or at which the desk breaks again and again, keeps no other from being looked at. A
desk that is down is still told as failing, and is caught up without a gap."""

import base64
import os
from datetime import timedelta

import pytest
from django.utils import timezone
from werkzeug import Response

from integrations.models import OperationTemplate, Polling, TheirMessage, TheirTicket
from tests.integrations.synchronising.conftest import exchanged, look, notes, remarks, said
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)
WORST = 150_000


@pytest.fixture(params=["listed", "by turns"])
def five(request, polling, theirs, task, desk, partner):
    """T-2 to T-5, beside T-1, the bad one."""
    if request.param == "by turns":
        OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    tasks = [exchanged(desk, partner, theirs, f"T-{number}") for number in range(2, 6)]
    look(polling, times=3)
    theirs.wait(60)
    TheirTicket.objects.update(wanted_at=None)
    return tasks


def goes_on(polling, theirs, five):
    """The others get their notes and values, although the bad one comes first."""
    theirs.wait(5)
    for number in range(2, 6):
        theirs.say(f"T-{number}", f"note of {number}")
        theirs.change(f"T-{number}", status="solved", solution="Ink")
    for _time in range(4):
        look(polling)
        theirs.wait(120)
    got = []
    for each in five:
        each.refresh_from_db()
        got.append((notes(each), each.phase))
    assert got == [([f"note of {number}"], "review") for number in range(2, 6)], polling.last_error
    assert polling.failures == 0


def bring_forward(polling, times=1):
    """What waits for its time has waited."""
    for _time in range(times):
        TheirTicket.objects.exclude(wanted_at=None).update(wanted_at=timezone.now())
        look(polling)


def cut_off():
    """An answer whose connection breaks in its middle."""
    return Response(iter([b"{"]), headers={"Content-Length": "50"}, content_type="application/json")


def test_notes_larger_than_the_largest_answer(polling, theirs, task, five):
    for _number in range(40):
        theirs.say("T-1", "x" * WORST)
    goes_on(polling, theirs, five)
    bring_forward(polling, times=2)
    told = [each for each in remarks(task) if "The notes of" in each]
    assert len(told) == 1
    assert "largest answer" in told[0]
    type(polling.system).objects.update(max_response_bytes=10_000_000)
    bring_forward(polling)
    assert len(notes(task)) == 40
    assert TheirTicket.objects.get(reference__task=task).refused_since is None


def test_a_listed_file_larger_than_the_largest_answer(polling, theirs, task, five):
    OperationTemplate.objects.filter(name="download_attachment").delete()
    files = OperationTemplate.objects.get(name="fetch_attachments")
    files.reads += '\ncontent_base64 = item.content | default("")'
    files.save()
    data = os.urandom(4_500_000)
    theirs.attach("T-1", "big.bin", data, content=base64.b64encode(data).decode())
    goes_on(polling, theirs, five)
    assert len([each for each in remarks(task) if "The list of files" in each]) == 1


@pytest.mark.parametrize(
    ("ending", "answer"),
    [
        *(("/id-T-1", answer) for answer in ("500", "no json")),
        *(("/id-T-1/notes", answer) for answer in ("500", "503", "cut off", "no json")),
        *(("/id-T-1/files", answer) for answer in ("500", "no json")),
    ],
)
def test_a_desk_that_breaks_at_one_ticket(polling, theirs, task, five, ending, answer):
    def breaks(request):
        if not request.path.endswith(ending):
            return None
        if answer == "cut off":
            return cut_off()
        return said({}, int(answer)) if answer.isdecimal() else Response("oops", content_type="application/json")

    theirs.faults = [breaks] * 5000
    theirs.say("T-1", "behind it")
    theirs.attach("T-1", "a.txt", b"content")
    TheirTicket.objects.filter(reference__task=task).update(wanted_at=timezone.now())
    goes_on(polling, theirs, five)
    bring_forward(polling, times=4)
    told = [each for each in remarks(task) if "cannot be had" in each or "does not show" in each]
    # Where the list shows the ticket and the ticket's own address does not, that is told once for each change.
    assert len(told) == 1 or (len(told) == 2 and ending == "/id-T-1"), remarks(task)
    assert all(row.wanted_at > timezone.now() for row in TheirTicket.objects.exclude(refused_since=None))
    theirs.faults = []
    bring_forward(polling, times=2)
    look(polling, times=2)
    assert notes(task) == ["behind it"]
    assert Attachment.objects.get().name == "a.txt"


def test_many_broken_files_of_one_ticket_are_one_ticket(polling, theirs, task, five):
    for number in range(5):
        theirs.attach("T-1", f"{number}.txt", b"content")
    theirs.faults = [lambda request: said({}, 500) if "/api/files/" in request.path else None] * 5000
    goes_on(polling, theirs, five)
    theirs.faults = []
    bring_forward(polling)
    assert Attachment.objects.count() == 5
    assert not TheirMessage.objects.filter(kind="file", origin="later").exists()


def test_notes_without_an_end(polling, theirs, task, five):
    OperationTemplate.objects.filter(name="fetch_notes").update(
        path="/api/tickets/{{ task.external_id }}/notes?ignored={{ poll.page }}"
    )
    for number in range(2):
        theirs.say("T-1", f"text {number}")
    goes_on(polling, theirs, five)
    assert any("same page again" in each for each in remarks(task))


@pytest.mark.parametrize("answer", ["500", "cut off"])
def test_a_failure_that_passes_at_once_is_not_told_in_the_history(polling, theirs, task, answer):
    theirs.say("T-1", "for you")
    their_id = theirs.attach("T-1", "a.txt", b"content")
    bad = (lambda: said({}, 500)) if answer == "500" else cut_off
    theirs.faults = [lambda request: bad() if request.path.endswith(("/notes", their_id)) else None] * 6
    look(polling)
    assert "The notes of" in polling.last_error
    assert "A file of" in polling.last_error
    theirs.faults = []
    bring_forward(polling)
    assert notes() == ["for you"]
    assert Attachment.objects.get().name == "a.txt"
    assert not [each for each in remarks(task) if "cannot be had" in each or "a.txt" in each]


@pytest.mark.parametrize("what", ["everything", "/notes", "all but the list"])
def test_a_desk_that_is_broken_is_told_as_failing_and_caught_up(polling, theirs, task, five, what):
    theirs.wait(60)
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    Polling.objects.update(page_size=5)
    polling.refresh_from_db()
    theirs.faults = [
        lambda request: (
            said({}, 502)
            if what == "everything"
            or (what == "/notes" and request.path.endswith(what))
            or (what == "all but the list" and request.path != "/api/tickets")
            else None
        )
    ] * 5000
    look(polling)
    assert polling.failures == 1
    assert "502" in polling.last_error
    look(polling, times=3)
    theirs.faults = []
    Polling.objects.update(failures=0)
    bring_forward(polling, times=3)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 6)]
    assert polling.failures == 0


def test_a_desk_that_is_broken_with_one_ticket_alone_is_told_as_failing(polling, theirs, task):
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    TheirTicket.objects.update(wanted_at=None)
    theirs.say("T-1", "for you")
    theirs.faults = [lambda request: said({}, 503)] * 50
    look(polling)
    assert polling.failures == 1
    look(polling)
    theirs.faults = []
    bring_forward(polling)
    assert (notes(), polling.failures) == (["for you"], 0)


def test_a_refused_connection_puts_no_ticket_off(polling, theirs, task, monkeypatch):
    theirs.say("T-1", "for you")
    TheirTicket.objects.update(wanted_at=timezone.now())
    address = polling.system.base_url
    type(polling.system).objects.update(base_url="http://127.0.0.1:9")
    look(polling)
    assert polling.failures == 1
    assert TheirTicket.objects.get().refused_since is None
    type(polling.system).objects.update(base_url=address)
    look(polling)
    assert notes() == ["for you"]


def test_what_breaks_at_a_ticket_that_was_closed_long_ago_is_asked_for_again(polling, theirs, task):
    theirs.say("T-1", "late")
    type(task).objects.update(closed_at=timezone.now() - timedelta(days=60))
    theirs.faults = [lambda request: said({}, 500) if request.path.endswith("/notes") else None] * 4
    look(polling)
    assert TheirTicket.objects.get().wanted_at > timezone.now()


def test_an_unknown_ticket_at_which_the_desk_breaks_is_waited_for_and_holds_up_nobody_for_ever(polling, theirs, task):
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.items, listing.reads = "response.json.ids", "external_id = item"
    listing.path = listing.path.replace("/api/tickets", "/api/ids")
    listing.save()
    Polling.objects.update(creates_tickets=True, page_size=50)
    polling.refresh_from_db()
    theirs.add("T-8")
    theirs.wait(5)
    theirs.say("T-1", "behind it")
    TheirTicket.objects.update(wanted_at=None)
    theirs.faults = [lambda request: said({}, 500) if request.path.endswith("/id-T-8") else None] * 500
    look(polling)
    assert polling.failures == 1
    look(polling, times=4)
    assert (notes(), polling.failures) == (["behind it"], 0)
