"""Clocks, pages, outages and lists that move: nothing is missed and nothing is done twice."""

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import Exchange, ExternalReference, OperationTemplate, Polling, TheirTicket, Way
from integrations.polling.soon import fetch_soon
from integrations.polling.worker import poll
from tests.integrations.synchronising.conftest import LIST, exchanged, look, notes, said, taken
from tickets.models import Note

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def five(polling, theirs, desk, partner, priorities):
    """Five tickets of ours there, each looked at."""
    tasks = [exchanged(desk, partner, theirs, f"T-{number}") for number in range(1, 6)]
    look(polling, times=2)
    theirs.wait(600)
    return tasks


@pytest.mark.parametrize("ahead", [-300, 300])
def test_clocks_that_are_five_minutes_apart(polling, theirs, desk, partner, priorities, ahead):
    theirs.ahead = timedelta(seconds=ahead)
    exchanged(desk, partner, theirs, "T-1")
    said_there = []
    for number in range(6):
        theirs.say("T-1", f"text {number}")
        said_there.append(f"text {number}")
        look(polling)
        theirs.wait(20)
    assert notes() == said_there
    assert [operation for operation, _outcome in taken()] == ["update"] * 6
    assert polling.cursor <= int(theirs.clock.timestamp() * 1000)


@pytest.mark.parametrize("order", ["ascending", "descending", "by time alone"])
def test_a_page_that_ends_among_equal_times(polling, theirs, five, order):
    theirs.order = order
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    look(polling, times=3)
    assert polling.last_error == ""
    assert sorted(notes()) == [f"text {number}" for number in range(1, 6)]
    assert len(taken()) == 5


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_a_list_that_moves_while_it_is_read(polling, theirs, five, order):
    """A ticket that is changed between two pages jumps to the end (or the beginning), and the others move up."""
    theirs.order = order
    for number in range(1, 6):
        theirs.wait(5)
        theirs.say(f"T-{number}", f"text {number}")

    def jumps(request):
        if request.path == "/api/tickets" and request.args["page"] == "2" and "moved" not in theirs.tickets["T-1"]:
            theirs.wait(1)
            theirs.tickets["T-1"]["moved"] = True
            theirs.say("T-1", "changed while you read")
            theirs.say("T-2", "this one, too")

    theirs.faults = [jumps] * 200
    look(polling, times=3)
    assert sorted(notes()) == sorted(
        [*[f"text {number}" for number in range(1, 6)], "changed while you read", "this one, too"]
    )
    assert len(taken()) == 7


def test_a_list_in_no_order_at_all_ends_and_brings_everything(polling, theirs, five):
    theirs.order = "any"
    for number in range(1, 6):
        theirs.wait(3)
        theirs.say(f"T-{number}", f"text {number}")
    for _ in range(12):
        look(polling)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 6)]
    assert len(taken()) == 5


def test_an_outage_of_a_day_is_caught_up_without_a_gap_and_without_a_flood(polling, theirs, five, settings):
    down = [lambda request: said({"error": "down"}, 503)] * 3
    theirs.faults = list(down)
    for number in range(12):
        theirs.wait(7200)
        theirs.say(f"T-{number % 5 + 1}", f"hour {number}")
    for _ in range(3):
        look(polling)
    assert (polling.failures, notes()) == (3, [])
    settings.CLAIM_SECONDS = 0
    before = len(theirs.asked)
    Polling.objects.update(due_at=None)
    poll(polling.pk)
    # One claim does a little, then lets others go first.
    assert len(theirs.asked) - before < 8
    look(polling, times=4)
    assert sorted(notes(), key=lambda each: int(each.split()[1])) == [f"hour {number}" for number in range(12)]
    assert len(taken()) == 12
    assert polling.failures == 0


def test_a_change_that_is_committed_late_is_seen_within_the_overlap(polling, theirs, five):
    Polling.objects.update(overlap_ms=120_000)
    polling.refresh_from_db()
    theirs.say("T-1", "dated early, committed late")
    theirs.late = ["T-1"]
    for number in range(5):
        theirs.wait(20)
        theirs.say("T-2", f"meanwhile {number}")
        look(polling)
    theirs.late = []
    look(polling)
    assert "dated early, committed late" in notes()
    assert len(taken()) == 6


def test_two_notes_of_one_second_are_both_seen_however_the_poll_falls_between_them(polling, theirs, five):
    theirs.say("T-1", "first half of the second")
    look(polling)
    theirs.say("T-1", "second half of the second")
    look(polling, times=2)
    assert notes() == ["first half of the second", "second half of the second"]


