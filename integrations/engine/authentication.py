"""Credentials, added to a request at the moment it is sent and kept nowhere else."""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

from django.utils.translation import gettext as _

from integrations.configuration.lines import capture_lines
from integrations.configuration.names import LOGIN_PREFIX
from integrations.definition import describe_request
from integrations.engine.oauth import TOKEN, TokenRefused, access_token, drop_token, seen_tokens
from integrations.engine.outcome import Verdict, of_response, response_context
from integrations.engine.rendering import render_request
from integrations.engine.stand_ins import filled_in, forms_of
from integrations.models import Authentication, ExternalSystem, OperationTemplate, Outcome
from integrations.models.systems import OAUTH, WS_SECURITY
from integrations.secrets import readable, redact_body, redact_text
from integrations.templating import TemplateFailed, evaluate
from integrations.transports.addresses import origin_of
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import Request, Response
from integrations.transports.soap import add_username_token

SESSION_SECONDS = 600
# Of a long answer, as much as may be quoted somewhere.
SHOWN_CHARACTERS = 10_000
# Shorter parts of a session value are names (of cookies, of a tenant), not secrets.
SHORTEST_PART = 20
# The operations under which requests that only sign in stand in the exchange log.
LOGIN = "login"
# The capture of the system's login request that requests carry or name.
SESSION = "session"
SIGN_IN = (LOGIN, TOKEN)


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


def authorise(
    request: Request, system: ExternalSystem, send: Sender, *, stand_ins: Mapping[str, str] | None = None
) -> Request:
    """The request with the system's credentials. `send` is used where a login request comes first.

    `stand_ins` are those that the request holds, each with the name of what it stands for.
    Raises `LoginFailed`, `SecretUnreadable`, a `TransportError`, and what rendering the login request raises;
    `AnswerProblem` where WS-Security is wanted in something that is no SOAP message.
    """
    kind = system.auth_kind
    if origin_of(request.url) != origin_of(system.base_url):
        # Further allowed hosts may be called, but nobody but the desk itself gets its credentials.
        if stand_ins:
            raise RequestInvalid(_("Credentials go to the desk itself only, and this request goes to another host."))
        return request
    if stand_ins:
        values = {stand_in: _value(system, name, send) for stand_in, name in stand_ins.items()}
        request = filled_in(request, values)
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
    if kind in WS_SECURITY:
        digest = kind == Authentication.WS_SECURITY_DIGEST
        return replace(request, body=add_username_token(request.body, system.auth_username, secret, digest=digest))
    if kind in OAUTH:
        return _with_header(request, "Authorization", f"Bearer {_access_token(system, send)}")
    if kind == Authentication.LOGIN and system.auth_name:
        return _with_header(request, system.auth_name, _signed_in(system, SESSION, send))
    return request


def forget_session(system: ExternalSystem, sent: Request | None = None) -> bool:
    """Drop the session value or access token that the other desk no longer takes; whether there was one.

    `sent` is the request that was refused: the token in it is dropped, not one that another worker has had since.
    """
    if system.auth_kind in OAUTH:
        header = sent.headers.get("Authorization", "") if sent is not None else ""
        return drop_token(system, header.removeprefix("Bearer "))
    keys = [key for key in _sessions if key.startswith(_session_key(system))]
    for key in keys:
        _sessions.pop(key, None)
    return bool(keys)


def secrets_of(system: ExternalSystem) -> list[str]:
    """Every literal that must not be stored: the secret, its Basic form, what login requests captured, tokens."""
    values = forms_of(system.auth_secret) if system.auth_secret else []
    if system.auth_username and system.auth_secret:
        values.append(base64.b64encode(f"{system.auth_username}:{system.auth_secret}".encode()).decode())
    values += seen_tokens(system)
    for key, session in list(_sessions.items()):
        if key.startswith(_session_key(system)):
            values += [*forms_of(session.value), *secret_parts(session.value)]
    return values


