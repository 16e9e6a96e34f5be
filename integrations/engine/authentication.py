"""Credentials, added to a request at the moment it is sent and kept nowhere else."""

import base64
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext as _

from integrations.definition import describe_request
from integrations.engine.outcome import Verdict, of_response, response_context
from integrations.engine.rendering import render_request
from integrations.models import Authentication, ExternalSystem, Outcome
from integrations.secrets import readable, redact_body, redact_text
from integrations.templating import TemplateFailed, evaluate
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import Request, Response
from integrations.transports.soap import add_username_token

SESSION_SECONDS = 600
# Of a long answer, as much as may be quoted somewhere.
SHOWN_CHARACTERS = 10_000
# Shorter parts of a session value are names (of cookies, of a tenant), not secrets.
SHORTEST_PART = 20
# The operation under which login requests stand in the exchange log.
LOGIN = "login"


class LoginFailed(Exception):
    """The login request was answered, but not with a session; `verdict` says what follows from that."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


@dataclass(frozen=True)
class Session:
    """A captured session value, and until when (monotonic seconds) this process uses it."""

    value: str
    until: float


_sessions: dict[str, Session] = {}

# Sees an answer before it is stored.
Learn = Callable[[Response], None]


class Sender(Protocol):
    """Sends a request and logs it; what the login request goes through."""

    def __call__(self, outgoing: Request, operation: str, learn: Learn | None = None) -> Response: ...


def authorise(request: Request, system: ExternalSystem, send: Sender) -> Request:
    """The request with the system's credentials. `send` is used where a login request comes first.

    Raises `LoginFailed`, `SecretUnreadable`, a `TransportError`, and what rendering the login request raises;
    `AnswerProblem` where WS-Security is wanted in something that is no SOAP message.
    """
    kind = system.auth_kind
    if origin_of(request.url) != origin_of(system.base_url):
        # Further allowed hosts may be called, but nobody but the desk itself gets its credentials.
        return request
    secret = readable(system.auth_secret)
    if kind == Authentication.BASIC:
        pair = base64.b64encode(f"{system.auth_username}:{secret}".encode()).decode()
        return _with_header(request, "Authorization", f"Basic {pair}")
    if kind == Authentication.BEARER:
        return _with_header(request, "Authorization", f"Bearer {secret}")
    if kind == Authentication.KEY_HEADER:
        return _with_header(request, system.auth_name, secret)
    if kind == Authentication.KEY_QUERY:
        joiner = "&" if "?" in request.url else "?"
        return replace(
            request, url=f"{request.url}{joiner}{quote(system.auth_name, safe='')}={quote(secret, safe='')}"
        )
    if kind == Authentication.WS_SECURITY:
        return replace(request, body=add_username_token(request.body, system.auth_username, secret))
    if kind == Authentication.LOGIN:
        return _with_header(request, system.auth_name, _session(system, send))
    return request


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address: whom a secret may be sent to."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def forget_session(system: ExternalSystem) -> bool:
    """Drop the captured session value, as the other desk no longer takes it; whether there was one."""
    return _sessions.pop(_session_key(system), None) is not None


def secrets_of(system: ExternalSystem) -> list[str]:
    """Every literal that must not be stored: the secret, its Basic form, the current session value."""
    values = [system.auth_secret] if system.auth_secret else []
    if system.auth_username and system.auth_secret:
        values.append(base64.b64encode(f"{system.auth_username}:{system.auth_secret}".encode()).decode())
    session = _sessions.get(_session_key(system))
    if session is not None:
        values += [session.value, *secret_parts(session.value)]
    return values


def secret_parts(value: str) -> list[str]:
    """What is secret in a value that was put together, such as a header of cookies: the login's answer may hold it
    alone."""
    return [part for part in re.split(r"[\s=;,]+", value) if len(part) >= SHORTEST_PART and part != value]


def shown(system: ExternalSystem, response: Response) -> str:
    """How an answer reads without the system's secrets; the beginning of it, if it is long."""
    kind = response.headers.get("Content-Type", "")
    text = redact_body(response.text[:SHOWN_CHARACTERS], kind, names=system.secret_name_list)
    return redact_text(text, values=secrets_of(system))


def _session(system: ExternalSystem, send: Sender) -> str:
    key = _session_key(system)
    known = _sessions.get(key)
    if known is not None and known.until > time.monotonic():
        return known.value
    if system.auth_login is None:
        raise RequestInvalid(_("This system authenticates by a login request, but none is chosen."))
    request = describe_request(system.auth_login, with_probe=False)
    context: dict[str, Any] = {
        "auth": {"username": system.auth_username, "password": readable(system.auth_secret)},
        "attachment": {},
        "system": {"code": system.code, "name": system.name},
    }
    verdict = Verdict(Outcome.MISCONFIGURED)

    def learn(answer: Response) -> None:
        """Known as a secret from here on, the session value is removed from the answer that is stored."""
        nonlocal verdict
        # The request proper has not been sent: however the login ended, there is nothing to look for.
        verdict = replace(of_response(request, answer, context, shown=partial(shown, system)), doubtful=False)
        if verdict.outcome != Outcome.SUCCEEDED:
            return
        try:
            captured = capture_session(request["captures"], answer)
        except TemplateFailed as problem:
            reason = _("The login request was answered with %(status)d, without a session: %(problem)s")
            verdict = Verdict(Outcome.MISCONFIGURED, reason % {"status": answer.status, "problem": problem})
        else:
            _sessions[key] = Session(value=captured, until=time.monotonic() + SESSION_SECONDS)

    send(render_request(request, system=system, context=context).as_request(), LOGIN, learn)
    if verdict.outcome != Outcome.SUCCEEDED:
        raise LoginFailed(verdict)
    return _sessions[key].value


def capture_session(captures: str, answer: Response) -> str:
    """The value of the capture named session."""
    for line in captures.splitlines():
        name, _equals, expression = line.partition("=")
        if name.strip() == "session":
            value = evaluate(expression.strip(), {"response": response_context(answer)})
            if value:
                return str(value)
    raise TemplateFailed(_("the login request has no capture named session that gives a value"), name="session")


def _session_key(system: ExternalSystem) -> str:
    parts = f"{system.pk}|{system.base_url}|{system.auth_username}|{system.auth_secret}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})