def test_an_answer_of_a_moment_ago_does_not_undo_what_is_known(polling, theirs, task):
    old = {name: value for name, value in theirs.tickets["T-1"].items() if name not in ("notes", "files")}
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling)
    task.refresh_from_db()
    assert task.phase == "review"
    # By number, then in the list: answers of a copy that lags behind.
    theirs.faults = [lambda request: said(old), lambda request: None, lambda request: None]
    theirs.faults += [lambda request: said({"tickets": [old]})]
    look(polling)
    task.refresh_from_db()
    assert task.phase == "review"
    assert taken() == [("resolve", "succeeded")]


def test_a_desk_that_gives_the_same_page_again_and_again_is_told_apart(polling, theirs, task, desk, partner):
    for number in range(2, 5):
        exchanged(desk, partner, theirs, f"T-{number}")
    OperationTemplate.objects.filter(name="fetch_modified_since").update(
        path=LIST.replace("page={{ poll.page }}", "page=1&asked={{ poll.page }}")
    )
    look(polling)
    assert "the same page again and again" in polling.last_error
    assert len([asked for asked in theirs.asked if asked.startswith("GET /api/tickets?")]) < 8


def test_without_paging_one_answer_is_all(polling, theirs, five):
    OperationTemplate.objects.filter(name="fetch_modified_since").update(path="/api/tickets?since={{ poll.since }}")
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    look(polling)
    assert len(notes()) == 5
    assert polling.last_error == ""


def test_pages_by_what_the_answer_names_next(polling, theirs, five):
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.path = "/api/cursor?since={{ poll.since }}&after={{ poll.next }}"
    listing.captures = 'next = response.json.next | default("")'
    listing.save()

    def cursor(request):
        if request.path != "/api/cursor":
            return None
        since = datetime.fromisoformat(request.args["since"])
        rows = sorted(theirs.tickets.values(), key=lambda each: each["number"])
        rows = [each for each in rows if datetime.fromisoformat(each["modified"]) >= since]
        rows = [each for each in rows if each["number"] > request.args["after"]]
        body = {"tickets": [{k: v for k, v in each.items() if k not in ("notes", "files")} for each in rows[:2]]}
        return said(body | ({"next": rows[1]["number"]} if len(rows) > 2 else {}))

    theirs.faults = [cursor] * 500
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    look(polling, times=2)
    assert polling.last_error == ""
    assert len(notes()) == 5


def test_a_search_that_answers_ids_alone(polling, theirs, five):
    """As Znuny's does: each ticket is then fetched; of unknown ones only as much as tells how far the list goes."""
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.path = LIST.replace("/api/tickets", "/api/ids")
    listing.items, listing.reads = "response.json.ids", "external_id = item"
    listing.save()
    for number in range(1, 6):
        theirs.wait(2)
        theirs.say(f"T-{number}", f"text {number}")
    for number in range(90, 94):
        theirs.add(f"T-{number}")
    look(polling, times=3)
    assert polling.last_error == ""
    assert len(notes()) == 5
    before = polling.cursor
    theirs.wait(3600)
    theirs.add("T-95")
    look(polling, times=2)
    assert polling.cursor > before
    assert not any("id-T-90/notes" in asked for asked in theirs.asked)


def test_without_a_list_the_open_tickets_are_fetched_by_turns(polling, theirs, five):
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    theirs.asked.clear()
    for number in range(1, 6):
        theirs.say(f"T-{number}", f"text {number}")
    look(polling)
    fetched = [asked for asked in theirs.asked if asked.count("/") == 3]
    assert len(fetched) == 2
    look(polling, times=2)
    assert sorted(notes()) == [f"text {number}" for number in range(1, 6)]


def test_the_first_round_begins_before_the_oldest_ticket_and_not_at_the_beginning_of_time(polling, theirs, task):
    first = next(asked for asked in theirs.asked if "/api/tickets?" in asked)
    assert f"since={(theirs.now - timedelta(days=1)):%Y-%m-%d}" in first


def test_a_record_without_a_number_or_with_a_time_that_is_none_is_told(polling, theirs, task):
    theirs.change("T-1")
    theirs.tickets["T-1"]["modified"] = "yesterday"
    theirs.faults = [lambda request: said({"tickets": [{**theirs.tickets["T-1"], "notes": None, "files": None}]})]
    TheirTicket.objects.update(wanted_at=None)
    look(polling)
    assert '"yesterday" is no time' in polling.last_error
    assert "T-1" in polling.last_error


