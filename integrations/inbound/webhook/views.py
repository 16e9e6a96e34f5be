"""The one address of a webhook: calls by POST, handshakes by GET and HEAD."""

import logging
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ValidationError

from integrations.inbound import intake
from integrations.inbound.bodies import read_body, readable, storable
from integrations.inbound.problems import Broken, Malformed, NotFound, Refused
from integrations.inbound.rest.problems import MEDIA_TYPE, as_refused, written
from integrations.inbound.webhook import acting, reading
from integrations.inbound.webhook.authentication import NotProved, authenticate
from integrations.models import Hook, HookAuthentication, Outcome
from integrations.secrets import SecretUnreadable
from integrations.templating import TemplateFailed, evaluate
from tickets.errors import ActionRefused

logger = logging.getLogger(__name__)

DIALECT = "webhook"
# What a handshake echoes is a short word.
LONGEST_ANSWER = 10_000


class MethodNotAllowed(Refused):
    """Neither a call nor a handshake."""

    status = 405
    code = "method_not_allowed"


@csrf_exempt
def hook(request: HttpRequest, code: str) -> HttpResponse:
    """A call of that system's desk, or its question whether the address is ours."""
    found = Hook.objects.select_related("system").filter(system__code=code, active=True).first()
    if found is None:
        return _refused(NotFound(_("There is nothing at this address.")), None)
    if request.method in ("GET", "HEAD"):
        answer = _handshake(found, request, "") if found.system.active else None
        return answer if answer is not None else JsonResponse({"status": "ready"})
    if request.method != "POST":
        allowed = {"Allow": "GET, HEAD, POST"}
        return _refused(MethodNotAllowed(_("Send your calls by POST."), headers=allowed), found)
    return _called(found, request)


def _called(found: Hook, request: HttpRequest) -> HttpResponse:
    """Recorded, then answered: what is refused is in the log, too."""
    body, text, content_type = b"", "", request.headers.get("Content-Type", "")
    refusal: Refused | None = None
    proved = False
    try:
        body = read_body(request)
        if found.answers_strangers and found.system.active:
            answer = _handshake(found, request, readable(body, content_type))
            if answer is not None:
                return answer
        authenticate(found, headers=request.headers, query=request.GET, body=body)
        proved = True
        text, content_type = reading.text_of(request, body)
    except Refused as problem:
        refusal = problem
    except SecretUnreadable:
        logger.exception("the secret of the webhook of %s cannot be read", found.system)
        refusal = Broken()
    call = intake.arrived(
        dialect=DIALECT,
        operation="",
        method=request.method or "",
        url=request.build_absolute_uri(),
        headers={**request.headers, "Content-Type": content_type},
        body=storable(text) if text else readable(body, content_type),
        system=found.system if proved else None,
        secret_names=found.secret_names,
    )
    problem_found: Refused | None = None
    try:
        if refusal is not None:
            raise refusal
        response = _taken(call, found, request, text, content_type)
    except (Refused, ActionRefused, ValidationError) as error:
        problem_found = as_refused(error)
        if isinstance(error, NotProved):
            call.noted = error.why
        response = _refused(problem_found, found)
    except Exception:
        # Broad on purpose: the caller gets a problem, the exchange its end, the log the reason.
        logger.exception("a webhook of %s failed", found.system)
        problem_found = Broken()
        response = _refused(problem_found, found)
    intake.finished(
        call,
        status=response.status_code,
        headers=dict(response.items()),
        body=response.content.decode(),
        problem=problem_found,
    )
    return response


def _taken(call: intake.Arrived, found: Hook, request: HttpRequest, text: str, content_type: str) -> HttpResponse:
    """The answer to a call that was proved to be the desk's."""
    answer = _handshake(found, request, text)
    if answer is not None:
        call.settled, call.noted = Outcome.IGNORED, _("A handshake, answered.")
        return answer
    if found.recording_only:
        call.settled = Outcome.RECORDED
        return JsonResponse({"status": "recorded"}, status=202)
    context = _context(request, text, content_type)
    acting.act(call, found, context)
    if call.settled is not None:
        return JsonResponse({"status": "accepted"}, status=202)
    response = JsonResponse({"status": "accepted"})
    if call.repeated:
        response["Idempotency-Replayed"] = "true"
    return response


def _context(request: HttpRequest, text: str, content_type: str) -> dict[str, Any]:
    return reading.context_of(
        method=request.method or "",
        url=request.get_full_path(),
        headers={**request.headers, "Content-Type": content_type},
        text=text,
    )


def _handshake(found: Hook, request: HttpRequest, text: str) -> HttpResponse | None:
    """What the hook's expression answers; None where this is no handshake. What it gives is never a page."""
    if not found.answer.strip():
        return None
    try:
        answer = evaluate(found.answer, _context(request, text, request.headers.get("Content-Type", "")))
    except (TemplateFailed, Malformed):
        # A call that lacks what a handshake has is none.
        return None
    if isinstance(answer, dict | list) and answer:
        return JsonResponse(answer, safe=False)
    if not isinstance(answer, str) or not answer or len(answer) > LONGEST_ANSWER:
        return None
    response = HttpResponse(storable(answer), content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _refused(problem: Refused, found: Hook | None) -> HttpResponse:
    """The problem as problem details (RFC 9457)."""
    data: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": storable(problem.detail),
    }
    if problem.fields:
        data["errors"] = written(problem.fields)
    headers = dict(problem.headers)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        basic = found is not None and found.authentication == HookAuthentication.BASIC
        headers["WWW-Authenticate"] = f'{"Basic" if basic else "Webhook"} realm="Deskbridge"'
    response = JsonResponse(data, status=problem.status, content_type=MEDIA_TYPE, headers=headers)
    # It is in the exchange log; Django would report each as a failure of ours.
    response._has_been_logged = problem.status < 500  # type: ignore[attr-defined]  # Django's, kept out of its stubs
    return response
