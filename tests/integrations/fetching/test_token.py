"""Signing in to mailboxes by access tokens of OAuth 2.0 (XOAUTH2), as Microsoft 365 and Google want it."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from integrations.engine import oauth
from integrations.models import Exchange, ExternalSystem, Mailbox, OAuthToken, Outcome
from tests.integrations.fetching.test_fetch import fetch_now, numbered, titles
from tests.mail_servers import TOKEN, USER, ImapServer, started

pytestmark = pytest.mark.django_db(transaction=True)
OLD = "old-access-token-0123456789"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    oauth._seen.clear()


@pytest.fixture(scope="module")
def by_token():
    """A real server that takes one token."""
    yield from started("--no-tls", token=TOKEN)


@pytest.fixture
def asked(httpserver: HTTPServer):
    """The forms that the token endpoint was sent; it gives what is in `gives`, the last one for ever."""
    forms: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        forms.append({key: values[0] for key, values in parse_qs(request.get_data(as_text=True)).items()})
        return Response(
            f'{{"access_token": "{gives[0] if len(gives) == 1 else gives.pop(0)}", "token_type": "Bearer", '
            '"expires_in": 3600}',
            content_type="application/json",
        )

    gives = [TOKEN]
    httpserver.expect_request("/token").respond_with_handler(answer)

    return forms, gives


@pytest.fixture
def tenant(httpserver: HTTPServer, asked) -> ExternalSystem:
    """Where the tokens come from: its address is on the mail server."""
    made: ExternalSystem = ExternalSystem.objects.create(
        name="Mail tenant",
        code="tenant",
        base_url="https://127.0.0.1",
        allow_private=True,
        auth_kind="oauth",
        auth_username="client",
        auth_secret="client-secret-0123456789",
        oauth_token_url=httpserver.url_for("/token"),
        oauth_scope="https://outlook.office365.com/.default",
        oauth_client_authentication="body",
    )
    return made


def box_at(server, tenant: ExternalSystem) -> Mailbox:
    """A mailbox without a password."""
    given = {**server.settings(), "secret": "", "token_system": tenant}
    box: Mailbox = Mailbox.objects.create(name="Support", address="support@portal.test", **given)
    box.full_clean()
    return box


def test_mail_is_read_by_a_token_of_the_clients(desk, tenant, by_token: ImapServer, asked):
    box = box_at(by_token, tenant)
    by_token.put(numbered(1))
    box = fetch_now(box)
    assert (box.last_error, titles()) == ("", ["No. 1"])
    by_token.put(numbered(2))
    fetch_now(box)
    assert titles() == ["No. 1", "No. 2"]
    assert asked[0] == [
        {
            "grant_type": "client_credentials",
            "client_id": "client",
            "client_secret": "client-secret-0123456789",
            "scope": "https://outlook.office365.com/.default",
        }
    ]
    exchange = Exchange.objects.get()
    assert (exchange.operation, exchange.outcome) == (oauth.TOKEN, Outcome.SUCCEEDED)
    kept = f"{exchange.request_body} {exchange.response_body}"
    assert TOKEN not in kept and "client-secret" not in kept


def test_a_refresh_token_does_as_well(desk, tenant, by_token: ImapServer, asked):
    ExternalSystem.objects.filter(pk=tenant.pk).update(auth_kind="oauth_refresh")
    OAuthToken.objects.create(system=tenant, refresh_token="refresh-token-0123456789")
    by_token.empty()
    by_token.put(numbered(1))
    assert fetch_now(box_at(by_token, tenant)).last_error == ""
    assert (titles(), asked[0][0]["refresh_token"]) == (["No. 1"], "refresh-token-0123456789")


def test_a_token_that_ended_early_is_replaced_at_once(desk, tenant, rude, asked):
    rude.token, rude.mails = TOKEN, {1: numbered(1)}
    asked[1][:] = [OLD, TOKEN]
    assert fetch_now(box_at(rude, tenant)).last_error == ""
    assert rude.tokens == [f"user={USER}\1auth=Bearer {token}\1\1" for token in (OLD, TOKEN)]
    assert titles() == ["No. 1"]


def test_what_the_server_says_of_a_token_is_told_without_the_token(desk, tenant, rude, asked):
    rude.token = "another"
    box = fetch_now(box_at(rude, tenant))
    assert "refused the access token" in box.last_error and "https://mail.google.com/" in box.last_error
    assert (TOKEN in box.last_error, len(asked[0]), len(rude.tokens)) == (False, 2, 2)
    assert box.due_at > timezone.now() + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"allowed_hosts": "127.0.0.1", "base_url": "https://outlook.office365.com"}, "not the host"),
        ({"auth_kind": "none"}, "not OAuth 2.0"),
        ({"active": False}, "switched off"),
        ({"oauth_token_url": "http://127.0.0.1:1/token"}, "127.0.0.1"),
    ],
)
def test_without_a_token_nothing_is_tried_and_the_reason_is_said(desk, tenant, rude, change, says):
    box = box_at(rude, tenant)
    ExternalSystem.objects.filter(pk=tenant.pk).update(**change)
    box = fetch_now(box)
    assert says in box.last_error
    assert rude.tokens == []
    assert not any("LOGIN" in asked for asked in rude.asked)


def test_a_system_without_oauth_is_no_choice(desk, tenant, rude):
    ExternalSystem.objects.filter(pk=tenant.pk).update(auth_kind="basic")
    with pytest.raises(ValidationError, match="token_system"):
        box_at(rude, tenant)
