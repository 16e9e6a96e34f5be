"""Tasks: what is exchanged."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.inbound.problems import NotFound
from integrations.inbound.rest import incoming, outgoing, reading
from integrations.inbound.rest.base import InboundView, MessageView
from integrations.inbound.rest.lists import NoFilters, StrictFilters, StrictPaging, TaskFilters
from integrations.inbound.rest.schema import reads, takes
from tickets.actions.listing import list_changes
from tickets.models import Attachment, Note, Task, Visibility


class ListView(InboundView, ListAPIView[Any]):
    """A list with strict filters and paging."""

    filter_backends = [StrictFilters]
    pagination_class = StrictPaging
    filterset_class: Any = NoFilters

    def get_queryset(self) -> QuerySet[Any]:
        """`rows`, or none while the interface is being described and nobody calls."""
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return self.rows()

    def rows(self) -> QuerySet[Any]:
        """What the caller may read."""
        raise NotImplementedError


class Tasks(ListView):
    """The tasks that are exchanged with you."""

    serializer_class = outgoing.TaskDetail
    queryset = Task.objects.none()
    filterset_class = TaskFilters

    def rows(self) -> QuerySet[Task]:
        """Those of the caller."""
        list_changes()
        return reading.tasks_read_by(self.system)

    @reads(outgoing.TaskDetail, summary=_("Your tasks"), listed=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Tasks assigned to your groups, and those that hold your reference. `modified_since` is for polling:
        take the latest `modified_at` that you have seen."""
        return self.list(request)


class TaskPage(InboundView):
    """One task."""

    @reads(outgoing.TaskDetail, summary=_("One task"), one=True)
    def get(self, request: Request, number: str) -> Response:
        """The task with its ticket."""
        return Response(outgoing.TaskDetail(self.task(number), context={"view": self, "request": request}).data)


class Acknowledge(InboundView):
    """Your number for our task."""

    operation = "acknowledge"

    @takes(
        incoming.Acknowledgement,
        summary=_("Acknowledge a task"),
        example={"external_reference": "INC-4711", "message_id": "a4f1"},
        makes=False,
    )
    def post(self, request: Request, number: str) -> Response:
        """Tell us your number for the task. It is never replaced: another number is answered with 409."""
        return self.deliver(task_number=number)


class Updates(MessageView, ListView):
    """The conversation of a task."""

    operation = "update"
    serializer_class = outgoing.UpdateInfo
    queryset = Note.objects.none()

    def rows(self) -> QuerySet[Note]:
        """What the caller was sent, and what it wrote."""
        return reading.updates_read_by(self.task(self.kwargs["number"]), self.system)

    @reads(outgoing.UpdateInfo, summary=_("The messages of a task"), one=True, listed=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What you were sent and what you wrote, oldest first."""
        return self.list(request)

    @takes(
        incoming.Update,
        summary=_("Add a message to a task"),
        example={
            "text": "We are looking into it.",
            "visibility": "public",
            "author": "Nora Lind",
            "message_id": "a4f2",
        },
        makes=True,
        form=inline_serializer(
            "UpdateForm",
            {
                **{
                    name: serializers.CharField(required=False)
                    for name in ("text", "author", "message_id", "expected_resolution_at")
                },
                "visibility": serializers.ChoiceField(choices=Visibility.choices, required=False),
                "attachments": serializers.ListField(child=serializers.FileField(), required=False),
            },
        ),
    )
    def post(self, request: Request, number: str) -> Response:
        """A text, files, or the time at which you expect to be done; as JSON, or as a form with files."""
        return self.deliver(task_number=number)


class Reassign(InboundView):
    """Your work has ended."""

    operation = "reassign"

    @takes(
        incoming.Reassignment,
        summary=_("Give a task back"),
        example={
            "solution": "The toner was replaced.",
            "completion_code": "fulfilled",
            "status": "ready",
            "message_id": "a4f3",
        },
        makes=False,
    )
    def post(self, request: Request, number: str) -> Response:
        """Ready or closed with a solution, which is then reviewed; or rejected, with the reason as solution."""
        return self.deliver(task_number=number)


class Operations(InboundView):
    """What you did with the task, by its name."""

    operation = "operations"

    @takes(
        incoming.Operation,
        summary=_("Resolve, close, reopen, assign, reject or cancel a task"),
        example={"operation": "resolve", "solution": "The toner was replaced.", "message_id": "a4f6"},
        makes=False,
    )
    def post(self, request: Request, number: str) -> Response:
        """Accepted in every phase; a repetition changes nothing."""
        return self.deliver(task_number=number)


class Attachments(MessageView, ListView):
    """The files of a task."""

    operation = "attach"
    serializer_class = outgoing.AttachmentInfo
    queryset = Attachment.objects.none()

    def rows(self) -> QuerySet[Attachment]:
        """What the caller was sent, and what it sent."""
        return reading.files_read_by(self.task(self.kwargs["number"]), self.system)

    @reads(outgoing.AttachmentInfo, summary=_("The files of a task"), one=True, listed=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What you were sent and what you sent, oldest first."""
        return self.list(request)

    @takes(
        incoming.Files,
        summary=_("Add files to a task"),
        example={
            "attachments": [{"name": "printer.txt", "content_type": "text/plain", "content": "aGVsbG8="}],
            "message_id": "a4f4",
        },
        makes=True,
        form=inline_serializer(
            "FilesForm",
            {
                "attachments": serializers.ListField(child=serializers.FileField()),
                "visibility": serializers.ChoiceField(choices=Visibility.choices, required=False),
                "author": serializers.CharField(required=False),
                "message_id": serializers.CharField(required=False),
            },
        ),
    )
    def post(self, request: Request, number: str) -> Response:
        """As JSON with base64, or as a form with parts named `attachments`."""
        return self.deliver(task_number=number)


class WhateverIsAccepted(DefaultContentNegotiation):
    """A file is what it is."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        """Errors are JSON."""
        return renderers[0], renderers[0].media_type


class AttachmentFile(InboundView):
    """The content of a file."""

    content_negotiation_class = WhateverIsAccepted

    @reads(OpenApiTypes.BINARY, summary=_("The content of a file"), one=True, binary=True)
    @extend_schema(parameters=[OpenApiParameter("attachment_id", int, OpenApiParameter.PATH)])
    def get(self, request: Request, number: str, attachment_id: int) -> HttpResponseBase:
        """The bytes, always as a download of the type application/octet-stream."""
        files = reading.files_read_by(self.task(number), self.system)
        file = files.filter(pk=attachment_id).first() if attachment_id < 2**63 else None
        if file is None:
            raise NotFound(str(_("There is no such file on this task.")))
        response = FileResponse(file.file.open("rb"), as_attachment=True, filename=file.name)
        response["Content-Type"] = "application/octet-stream"
        return response
