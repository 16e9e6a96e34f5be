"""Pages and times: nothing is missed and nothing is done twice, wherever a page ends."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.engine.visits import pause
from integrations.models import Exchange, Polling
from tests.integrations.polling.conftest import START, Feed, answer, incoming, notes, poll_now
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_entry_arrives_and_the_cursor_is_its_time_by_the_other_desks_clock(polling, feed, task):
    feed.say("Ink is on its way", time=START + 7)
    assert poll_now(polling) is True
    assert notes() == ["Ink is on its way"]
    assert polling.cursor == START + 7
    assert feed.asked[0] == {"type": "Incident", "system": "deskbridge", "time": "0", "skip": "0", "size": "2"}
    exchange = Exchange.objects.get(way="in")
    assert (exchange.dialect, exchange.operation, exchange.task) == ("case_exchange", "update", task)


def test_pages_are_read_until_one_is_not_full(polling, feed, task):
    texts = [f"text {number}" for number in range(7)]
    for number, text in enumerate(texts):
        feed.say(text, time=START + number)
    poll_now(polling)
    assert notes() == texts
    assert polling.cursor == START + 6
    poll_now(polling)
    assert notes() == texts


@pytest.mark.parametrize("times", [[1, 2, 2, 3], [1, 1, 1, 2], [1, 1, 1, 1, 1], [1, 2, 2, 2, 2, 2, 3], [2, 2]])
def test_a_page_that_ends_among_equal_times_loses_nothing_and_doubles_nothing(polling, feed, task, times):
    for number, time in enumerate(times):
        feed.say(f"text {number}", time=START + time)
    poll_now(polling)
    assert sorted(notes()) == [f"text {number}" for number in range(len(times))]
    assert set(incoming()) == {"succeeded"}
    assert polling.cursor == START + times[-1]


def test_entries_that_are_added_between_two_pages_are_not_passed_over(polling, feed, task):
    for number in range(3):
        feed.say(f"text {number}", time=START + number)

    def grows(request):
        feed.say("late", time=START + 2)
        return feed.listing(request)

    feed.answers = [None, grows]
    poll_now(polling)
    assert sorted(notes()) == ["late", "text 0", "text 1", "text 2"]


def test_an_entry_that_moves_back_while_pages_are_read_takes_no_other_with_it(polling, feed, task):
    """Desks list an incident where it was changed last; whoever counts with skip would pass over the one behind."""
    for number in range(4):
        feed.say(f"text {number}", time=START + number)

    def moves(request):
        feed.entries[0]["properties"]["LastUpdateTime"] = START + 9
        return feed.listing(request)

    feed.answers = [None, moves]
    poll_now(polling)
    assert sorted(set(notes())) == [f"text {number}" for number in range(4)]


def test_the_same_page_again_changes_nothing_and_leaves_no_row(polling, feed, task):
    feed.say("once", time=START)
    poll_now(polling)
    Polling.objects.update(cursor=0)
    poll_now(polling)
    assert notes() == ["once"]
    assert incoming() == ["succeeded"]


def test_with_an_overlap_what_is_listed_late_arrives_and_what_was_seen_is_left_out(polling, feed, task):
    Polling.objects.update(overlap_ms=1000)
    polling.refresh_from_db()
    feed.say("first", time=START + 500)
    poll_now(polling)
    feed.say("listed late", time=START + 100)
    feed.add("Explode", time=START + 200)
    for _ in range(3):
        poll_now(polling)
    assert notes() == ["first", "listed late"]
    assert incoming() == ["succeeded", "succeeded", "refused"]
    assert polling.cursor == START + 500
    assert str(START - 500) in [asked["time"] for asked in feed.asked]


@pytest.mark.parametrize("clock", [0, 1, START, 99_000_000_000_000])
def test_their_clock_may_show_any_time(polling, feed, task, clock):
    feed.say("first", time=clock + 1)
    poll_now(polling)
    feed.say("second", time=clock + 2)
    poll_now(polling)
    assert notes() == ["first", "second"]
    assert polling.cursor == clock + 2


def test_a_desk_that_does_not_heed_the_page_is_told_apart_from_one_with_much_to_tell(polling, feed, task):
    entries = [feed.say(f"text {number}", time=START) for number in range(2)]
    feed.answers = [lambda request: answer({"entities": entries}) for _ in range(5)]
    poll_now(polling)
    assert "the same page again and again" in polling.last_error
    assert len(feed.asked) == 2
    assert notes() == ["text 0", "text 1"]


def test_a_desk_that_goes_round_in_a_circle_is_not_followed(polling, feed, task):
    first, second = ([feed.say(f"{page} {number}", time=START) for number in range(2)] for page in ("one", "two"))
    pages = [first, second] * 20
    feed.answers = [lambda request, page=page: answer({"entities": page}) for page in pages]
    poll_now(polling)
    assert "the same page again and again" in polling.last_error
    assert len(feed.asked) == 3
    assert notes() == ["one 0", "one 1", "two 0", "two 1"]


def test_a_long_poll_lets_others_go_first_and_keeps_what_it_has(polling, feed, task, settings):
    settings.CLAIM_SECONDS = 0
    for number in range(5):
        feed.say(f"text {number}", time=START + number)
    poll_now(polling)
    assert notes() == ["text 0", "text 1"]
    assert (polling.failures, polling.lease_until) == (0, None)
    for _ in range(5):
        poll_now(polling)
    assert notes() == [f"text {number}" for number in range(5)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(1, 6), max_size=14),
    size=st.integers(1, 4),
    cuts=st.lists(st.integers(0, 14), max_size=3),
)
def test_whatever_the_times_and_pages_each_entry_is_done_once(
    polling: Polling, feed: Feed, task: Task, times: list[int], size: int, cuts: list[int]
) -> None:
    """Entries come in order of time, in bursts; each burst later than what was read, as feed times are."""
    Exchange.objects.all().delete()
    Polling.objects.update(cursor=0, page_size=size, quiet_exchanges=[])
    feed.entries.clear()
    before = len(notes())
    bounds = sorted({min(cut, len(times)) for cut in cuts} | {len(times)})
    begin = 0
    for burst, end in enumerate(bounds):
        for number, time in enumerate(sorted(times[begin:end])):
            feed.say(f"{before} {burst} {number}", time=START + before * 10_000 + burst * 100 + time)
        begin = end
        poll_now(polling)
    assert len(notes()) - before == len(times)
    assert len(set(notes()[before:])) == len(times)


@pytest.mark.parametrize(
    ("interval", "failures", "seconds"),
    [(60, 1, 60), (60, 2, 120), (60, 3, 240), (60, 4, 300), (60, 99, 300), (600, 5, 600), (5, 3, 20)],
)
def test_a_desk_that_fails_is_asked_less_often_but_never_less_than_every_five_minutes(interval, failures, seconds):
    assert pause(timedelta(seconds=interval), failures) == timedelta(seconds=seconds)
