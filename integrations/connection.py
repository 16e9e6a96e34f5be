"""Harmless calls by which an administrator sees whether a system can be reached: they change nothing there.

Nobody may hold a transaction open around them, and a network error is a result, not an exception.
"""

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from integrations.configuration import names_for_operation, sample_context
from integrations.definition import describe_request
from integrations.engine.authentication import Learn, LoginFailed, authorise, forget_session
from integrations.engine.claim import longest_send
from integrations.engine.outcome import of_error
from integrations.engine.rendering import Prepared, policy_for, render_request
from integrations.engine.sending import Occasion, attempt, begin, deliver, finish
from integrations.models import (
    Authentication,
    Exchange,
    ExternalSystem,
    OperationTemplate,
    Outcome,
    Protocol,
    WsdlDocument,
)
from integrations.secrets import SecretUnreadable, readable
from integrations.templating import TemplateFailed
from integrations.transports.errors import RequestInvalid, TransportError
from integrations.transports.http import Request, Response
from integrations.transports.wsdl import WsdlProblem, fetch_wsdl, operations

TEST = "test_connection"
FETCH = "fetch_wsdl"
# Many desks serve nothing at their bare address: any answer but a refusal proves that it is the right one.
BASE_ADDRESS: Mapping[str, Any] = {
    "success": "response.status < 500 and response.status != 401 and response.status != 403",
    "retry_when": "",
    "captures": "",
}


@dataclass(frozen=True)
class Trial:
    """What a test of the connection came to. `advice` says what to look at; `exchange` is its row in the log."""

    succeeded: bool
    headline: str
    detail: str = ""
    advice: str = ""
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Fetched:
    """A fetched WSDL with its imports, or in words why there is none."""

    documents: dict[str, str] = field(default_factory=dict)
    operations: int = 0
    problem: str = ""


def harmless_operations(system: ExternalSystem) -> list[OperationTemplate]:
    """The operations of a system with which its connection can be tested: those that only read."""
    return list(system.operations.filter(protocol=Protocol.HTTP, method="GET").select_related("system"))


def try_connection(system: ExternalSystem, operation: OperationTemplate | None = None) -> Trial:
    """Call the system's address, or one of its reading operations with sample values, with its credentials.

    A system that wants a login is logged in to anew. The call is in the exchange log as `test_connection`.
    """
    try:
        readable(system.auth_secret)
        request = describe_request(operation, with_probe=False) if operation else dict(BASE_ADDRESS)
        context = sample_context(names_for_operation(operation.name)) if operation else {}
        prepared = (
            render_request(request, system=system, context={"attachment": {}, **context})
            if operation
            else Prepared(method="GET", url=system.base_url, headers={"Accept": "*/*"})
        )
        forget_session(system)
        done = attempt(
            Occasion(system=_reachable(system), dialect="http", operation=TEST), prepared, request, context
        )
    except (SecretUnreadable, TemplateFailed, RequestInvalid) as problem:
        return Trial(False, _("Nothing was sent."), detail=str(problem))
    exchange = done.exchange
    if done.verdict.outcome == Outcome.SUCCEEDED:
        advice = _about_success(system, operation, exchange)
        return Trial(True, _("The other desk answered."), advice=advice, exchange=exchange)
    if exchange.status is None:
        headline, advice = _("There was no answer."), _about_silence(done.verdict.outcome)
    else:
        headline, advice = _("The other desk refused."), _about_status(exchange.status)
    return Trial(False, headline, detail=exchange.error, advice=advice, exchange=exchange)


def fetch_for(wsdl: WsdlDocument) -> Fetched:
    """Load a WSDL and what it imports, with the credentials of its system."""
    system = wsdl.system
    occasion = Occasion(system=system, dialect="soap", operation=FETCH)

    def logged(outgoing: Request, operation: str, learn: Learn | None = None) -> Response:
        return deliver(begin(occasion, outgoing, operation=operation), occasion, outgoing, learn=learn)

    request = Request("GET", wsdl.url)
    exchange = begin(occasion, request, operation=FETCH)
    started = time.monotonic()
    try:
        readable(system.auth_secret)
        if system.auth_kind != Authentication.KEY_QUERY:
            # The address is stored with the documents, so a key in it would be stored, too.
            request = authorise(request, _reachable(system), logged)
        policy = policy_for(system, deadline=longest_send(system.deadline))
        bundle = fetch_wsdl(wsdl.url, policy, headers=request.headers)
        count = len({info.name for info in operations(bundle)})
    except (SecretUnreadable, TemplateFailed, LoginFailed, WsdlProblem) as problem:
        return _not_fetched(exchange, system, Outcome.MISCONFIGURED, str(problem), started)
    except TransportError as error:
        return _not_fetched(exchange, system, of_error(error).outcome, str(error), started)
    exchange.status = 200
    finish(exchange, system, outcome=Outcome.SUCCEEDED, duration_ms=_since(started))
    return Fetched(documents=dict(bundle.documents), operations=count)


def _reachable(system: ExternalSystem) -> ExternalSystem:
    """The system as a plain GET can call it: WS-Security has its place in SOAP messages only."""
    if system.auth_kind != Authentication.WS_SECURITY:
        return system
    plain = copy.copy(system)
    plain.auth_kind = Authentication.NONE
    return plain


def _not_fetched(
    exchange: Exchange, system: ExternalSystem, outcome: Outcome, problem: str, started: float
) -> Fetched:
    finish(exchange, system, outcome=outcome, error=problem, duration_ms=_since(started))
    return Fetched(problem=exchange.error)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _about_success(system: ExternalSystem, operation: OperationTemplate | None, exchange: Exchange) -> str:
    if system.auth_kind == Authentication.WS_SECURITY:
        return _("User and password travel inside SOAP messages, so this test did not try them.")
    if operation is None and exchange.status is not None and exchange.status >= 400:
        return _(
            "Its bare address serves nothing, which is usual. To try the credentials as well, test with an operation "
            "that reads."
        )
    return ""


def _about_silence(outcome: Outcome) -> str:
    if outcome == Outcome.MISCONFIGURED:
        return ""
    if outcome == Outcome.UNKNOWN:
        return _("It was reached, but did not answer in time. Ask the other desk, or allow it more time.")
    return _("Check the address, and whether a firewall or proxy stands between this portal and the other desk.")


def _about_status(status: int) -> str:
    if status == 401:
        return _("It does not accept the credentials. Check the authentication of this system.")
    if status == 403:
        return _("It knows the credentials, but does not permit this call. Ask the other desk for the rights.")
    if 300 <= status < 400:
        return _("It sends the caller elsewhere, which the portal does not follow. Enter the final address.")
    if status == 404:
        return _("It knows nothing at this address. Check the path of the operation, or whether the sample exists.")
    if status >= 500:
        return _("Something fails over there. Ask the other desk, or try later.")
    return ""
