"""What an answer means: the three kinds of failure, success, or that nobody knows.

Looked at in this order: SOAP fault code, the template's own rule (a 200 may carry an error), the status.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine.rendering import bundle_of
from integrations.models import Outcome, Protocol
from integrations.templating import TemplateFailed, evaluate
from integrations.transports.errors import Misconfigured, TransportError
from integrations.transports.http import Response
from integrations.transports.safe_xml import XmlRefused, xml_to_data
from integrations.transports.soap import AnswerProblem, body_content, fault, parse_answer

RETRYABLE_STATUSES: Final = (408, 425, 429)
MISCONFIGURED_STATUSES: Final = (401, 403)
# The other side had the request and may have done what was asked, before it (or what stands before it) gave up.
DOUBTFUL_STATUSES: Final = (408, 500, 502, 504)


@dataclass(frozen=True)
class Verdict:
    """The meaning of one try: `reason` is for people, `retry_after` is what the other desk asked for."""

    outcome: Outcome
    reason: str = ""
    retry_after: timedelta | None = None
    doubtful: bool = False
    captures: dict[str, Any] = field(default_factory=dict)


def of_error(error: TransportError) -> Verdict:
    """The meaning of a try without a usable answer."""
    if isinstance(error, Misconfigured):
        return Verdict(Outcome.MISCONFIGURED, str(error))
    if error.reached:
        return Verdict(Outcome.UNKNOWN, str(error), doubtful=True)
    return Verdict(Outcome.RETRYABLE, str(error))


def of_response(request: dict[str, Any], response: Response, context: dict[str, Any]) -> Verdict:
    """The meaning of an answer, by the rules of the request's template; with its captures when it is a success."""
    answer = {**context, "response": response_context(response, request)}
    retry_after = retry_after_of(response)
    soap_fault = fault(response.body) if response.body.lstrip()[:1] == b"<" else None
    if soap_fault is not None:
        reason = _("SOAP fault %(code)s: %(text)s") % {"code": soap_fault.code, "text": soap_fault.text}
        try:
            again = _holds(request["retry_when"], answer) or not soap_fault.is_client
        except TemplateFailed as problem:
            return Verdict(Outcome.MISCONFIGURED, f"{reason} {problem}")
        if again:
            return Verdict(Outcome.RETRYABLE, reason, retry_after, doubtful=True)
        return Verdict(Outcome.PERMANENT, reason)
    by_status = _of_status(response)
    try:
        if _holds(request["retry_when"], answer):
            return Verdict(Outcome.RETRYABLE, _("The template says: try again."), retry_after)
        if request["success"].strip() and not 300 <= response.status < 400:
            if _holds(request["success"], answer):
                return Verdict(Outcome.SUCCEEDED)
            if by_status.outcome == Outcome.SUCCEEDED:
                return Verdict(
                    Outcome.PERMANENT,
                    _("Answered with %(status)d, but the template's rule for success does not hold: %(start)s")
                    % {"status": response.status, "start": response.text[:200]},
                )
    except TemplateFailed as problem:
        if by_status.outcome == Outcome.SUCCEEDED:
            return Verdict(
                Outcome.MISCONFIGURED,
                _("The other desk answered with %(status)d, but the template's rule cannot be applied: %(problem)s")
                % {"status": response.status, "problem": problem},
            )
    return by_status


def _of_status(response: Response) -> Verdict:
    status = response.status
    reason = _("Answered with status %(status)d: %(start)s") % {"status": status, "start": response.text[:200]}
    if 200 <= status < 300:
        return Verdict(Outcome.SUCCEEDED)
    if status in RETRYABLE_STATUSES or status >= 500:
        return Verdict(Outcome.RETRYABLE, reason, retry_after_of(response), doubtful=status in DOUBTFUL_STATUSES)
    if status in MISCONFIGURED_STATUSES or 300 <= status < 400:
        return Verdict(Outcome.MISCONFIGURED, reason)
    return Verdict(Outcome.PERMANENT, reason)


def captured(request: dict[str, Any], response: Response, context: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What the template takes from a success, and, in words, what it could not take.

    The other desk has done its work by now, so a capture that fails is no reason to send again; a later step that
    uses it will say so.
    """
    answer = {**context, "response": response_context(response, request)}
    values, problems = {}, []
    for line in request["captures"].splitlines():
        name, equals, expression = line.partition("=")
        if not equals:
            continue
        try:
            values[name.strip()] = evaluate(expression.strip(), answer, fields=placeholders())
        except TemplateFailed as problem:
            problems.append(f"{name.strip()}: {problem}")
    return values, "; ".join(problems)


def response_context(response: Response, request: dict[str, Any] | None = None) -> dict[str, Any]:
    """`response` in expressions: status, headers (names in small letters), text, json or xml where it parses, and
    soap: what the body of a SOAP answer holds, by the WSDL's schema where the request has one."""
    context: dict[str, Any] = {
        "status": response.status,
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "text": response.text,
    }
    start = response.body.lstrip()[:1]
    if start in (b"{", b"["):
        try:
            context["json"] = json.loads(response.text)
        except ValueError:
            context["json"] = {}
    elif start == b"<":
        try:
            context["xml"] = xml_to_data(response.body)
            context["soap"] = _soap_content(response, request)
        except (XmlRefused, AnswerProblem):
            context.setdefault("xml", {})
    for name in ("json", "xml", "soap"):
        context.setdefault(name, {})
    return context


def _soap_content(response: Response, request: dict[str, Any] | None) -> Any:
    if request is None or request["protocol"] != Protocol.SOAP:
        return {}
    if request["wsdl_id"]:
        return parse_answer(bundle_of(request["wsdl_id"]), request["soap_operation"], response.body)
    return body_content(response.body)


def retry_after_of(response: Response) -> timedelta | None:
    """How long the other desk asks to wait, in seconds or as a date; at most a day."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        wait = timedelta(seconds=min(int(value), 86_400))
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        wait = _aware(moment) - timezone.now()
    return min(max(wait, timedelta()), timedelta(days=1))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _holds(expression: str, context: dict[str, Any]) -> bool:
    return bool(expression.strip() and evaluate(expression.strip(), context, fields=placeholders()))
