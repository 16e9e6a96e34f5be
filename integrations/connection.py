"""Harmless calls by which an administrator sees whether a system can be reached: they change nothing there.

Nobody may hold a transaction open around them, and a network error is a result, not an exception.
"""

import copy
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations import webhooks
from integrations.configuration.names import READING, is_login
from integrations.definition import describe_request
from integrations.direct import UNSENDABLE, paths_of
from integrations.engine.authentication import Learn, LoginFailed, authorise, forget_session
from integrations.engine.claim import longest_send
from integrations.engine.outcome import of_error
from integrations.engine.rendering import Prepared, policy_for, render_request
from integrations.engine.sending import Occasion, Try, attempt, begin, deliver, finish
from integrations.models import (
    Authentication,
    Exchange,
    ExternalSystem,
    OperationTemplate,
    Outcome,
    Protocol,
    WebhookSubscription,
    WsdlDocument,
)
from integrations.models.systems import WS_SECURITY
from integrations.reading import records_of
from integrations.secrets import SecretUnreadable, readable
from integrations.templating import TemplateFailed
from integrations.transports.errors import TransportError
from integrations.transports.http import Request, Response
from integrations.transports.wsdl import WsdlProblem, fetch_wsdl, operations
from integrations.trial_values import TrialValues, context_for_trial
from tickets.actors import Actor

TEST = "test_connection"
FETCH = "fetch_wsdl"
# Many desks serve nothing at their bare address: any answer but a refusal proves that it is the right one.
BASE_ADDRESS: Mapping[str, Any] = {
    "success": "response.status < 500 and response.status != 401 and response.status != 403",
    "retry_when": "",
    "captures": "",
}
# What only a ticket, a file or a person of theirs has: without one, such an operation finds nothing.
OF_THEIRS: Final = frozenset(
    ("task.external_reference", "task.external_id", "file.id", "file.url", "ticket.contact.external_id")
)
# By which of its values a record is quoted, and how many of them.
TELLING: Final = ("label", "name", "title", "reference", "external_id", "value", "contact")
QUOTED: Final = 5


@dataclass(frozen=True)
class Trial:
    """What a test of the connection came to. `detail` says what was answered, or what went wrong; `advice` what to
    look at; `exchange` is its row in the log."""

    succeeded: bool
    headline: str
    detail: str = ""
    advice: str = ""
    exchange: Exchange | None = None

    @property
    def was_sent(self) -> bool:
        """Whether a request has left the portal, as far as is known."""
        exchange = self.exchange
        return exchange is not None and not (exchange.outcome == Outcome.MISCONFIGURED and exchange.status is None)


@dataclass(frozen=True)
class Fetched:
    """A fetched WSDL with its imports, or in words why there is none."""

    documents: dict[str, str] = field(default_factory=dict)
    operations: int = 0
    problem: str = ""


def harmless_operations(system: ExternalSystem) -> list[OperationTemplate]:
    """The operations of a system with which its connection can be tested: those that only read, by their method or
    their name, and need nothing that is there already. Whoever signs in is tested by each of them."""
    rows = system.operations.select_related("system__auth_login", "probe", "wsdl").order_by("name")
    found = [row for row in rows if (row.protocol == Protocol.HTTP and row.method == "GET") or _reads(row)]
    return [row for row in found if not is_login(row.name) and not paths_of(row) & OF_THEIRS]


def _reads(operation: OperationTemplate) -> bool:
    return operation.name.startswith(READING)


def try_connection(system: ExternalSystem, operation: OperationTemplate | None = None) -> Trial:
    """Call the system's address, or one of its reading operations with sample values, with its credentials.

    A system that wants a login is logged in to anew. The call is in the exchange log as `test_connection`.
    """
    if not system.base_url and operation is None:
        return Trial(
            False,
            _("Nothing was sent."),
            detail=_("It has no address of an interface: it is reached by mail."),
            advice=_("Try the connection of its mailbox instead, and the preview of its process."),
        )
    try:
        readable(system.auth_secret)
        request = describe_request(operation, with_probe=False) if operation else dict(BASE_ADDRESS)
        context = context_for_trial(operation, TrialValues(), actor=Actor.system()) if operation else {}
        prepared = (
            render_request(request, system=system, context=context)
            if operation
            else Prepared(method="GET", url=system.base_url, headers={"Accept": "*/*"})
        )
        forget_session(system)
        dialect = operation.protocol if operation else Protocol.HTTP
        occasion = Occasion(system=_reachable(system, dialect), dialect=dialect, operation=TEST)
        # What it reads is looked at below, and told in words.
        done = attempt(occasion, prepared, {**request, "captures": ""}, context)
    except UNSENDABLE as problem:
        return Trial(False, _("Nothing was sent."), detail=str(problem))
    exchange = done.exchange
    if done.verdict.outcome == Outcome.SUCCEEDED:
        return _answered(system, operation, done, context)
    if exchange.status is None:
        headline, advice = _silence(done.verdict.outcome), _about_silence(done.verdict.outcome, exchange.error)
    else:
        headline, advice = _("The other desk refused."), _about_status(exchange.status)
    return Trial(False, headline, detail=exchange.error, advice=advice, exchange=exchange)


