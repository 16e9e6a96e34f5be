"""Mutual TLS against a server that demands a certificate, and an authority that only one system believes."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from integrations.transports import tls
from integrations.transports.errors import CertificateRefused, ClientCertificateRefused, RequestInvalid
from integrations.transports.http import Policy, Request, Response, send
from tests.certificates import Authority

AUTHORITY = Authority()
OURS = AUTHORITY.issue("portal")


@pytest.fixture
def demanding(tmp_path: Path) -> Iterator[HTTPServer]:
    """A server that talks only to whoever has a certificate of its authority."""
    with HTTPServer(host="localhost", ssl_context=AUTHORITY.server_context(tmp_path)) as server:
        server.expect_request("/").respond_with_data("you are welcome")
        yield server


@pytest.fixture
def ask(demanding: HTTPServer, policy: Policy) -> Callable[..., Response]:
    """Sends a request to that server under the policy, changed so."""

    def sent(**values: str) -> Response:
        url = demanding.url_for("/").replace("http:", "https:")
        return send(Request("POST", url, body=b"x" * 100_000), replace(policy, **values))

    return sent


def test_the_server_gets_our_certificate_and_is_believed(ask: Callable[..., Response]) -> None:
    answer = ask(ca_bundle=AUTHORITY.pem, client_certificate=OURS.certificate, client_key=OURS.key)
    assert answer.text == "you are welcome"


def test_without_a_certificate_it_is_a_wrong_configuration_and_nothing_arrived(
    ask: Callable[..., Response], demanding: HTTPServer
) -> None:
    with pytest.raises(ClientCertificateRefused) as caught:
        ask(ca_bundle=AUTHORITY.pem)
    assert (caught.value.reached, demanding.log) == (False, [])


def test_a_certificate_of_somebody_else_is_refused(ask: Callable[..., Response], demanding: HTTPServer) -> None:
    stranger = Authority("Somebody else").issue("portal")
    with pytest.raises(ClientCertificateRefused):
        ask(ca_bundle=AUTHORITY.pem, client_certificate=stranger.certificate, client_key=stranger.key)
    assert demanding.log == []


def test_a_certificate_that_has_ended_is_refused(ask: Callable[..., Response]) -> None:
    old = AUTHORITY.issue("portal", days=-1)
    with pytest.raises(ClientCertificateRefused, match="expired"):
        ask(ca_bundle=AUTHORITY.pem, client_certificate=old.certificate, client_key=old.key)


def test_only_the_given_authorities_are_believed(ask: Callable[..., Response]) -> None:
    with pytest.raises(CertificateRefused):
        ask(ca_bundle=Authority("Somebody else").pem)
    with pytest.raises(CertificateRefused):
        ask()


def test_what_cannot_be_used_is_a_wrong_configuration(ask: Callable[..., Response]) -> None:
    with pytest.raises(RequestInvalid, match="authorities"):
        ask(ca_bundle="nonsense")
    with pytest.raises(RequestInvalid):
        ask(client_certificate=OURS.certificate, client_key="nonsense")
    with pytest.raises(RequestInvalid):
        ask(client_certificate=OURS.certificate, client_key=AUTHORITY.issue("other").key)


def test_no_key_stays_in_a_file_and_none_is_written_in_clear(
    ask: Callable[..., Response], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: list[str] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "keys"))
    (tmp_path / "keys").mkdir()
    unlink = tls.os.unlink
    monkeypatch.setattr(tls.os, "unlink", lambda path: (written.append(Path(path).read_text()), unlink(path)))
    own = AUTHORITY.issue("portal")
    ask(ca_bundle=AUTHORITY.pem, client_certificate=own.certificate, client_key=own.key)
    [text] = written
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text and "BEGIN PRIVATE KEY" not in text
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_key_is_in_no_representation_of_the_policy(policy: Policy) -> None:
    assert "PRIVATE" not in repr(replace(policy, client_key=OURS.key))


@pytest.mark.parametrize(
    ("pem", "passphrase", "message"),
    [
        (OURS.locked_key, "", "needs its passphrase"),
        (OURS.locked_key, "wrong", "with this passphrase"),
        (OURS.key, "open sesame", "needs no passphrase"),
        ("nonsense", "", "no key in PEM form"),
        (OURS.certificate, "", "no key in PEM form"),
        ("", "", "no key in PEM form"),
    ],
)
def test_a_key_that_cannot_be_read_is_told(pem: str, passphrase: str, message: str) -> None:
    with pytest.raises(tls.PemProblem, match=message):
        tls.read_key(pem, passphrase)


def test_a_key_is_kept_without_its_passphrase() -> None:
    assert tls.read_key(OURS.locked_key, "open sesame") == OURS.key
