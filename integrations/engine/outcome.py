"""What an answer means: the three kinds of failure, success, or that nobody knows.

Looked at in this order: SOAP fault code, the template's own rule (a 200 may carry an error), the status.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine.rendering import bundle_of
from integrations.models import Outcome, Protocol
from integrations.templating import TemplateFailed, evaluate, used_paths
from integrations.templating.plain import require_plain
from integrations.transports.errors import Misconfigured, TransportError
from integrations.transports.http import Response
from integrations.transports.safe_xml import XmlRefused, xml_to_data
from integrations.transports.soap import AnswerProblem, WsdlProblem, body_content, fault, parse_answer

RETRYABLE_STATUSES: Final = (408, 425, 429)
MISCONFIGURED_STATUSES: Final = (401, 403)
TAG: Final = re.compile(r"<[^>]*>")
LOCATION: Final = "response.headers.location"
# How a page for people begins, whatever content type it is said to have.
PAGE: Final = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--((?!-->).)*-->\s*)*<(!doctype\s+html|html)\b", re.I | re.S)
LONGEST_BEFORE_PAGE: Final = 2000
DATA: Final = re.compile(r"response\s*\.\s*(json|xml|soap)\b")
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


def of_response(
    request: dict[str, Any],
    response: Response,
    context: dict[str, Any],
    *,
    shown: Callable[[Response], str],
) -> Verdict:
    """The meaning of an answer, by the rules of the request's template.

    The reason quotes how the answer begins; `shown` is how it reads without secrets.
    """
    answer = {**context, "response": response_context(response, request)}
    retry_after = retry_after_of(response)
    soap_fault = fault(response.body) if _first_character(response) == "<" else None
    if soap_fault is not None:
        reason = _("SOAP fault %(code)s: %(text)s") % {"code": soap_fault.code, "text": soap_fault.text}
        try:
            again = _holds(request["retry_when"], answer) or not soap_fault.is_client
        except TemplateFailed as problem:
            return Verdict(Outcome.MISCONFIGURED, f"{reason} {problem}")
        if again:
            return Verdict(Outcome.RETRYABLE, reason, retry_after, doubtful=True)
        return Verdict(Outcome.PERMANENT, reason)
    # Cut off only after secrets were removed: half a secret is recognised by nobody.
    start = _beginning(shown(response))
    by_status = _of_status(response, start)
    try:
        if _holds(request["retry_when"], answer):
            return Verdict(Outcome.RETRYABLE, _("The template says: try again."), retry_after)
        if _rule_applies(request["success"], response):
            if _holds(request["success"], answer):
                return Verdict(Outcome.SUCCEEDED)
            if by_status.outcome == Outcome.SUCCEEDED:
                return Verdict(
                    Outcome.PERMANENT,
                    _("Answered with %(status)d, but the template's rule for success does not hold: %(start)s")
                    % {"status": response.status, "start": start},
                )
        elif by_status.outcome == Outcome.SUCCEEDED and is_page(response.text) and not _may_be_page(request):
            return Verdict(Outcome.MISCONFIGURED, _page_told(response.status), doubtful=True)
    except TemplateFailed as problem:
        if by_status.outcome == Outcome.SUCCEEDED:
            return Verdict(
                Outcome.MISCONFIGURED,
                _("The other desk answered with %(status)d, but the template's rule cannot be applied: %(problem)s")
                % {"status": response.status, "problem": problem},
                doubtful=True,
            )
    return by_status


def _beginning(text: str) -> str:
    """How an answer begins, as a sentence can hold it: of XML what it says, not its tags."""
    text = text.lstrip("\ufeff \t\r\n")
    if is_page(text):
        return _("(a page in HTML; the exchange has it)")
    if text.startswith("<"):
        text = unescape(TAG.sub(" ", text)) or text
    return " ".join(text.split())[:200]


def is_page(text: str) -> bool:
    """Whether this is a page in HTML: of a proxy, or for signing in, where an answer is expected."""
    return PAGE.match(text.lstrip("\ufeff")[:LONGEST_BEFORE_PAGE]) is not None


def _may_be_page(request: dict[str, Any]) -> bool:
    """Whether a page may be the answer that the template expects, without a rule for success that says so."""
    if request.get("protocol") == Protocol.SOAP:
        return False
    if "text/html" in request.get("headers", "").lower():
        return True
    if request["captures"].strip():
        return DATA.search(request["captures"]) is None
    # What only reads says itself what it cannot read.
    return bool(request.get("method", "GET") == "GET")


def _page_told(status: int) -> str:
    return _(
        "Answered with %(status)d and a page in HTML, as for signing in, or of a proxy in between: nobody can tell "
        "whether it was done. Where this desk answers so, write a rule for success."
    ) % {"status": status}


def _rule_applies(rule: str, response: Response) -> bool:
    """Whether the template's rule for success decides. A redirect, which is never followed, counts only for a rule
    that looks where it leads: what web forms answer when they have done their work."""
    if not rule.strip() or not 300 <= response.status < 400:
        return bool(rule.strip())
    return LOCATION in used_paths(rule, placeholders(), expression=True)


def _first_character(response: Response) -> str:
    """What the answer begins with, whatever byte order mark, encoding and blanks come before it."""
    return response.text.lstrip("\ufeff \t\r\n")[:1]


def _of_status(response: Response, start: str) -> Verdict:
    status = response.status
    reason = _("Answered with status %(status)d: %(start)s") % {"status": status, "start": start}
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
            values[name.strip()] = storable(evaluate(expression.strip(), answer, fields=placeholders()))
        except (TemplateFailed, ValueError) as problem:
            problems.append(f"{name.strip()}: {problem}")
    return values, "; ".join(problems)


def storable(value: Any) -> Any:
    """The value as a JSON column keeps it: without NUL and half characters. ValueError for what is no number."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode(errors="replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(_("the value is not a number."))
    return value


def response_context(response: Response, request: dict[str, Any] | None = None) -> dict[str, Any]:
    """`response` in expressions: status, headers (names in small letters), text, json or xml where it parses, and
    soap: what the body of a SOAP answer holds, by the WSDL's schema where the request has one."""
    context: dict[str, Any] = {
        "status": response.status,
        "headers": {name.lower(): value for name, value in response.headers.items()},
        "text": response.text,
    }
    start = _first_character(response)
    if start in ("{", "["):
        try:
            context["json"] = _plain(json.loads(response.text))
        except (ValueError, RecursionError):
            context["json"] = {}
    elif start == "<":
        try:
            context["xml"] = _plain(xml_to_data(response.body))
            context["soap"] = _plain(_soap_content(response, request))
        except (XmlRefused, AnswerProblem, WsdlProblem, ValueError):
            context.setdefault("xml", {})
    for name in ("json", "xml", "soap"):
        context.setdefault(name, {})
    return context


def _plain(data: Any) -> Any:
    """The data, if expressions can use it; ValueError for what is no number or nested without end."""
    try:
        require_plain(data)
    except TypeError as problem:
        raise ValueError(str(problem)) from problem
    return data


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
    if re.fullmatch(r"[0-9]+", value):
        # Nine digits are thirty years; Python refuses to read numbers of thousands of digits.
        wait = timedelta(seconds=min(int(value[:9]), 86_400))
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