def _access_token(system: ExternalSystem, send: Sender) -> str:
    try:
        return access_token(system, lambda request, learn: send(request, TOKEN, learn))
    except TokenRefused as problem:
        raise LoginFailed(problem.verdict) from problem


def secret_parts(value: str) -> list[str]:
    """What is secret in a value that was put together, such as a header of cookies: the login's answer may hold it
    alone."""
    return [part for part in re.split(r"[\s=;,]+", value) if len(part) >= SHORTEST_PART and part != value]


def shown(system: ExternalSystem, response: Response) -> str:
    """How an answer reads without the system's secrets; the beginning of it, if it is long."""
    kind = response.headers.get("Content-Type", "")
    text = redact_body(response.text[:SHOWN_CHARACTERS], kind, names=system.secret_name_list)
    return redact_text(text, values=secrets_of(system))


def _value(system: ExternalSystem, name: str, send: Sender, above: tuple[str, ...] = ()) -> str:
    """What stands where a template names `auth.<name>`: the user, the password, or what a login request captures.

    `above` are the values for which this one is needed.
    """
    if name == "username":
        return system.auth_username
    if name == "password":
        return readable(system.auth_secret)
    return _signed_in(system, name, send, above)


def _signed_in(system: ExternalSystem, name: str, send: Sender, above: tuple[str, ...] = ()) -> str:
    """The value of a login request's capture: the known one, as long as it counts, else a new one."""
    key = _session_key(system) + name
    known = _sessions.get(key)
    if known is not None and known.until > time.monotonic():
        return known.value
    if name in above:
        raise RequestInvalid(_('The login requests need each other: "%(name)s".') % {"name": name})
    login = _login_for(system, name)
    request = describe_request(login, with_probe=False)
    context: dict[str, Any] = {
        "attachment": {},
        "system": {"code": system.code, "name": system.name, "settings": system.settings},
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
            captured = capture_session(request["captures"], answer, {"system": context["system"]}, name=name)
        except TemplateFailed as problem:
            reason = _("The login request was answered with %(status)d, without a session: %(problem)s")
            verdict = Verdict(Outcome.MISCONFIGURED, reason % {"status": answer.status, "problem": problem})
        else:
            _sessions[key] = Session(value=captured, until=time.monotonic() + SESSION_SECONDS)

    own = {"username": system.auth_username, "password": readable(system.auth_secret)}
    prepared = render_request(request, system=system, context=context, credentials=own)
    outgoing = prepared.as_request()
    if prepared.stand_ins:
        needed = prepared.stand_ins.items()
        values = {stand_in: _value(system, wanted, send, (*above, name)) for stand_in, wanted in needed}
        outgoing = filled_in(outgoing, values)
    send(outgoing, LOGIN, learn)
    if verdict.outcome != Outcome.SUCCEEDED:
        raise LoginFailed(verdict)
    return _sessions[key].value


def _login_for(system: ExternalSystem, name: str) -> OperationTemplate:
    """The login request that captures this: the system's own for its session, else one whose name says so."""
    if name == SESSION:
        if system.auth_login is None:
            raise RequestInvalid(_("This system authenticates by a login request, but none is chosen."))
        return system.auth_login
    for operation in system.operations.filter(name__startswith=LOGIN_PREFIX):
        if any(line.name == name for line in capture_lines(operation.captures)):
            return operation
    raise RequestInvalid(_('No login request of this system captures "%(name)s".') % {"name": name})


def capture_session(captures: str, answer: Response, context: dict[str, Any], *, name: str = SESSION) -> str:
    """The value of the capture of this name."""
    for line in capture_lines(captures):
        if line.name == name:
            value = evaluate(line.value, {**context, "response": response_context(answer)})
            if value:
                return str(value)
    raise TemplateFailed(
        _("the login request has no capture named %(name)s that gives a value") % {"name": name}, name=name
    )


def _session_key(system: ExternalSystem) -> str:
    parts = f"{system.pk}|{system.base_url}|{system.auth_username}|{system.auth_secret}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})
