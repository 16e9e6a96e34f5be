"""OAuth 2.0 for calling out, against a token server on a socket of its own."""

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.utils import timezone
from pytest_httpserver import HTTPServer

from integrations.engine import oauth
from integrations.models import (
    Authentication,
    ClientAuthentication,
    Exchange,
    ExternalSystem,
    OAuthToken,
    Outcome,
    ProcessRun,
    RunState,
)
from integrations.transports.http import Response
from tests.integrations.engine.conftest import OtherDesk, in_threads, only_run, respond, run_states, work_everything
from tests.integrations.engine.test_authentication import SECRET, configure, everything_stored

pytestmark = pytest.mark.django_db

FIRST, SECOND = "first-access-token-0123456789", "second-access-token-0123456789"
REFRESH, NEXT_REFRESH = "refresh-token-one-0123456789", "refresh-token-two-0123456789"


@pytest.fixture(autouse=True)
def _no_token_seen() -> None:
    """What a process remembers of tokens, forgotten."""
    oauth._seen.clear()


@pytest.fixture
def token_server(httpserver: HTTPServer) -> Any:
    """A token endpoint on another host (by name) than the desk."""
    elsewhere = "127.0.0.1" if httpserver.host == "localhost" else "localhost"
    with HTTPServer(host=elsewhere) as server:
        yield OtherDesk(server)
        server.check_handler_errors()


def given(token: str = FIRST, **values: Any) -> tuple[int, dict[str, Any]]:
    """The answer of a token endpoint."""
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **values}


@pytest.fixture
def oauth_partner(partner, token_server, friendly):
    """The partner wants tokens from the token server; its credentials are a client's."""
    token_server.answers("/token", given())
    configure(partner, "oauth", oauth_token_url=token_server.server.url_for("/token"))
    partner.system = ExternalSystem.objects.get(pk=partner.system.pk)
    return partner


def asked(token_server: OtherDesk) -> list[dict[str, str]]:
    """The forms that the token endpoint was sent."""
    return [{key: values[0] for key, values in parse_qs(body.decode()).items()} for body in token_server.bodies]


def bearers(desk: OtherDesk) -> list[str]:
    """The tokens that came to the desk."""
    return [request.headers.get("Authorization", "").removeprefix("Bearer ") for request in desk.sent]


def test_a_token_is_asked_for_once_and_used_for_all(desk, oauth_partner, token_server, friendly):
    desk.task(oauth_partner.group)
    desk.task(oauth_partner.group)
    work_everything()
    assert asked(token_server) == [{"grant_type": "client_credentials"}]
    client = token_server.sent[0].authorization
    assert (client.username, client.password) == ("agent", "s3cr3t%2F%2B+%22%26%3Cvalue%3E"), (
        "encoded: RFC 6749, 2.3.1"
    )
    assert bearers(friendly) == [FIRST, FIRST]
    row = Exchange.objects.get(operation=oauth.TOKEN)
    assert (row.outcome, row.url) == (Outcome.SUCCEEDED, token_server.server.url_for("/token"))
    assert "[removed]" in row.response_body and row.task is not None


def test_the_client_may_stand_in_the_body_with_scope_and_audience(desk, oauth_partner, token_server):
    ExternalSystem.objects.filter(pk=oauth_partner.system.pk).update(
        oauth_client_authentication=ClientAuthentication.BODY,
        oauth_scope="tickets.read  tickets.write",
        oauth_parameters="audience = https://desk.example.com?a=b\n\nresource = x",
    )
    desk.task(oauth_partner.group)
    work_everything()
    assert asked(token_server) == [
        {
            "grant_type": "client_credentials",
            "client_id": "agent",
            "client_secret": SECRET,
            "scope": "tickets.read tickets.write",
            "audience": "https://desk.example.com?a=b",
            "resource": "x",
        }
    ]
    assert "Authorization" not in token_server.sent[0].headers


def test_no_token_and_no_secret_is_stored_in_clear(desk, oauth_partner, token_server, friendly):
    ExternalSystem.objects.filter(pk=oauth_partner.system.pk).update(
        oauth_client_authentication=ClientAuthentication.BODY
    )
    friendly.server.clear_all_handlers()
    friendly.answers("/tickets", lambda r: respond(400, {"you sent": r.headers["Authorization"], "and": SECRET}))
    desk.task(oauth_partner.group)
    work_everything()
    assert FIRST not in everything_stored() and "s3cr3t" not in everything_stored()
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token, made_for FROM integrations_oauthtoken")
        kept = str(cursor.fetchall())
    assert FIRST not in kept and "s3cr3t" not in kept
    assert OAuthToken.objects.get().access_token == FIRST


def test_a_token_is_replaced_before_it_ends(desk, oauth_partner, token_server, friendly):
    token_server.server.clear_all_handlers()
    token_server.answers("/token", given(expires_in=100), given(SECOND))
    desk.task(oauth_partner.group)
    work_everything()
    left = OAuthToken.objects.get().use_until - timezone.now()
    assert timedelta(seconds=80) < left <= timedelta(seconds=90)
    OAuthToken.objects.update(use_until=timezone.now())
    desk.task(oauth_partner.group)
    work_everything()
    assert bearers(friendly) == [FIRST, SECOND]


