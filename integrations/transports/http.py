"""The one guarded door to the network for HTTP: every request to another desk goes through `send`.

It follows no redirects (for files alone `engine.redirects` does, each time through this door), knows no proxies, no
environment and no netrc, opens a new connection for each request (a kept-alive one that the other side has closed
meanwhile would make the outcome unknown for no reason), and connects to exactly the address that was checked.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from io import BytesIO
from itertools import chain
from typing import IO

import urllib3
from django.db import connection as database
from django.utils.datastructures import CaseInsensitiveMapping
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from integrations.transports import tls
from integrations.transports.addresses import normal_host, permitted_addresses
from integrations.transports.deadline import Deadline
from integrations.transports.errors import (
    AddressRefused,
    CertificateRefused,
    ClientCertificateRefused,
    ConnectFailed,
    OutcomeUnknown,
    RequestInvalid,
    ResponseTooLarge,
    TransportError,
)

__all__ = [
    "AddressRefused",
    "CertificateRefused",
    "ClientCertificateRefused",
    "ConnectFailed",
    "OutcomeUnknown",
    "Policy",
    "Request",
    "RequestInvalid",
    "Response",
    "ResponseTooLarge",
    "TransportError",
    "send",
]

CHUNK = 65_536
# How the body is framed is ours to say: a template that says otherwise could smuggle a second request.
FRAMING_HEADERS = frozenset({"connection", "content-length", "host", "transfer-encoding"})
# Alerts of a server about the certificate that it was shown, or was not (RFC 8446, section 6.2).
REFUSALS_OF_OURS = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
    }
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FORBIDDEN_IN_VALUE = re.compile(r"[\x00\r\n]")
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
XML_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")


@dataclass(frozen=True)
class SentFile:
    """A file behind a body, and what follows it there. `size` in bytes.

    It is opened for each sending, and read piece by piece, so that no more than a piece is in memory. `open` raises a
    `TransportError` where the file cannot be read, before anything is sent.
    """

    size: int
    open: Callable[[], IO[bytes]]
    after: bytes = b""


@dataclass(frozen=True)
class Request:
    """One request as it goes on the wire. Header values are sent as UTF-8.

    `shown_as` stands in logs instead of a body that nobody can read there.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: SentFile | None = None
    shown_as: str = ""


