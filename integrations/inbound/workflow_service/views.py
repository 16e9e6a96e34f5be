"""The one address of the Workflow Service: messages by POST, its description by GET."""

import base64
import binascii
import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.inbound import dedupe, intake
from integrations.inbound.authentication import key_of
from integrations.inbound.bodies import read_body, readable, storable
from integrations.inbound.messages import Receipt, TaskMessage
from integrations.inbound.problems import (
    Broken,
    Malformed,
    Refused,
    Unauthenticated,
    UnknownOperation,
    from_action,
)
from integrations.inbound.workflow_service import contract, envelope, service
from integrations.inbound.workflow_service.mapping import OPERATIONS
from integrations.models import ExternalSystem
from tickets.errors import ActionRefused

logger = logging.getLogger(__name__)


class MethodNotAllowed(Refused):
    """Neither GET nor POST."""

    status = 405
    code = "method_not_allowed"


@csrf_exempt
def workflow_service(request: HttpRequest) -> HttpResponse:
    """`?wsdl`, `?op=<method>`, and SOAP 1.1 or 1.2 by POST."""
    if request.method in ("GET", "HEAD"):
        return _describe(request)
    content_type = request.headers.get("Content-Type", "")
    body, text, read = b"", "", None
    refusal: Refused | None = None
    version = envelope.SOAP11
    try:
        if request.method != "POST":
            raise MethodNotAllowed(_("Send messages by POST."), headers={"Allow": "GET, HEAD, POST"})
        version = envelope.version_of(content_type.partition(";")[0])
        body = read_body(request)
        text = envelope.text_of(body, content_type)
        read = envelope.read(text)
        version = read.version
    except Refused as problem:
        refusal = problem
    system: ExternalSystem | None = None
    try:
        system = _caller(request, read)
    except Unauthenticated as problem:
        # Who authenticates in the envelope is not told to authenticate because the envelope is broken.
        unreadable = isinstance(refusal, Malformed) and "Authorization" not in request.headers
        refusal = refusal if unreadable else problem
    method = read.method if read else ""
    call = intake.arrived(
        dialect="workflow_service",
        operation=OPERATIONS.get(method, method),
        method=request.method or "",
        url=request.build_absolute_uri(),
        headers={**request.headers, "Content-Type": content_type},
        body=storable(text) if text else readable(body, content_type),
        system=system,
    )
    try:
        if refusal is not None:
            raise refusal
        assert read is not None  # noqa: S101 - otherwise it was refused
        response = HttpResponse(_act(request, call, read), content_type=envelope.MEDIA_TYPES[version])
        if call.repeated:
            response["Idempotency-Replayed"] = "true"
        problem_found = None
    except Refused as problem:
        problem_found, response = problem, _fault(problem, version)
    except Exception:
        # Broad on purpose: the caller gets a fault, the exchange its end, the log the reason.
        logger.exception("a call of the Workflow Service failed")
        problem_found = Broken()
        response = _fault(problem_found, version)
    intake.finished(
        call,
        status=response.status_code,
        headers=dict(response.items()),
        body=response.content.decode(),
        problem=problem_found,
    )
    return response


def _caller(request: HttpRequest, read: envelope.Envelope | None) -> ExternalSystem:
    """By HTTP Basic or UsernameToken: the system's code as user, a key as password. Raises `Unauthenticated`."""
    scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
    credentials: tuple[str, str] | None = None
    if scheme.lower() == "basic":
        try:
            user, _colon, password = base64.b64decode(secret.strip(), validate=True).decode().partition(":")
            credentials = user, password
        except (binascii.Error, ValueError):
            credentials = "", ""
    elif read is not None:
        credentials = read.user_token()
    if credentials is None:
        raise Unauthenticated(
            _("Authenticate by HTTP Basic or a WS-Security UsernameToken: your system's code and your key.")
        )
    system: ExternalSystem = key_of(credentials[1], user=credentials[0]).system
    return system


def _act(request: HttpRequest, call: intake.Arrived, read: envelope.Envelope) -> bytes:
    if str(read.message.tag) not in {f"{{{contract.namespace()}}}{name}" for name in OPERATIONS}:
        raise UnknownOperation(
            _("There is no operation %(name)s. There are: %(known)s, in the namespace %(namespace)s.")
            % {"name": read.message.tag, "known": ", ".join(OPERATIONS), "namespace": contract.namespace()}
        )
    key = dedupe.idempotency_key(request.headers)

    def act(message: TaskMessage) -> Receipt:
        return intake.deliver(call, message, idempotency_key=key)

    try:
        return service.call(read, act)
    except ActionRefused as error:
        raise from_action(error) from error


def _fault(problem: Refused, version: str) -> HttpResponse:
    headers = dict(problem.headers)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Deskbridge", charset="UTF-8"'
    response = HttpResponse(
        envelope.fault(problem, version),
        status=envelope.fault_status(problem, version),
        content_type=envelope.MEDIA_TYPES[version],
        headers=headers,
    )
    # SOAP 1.1 has 500 for the caller's faults, too. They are in the exchange log; Django would report each as ours.
    response._has_been_logged = problem.status < 500  # type: ignore[attr-defined]  # Django's own mark
    return response


def _describe(request: HttpRequest) -> HttpResponse:
    """The WSDL, one method, or the list of methods."""
    query = {name.lower(): value for name, value in request.GET.items()}
    if "wsdl" in query:
        return HttpResponse(contract.wsdl(), content_type="text/xml; charset=utf-8")
    method = query.get("op", "")
    found = method if method in OPERATIONS else ""
    context = {
        "methods": list(OPERATIONS),
        "method": found,
        "unknown": method if not found else "",
        "parameters": contract.parameters_of(found) if found else [],
        "namespace": contract.namespace(),
        "address": contract.address(),
        "action": contract.soap_action(found),
    }
    status = 404 if context["unknown"] else 200
    return render(request, "inbound/workflow_service.html", context, status=status)
