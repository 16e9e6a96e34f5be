"""The addresses of the ITX dialect."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.inbound import intake
from integrations.inbound.dedupe import idempotency_key
from integrations.inbound.itx import incoming, mapping, outgoing, search
from integrations.inbound.itx.authentication import CHALLENGE, ThreeValues
from integrations.inbound.messages import Message
from integrations.inbound.problems import NotFound, Refused
from integrations.inbound.rest.base import InboundView
from integrations.inbound.rest.incoming import StrictSerializer
from integrations.inbound.rest.parsers import FormBody
from integrations.inbound.rest.problems import as_refused, written
from integrations.inbound.rest.task_views import WhateverIsAccepted
from integrations.visibility import attachments_read_of, tasks_visible_to
from tickets.models import Attachment, Ticket

logger = logging.getLogger(__name__)


class ItxView(InboundView):
    """Who calls, the record of the call, and problems in the dialect's own form."""

    dialect = "itx"
    authentication_classes = [ThreeValues]
    content_negotiation_class = WhateverIsAccepted
    # Described in docs/partners.md, not beside REST.
    schema = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        """Everything that is raised becomes `{"errorCode", "message", "fields"}`."""
        return problem_of

    def asked(self, body: type[StrictSerializer], data: Any = None) -> dict[str, Any]:
        """The query's parameters, checked. Raises `ValidationError`, naming each wrong one."""
        query = mapping.parameters(self.request.query_params, lists=search.LISTS)
        return mapping.valid(body, query if data is None else data)

    def take(self, message: Message) -> Response:
        """Let the message have its effect, once; the answer names the case."""
        assert self.call is not None  # noqa: S101 - `initial` recorded it, this is a POST
        try:
            receipt = intake.deliver(self.call, message, idempotency_key=idempotency_key(self.request.headers))
        except Refused as problem:
            mapping.use_their_names(problem)
            raise
        answer = {
            "eactId": Ticket.objects.values_list("pk", flat=True).get(number=receipt.ticket),
            "seqNo": int(receipt.ticket),
            "externalId": receipt.external_reference,
            "changed": receipt.changed,
            "message": receipt.message,
        }
        if receipt.note is not None:
            answer["text"] = {"id": receipt.note}
        if receipt.attachments:
            answer["coreFileReferences"] = [{"id": file} for file in receipt.attachments]
        headers = {"Idempotency-Replayed": "true"} if self.call.repeated else {}
        made = receipt.changed and receipt.operation in ("create", "update")
        return Response(answer, status=201 if made else 200, headers=headers)


def problem_of(error: Exception, context: dict[str, Any]) -> Response:
    """The answer for an exception; a failure of our own is logged with its trace and answered without it."""
    problem = as_refused(error)
    if problem.status >= 500:
        logger.error("a call in the ITX dialect failed", exc_info=error)
    context["view"].problem = problem
    headers = dict(problem.headers) | ({"WWW-Authenticate": CHALLENGE} if problem.status == 401 else {})
    data = {"errorCode": problem.code, "message": problem.detail, "fields": problem.fields}
    return Response(written(data), status=problem.status, headers=headers)


class NoParameters(StrictSerializer):
    """For addresses that take none."""


class StatusesQuery(StrictSerializer):
    """Whose statuses: those of cases."""

    type = serializers.ChoiceField(choices=[incoming.STATUS_TYPE], required=False)


class FileQuery(StrictSerializer):
    """The file that is read."""

    id = incoming.Id()


class Case(ItxView):
    """Create a case, or change it where `eactId` is given."""

    def operation_of(self, data: Any) -> str:
        """Which of the two."""
        return "update" if isinstance(data, dict) and data.get("eactId") else "create"

    def post(self, request: Request) -> Response:
        """The answer's `eactId` names the case from then on."""
        self.asked(NoParameters)
        return self.take(mapping.case_message(request.data))


class Search(ItxView):
    """The caller's cases."""

    operation = "search"
    only_reads = True

    def post(self, request: Request) -> Response:
        """Those that fit all filters."""
        self.asked(NoParameters)
        return self.found(self.asked(search.SearchBody, request.data))

    def found(self, asked: dict[str, Any]) -> Response:
        """One page."""
        return Response(outgoing.cases(search.search(self.system, asked), self.system, parts=search.parts(asked)))


class Cases(Search):
    """The same filters in the query."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: Request) -> Response:
        """Those that fit all filters."""
        return self.found(self.asked(search.SearchBody))


class ActivityTexts(ItxView):
    """Texts of a case."""

    operation = "update"

    def post(self, request: Request) -> Response:
        """Add one."""
        self.asked(NoParameters)
        return self.take(mapping.text_message(request.data))


class CoreFile(ItxView):
    """Files of a case."""

    operation = "attach"
    parser_classes = [FormBody]

    def post(self, request: Request) -> Response:
        """Add those in the parts named `files`."""
        return self.take(mapping.files_message(request.data, request.query_params))

    def get(self, request: Request) -> HttpResponseBase:
        """The content of one, always as a download of the type application/octet-stream."""
        found = Attachment.objects.filter(pk=self.asked(FileQuery)["id"]).first()
        tasks = list(tasks_visible_to(self.system).filter(ticket=found.ticket_id)) if found else []
        if found is None or not attachments_read_of(tasks, self.system).filter(pk=found.pk).exists():
            raise NotFound(_("There is no such file for you."))
        response = FileResponse(found.file.open("rb"), as_attachment=True, filename=found.name)
        response["Content-Type"] = "application/octet-stream"
        return response


class Catalogue(ItxView):
    """What cases are sorted by."""

    rows: Callable[[], Any]
    query: type[StrictSerializer] = NoParameters

    def get(self, request: Request) -> Response:
        """All of it."""
        self.asked(self.query)
        return Response(type(self).rows())


class Categories(Catalogue):
    """By `ctnoId`."""

    rows = outgoing.categories


class Statuses(Catalogue):
    """By `emstId`."""

    rows = outgoing.statuses
    query = StatusesQuery


class Priorities(Catalogue):
    """By `emprId`."""

    rows = outgoing.priorities


class Queues(Catalogue):
    """By `ucquId`."""

    rows = outgoing.queues


class State(Catalogue):
    """Whether, and where, we answer."""

    rows = outgoing.state


class Nothing(ItxView):
    """Any other address below these: an error in the same form. Strangers are told the same and leave no trace."""

    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """For every method."""
        try:
            super().initial(request, *args, **kwargs)
        except Refused:
            self.problem = None
        raise NotFound(_("There is nothing at this address."))

    def record(self, caller: Any, body: bytes, data: Any) -> None:
        """Only where it is known who mistook the address."""
        if caller is not None:
            super().record(caller, body, data)
