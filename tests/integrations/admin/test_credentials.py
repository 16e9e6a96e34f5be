"""Certificates and tokens of a system in its form: what is wrong is said, and what is secret is never shown."""

import pytest
from django.utils import timezone

from integrations.models import ExternalSystem, OAuthToken
from tests.certificates import Authority
from tests.integrations.admin.conftest import Browser, errors

AUTHORITY = Authority()
OURS, OTHER = AUTHORITY.issue("portal", days=90), AUTHORITY.issue("other")
REFRESH = "refresh-token-0123456789"
OAUTH = {
    "auth_kind": "oauth_refresh",
    "auth_username": "client",
    "secret": "client-secret-0123",
    "oauth_token_url": "https://login.acme.test/token",
    "refresh_token": REFRESH,
}


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(name="Acme", code="acme", base_url="https://desk.acme.test/api")


@pytest.fixture
def page(system: ExternalSystem) -> str:
    return f"externalsystem/{system.pk}/change/"


def test_a_certificate_and_its_key_are_stored_and_only_the_certificate_is_shown(
    admin: Browser, system: ExternalSystem, page: str
) -> None:
    answer = admin.send(
        page,
        ca_bundle=AUTHORITY.pem,
        client_certificate=OURS.certificate,
        client_key_pem=OURS.locked_key,
        client_key_passphrase="open sesame",
    )
    assert answer.status_code == 302
    system.refresh_from_db()
    assert system.client_key == OURS.key
    shown = admin.get(page).content.decode()
    assert "portal, issued by Test authority." in shown and "SHA-256 fingerprint" in shown
    key_line = OURS.key.splitlines()[1]
    for path in (page, f"externalsystem/{system.pk}/history/"):
        assert key_line not in admin.get(path).content.decode()
    assert not hasattr(system.history.first(), "client_key")
    assert admin.send(page, name="Acme Ltd").status_code == 302
    system.refresh_from_db()
    assert system.client_key == OURS.key, "an empty field keeps the stored key"
    assert admin.send(page, client_certificate="").status_code == 302
    system.refresh_from_db()
    assert system.client_key == "", "the key goes with its certificate"


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"client_certificate": "nonsense"}, "client_certificate", "no certificate in PEM form"),
        ({"client_certificate": OURS.certificate}, "client_key_pem", "of no use without its key"),
        ({"client_key_pem": OURS.key}, "client_certificate", "of no use without its certificate"),
        ({"client_certificate": OURS.certificate, "client_key_pem": OTHER.key}, "client_key_pem", "does not belong"),
        (
            {"client_certificate": OURS.certificate, "client_key_pem": OURS.locked_key},
            "client_key_pem",
            "needs its passphrase",
        ),
        ({"ca_bundle": "nonsense"}, "ca_bundle", "no certificate in PEM form"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field(
    admin: Browser, page: str, values: dict[str, str], field: str, message: str
) -> None:
    answer = admin.send(page, **values)
    assert message in errors(answer)[field][0]
    assert OURS.key.splitlines()[1] not in answer.content.decode() or "client_key_pem" in values


def test_a_certificate_that_has_ended_is_not_taken(admin: Browser, page: str) -> None:
    old = AUTHORITY.issue("portal", days=-1)
    found = errors(admin.send(page, client_certificate=old.certificate, client_key_pem=old.key))
    assert "has ended on" in found["client_certificate"][0]


def test_a_refresh_token_is_stored_and_never_shown(admin: Browser, system: ExternalSystem, page: str) -> None:
    assert admin.send(page, **OAUTH).status_code == 302
    token = OAuthToken.objects.get()
    assert (token.system, token.refresh_token) == (system, REFRESH)
    assert REFRESH not in admin.get(page).content.decode()
    OAuthToken.objects.update(access_token="x", use_until=timezone.now())
    assert admin.send(page, oauth_scope="tickets").status_code == 302
    token.refresh_from_db()
    assert (token.refresh_token, token.access_token) == (REFRESH, "x")
    assert admin.send(page, refresh_token="another-token").status_code == 302
    token.refresh_from_db()
    assert (token.refresh_token, token.access_token, token.turn) == ("another-token", "", 2)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"refresh_token": ""}, "refresh_token"),
        ({"oauth_token_url": ""}, "oauth_token_url"),
        ({"oauth_token_url": "ftp://login.acme.test"}, "oauth_token_url"),
        ({"oauth_token_url": "https://a:b@login.acme.test"}, "oauth_token_url"),
        ({"auth_username": ""}, "auth_username"),
        ({"oauth_parameters": "audience"}, "oauth_parameters"),
        ({"oauth_parameters": "= x"}, "oauth_parameters"),
    ],
)
def test_what_oauth_needs_is_asked_for(admin: Browser, page: str, values: dict[str, str], field: str) -> None:
    assert field in errors(admin.send(page, **{**OAUTH, **values}))
    assert not OAuthToken.objects.exists()


def test_secrets_do_not_follow_the_token_endpoint_to_another_host(admin: Browser, page: str) -> None:
    admin.send(page, **OAUTH)
    there = {"oauth_token_url": "https://evil.test/token"}
    assert "Enter the secrets for it" in errors(admin.send(page, **there))["secret"][0]
    assert "secret" in errors(admin.send(page, **there, secret="new"))
    assert admin.send(page, **there, secret="new", refresh_token="new").status_code == 302


def test_who_may_only_look_sees_the_certificate_and_no_field_for_its_key(browser_for, system: ExternalSystem) -> None:
    ExternalSystem.objects.filter(pk=system.pk).update(client_certificate=OURS.certificate)
    shown = browser_for("view_externalsystem").get(f"externalsystem/{system.pk}/change/").content.decode()
    assert "BEGIN CERTIFICATE" in shown and "client_key" not in shown
