"""What goes wrong at the other desk or here: nothing is passed over, and a person reads why."""

import json

import pytest
from django.db import OperationalError

from integrations.engine.references import store_reference
from integrations.inbound import intake
from integrations.inbound.replay import replay_inbound
from integrations.models import Exchange, ExternalSystem, OperationTemplate, Outcome, Polling, Way
from tests.integrations.polling.conftest import START, answer, incoming, notes, poll_now

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_entry_that_is_refused_is_in_the_log_once_and_does_not_stop_the_others(polling, feed, task):
    feed.say("before", time=START)
    feed.add("Explode", time=START + 1)
    feed.say("after", time=START + 2)
    poll_now(polling)
    poll_now(polling)
    assert notes() == ["before", "after"]
    assert incoming() == ["succeeded", "refused", "succeeded"]
    assert 'There is no operation "Explode"' in Exchange.objects.get(outcome=Outcome.REFUSED).error
    assert (polling.cursor, polling.failures) == (START + 2, 0)


@pytest.mark.parametrize("operation", ["half \ud800", "none \0", "x" * 500, 5, [], {}, None])
def test_an_operation_that_is_none_does_not_stop_the_feed(polling, feed, task, operation):
    feed.add(operation, time=START)
    feed.say("after", time=START + 1)
    poll_now(polling)
    assert (notes(), incoming()) == (["after"], ["refused", "succeeded"])


def test_a_refused_entry_can_be_mapped_again_when_what_was_in_its_way_is_gone(polling, feed, desk, partner):
    feed.say("about a task that is not known yet", time=START, Id="B-7")
    poll_now(polling)
    refused = Exchange.objects.get(way=Way.IN)
    assert refused.outcome == Outcome.REFUSED
    store_reference(task=desk.task(partner.group), system=partner.system, value="B-7")
    new = replay_inbound(refused, by=desk.by_agent)
    assert new.outcome == Outcome.SUCCEEDED, new.error
    assert notes() == ["about a task that is not known yet"]
    Polling.objects.update(cursor=0)
    poll_now(polling)
    assert incoming() == ["refused", "succeeded"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("<html>", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"entities": NaN}', "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no list of entities"),
        ('{"entities": {}}', "no list of entities"),
        ('{"entities": [1]}', "Entity 1 has no properties"),
        ('{"entities": [{"properties": {"Id": "A-1"}}]}', "Entity 1 has no LastUpdateTime"),
        ('{"entities": [{"properties": {"LastUpdateTime": "5"}}]}', "Entity 1 has no LastUpdateTime"),
        ('{"entities": [{"properties": {"LastUpdateTime": true}}]}', "Entity 1 has no LastUpdateTime"),
        ('{"entities": [{"properties": {"LastUpdateTime": 1e30}}]}', "Entity 1 has no LastUpdateTime"),
        ('{"entities": [{"properties": {"LastUpdateTime": 1000000000000000}}]}', "Entity 1 has no LastUpdateTime"),
        (
            {"entities": [{"properties": {"LastUpdateTime": 2}}, {"properties": {"LastUpdateTime": 1}}]},
            "not in the order",
        ),
        (
            {"meta": {"completion_status": "FAILED", "errorDetailsList": [{"message": "no such system"}]}},
            "says that it failed: no such system",
        ),
        (
            {"meta": {"completion_status": "FAILED", "errorDetailsList": [{"message": "half \ud800, none \0"}]}},
            "says that it failed: half ?, none \ufffd",
        ),
    ],
)
def test_a_malformed_answer_stops_the_poll_and_is_read_again_next_time(polling, feed, task, said, reason):
    feed.say("later", time=START)
    feed.answers = [lambda request: answer(said)]
    poll_now(polling)
    assert reason in polling.last_error
    assert (polling.cursor, polling.failures, incoming()) == (0, 1, [])
    exchange = Exchange.objects.get()
    assert (exchange.operation, exchange.outcome) == ("poll", Outcome.MISCONFIGURED)
    poll_now(polling)
    assert notes() == ["later"]
    assert (polling.failures, polling.last_error, polling.failing_since) == (0, "", None)