def test_a_token_that_is_no_longer_taken_is_replaced_at_once(desk, oauth_partner, token_server, friendly):
    desk.task(oauth_partner.group)
    work_everything()
    token_server.server.clear_all_handlers()
    token_server.answers("/token", given(SECOND))
    friendly.server.clear_all_handlers()
    friendly.answers("/tickets", (401, ""), (201, {"number": "A-2"}))
    desk.task(oauth_partner.group)
    work_everything()
    assert bearers(friendly) == [FIRST, FIRST, SECOND]
    assert run_states() == [RunState.DONE, RunState.DONE]


def test_a_fresh_token_that_is_not_taken_is_a_wrong_configuration_and_not_tried_for_ever(
    desk, oauth_partner, token_server, friendly
):
    friendly.server.clear_all_handlers()
    friendly.answers("/tickets", (401, ""))
    desk.task(oauth_partner.group)
    work_everything()
    assert (len(token_server.sent), len(friendly.sent)) == (2, 2)
    assert only_run().state == RunState.ATTENTION


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ((400, {"error": "invalid_client", "error_description": "no such client"}), "attention", "no such client"),
        ((401, {"error": "invalid_client"}), "attention", "invalid_client"),
        ((503, {"error": "temporarily_unavailable"}), "retrying", "temporarily_unavailable"),
        ((500, "<html>oops</html>"), "retrying", "500"),
        ((429, ""), "retrying", "429"),
        ((200, {"token": "x"}), "attention", "access token"),
        ((200, "[1, 2]"), "attention", "cannot be read"),
        ((200, "null"), "attention", "cannot be read"),
        ((302, ""), "attention", "302"),
        ((200, "5"), "attention", "cannot be read"),
        ((200, "[" * 100_000), "attention", "cannot be read"),
        ((200, {"access_token": None, "token_type": "Bearer"}), "attention", "access token"),
        ((200, {"access_token": "", "token_type": "Bearer"}), "attention", "access token"),
        ((200, {"access_token": ["a"], "token_type": "Bearer"}), "attention", "access token"),
        ((200, {"access_token": "a\r\nX-Evil: 1", "token_type": "Bearer"}), "attention", "access token"),
        ((200, '{"access_token": "\\ud800", "token_type": "Bearer"}'), "attention", "access token"),
        ((400, {"error": {"code": 1}}), "attention", "400"),
        ((200, {"error": SECRET}), "attention", "[removed]"),
    ],
)
def test_a_refusal_is_told_and_nothing_is_sent_without_a_token(
    desk, oauth_partner, token_server, friendly, answer, state, words
):
    token_server.server.clear_all_handlers()
    token_server.answers("/token", answer)
    desk.task(oauth_partner.group)
    work_everything()
    assert friendly.sent == []
    assert only_run().state == state
    assert words in Exchange.objects.get().error
    assert only_run().steps.get().state == "failed", "the ticket was not asked for: there is nothing to look for"
    assert OAuthToken.objects.get().lease_until is None


def test_a_token_endpoint_that_is_down_is_tried_again(desk, oauth_partner, token_server, friendly):
    token_server.server.stop()
    desk.task(oauth_partner.group)
    work_everything()
    assert (only_run().state, friendly.sent) == (RunState.RETRYING, [])
    token_server.server.start()


def test_only_the_token_endpoint_is_called_on_its_host(desk, oauth_partner, token_server, friendly):
    token_server.answers("/tickets", (201, {"number": "stolen"}))
    oauth_partner.create.path = token_server.server.url_for("/tickets")
    oauth_partner.create.save()
    desk.task(oauth_partner.group)
    work_everything()
    assert only_run().state == RunState.ATTENTION
    assert [request.path for request in token_server.sent] == []


def test_a_token_of_another_client_is_not_used(desk, oauth_partner, token_server, friendly):
    desk.task(oauth_partner.group)
    work_everything()
    token_server.server.clear_all_handlers()
    token_server.answers("/token", given(SECOND))
    ExternalSystem.objects.filter(pk=oauth_partner.system.pk).update(auth_username="other")
    desk.task(oauth_partner.group)
    work_everything()
    assert bearers(friendly) == [FIRST, SECOND]


@pytest.fixture
def refreshing(oauth_partner, token_server):
    """The partner gives refresh tokens that are good for one use only."""
    ExternalSystem.objects.filter(pk=oauth_partner.system.pk).update(auth_kind=Authentication.OAUTH_REFRESH)
    oauth_partner.system.refresh_from_db()
    OAuthToken.objects.create(system=oauth_partner.system, refresh_token=REFRESH)
    token_server.server.clear_all_handlers()
    valid = [REFRESH]

    def rotate(request: Any) -> Any:
        if request.form["refresh_token"] != valid[0]:
            return respond(400, {"error": "invalid_grant", "error_description": "used twice"})
        valid[0] = NEXT_REFRESH if valid[0] == REFRESH else f"{valid[0]}+"
        return respond(*given(f"access-for-{valid[0]}", refresh_token=valid[0]))

    token_server.answers("/token", rotate)
    return oauth_partner


