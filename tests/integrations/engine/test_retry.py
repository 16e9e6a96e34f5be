"""When to try again, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.engine.retry import DEFAULT_SCHEDULE, next_try, parse_schedule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PROMISED = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR]


def test_the_schedule_is_the_promised_one_unless_the_system_has_its_own():
    assert parse_schedule("") == parse_schedule("  ") == parse_schedule(DEFAULT_SCHEDULE) == PROMISED
    assert parse_schedule("1 s,2min , 3 h, 4 d") == [SECOND, 2 * MINUTE, 3 * HOUR, timedelta(days=4)]


@pytest.mark.parametrize("text", ["5", "s", "5 seconds", "5 s,", "-1 s", "5 s; 1 h", "1.5 h", "999999 s"])
def test_a_schedule_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(ValueError, match="is not a wait: write a number and s, min, h or d"):
        parse_schedule(text)


@pytest.mark.parametrize(("failures", "wait"), list(enumerate(PROMISED, start=1)))
def test_each_failure_in_a_row_waits_longer(failures, wait):
    assert next_try(PROMISED, failures=failures, now=NOW, jitter=0) == NOW + wait


def test_after_the_last_wait_a_person_decides():
    assert next_try(PROMISED, failures=9, now=NOW, jitter=0) is None
    assert next_try(PROMISED, failures=9, now=NOW, jitter=0, retry_after=MINUTE) is None


@pytest.mark.parametrize(("jitter", "seconds"), [(0, 600), (0.5, 630), (1, 660)])
def test_jitter_adds_up_to_a_tenth_and_never_shortens(jitter, seconds):
    assert next_try(PROMISED, failures=4, now=NOW, jitter=jitter) == NOW + timedelta(seconds=seconds)


def test_jitter_is_random_unless_it_is_given():
    tries = {next_try(PROMISED, failures=8, now=NOW) for _ in range(20)}
    assert len(tries) > 1
    assert min(tries) >= NOW + 24 * HOUR
    assert max(tries) <= NOW + 26.4 * HOUR


@pytest.mark.parametrize(("asked", "expected"), [(SECOND, 5 * SECOND), (HOUR, HOUR), (None, 5 * SECOND)])
def test_it_is_never_tried_earlier_than_the_other_desk_asked_for(asked, expected):
    assert next_try(PROMISED, failures=1, now=NOW, jitter=0, retry_after=asked) == NOW + expected


def test_the_same_input_gives_the_same_time():
    assert len({next_try(PROMISED, failures=3, now=NOW, jitter=0.3) for _ in range(5)}) == 1
