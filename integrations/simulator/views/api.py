"""The desk over REST."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.simulator import desk
from integrations.simulator.authentication import begin_session, is_known, password_is_right
from integrations.simulator.desk import Refused
from integrations.simulator.intake import Work, receive

View = Callable[..., HttpResponse]
# Of pages, and of what one page holds.
MOST = 10_000


class RestForm:
    """Problems as JSON."""

    protocol = "REST"

    def problem(
        self, *, status: int, code: str, message: str, fields: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        """`{"error": {"code", "message", "fields"}}` with that status."""
        error: dict[str, Any] = {"code": code, "message": message}
        if fields:
            error["fields"] = fields
        return JsonResponse({"error": error}, status=status)

    def error_in_success(self, *, operation: str, message: str) -> HttpResponse:
        """Status 200 although nothing was done."""
        return JsonResponse({"success": False, "error": {"code": "failed", "message": message}})


FORM = RestForm()


class MethodNotAllowed(Refused):
    """A method that this address does not have."""

    status = 405
    code = "method_not_allowed"


@csrf_exempt
def tickets(request: HttpRequest) -> HttpResponse:
    """`POST` takes a ticket; `GET ?caller_reference=&modified_since=&page=&size=` finds tickets."""
    if request.method == "POST":
        return _receive(request, "create", lambda: _create(request))
    return _receive(request, "find", lambda: _find(request), method="GET")


@csrf_exempt
def ticket(request: HttpRequest, number: str) -> HttpResponse:
    """`GET` shows a ticket, `PATCH` changes title, description, priority or state."""
    if request.method == "PATCH":
        return _receive(request, "update", lambda: _change(request, number, desk.update_ticket))
    return _receive(request, "get", lambda: _show(number), method="GET")


@csrf_exempt
def notes(request: HttpRequest, number: str) -> HttpResponse:
    """`POST` adds a note; `GET ?message_id=` finds notes."""
    if request.method == "POST":
        return _receive(request, "note", lambda: _add_note(request, number))
    return _receive(request, "list_notes", lambda: _list(request, number, "notes"), method="GET")


@csrf_exempt
def attachments(request: HttpRequest, number: str) -> HttpResponse:
    """`POST` adds a file, as JSON with base64 or as multipart; `GET ?message_id=` finds files."""
    if request.method == "POST":
        return _receive(request, "attachment", lambda: _attach(request, number))
    return _receive(request, "list_attachments", lambda: _list(request, number, "attachments"), method="GET")


@csrf_exempt
def close(request: HttpRequest, number: str) -> HttpResponse:
    """Close the ticket: {reason, solution, completion_code}, all optional."""
    return _receive(request, "close", lambda: _change(request, number, desk.close_ticket), method="POST")


@csrf_exempt
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    """Open the ticket again: {reason}, optional."""
    return _receive(request, "reopen", lambda: _change(request, number, desk.reopen_ticket), method="POST")


@csrf_exempt
def login(request: HttpRequest) -> HttpResponse:
    """`POST {user, password}` gives `{"session": ...}`, to be sent as the header X-Session."""
    return _receive(request, "login", lambda: _login(request), method="POST", known=True)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object. Raises `Refused`."""
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as problem:
        raise Refused(_("The body is not JSON: %(problem)s") % {"problem": problem}) from problem
    if not isinstance(data, dict):
        raise Refused(_("The body must be a JSON object."))
    return data


def _receive(
    request: HttpRequest, operation: str, work: Callable[[], Work], *, method: str = "", known: bool = False
) -> HttpResponse:
    def checked() -> Work:
        if method and request.method != method:
            raise MethodNotAllowed(_("Use %(method)s here.") % {"method": method})
        return work()

    known = known or is_known(request)
    return receive(request, operation=operation, form=FORM, known=known, work=checked)