@pytest.mark.parametrize(("status", "outcome"), [(500, "retryable"), (404, "permanent"), (403, "misconfigured")])
def test_a_desk_that_is_down_and_comes_back_has_lost_nothing(polling, feed, task, status, outcome):
    feed.say("first", time=START)
    poll_now(polling)
    feed.say("second", time=START + 1)
    feed.answers = [lambda request: answer("busy", status)] * 3
    for _ in range(3):
        poll_now(polling)
    assert (polling.failures, polling.needs_attention) == (3, True)
    assert polling.failing_since is not None
    failed = Exchange.objects.get(way=Way.OUT, outcome=outcome)
    assert failed.status == status
    poll_now(polling)
    assert notes() == ["first", "second"]
    assert polling.needs_attention is False


def test_a_desk_that_cannot_be_reached_is_asked_again(polling, feed, task):
    ExternalSystem.objects.update(base_url="http://127.0.0.1:9")
    poll_now(polling)
    assert "No connection to 127.0.0.1" in polling.last_error
    assert polling.due_at is not None
    assert polling.lease_until is None


def test_an_answer_that_is_too_large_says_so(polling, feed, task):
    ExternalSystem.objects.update(max_response_bytes=500)
    feed.say("x" * 1000, time=START)
    poll_now(polling)
    assert "larger than the 500 bytes" in polling.last_error
    assert Exchange.objects.get().outcome == Outcome.RETRYABLE
    ExternalSystem.objects.update(max_response_bytes=50_000)
    poll_now(polling)
    assert notes() == ["x" * 1000]


def test_a_failure_of_ours_stops_the_page_and_moves_nothing(polling, feed, task, monkeypatch):
    for number in range(2):
        feed.say(f"text {number}", time=START + number)
    real, calls = intake.perform, []

    def fails_once(*args, **values):
        calls.append(1)
        if len(calls) == 2:
            raise OperationalError("the database is away")
        return real(*args, **values)

    monkeypatch.setattr(intake, "perform", fails_once)
    poll_now(polling)
    assert notes() == ["text 0"]
    assert incoming() == ["succeeded", "retryable"]
    assert "failure in this portal" in polling.last_error
    assert polling.cursor == 0
    poll_now(polling)
    assert notes() == ["text 0", "text 1"]
    assert incoming() == ["succeeded", "retryable", "succeeded"]


def test_a_session_that_ended_is_renewed_and_its_token_is_nowhere_in_the_log(polling, feed, task, httpserver):
    tokens = ["first-session-token-000", "second-session-token-111"]
    given = []

    def log_in(request):
        given.append(tokens[len(given)])
        response = answer(given[-1])
        response.content_type = "text/plain"
        response.set_cookie("LWSSO_COOKIE_KEY", given[-1])
        return response

    httpserver.expect_request("/auth/login", method="POST").respond_with_handler(log_in)
    login = OperationTemplate.objects.create(
        system=polling.system,
        name="login",
        path="/auth/login",
        body='{"login": "{{ auth.username }}", "password": "{{ auth.password }}"}',
        captures='session = "LWSSO_COOKIE_KEY=" ~ response.text ~ "; TENANTID=acme"',
    )
    ExternalSystem.objects.update(
        auth_kind="login", auth_username="us", auth_secret="", auth_name="Cookie", auth_login=login
    )
    poll_now(polling)
    feed.say("after the session", time=START)
    feed.answers = [lambda request: answer("sign in", 401)]
    poll_now(polling)
    assert given == tokens
    assert notes() == ["after the session"]
    assert polling.failures == 0
    columns = ("request_headers", "request_body", "response_headers", "response_body", "error")
    kept = json.dumps(list(Exchange.objects.values(*columns)))
    assert "session-token" not in kept


def test_a_quiet_night_is_one_row_in_the_log_and_a_failing_one_is_another(polling, feed, task):
    for _ in range(5):
        poll_now(polling)
    assert Exchange.objects.count() == 1
    feed.answers = [lambda request: answer("busy", 503)] * 5
    for _ in range(5):
        poll_now(polling)
    assert [row.outcome for row in Exchange.objects.order_by("pk")] == ["succeeded", "retryable"]
    feed.say("morning", time=START)
    poll_now(polling)
    for _ in range(3):
        poll_now(polling)
    assert [row.operation for row in Exchange.objects.order_by("pk")] == ["poll", "poll", "poll", "update", "poll"]
