"""One try over the network: the exchange is written first, then it is sent, then the exchange is finished.

No transaction is open while the network is used, and nothing is stored before its secrets are removed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.encoded_files import room_for_base64
from integrations.engine.authentication import (
    SIGN_IN,
    Learn,
    LoginFailed,
    Sender,
    authorise,
    forget_session,
    secrets_of,
    shown,
)
from integrations.engine.claim import ClaimLost, longest_send
from integrations.engine.outcome import Verdict, of_error, of_response
from integrations.engine.redirects import MOST_REDIRECTS, is_redirect, redirected, told, without_query
from integrations.engine.rendering import Prepared, policy_for
from integrations.models import Authentication, Exchange, ExternalSystem, Outcome, StepRun, Way
from integrations.models.systems import OAUTH
from integrations.secrets import SecretUnreadable, redact_body, redact_headers, redact_text, redact_url
from integrations.templating import TemplateFailed
from integrations.transports.addresses import origin_of
from integrations.transports.errors import RedirectRefused, TransportError
from integrations.transports.http import Request, Response, send
from integrations.transports.soap import AnswerProblem, ArgumentProblem, WsdlProblem
from tickets.models import Task

# What is got by signing in and may end before we know it.
SESSIONS = (Authentication.LOGIN, *OAUTH)
LOGGED_BYTES = 256 * 1024


@dataclass
class Occasion:
    """For what something is sent: the columns that the exchanges of one try share. `before_send` may refuse.

    `sign` stands in for the system's credentials. `named_url` is an address, of whatever host, that an administrator
    has named for just this. `into`: the answer is a file, as large as an attachment may be, and no text for the log;
    it is written there, and looked for where redirects say that it is. `encoded`: it comes in base64 within something
    else, which is larger than the file.
    """

    system: ExternalSystem
    dialect: str
    operation: str
    task: Task | None = None
    step: StepRun | None = None
    attempt: int = 1
    before_send: Callable[[], None] = lambda: None
    sign: Callable[[Request], Request] | None = None
    named_url: str = ""
    into: IO[bytes] | None = None
    encoded: bool = False


@dataclass(frozen=True)
class Try:
    """What came of it. `exchange` is the row in the log; without a whole answer `error` says why."""

    verdict: Verdict
    exchange: Exchange
    response: Response | None = None
    error: TransportError | None = None


def attempt(occasion: Occasion, prepared: Prepared, request: dict[str, Any], context: dict[str, Any]) -> Try:
    """Send a prepared request, logging in first where the system wants that, and say what it came to."""
    exchanges: list[Exchange] = []
    system = occasion.system

    def logged(outgoing: Request, operation: str, learn: Learn | None = None) -> Response:
        occasion.before_send()
        exchanges.append(begin(occasion, outgoing, operation=operation))
        return deliver(exchanges[-1], occasion, outgoing, learn=learn)

    response, failure = None, None
    try:
        sign = occasion.sign
        if sign is not None:
            outgoing = sign(prepared.as_request())
        else:
            outgoing = authorise(prepared.as_request(), system, logged, stand_ins=prepared.stand_ins)
        response = logged(outgoing, occasion.operation)
        if response.status == 401 and not sign and system.auth_kind in SESSIONS and forget_session(system, outgoing):
            # The session has ended; a 401 was not processed, so the same request may go again with a new one.
            outgoing = authorise(prepared.as_request(), system, logged, stand_ins=prepared.stand_ins)
            response = logged(outgoing, occasion.operation)
        if occasion.into is not None:
            response = _where_it_stands(occasion, outgoing, prepared, response, logged)
        if occasion.into is not None and response.status == 200 and not request["success"].strip():
            verdict = Verdict(Outcome.SUCCEEDED)
        else:
            verdict = of_response(request, response, context, shown=partial(shown, system))
            failed = verdict.outcome in (Outcome.RETRYABLE, Outcome.MISCONFIGURED)
            if failed and system.auth_kind == Authentication.LOGIN:
                # Not every desk says 401 where a session has ended: the next try begins with a new one.
                forget_session(system)
    except LoginFailed as problem:
        verdict = problem.verdict
    except (AnswerProblem, ArgumentProblem, SecretUnreadable, TemplateFailed, WsdlProblem) as problem:
        verdict = Verdict(Outcome.MISCONFIGURED, str(problem))
    except TransportError as error:
        verdict, failure = of_error(error), error
        if exchanges and exchanges[-1].operation in SIGN_IN and verdict.outcome == Outcome.UNKNOWN:
            # Only the login may have arrived, and logging in twice does no harm.
            verdict = Verdict(Outcome.RETRYABLE, verdict.reason)
    verdict = replace(verdict, reason=clean(system, verdict.reason))
    exchange = exchanges[-1] if exchanges else begin(occasion, prepared.as_request(), operation=occasion.operation)
    finish(exchange, system, outcome=verdict.outcome, error=verdict.reason)
    return Try(verdict=verdict, exchange=exchange, response=response, error=failure)


def deliver(exchange: Exchange, occasion: Occasion, request: Request, *, learn: Learn | None = None) -> Response:
    """Send one request whose exchange was begun, and keep what came back in that row.

    `learn` sees the answer before it is stored, as it may tell what is secret in it.
    """
    system = occasion.system
    started = time.monotonic()
    try:
        occasion.before_send()
    except ClaimLost:
        # Nothing was sent, and what another worker does with the step stands in rows of its own.
        exchange.delete()
        raise
    policy = policy_for(system, request.url, deadline=longest_send(system.deadline), named_url=occasion.named_url)
    into = occasion.into if exchange.operation not in SIGN_IN else None
    if into is not None:
        largest = settings.MAX_ATTACHMENT_BYTES
        policy = replace(policy, max_response_bytes=room_for_base64(largest) if occasion.encoded else largest)
    try:
        response = send(request, policy) if into is None else send(request, policy, into=into)
    except TransportError as error:
        exchange.status = error.status
        elapsed = round((time.monotonic() - started) * 1000)
        finish(exchange, system, outcome=of_error(error).outcome, error=str(error), duration_ms=elapsed)
        raise
    if learn is not None:
        learn(response)
    outcome = Outcome.SUCCEEDED if response.status < 400 else Outcome.PERMANENT
    kept = response
    if into is not None and response.status == 200:
        kept = replace(response, body=(_("[a file, %(size)d bytes]") % {"size": response.written}).encode())
    elif into is not None and is_redirect(response):
        kept = told(response)
    finish(exchange, system, outcome=outcome, response=kept, duration_ms=response.elapsed_ms)
    return response


def _where_it_stands(
    occasion: Occasion,
    outgoing: Request,
    prepared: Prepared,
    response: Response,
    logged: Sender,
) -> Response:
    """The answer with the file itself, behind however many redirects. Whoever is not the desk itself gets none of its
    credentials, nor does anything that others send us to. Raises a `TransportError`, and what signing does."""
    system, request, is_desk = occasion.system, prepared.as_request(), True
    for _number in range(MOST_REDIRECTS):
        if not is_redirect(response):
            return response
        request = redirected(replace(request, url=outgoing.url), response, system)
        is_desk = is_desk and origin_of(request.url) == origin_of(system.base_url)
        outgoing = request
        if is_desk:
            outgoing = authorise(request, system, logged, stand_ins=prepared.stand_ins)
        response = logged(outgoing, occasion.operation)
    if is_redirect(response):
        raise RedirectRefused(_("The file stands behind more than %(count)d redirects.") % {"count": MOST_REDIRECTS})
    return response


def write_rest(response: Response, into: IO[bytes]) -> None:
    """A file whose answer was a success other than 200 was not written while it was read."""
    if response.status != 200:
        into.seek(0)
        into.truncate()
        into.write(response.body)


def broken_off() -> str:
    """Why nobody knows what became of a message whose sender is gone."""
    return _("The worker ended while this was being sent; it may have arrived.")


def mark_broken_off(stream_id: int) -> None:
    """Whoever has just claimed the stream: what another worker was sending in it was broken off."""
    Exchange.objects.filter(run__stream_id=stream_id, way=Way.OUT, outcome=Outcome.SENDING).update(
        outcome=Outcome.UNKNOWN, error=broken_off()
    )


def begin(occasion: Occasion, request: Request, *, operation: str) -> Exchange:
    """The exchange row, before anything is sent."""
    system = occasion.system
    url = redact_url(request.url, names=system.secret_name_list)
    if occasion.into is not None and origin_of(url) != origin_of(system.base_url):
        url = without_query(url)
    return Exchange.objects.create(
        way=Way.OUT,
        system=system,
        task=occasion.task,
        run=occasion.step.run if occasion.step else None,
        step=occasion.step,
        dialect=occasion.dialect,
        operation=operation,
        attempt=occasion.attempt,
        method=request.method,
        url=clean(system, url),
        request_headers=clean_headers(system, request.headers),
        request_body=clean_body(system, request.shown_as.encode() or request.body, request.headers),
    )


def finish(
    exchange: Exchange,
    system: ExternalSystem,
    *,
    outcome: Outcome,
    error: str = "",
    response: Response | None = None,
    duration_ms: int | None = None,
) -> None:
    """Complete the exchange row with what came back."""
    exchange.outcome = outcome
    exchange.error = clean(system, error)
    if response is not None:
        exchange.status = response.status
        exchange.response_headers = clean_headers(system, response.headers)
        exchange.response_body = clean_body(system, response.body, response.headers)
    if duration_ms is not None:
        exchange.duration_ms = duration_ms
    exchange.save()


def clean(system: ExternalSystem, text: str) -> str:
    """The text without the system's secrets, and without NUL, which PostgreSQL does not keep."""
    return redact_text(text, values=secrets_of(system)).replace("\x00", "\ufffd")


def clean_headers(system: ExternalSystem, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without secrets."""
    redacted = redact_headers(dict(headers), names=system.secret_name_list)
    return {clean(system, name): clean(system, value) for name, value in redacted.items()}


def clean_body(system: ExternalSystem, body: bytes, headers: Mapping[str, str]) -> str:
    """A body as readable text without secrets, cut where it is too long for a log."""
    kinds = {name.lower(): value for name, value in headers.items()}
    text = body[: LOGGED_BYTES * 4].decode("utf-8", errors="replace")
    text = clean(system, redact_body(text, kinds.get("content-type", ""), names=system.secret_name_list))
    if len(text) > LOGGED_BYTES:
        return text[:LOGGED_BYTES] + "\n" + _("[cut off: %(size)d bytes in all]") % {"size": len(body)}
    return text