def try_webhook(subscription: WebhookSubscription) -> Trial:
    """Deliver a test event to a webhook, signed as every delivery. It is in the exchange log as `webhook_test`."""
    message = webhooks.message_id()
    body = webhooks.payload(webhooks.TEST, {"subscription": subscription.name})
    prepared = Prepared(
        method="POST",
        url=subscription.url,
        headers={"Content-Type": "application/json", "webhook-id": message},
        body=webhooks.encoded(body),
    )
    occasion = Occasion(
        system=subscription.system,
        dialect="webhook",
        operation=webhooks.TEST,
        named_url=subscription.url,
        sign=partial(webhooks.signed, subscription=subscription, message=message),
    )
    done = attempt(occasion, prepared, {"success": "", "retry_when": "", "captures": ""}, {})
    exchange = done.exchange
    if done.verdict.outcome == Outcome.SUCCEEDED:
        return Trial(True, _("The other desk took it."), exchange=exchange)
    if exchange.status is None:
        return Trial(
            False,
            _silence(done.verdict.outcome),
            exchange.error,
            _about_silence(done.verdict.outcome, exchange.error),
            exchange,
        )
    advice = _("Is the secret in place over there? A receiver that cannot verify the signature refuses.")
    if exchange.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        advice = _("Nothing takes events at this address. Is its path right?")
    return Trial(False, _("The other desk refused."), exchange.error, advice, exchange)


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
            request = authorise(request, _reachable(system, Protocol.HTTP), logged)
        policy = policy_for(system, wsdl.url, deadline=longest_send(system.deadline))
        bundle = fetch_wsdl(wsdl.url, policy, headers=request.headers)
        count = len({info.name for info in operations(bundle)})
    except (SecretUnreadable, TemplateFailed, LoginFailed, WsdlProblem) as problem:
        return _not_fetched(exchange, system, Outcome.MISCONFIGURED, str(problem), started)
    except TransportError as error:
        return _not_fetched(exchange, system, of_error(error).outcome, str(error), started)
    exchange.status = 200
    finish(exchange, system, outcome=Outcome.SUCCEEDED, duration_ms=_since(started))
    return Fetched(documents=dict(bundle.documents), operations=count)


def _answered(
    system: ExternalSystem, operation: OperationTemplate | None, done: Try, context: dict[str, Any]
) -> Trial:
    """The answer in words. One that is not what the operation reads comes from somewhere else."""
    exchange = done.exchange
    if operation is None or done.response is None:
        advice = _about_success(system, exchange)
        return Trial(True, _("The other desk answered."), advice=advice, exchange=exchange)
    try:
        detail = _read_from(operation, done.response, context)
    except (TemplateFailed, ValueError) as problem:
        reason = _("It answered with %(status)d, but not as %(operation)s expects: %(problem)s") % {
            "status": done.response.status,
            "operation": operation.name,
            "problem": problem,
        }
        finish(exchange, system, outcome=Outcome.MISCONFIGURED, error=reason)
        advice = _("Check the address: something else may answer there, such as a page to sign in.")
        return Trial(False, _("The answer cannot be read."), detail=exchange.error, advice=advice, exchange=exchange)
    advice = ""
    if system.auth_kind in WS_SECURITY and operation.protocol == Protocol.HTTP:
        advice = _("User and password travel inside SOAP messages, so this test did not try them.")
    return Trial(True, _("The other desk answered."), detail, advice, exchange)


def _read_from(operation: OperationTemplate, response: Response, context: dict[str, Any]) -> str:
    """What the operation reads in the answer, as a sentence. Raises `ValueError` or `TemplateFailed` where it cannot
    be read."""
    reading = "\n".join((operation.success, operation.captures, operation.items, operation.reads))
    if "response.json" in reading:
        try:
            json.loads(response.text)
        except ValueError as problem:
            raise ValueError(_("it is no JSON.")) from problem
    if not operation.reads.strip():
        words = _("It answered %(operation)s as expected: the path is right, and nobody was refused.")
        return words % {"operation": operation.name}
    records = records_of(operation, response, context)
    if not records:
        return _("It knows nothing of what %(operation)s asked for, which may well be so.") % {
            "operation": operation.name
        }
    quoted = [next((str(row[name]) for name in TELLING if row.get(name)), "") for row in records[:QUOTED]]
    found = ", ".join(text[:60] for text in quoted if text)
    count = ngettext("%(count)d record was read", "%(count)d records were read", len(records))
    more = _(" and so on") if len(records) > QUOTED else ""
    return count % {"count": len(records)} + (f": {found}{more}." if found else ".")


def _reachable(system: ExternalSystem, dialect: str) -> ExternalSystem:
    """The system as a plain GET can call it: WS-Security has its place in SOAP messages only."""
    if system.auth_kind not in WS_SECURITY or dialect == Protocol.SOAP:
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


def _about_success(system: ExternalSystem, exchange: Exchange) -> str:
    """After a call of the bare address, which proves little."""
    if system.auth_kind in WS_SECURITY:
        return _("User and password travel inside SOAP messages, so this test did not try them.")
    if harmless_operations(system):
        return _(
            "Only that something answers at the bare address is known now. To try the path and the credentials, test "
            "with an operation that reads."
        )
    return _(
        "Only that something answers at this address is known now. This desk has no operation that only reads, so "
        "path and credentials are tried by the first message."
    )


def _silence(outcome: Outcome) -> str:
    """What there was instead of an answer."""
    return _("Nothing was sent.") if outcome == Outcome.MISCONFIGURED else _("There was no answer.")


def _about_silence(outcome: Outcome, reason: str) -> str:
    """What to look at; the reason is quoted from the network library, whose words for these two never change."""
    if outcome == Outcome.MISCONFIGURED:
        return ""
    if "[SSL" in reason:
        return _("Something answers there, but not by https. Is http:// meant, or another port?")
    if "refused" in reason:
        return _(
            "The machine is there, but nothing listens at this port. Is the port right, and is the desk running?"
        )
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
        return _(
            "It knows nothing at this address. Check the address of the system, then the path of the operation, or "
            "whether the sample exists."
        )
    if status >= 500:
        return _("Something fails over there. Ask the other desk, or try later.")
    return ""
