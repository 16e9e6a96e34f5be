"""The guarded door against a well-behaved server: what goes out, what comes back, what is ignored."""

import gzip
import ssl
import threading
from pathlib import Path

import pytest
from django.db import transaction
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Answer

from integrations.transports.http import (
    CertificateRefused,
    Policy,
    Request,
    RequestInvalid,
    Response,
    send,
)
from tests.integrations.transports.conftest import read_request


def test_a_request_arrives_as_given_and_its_answer_comes_back(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request(
        "/tickets", method="PUT", data="Grüße".encode(), headers={"X-Idempotency": "7"}, query_string="a=1&b=2"
    ).respond_with_data("fertig ✓", status=201, headers={"X-Number": "INC-1"})
    response = send(
        Request("PUT", httpserver.url_for("/tickets?a=1&b=2"), {"X-Idempotency": "7"}, "Grüße".encode()), policy
    )
    assert (response.status, response.headers["x-number"], response.text) == (201, "INC-1", "fertig ✓")
    assert response.elapsed_ms >= 0


def test_headers_beyond_ascii_travel_as_utf_8_in_both_directions(raw_server, policy) -> None:
    received = []

    def behave(connection) -> None:
        received.append(read_request(connection))
        connection.sendall("HTTP/1.1 200 OK\r\nX-Name: Jürgen €\r\nContent-Length: 0\r\n\r\n".encode())

    response = send(Request("GET", raw_server(behave) + "/", {"X-Desk": "Müller €"}), policy)
    assert "X-Desk: Müller €".encode() in received[0]
    assert response.headers["X-Name"] == "Jürgen €"


def test_an_address_beyond_ascii_is_encoded(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/störung", query_string={"q": "ä b"}).respond_with_data("ok")
    assert send(Request("GET", httpserver.url_for("/") + "störung?q=ä b"), policy).status == 200


def test_a_redirect_is_returned_and_not_followed(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/old").respond_with_data("", status=302, headers={"Location": "/new"})
    response = send(Request("POST", httpserver.url_for("/old"), body=b"x"), policy)
    assert (response.status, response.headers["Location"]) == (302, "/new")
    assert [request.path for request, _answer in httpserver.log] == ["/old"]


def test_proxies_and_netrc_of_the_environment_are_ignored(
    httpserver: HTTPServer, policy: Policy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_handler(
        lambda request: Answer(request.headers.get("Authorization", "none"))
    )
    assert send(Request("GET", httpserver.url_for("/")), policy).text == "none"


def test_every_request_opens_a_connection_of_its_own(httpserver: HTTPServer, policy: Policy) -> None:
    ports = []

    def note(request: Received) -> Answer:
        ports.append(request.environ["REMOTE_PORT"])
        return Answer("ok")

    httpserver.expect_request("/").respond_with_handler(note)
    for _attempt in range(3):
        send(Request("GET", httpserver.url_for("/")), policy)
    assert len(set(ports)) == 3


def test_a_compressed_answer_is_unpacked(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/").respond_with_data(
        gzip.compress("später".encode()), headers={"Content-Encoding": "gzip"}
    )
    assert send(Request("GET", httpserver.url_for("/")), policy).text == "später"


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", "für".encode("latin-1"), "für"),
        ("text/xml", "<?xml version='1.0' encoding='iso-8859-1'?><a>ü</a>".encode("latin-1"), None),
        ("application/json", b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'),
        ("text/plain", "für 5 €".encode("cp1252"), "für 5 €"),
        ("text/plain; charset=klingon", "für".encode(), "für"),
    ],
)
def test_text_is_decoded_as_declared_or_as_it_most_likely_is(content_type, body, text) -> None:
    response = Response(200, {"Content-Type": content_type}, body, 0)
    assert response.text == (text or body.decode("latin-1"))


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "ftp://localhost/"),
        Request("GET", "//localhost/"),
        Request("GET", "http://user:password@localhost/"),
        Request("GET", "http://"),
        Request("GE T", "http://localhost/"),
        Request("GET", "http://localhost/", {"X-A": "b\r\nX-C: d"}),
        Request("GET", "http://localhost/", {"X-A\r\nB": "c"}),
        Request("POST", "http://localhost/", {"Transfer-Encoding": "chunked"}),
        Request("POST", "http://localhost/", {"content-length": "3"}),
    ],
)
def test_a_request_that_cannot_go_on_the_wire_is_refused_before(request_: Request, policy: Policy) -> None:
    with pytest.raises(RequestInvalid) as caught:
        send(request_, policy)
    assert caught.value.reached is False


@pytest.mark.django_db(transaction=True)
def test_the_network_is_refused_inside_a_transaction(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        send(Request("GET", httpserver.url_for("/")), policy)
    assert send(Request("GET", httpserver.url_for("/")), policy).status == 200


@pytest.mark.django_db
def test_the_transaction_of_a_test_case_does_not_count(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    assert send(Request("GET", httpserver.url_for("/")), policy).status == 200
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        send(Request("GET", httpserver.url_for("/")), policy)


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_checks_are_off(tls_server, policy) -> None:
    url, names = tls_server
    with pytest.raises(CertificateRefused) as caught:
        send(Request("GET", url), policy)
    assert caught.value.reached is False
    unchecked = Policy(allowed_hosts=policy.allowed_hosts, verify_tls=False)
    assert send(Request("GET", url), unchecked).text == "over TLS"
    assert names[-1] == "localhost", "the server must be asked for by name, although the address is pinned"


@pytest.fixture
def tls_server(tmp_path: Path):
    """A server with a certificate of its own making; also gives the names that clients asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_self_signed(tmp_path))
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = HTTPServer(host="127.0.0.1", port=0, ssl_context=context)
    server.expect_request("/").respond_with_data("over TLS")
    server.start()
    yield f"https://localhost:{server.port}/", names
    server.stop()
    assert threading.active_count() < 50


def _self_signed(folder: Path) -> tuple[str, str]:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(certificate_file), str(key_file)