def test_a_refresh_token_is_replaced_by_the_one_that_came_for_it(desk, refreshing, token_server, friendly):
    desk.task(refreshing.group)
    work_everything()
    assert asked(token_server) == [{"grant_type": "refresh_token", "refresh_token": REFRESH}]
    assert OAuthToken.objects.get().refresh_token == NEXT_REFRESH
    OAuthToken.objects.update(use_until=timezone.now())
    desk.task(refreshing.group)
    work_everything()
    assert asked(token_server)[-1]["refresh_token"] == NEXT_REFRESH
    assert run_states() == [RunState.DONE, RunState.DONE]
    stored = everything_stored()
    assert REFRESH not in stored and NEXT_REFRESH not in stored


def test_a_refresh_token_that_is_not_replaced_stays(desk, refreshing, token_server):
    token_server.server.clear_all_handlers()
    token_server.answers("/token", given())
    desk.task(refreshing.group)
    work_everything()
    assert OAuthToken.objects.get().refresh_token == REFRESH


def test_a_refresh_token_that_has_ended_needs_a_person(desk, refreshing, token_server, friendly):
    OAuthToken.objects.update(refresh_token="long-ago-0123456789")
    desk.task(refreshing.group)
    work_everything()
    assert only_run().state == RunState.ATTENTION
    assert "invalid_grant: used twice" in only_run().reason
    OAuthToken.objects.all().delete()
    ProcessRun.objects.all().delete()
    desk.task(refreshing.group)
    work_everything()
    assert "No refresh token is stored" in only_run().reason


@pytest.mark.django_db(transaction=True)
def test_of_workers_at_the_same_moment_one_asks_and_all_use_what_it_got(refreshing):
    system = refreshing.system
    begun, calls = threading.Event(), []

    def ask(request: Any, learn: Any) -> None:
        calls.append(request)
        begun.wait(0.3)
        learn(Response(200, {}, b'{"access_token": "one", "refresh_token": "two", "expires_in": 60}', 1))

    assert in_threads(*[lambda: oauth.access_token(system, ask)] * 4) == ["one"] * 4
    assert len(calls) == 1
    assert OAuthToken.objects.get().refresh_token == "two"


def test_a_worker_that_died_while_it_asked_holds_nobody_up_for_ever(desk, refreshing, friendly, monkeypatch):
    monkeypatch.setattr(oauth, "PATIENCE", 0.2)
    OAuthToken.objects.update(lease_until=timezone.now() + timedelta(minutes=1), turn=7)
    desk.task(refreshing.group)
    work_everything()
    assert (only_run().state, friendly.sent) == (RunState.RETRYING, [])
    OAuthToken.objects.update(lease_until=timezone.now())
    ProcessRun.objects.update(due_at=timezone.now())
    work_everything()
    assert only_run().state == RunState.DONE
    assert OAuthToken.objects.get().turn == 8


def test_a_token_that_another_worker_has_just_renewed_is_not_dropped(oauth_partner):
    system = oauth_partner.system
    row = OAuthToken.objects.create(system=system, access_token=SECOND, use_until=timezone.now())
    assert oauth.drop_token(system, FIRST) is True
    row.refresh_from_db()
    assert row.access_token == SECOND
    assert oauth.drop_token(system, SECOND) is True
    row.refresh_from_db()
    assert row.access_token == ""
    assert oauth.drop_token(system) is False


@pytest.mark.parametrize("lifetime", ['"3599.7"', '"soon"', "1e400", "NaN", "[1]", "null", "-1"])
@pytest.mark.parametrize("status", [200, 201])
def test_a_refresh_token_is_kept_however_odd_the_rest_of_the_answer_is(refreshing, lifetime, status):
    """It came for the only time; the one before is not good any more."""
    body = (
        f'{{"access_token": "{SECOND}", "token_type": "Bearer", "refresh_token": "{NEXT_REFRESH}",'
        f' "expires_in": {lifetime}, "scope": ["a"]}}'
    )
    answer = Response(status, {"Content-Type": "application/json"}, body.encode(), 1)
    assert oauth.access_token(refreshing.system, lambda _request, learn: learn(answer)) == SECOND
    assert OAuthToken.objects.get().refresh_token == NEXT_REFRESH


def test_a_refresh_token_that_is_no_text_does_not_replace_the_one_there_is(refreshing):
    answer = Response(200, {}, b'{"access_token": "x", "token_type": "Bearer", "refresh_token": {"a": 1}}', 1)
    assert oauth.access_token(refreshing.system, lambda _request, learn: learn(answer)) == "x"
    assert OAuthToken.objects.get().refresh_token == REFRESH


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3600, 3540), ("3600", 3540), (100, 90), (0, 0), (-5, 0), (None, 3540), ("soon", 3540), (1e300, 2591940)],
)
def test_how_long_a_token_is_used(value, seconds):
    assert oauth._usable(value) == timedelta(seconds=seconds)
