"""Testing a connection: what came of it in words, logged, without an exception and without changing anything."""

import socket
from typing import Any

import pytest
from django.db import transaction

from integrations.connection import harmless_operations, try_connection
from integrations.models import Exchange, ExternalSystem, OperationTemplate
from tests.cast import Partner

SECRET = "s3cret-t0ken-value"


@pytest.fixture
def system(partner: Partner) -> ExternalSystem:
    return partner.system


def test_an_answer_is_a_success_and_in_the_log(system: ExternalSystem, httpserver: Any) -> None:
    httpserver.expect_request("/").respond_with_data("hello")
    trial = try_connection(system)
    assert trial.succeeded
    exchange = Exchange.objects.get()
    assert trial.exchange == exchange
    assert (exchange.operation, exchange.outcome, exchange.status) == ("test_connection", "succeeded", 200)
    assert exchange.duration_ms is not None


def test_an_address_that_serves_nothing_is_the_right_desk_all_the_same(
    system: ExternalSystem, httpserver: Any
) -> None:
    httpserver.expect_request("/").respond_with_data("no such page", status=404)
    trial = try_connection(system)
    assert trial.succeeded
    assert "operation that reads" in trial.advice


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not accept the credentials"),
        (403, "does not permit this call"),
        (302, "Enter the final address"),
        (500, "fails over there"),
    ],
)
def test_a_refusal_says_what_to_look_at(system: ExternalSystem, httpserver: Any, status: int, words: str) -> None:
    httpserver.expect_request("/").respond_with_data("no", status=status, headers={"Location": "/x"})
    trial = try_connection(system)
    assert not trial.succeeded
    assert words in trial.advice
    assert Exchange.objects.get().status == status


@pytest.mark.parametrize(
    ("url", "private", "words", "outcome"),
    [
        ("http://127.0.0.1:9", True, "port 9: Connection refused.", "retryable"),
        ("http://does-not-exist.invalid", True, "cannot be resolved", "retryable"),
        ("http://127.0.0.1:9", False, "May be in our own network", "misconfigured"),
        ("http://169.254.169.254", True, "metadata", "misconfigured"),
    ],
)
def test_no_answer_is_told_in_words(
    system: ExternalSystem, url: str, private: bool, words: str, outcome: str
) -> None:
    system.base_url, system.allow_private = url, private
    trial = try_connection(system)
    assert not trial.succeeded
    sent = outcome == "retryable"
    assert trial.headline == ("There was no answer." if sent else "Nothing was sent.")
    assert trial.was_sent == sent
    assert words in trial.detail
    assert Exchange.objects.get().outcome == outcome


def test_a_desk_that_keeps_silent_is_given_up(system: ExternalSystem) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        system.base_url, system.read_timeout = f"http://127.0.0.1:{silent.getsockname()[1]}", 1
        trial = try_connection(system)
    assert "No answer for 1 seconds" in trial.detail
    assert "more time" in trial.advice


def test_credentials_are_sent_and_not_kept(system: ExternalSystem, httpserver: Any) -> None:
    httpserver.expect_request("/").respond_with_data(SECRET)
    system.auth_kind, system.auth_secret = "bearer", SECRET
    assert try_connection(system).succeeded
    request, _response = httpserver.log[0]
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(vars(Exchange.objects.get()))


def test_a_login_is_tried_anew_each_time(system: ExternalSystem, httpserver: Any) -> None:
    login = OperationTemplate.objects.create(
        system=system,
        name="login",
        path="/login",
        body='{"p": "{{ auth.password }}"}',
        captures="session = response.json.t",
    )
    system.auth_kind, system.auth_name, system.auth_secret, system.auth_login = "login", "X-Session", SECRET, login
    httpserver.expect_request("/login").respond_with_json({"t": "abc123-session"})
    httpserver.expect_request("/", headers={"X-Session": "abc123-session"}).respond_with_data("in")
    assert try_connection(system).succeeded
    assert try_connection(system).succeeded
    assert [request.path for request, _response in httpserver.log] == ["/login", "/", "/login", "/"]
    httpserver.clear()
    httpserver.expect_request("/login").respond_with_json({"error": "wrong"})
    trial = try_connection(system)
    assert not trial.succeeded
    assert "without a session" in trial.detail


def test_a_reading_operation_is_called_with_sample_values(partner: Partner, httpserver: Any) -> None:
    httpserver.expect_request("/tickets").respond_with_json({"tickets": []})
    [find] = harmless_operations(partner.system)
    assert find.name == "find_ticket"
    assert try_connection(partner.system, find).succeeded
    request, _response = httpserver.log[0]
    assert (request.method, request.args["caller"]) == ("GET", "sample")


def test_a_page_instead_of_data_is_no_success(partner: Partner, httpserver: Any) -> None:
    httpserver.expect_request("/tickets").respond_with_data("<html>Sign in</html>", content_type="text/html")
    trial = try_connection(partner.system, harmless_operations(partner.system)[0])
    assert (trial.succeeded, trial.headline) == (False, "The answer cannot be read.")
    assert "It answered with 200, but not as find_ticket expects" in trial.detail
    assert Exchange.objects.get().outcome == "misconfigured"


def test_what_was_read_is_told_in_words(partner: Partner, httpserver: Any) -> None:
    operation = OperationTemplate.objects.create(
        system=partner.system,
        name="fetch_priorities",
        method="GET",
        path="/priorities",
        items="response.json",
        reads="value = item.id\nlabel = item.name",
    )
    httpserver.expect_ordered_request("/priorities").respond_with_json(
        [{"id": 1, "name": "Low"}, {"id": 2, "name": ""}]
    )
    httpserver.expect_ordered_request("/priorities").respond_with_json([])
    httpserver.expect_ordered_request("/priorities").respond_with_json({"rows": 3})
    assert try_connection(partner.system, operation).detail == "2 records were read: Low, 2."
    assert "It knows nothing of what fetch_priorities asked for" in try_connection(partner.system, operation).detail
    assert not try_connection(partner.system, operation).succeeded


def test_what_needs_a_record_of_theirs_or_writes_is_not_offered(partner: Partner) -> None:
    def offer(name: str, **values: Any) -> None:
        OperationTemplate.objects.create(system=partner.system, name=name, **values)

    offer("fetch_notes", method="GET", path="/tickets/{{ task.external_reference }}/notes")
    offer("login", method="GET", path="/session")
    offer("query_contacts", protocol="soap", body="<a/>")
    offer("resolve", method="POST", path="/resolve")
    assert [row.name for row in harmless_operations(partner.system)] == ["find_ticket", "query_contacts"]


def test_an_undecryptable_secret_sends_nothing(system: ExternalSystem, settings: Any, httpserver: Any) -> None:
    system.auth_kind, system.auth_secret = "bearer", SECRET
    system.save()
    settings.ENCRYPTION_KEYS = ["dGhpcyBpcyBub3QgdGhlIGtleSB0aGF0IHdhcyB1c2U="]
    trial = try_connection(ExternalSystem.objects.get(pk=system.pk))
    assert trial.headline == "Nothing was sent."
    assert "ENCRYPTION_KEYS" in trial.detail
    assert httpserver.log == []


def test_no_transaction_may_be_open(system: ExternalSystem) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        try_connection(system)
