"""What every address of `/api/v1/` has in common: who calls, the record of the call, the problem as the answer."""

import json
import re
from dataclasses import asdict
from typing import Any, ClassVar

from django.core.exceptions import SuspiciousOperation
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.inbound import intake
from integrations.inbound.bodies import charset_of, read_body, readable
from integrations.inbound.dedupe import idempotency_key
from integrations.inbound.problems import NotFound, Refused
from integrations.inbound.rest.authentication import Caller
from integrations.inbound.rest.mapping import message_of
from integrations.inbound.rest.parsers import FormBody, JsonBody
from integrations.models import ExternalSystem
from tickets.models import Task

NUMBER = re.compile(r"[\w.-]{1,30}", re.ASCII)


class InboundView(APIView):
    """A call that changes something is recorded before it is looked at; a refused read is recorded, too.

    `operation` names what a POST to this address does.
    """

    dialect: ClassVar[str] = "rest"
    operation: ClassVar[str] = ""
    # A read that has a body: what was asked is recorded, what was found is not kept a second time.
    only_reads: ClassVar[bool] = False
    parser_classes = [JsonBody]
    metadata_class = None

    call: intake.Arrived | None = None
    problem: Refused | None = None

    @property
    def system(self) -> ExternalSystem:
        """Who is calling, once the call got past `initial`."""
        caller = self.request.user
        assert isinstance(caller, Caller)  # noqa: S101 - `IsExternalSystem` let it pass
        return caller.system

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Query strings are UTF-8, whatever character set the body's content type names."""
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who calls and record the call, and only then refuse."""
        refusal: Exception | None = None
        caller, body, data = None, b"", None
        try:
            charset_of(b"", request.content_type or "")
            caller = request.user
        except (Refused, APIException) as error:
            refusal = error
        if request.method not in SAFE_METHODS:
            try:
                body = read_body(request._request)
                data = request.data if caller and refusal is None else None
            except (Refused, APIException, SuspiciousOperation) as error:
                refusal = refusal or error
            self.record(caller, body, data)
        if refusal is not None:
            raise refusal
        super().initial(request, *args, **kwargs)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer, rendered, because the record keeps what was sent."""
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        if isinstance(response, Response):
            response.render()
        if self.call is None and self.problem is not None:
            caller = getattr(self.request, "_user", None)
            self.record(caller, b"", None)
        if self.call is not None:
            intake.finished(
                self.call,
                status=response.status_code,
                headers=dict(response.items()),
                body=self.kept_of(response),
                problem=self.problem,
            )
        return response

    def deliver(self, *, task_number: str = "") -> Response:
        """Let the body of this request have its effect, once; the receipt is the answer."""
        assert self.call is not None  # noqa: S101 - `initial` recorded it, this is a POST
        key = idempotency_key(self.request.headers)
        message = message_of(self.operation, self.request.data, task_number=known_number(task_number))
        receipt = intake.deliver(self.call, message, idempotency_key=key)
        made = receipt.changed and self.operation in ("update", "attach", "create")
        headers = {"Idempotency-Replayed": "true"} if self.call.repeated else {}
        return Response(receipt_of(receipt), status=201 if made else 200, headers=headers)

    def task(self, number: str) -> Task:
        """The task for a reader. Raises `NotFound` also where it is not theirs."""
        from integrations.inbound.rest.reading import tasks_read_by

        task = tasks_read_by(self.system).filter(number=known_number(number) or "-").first()
        if task is None:
            raise NotFound(_('There is no task "%(name)s" for you.') % {"name": number[:100]})
        return task

    def kept_of(self, response: HttpResponseBase) -> str:
        """What the record keeps of the answer's body: not a file, nor what a read has found."""
        if not isinstance(response, Response) or (self.only_reads and self.problem is None):
            return ""
        return response.content.decode()

    def operation_of(self, data: Any) -> str:
        """What this very call does, for the record."""
        return self.operation

    def record(self, caller: Any, body: bytes, data: Any) -> None:
        """Write the call down: its body, or the JSON that a form (`data`) stands for."""
        request = self.request
        content_type = request.headers.get("Content-Type", "")
        if isinstance(data, dict) and content_type.lower().startswith("multipart/"):
            # Files are no text: a form is kept as the JSON that means the same.
            text, content_type = json.dumps(data, ensure_ascii=False), "application/json"
        else:
            text = readable(body, content_type)
        self.call = intake.arrived(
            dialect=self.dialect,
            operation="read" if request.method in SAFE_METHODS else self.operation_of(data),
            method=request.method or "",
            url=request.build_absolute_uri(),
            headers={**request.headers, "Content-Type": content_type},
            body=text,
            system=caller.system if isinstance(caller, Caller) else None,
        )


class MessageView(InboundView):
    """An address that takes messages, also with files in a form."""

    parser_classes = [JsonBody, FormBody]


def receipt_of(receipt: intake.Receipt) -> dict[str, Any]:
    """The receipt of a message about a task."""
    return {name: value for name, value in asdict(receipt).items() if name != "contact"}


def known_number(number: str) -> str:
    """The number from an address, or `NotFound` where it cannot be one (and no database need be asked)."""
    if number and not NUMBER.fullmatch(number):
        raise NotFound(_('There is nothing with the number "%(name)s".') % {"name": number[:100]})
    return number