def test_one_record_that_cannot_be_read_keeps_no_other_from_being_taken_over(polling, theirs, task):
    theirs.change("T-1", priority="high")
    theirs.say("T-1", "on our way")
    good = {**theirs.tickets["T-1"], "notes": None, "files": None}
    bad = {**good, "number": "T-2", "modified": "yesterday"}
    theirs.faults = [lambda request: said({"tickets": [bad, good]})]
    TheirTicket.objects.update(wanted_at=None)
    look(polling)
    assert notes() == ["on our way"]
    assert "T-2" in polling.last_error
    assert polling.failures == 0


def test_quiet_polls_leave_one_poll_in_the_log(polling, theirs, task):
    look(polling, times=2)
    before = Exchange.objects.filter(way=Way.OUT).count()
    look(polling, times=4)
    assert Exchange.objects.filter(way=Way.OUT).count() == before


def test_a_ticket_that_somebody_wants_to_be_looked_at_is_looked_at_also_where_polling_is_off(polling, theirs, task):
    Polling.objects.update(active=False)
    theirs.say("T-1", "look now")
    assert fetch_soon(polling.system, reference="T-1") is True
    assert fetch_soon(polling.system, external_id="id-T-1") is True
    assert fetch_soon(polling.system, reference="T-99") is False
    assert poll(polling.pk) is True
    assert notes() == ["look now"]
    assert not any("/api/tickets?" in asked for asked in theirs.asked[-4:])


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["say", "solve", "priority", "poll", "wait", "late", "fail", "together"]),
        st.integers(1, 4),
    ),
    min_size=4,
    max_size=18,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, order=st.sampled_from(["ascending", "descending"]), ahead=st.sampled_from([-300, 0, 300]))
def test_whatever_happens_there_everything_arrives_once(
    polling, theirs, desk, partner, priorities, changes, order, ahead
):
    Note.objects.all().delete()
    # Else those of the examples before would be looked at, too.
    ExternalReference.objects.all().delete()
    theirs.tickets.clear()
    theirs.order, theirs.ahead, theirs.late, theirs.faults = order, timedelta(seconds=ahead), [], []
    # What other examples have waited for would make it a clock that is too fast to be believed.
    theirs.now = timezone.now().replace(microsecond=0)
    Polling.objects.update(cursor=0, ahead=0, round={}, overlap_ms=60_000, page_size=2, failures=0)
    polling.refresh_from_db()
    marks = [f"T-{desk.ticket().number}-{number}" for number in range(1, 5)]
    tasks = {mark: exchanged(desk, partner, theirs, mark) for mark in marks}
    said_there: dict[str, list[str]] = {mark: [] for mark in marks}
    look(polling)
    theirs.wait(1)
    for count, (what, number) in enumerate(changes):
        mark = marks[number - 1]
        if what in ("say", "together", "late"):
            for each in marks if what == "together" else [mark]:
                said_there[each].append(f"text {count}")
                theirs.say(each, f"text {count}")
            theirs.late = [mark] if what == "late" else theirs.late
        elif what == "solve":
            theirs.change(mark, status="solved", solution=f"solution {count}")
        elif what == "priority":
            theirs.change(mark, priority=theirs.random.choice(["1 very high", "3 normal"]))
        elif what == "wait":
            theirs.wait(30)
            theirs.late = []
        elif what == "fail":
            theirs.faults = [lambda request: None] * number + [lambda request: said({}, 500)]
        else:
            look(polling)
            theirs.wait(1)
    theirs.late, theirs.faults = [], []
    # What failed for one ticket waits for its time.
    TheirTicket.objects.exclude(wanted_at=None).update(wanted_at=timezone.now())
    look(polling, times=2)
    assert polling.last_error == ""
    for mark, task in tasks.items():
        task.refresh_from_db()
        assert notes(task) == said_there[mark]
        there = theirs.tickets[mark]
        assert (task.phase == "review") == (there["status"] == "solved")
        assert task.solution == there["solution"]
        assert task.ticket.priority.code == {"1 very high": "p1", "3 normal": "p3"}[there["priority"]]


def test_what_was_taken_over_can_be_read_in_the_log(polling, theirs, task):
    theirs.say("T-1", "Grüße aus München", author="Jörg")
    look(polling)
    row = Exchange.objects.get(way=Way.IN)
    assert (row.dialect, row.method, row.operation, row.task) == ("operations", "POLL", "update", task)
    body = json.loads(row.request_body)
    assert (body["text"], body["author"], body["note_id"]) == ("Grüße aus München", "Jörg", "n-1")


def test_a_listing_that_is_not_there_is_told_in_the_words_of_the_answer(polling, theirs, task, caplog):
    theirs.faults = [lambda request: said({}, 404)] * 6
    look(polling)
    assert polling.failures == 1
    assert "status 404" in polling.last_error
    assert "Unexpected" not in polling.last_error
    assert "failed unexpectedly" not in caplog.text