def _create(request: HttpRequest) -> Work:
    later = request.GET.get("reference") == "later"
    ticket = desk.create_ticket(json_object(request), reference_later=later)
    return Work(JsonResponse(ticket.as_json(), status=202 if ticket.number_withheld else 201), ticket)


def _find(request: HttpRequest) -> Work:
    since = request.GET.get("modified_since", "")
    try:
        moment = parse_datetime(since)
    except ValueError:
        moment = None
    if since and (moment is None or moment.tzinfo is None):
        raise Refused.because_of({"modified_since": [_("Write a time with its zone: 2026-01-31T09:30:00Z.")]})
    found = desk.find_tickets(caller_reference=request.GET.get("caller_reference"), modified_since=moment)
    shown = [ticket.as_json() for ticket in page_of(found, request)]
    return Work(JsonResponse({"count": len(found), "tickets": shown}))


def page_of(found: list[Any], request: HttpRequest) -> list[Any]:
    """The page that was asked for, from 1; all of them without a size. Raises `Refused`."""
    numbers = {name: request.GET.get(name, "") for name in ("page", "size")}
    for name, text in numbers.items():
        if text and not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST):
            raise Refused.because_of({name: [_("A whole number from 1 to %(most)d.") % {"most": MOST}]})
    if not numbers["size"]:
        return found
    size = int(numbers["size"])
    start = (int(numbers["page"] or 1) - 1) * size
    return found[start : start + size]


def _show(number: str) -> Work:
    ticket = desk.ticket_by_number(number)
    return Work(JsonResponse(ticket.as_json()), ticket)


def _change(
    request: HttpRequest, number: str, action: Callable[[desk.Ticket, Mapping[str, Any]], desk.Ticket]
) -> Work:
    ticket = action(desk.ticket_by_number(number), json_object(request))
    return Work(JsonResponse(ticket.as_json()), ticket)


def _add_note(request: HttpRequest, number: str) -> Work:
    ticket = desk.ticket_by_number(number)
    note = desk.add_note(ticket, json_object(request))
    return Work(JsonResponse(note.as_json(), status=201), ticket)


def _attach(request: HttpRequest, number: str) -> Work:
    ticket = desk.ticket_by_number(number)
    if request.content_type == "multipart/form-data":
        try:
            upload = request.FILES.get("file")
        except (MultiPartParserError, UnicodeError) as problem:
            raise Refused(_("The body is not multipart: %(problem)s") % {"problem": problem}) from problem
        if upload is None:
            raise Refused(_("Send the file in the field named file."), {"file": [_("Missing.")]})
        data = {"name": upload.name, "content_type": upload.content_type, **request.POST.dict()}
        content = upload.read()
    else:
        data = json_object(request)
        content = decoded(data.get("content"))
    attachment = desk.add_attachment(ticket, data, content)
    return Work(JsonResponse(attachment.as_json(), status=201), ticket)


def decoded(content: object) -> bytes:
    """The bytes of a base64 text; white space in it is allowed. Raises `Refused`."""
    if not isinstance(content, str):
        raise Refused(_("content is missing."), {"content": [_("Write the file as base64.")]})
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Refused(_("content is not base64."), {"content": [str(problem)]}) from problem


def _list(request: HttpRequest, number: str, what: str) -> Work:
    ticket = desk.ticket_by_number(number)
    find = desk.find_notes if what == "notes" else desk.find_attachments
    found = find(ticket, message_id=request.GET.get("message_id"))
    shown = [one.as_json() for one in page_of(found, request)]
    return Work(JsonResponse({"count": len(found), what: shown}), ticket)


def _login(request: HttpRequest) -> Work:
    data = json_object(request)
    if not password_is_right(str(data.get("user")), str(data.get("password"))):
        raise WrongPassword(_("User or password is wrong."))
    return Work(JsonResponse({"session": begin_session()}))


class WrongPassword(Refused):
    """A login that failed."""

    status = 401
    code = "unauthenticated"
