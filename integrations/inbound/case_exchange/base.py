"""What every address of Case Exchange has in common: who calls, the record of the call, the answer's form."""

import logging
from typing import Any, ClassVar, Final

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from rest_framework.exceptions import ValidationError

from integrations.inbound import intake
from integrations.inbound.bodies import read_body, readable, storable
from integrations.inbound.case_exchange import session
from integrations.inbound.problems import Broken, Refused, Unauthenticated
from integrations.inbound.rest.problems import as_refused
from integrations.models import ExternalSystem
from tickets.errors import ActionRefused

logger = logging.getLogger(__name__)

READS: Final = ("GET", "HEAD")
# What may be asked of an address, and the name of what answers it.
METHODS: Final = {"GET": "get", "HEAD": "get", "POST": "post"}


class MethodNotAllowed(Refused):
    """The address does something else."""

    status = 405
    code = "method_not_allowed"


@method_decorator(csrf_exempt, name="dispatch")
class Endpoint(View):
    """A call that changes something is recorded before it is looked at; a refused read is recorded, too.

    `operation` names for the log what a POST to this address does, where its body does not say so.
    """

    operation: ClassVar[str] = ""

    call: intake.Arrived | None = None
    system: ExternalSystem | None = None
    body = b""

    @property
    def caller(self) -> ExternalSystem:
        """Who is calling, once the session was looked at."""
        assert self.system is not None  # noqa: S101 - otherwise it was refused
        return self.system

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer, whatever happens."""
        # Query strings are UTF-8, whatever character set the body's content type names.
        request.encoding = "utf-8"
        problem: Refused | None = None
        try:
            response = self.handle(request, **kwargs)
        except (Refused, ActionRefused, ValidationError) as error:
            problem = as_refused(error)
        except Exception:
            # Broad on purpose: Django's own page would be no answer that the caller reads, and the exchange would
            # have no end. The reason is in the log.
            logger.exception("a call of Case Exchange failed")
            problem = Broken()
        if problem is not None:
            response = refused(problem)
            self.call = self.call or self.record(request)
        if self.call is not None:
            intake.finished(
                self.call,
                status=response.status_code,
                headers=dict(response.items()),
                body="" if isinstance(response, FileResponse) else response.content.decode(),
                problem=problem,
            )
        return response

    def handle(self, request: HttpRequest, *, tenant: str, **names: str) -> HttpResponse | FileResponse:
        """Find out who calls and record the call, and only then refuse or go on."""
        refusal: Refused | None = None
        try:
            self.system = session.caller_of(request)
            session.check_tenant(tenant)
        except Refused as problem:
            refusal = problem
        if request.method not in READS:
            try:
                self.body = read_body(request)
            except Refused as problem:
                refusal = refusal or problem
            self.call = self.record(request)
        if refusal is not None:
            raise refusal
        # By the list: a method is a name from outside, and not every attribute is for callers.
        handler = getattr(self, METHODS.get(request.method or "", ""), None)
        if handler is None:
            allowed = ", ".join(method for method, name in METHODS.items() if hasattr(self, name))
            raise MethodNotAllowed(_("This address does something else."), headers={"Allow": allowed})
        answer: HttpResponse | FileResponse = handler(request, **names)
        return answer

    def record(self, request: HttpRequest) -> intake.Arrived:
        """Write the call down."""
        return intake.arrived(
            dialect="case_exchange",
            operation="read" if request.method in READS else self.operation_of(request),
            method=request.method or "",
            url=request.build_absolute_uri(),
            headers=request.headers,
            body=self.shown_body(request),
            system=self.system,
        )

    def operation_of(self, request: HttpRequest) -> str:
        """What the call does, for the log."""
        return self.operation

    def shown_body(self, request: HttpRequest) -> str:
        """The body, for the log."""
        return readable(self.body, request.headers.get("Content-Type", ""))


def succeeded(entities: list[dict[str, Any]], *, status: int = 200, **meta: Any) -> JsonResponse:
    """An answer in the form of Case Exchange."""
    said = {"completion_status": "OK", "total_count": len(entities), "errorDetailsList": [], **meta}
    return JsonResponse(
        {"entities": entities, "meta": said}, status=status, json_dumps_params={"ensure_ascii": False}
    )


def refused(problem: Refused) -> JsonResponse:
    """A refusal in the same form: the code for programs, the message for people, what is wrong with which field."""
    details = {
        "errorCode": problem.code,
        "message": storable(problem.detail),
        "fields": {storable(name): [storable(str(text)) for text in texts] for name, texts in problem.fields.items()},
    }
    headers = dict(problem.headers)
    if isinstance(problem, Unauthenticated):
        headers["WWW-Authenticate"] = 'Cookie realm="Deskbridge"'
    response = succeeded([], status=problem.status, completion_status="FAILED", errorDetailsList=[details])
    for name, value in headers.items():
        response[name] = value
    # It is in the exchange log; Django would report each refusal as a fault of ours.
    response._has_been_logged = problem.status < 500  # type: ignore[attr-defined]  # Django's own mark
    return response