@dataclass(frozen=True)
class Policy:
    """What one external system may be asked for, and how long it may take. Times in seconds.

    `allowed_hosts`: names, addresses and networks (see `addresses.permitted_addresses`); the caller adds the
    host of the system's own base address. `connect_timeout` covers name, connection and TLS handshake each;
    `read_timeout` is the longest silence; `deadline` limits the whole exchange by the clock and must be shorter
    than the stream's lease. `max_response_bytes` counts after decompression. `allow_private`: listed hosts may
    live at private addresses. `ca_bundle`, `client_certificate` and `client_key`: see `tls.context`.
    """

    allowed_hosts: tuple[str, ...]
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 60.0
    max_response_bytes: int = 10 * 1024 * 1024
    verify_tls: bool = True
    allow_private: bool = False
    ca_bundle: str = ""
    client_certificate: str = ""
    client_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Response:
    """What came back, redirects included. `headers` are looked up without regard to case. `written` is how many bytes
    went into a file instead of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int
    written: int = 0

    @property
    def text(self) -> str:
        """The body as text: declared charset, else byte order mark or XML declaration, else UTF-8, else cp1252."""
        declared = CHARSET.search(self.headers.get("Content-Type", ""))
        in_xml = XML_ENCODING.match(self.body[:400])
        for name in (
            "utf-8-sig" if self.body.startswith(b"\xef\xbb\xbf") else "",
            declared.group(1) if declared else "",
            in_xml.group(1).decode() if in_xml else "",
            "utf-8",
        ):
            try:
                return self.body.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.body.decode("cp1252", errors="replace")


def send(request: Request, policy: Policy, *, into: IO[bytes] | None = None) -> Response:
    """Send one request and read the whole answer. The body of a 200 is written `into` a file, if there is one, from
    its beginning and piece by piece, so that no more than a piece is in memory; what was in the file is gone.

    Raises a `TransportError`; its `reached` says whether the other side may have processed the request.
    Raises `RuntimeError` when a database transaction is open: the network must never hold locks.
    """
    refuse_inside_transaction()
    url = _checked_url(request)
    headers = _checked_headers(request)
    started = time.monotonic()
    with _payload(request, headers) as payload, Deadline(policy.deadline) as deadline:
        connection = _connect(url, policy, deadline)
        try:
            answer = _exchange(connection, request.method, payload, url, headers, policy, deadline, into)
        finally:
            connection.close()
    status, received, body, written = answer
    elapsed_ms = round((time.monotonic() - started) * 1000)
    return Response(status=status, headers=received, body=body, elapsed_ms=elapsed_ms, written=written)


@contextmanager
def _payload(request: Request, headers: dict[str, bytes | str]) -> Iterator[bytes | Iterator[bytes] | None]:
    """What is sent behind the headers: the body, or its pieces. Of pieces, the headers are told how long they are."""
    file = request.file
    if file is None:
        yield request.body or None
        return
    headers["Content-Length"] = str(len(request.body) + file.size + len(file.after))
    with file.open() as opened:
        yield chain([request.body], iter(lambda: opened.read(CHUNK), b""), [file.after])


def refuse_inside_transaction() -> None:
    """Raise `RuntimeError` inside an open transaction, other than the one a test case wraps around itself."""
    if any(not getattr(block, "_from_testcase", False) for block in database.atomic_blocks):
        raise RuntimeError("The network must not be used while a database transaction is open.")


class _PinnedHTTP(HTTPConnection):
    """Connects to one checked address, whatever the name would resolve to by now."""

    pinned: str
    watched_by: Deadline

    def _new_conn(self) -> socket.socket:
        return _open_socket(self.pinned, self.port, self.timeout, self.watched_by)


class _PinnedHTTPS(HTTPSConnection):
    """The same over TLS: name indication and certificate check stay with the name."""

    pinned: str
    watched_by: Deadline

    def _new_conn(self) -> socket.socket:
        return _open_socket(self.pinned, self.port, self.timeout, self.watched_by)


def _open_socket(address: str, port: int | None, timeout: object, deadline: Deadline) -> socket.socket:
    opened = socket.create_connection((address, port or 0), float(str(timeout)))
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    deadline.watch(opened)
    return opened


def _checked_url(request: Request) -> Url:
    if not TOKEN.fullmatch(request.method):
        raise RequestInvalid(_("“%(method)s” is not an HTTP method.") % {"method": request.method})
    try:
        url = parse_url(request.url)
    except LocationParseError as error:
        raise RequestInvalid(_("The address of the request cannot be read. Correct it.")) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise RequestInvalid(_("The address of the request must begin with http:// or https:// and a host."))
    if url.auth:
        raise RequestInvalid(
            _("The address contains a user name or password. Move them to the system's authentication.")
        )
    return url


def _checked_headers(request: Request) -> dict[str, bytes | str]:
    headers: dict[str, bytes | str] = {"User-Agent": "Deskbridge", "Accept-Encoding": "gzip, deflate"}
    given = {name.lower(): name for name in headers}
    for name, value in request.headers.items():
        if not TOKEN.fullmatch(name):
            raise RequestInvalid(_("“%(name)s” is not a name for a header.") % {"name": name})
        if name.lower() in FRAMING_HEADERS:
            raise RequestInvalid(
                _("The header %(name)s is set by the portal itself. Remove it from the template.") % {"name": name}
            )
        if FORBIDDEN_IN_VALUE.search(value):
            raise RequestInvalid(_("The value of the header %(name)s contains a line break.") % {"name": name})
        headers.pop(given.get(name.lower(), ""), None)
        given[name.lower()] = name
        headers[name] = value.encode()
    return headers


def _connect(url: Url, policy: Policy, deadline: Deadline) -> HTTPConnection:
    host = normal_host(url.host or "")
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = permitted_addresses(
        host,
        port,
        allowed_hosts=policy.allowed_hosts,
        allow_private=policy.allow_private,
        timeout=min(policy.connect_timeout, deadline.remaining),
    )
    failure: Exception | None = None
    for address in addresses:
        if deadline.passed:
            break
        connection = _unconnected(url, host, port, policy)
        connection.pinned = address
        connection.watched_by = deadline
        connection.timeout = min(policy.connect_timeout, deadline.remaining)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise CertificateRefused(
                _("The certificate of %(host)s was refused: %(reason)s.")
                % {"host": host, "reason": error.verify_message}
            ) from error
        except (OSError, HTTPError) as error:
            connection.close()
            failure = error
            continue
        connection.timeout = policy.read_timeout
        return connection
    # An error of the system has a number before its words, which tells nobody anything.
    reason = _("the deadline has passed") if deadline.passed else getattr(failure, "strerror", "") or failure
    raise ConnectFailed(
        _("No connection to %(host)s, port %(port)s: %(reason)s.") % {"host": host, "port": port, "reason": reason}
    ) from failure


def _unconnected(url: Url, host: str, port: int, policy: Policy) -> _PinnedHTTP | _PinnedHTTPS:
    if url.scheme == "https":
        try:
            secured = tls.context(policy.verify_tls, policy.ca_bundle, policy.client_certificate, policy.client_key)
        except tls.PemProblem as problem:
            raise RequestInvalid(str(problem)) from problem
        return _PinnedHTTPS(host, port, ssl_context=secured)
    return _PinnedHTTP(host, port)


def _exchange(
    connection: HTTPConnection,
    method: str,
    payload: bytes | Iterator[bytes] | None,
    url: Url,
    headers: Mapping[str, bytes | str],
    policy: Policy,
    deadline: Deadline,
    into: IO[bytes] | None,
) -> tuple[int, Mapping[str, str], bytes, int]:
    status: int | None = None
    kept = BytesIO()
    try:
        try:
            connection.request(
                method,
                url.request_uri,
                body=payload,
                headers=headers,  # type: ignore[arg-type]  # bytes are sent as they are
                preload_content=False,
                decode_content=True,
            )
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # Whoever refuses a large body, or our certificate, says so first and then hangs up: it may be waiting.
            if deadline.passed:
                raise
        answer = connection.getresponse()
        status = answer.status
        # Closing the connection alone leaves the socket open for as long as somebody holds the answer.
        with closing(answer):
            target = into if into is not None and status == 200 else kept
            size = _read_capped(answer, policy.max_response_bytes, target)
    except ResponseTooLarge:
        raise
    except ssl.SSLError as error:
        if error.reason in REFUSALS_OF_OURS:
            # The handshake failed at its end, so nothing that was written behind it was read.
            raise ClientCertificateRefused(
                _("The other side does not take our certificate, or misses one (%(reason)s).")
                % {"reason": str(error.reason).lower().replace("_", " ")}
            ) from error
        raise OutcomeUnknown(_reason(error, policy, deadline), status=status) from error
    except (OSError, HTTPException, HTTPError, ValueError) as error:
        raise OutcomeUnknown(_reason(error, policy, deadline), status=status) from error
    if deadline.passed:
        raise OutcomeUnknown(_reason(None, policy, deadline), status=status)
    return status, _readable_headers(answer.headers), kept.getvalue(), 0 if target is kept else size


def _read_capped(answer: urllib3.response.BaseHTTPResponse, limit: int, target: IO[bytes]) -> int:
    """Write the body piece by piece, whatever length was declared; how many bytes."""
    target.seek(0)
    target.truncate()
    size = 0
    while chunk := answer.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise ResponseTooLarge(
                _("The answer is larger than the %(limit)s bytes that this system may send.") % {"limit": limit},
                status=answer.status,
            )
        target.write(chunk)
    return size


def _readable_headers(headers: urllib3.HTTPHeaderDict) -> Mapping[str, str]:
    """Header values arrive as latin-1 by the standard and as UTF-8 in life. Those of one name are joined, so that no
    cookie is lost."""
    readable: dict[str, str] = {}
    for name in headers:
        value = ", ".join(headers.getlist(name))
        try:
            readable[name] = value.encode("latin-1").decode()
        except UnicodeError:
            readable[name] = value
    return CaseInsensitiveMapping(readable)


def _reason(error: Exception | None, policy: Policy, deadline: Deadline) -> str:
    if deadline.passed:
        return _("The exchange was cut off after %(seconds)s seconds; it may have been processed.") % {
            "seconds": policy.deadline
        }
    if isinstance(error, TimeoutError | urllib3.exceptions.ReadTimeoutError):
        return _("No answer for %(seconds)s seconds; the request may have been processed.") % {
            "seconds": policy.read_timeout
        }
    return _("The connection broke before the answer was complete (%(reason)s).") % {"reason": error}
