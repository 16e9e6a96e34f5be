"""The desk's pages for reading: tickets, one ticket, files, the log of calls."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from integrations.simulator.forms import OutgoingForm
from integrations.simulator.models import Attachment, Call, DeskSettings, OutgoingMessage, Ticket
from integrations.simulator.recording import pretty

TICKETS_A_PAGE = 50
CALLS_A_PAGE = 25


@require_safe
def tickets(request: HttpRequest) -> HttpResponse:
    """All tickets, newest first; `?q=` searches numbers, references and titles, `?state=` one state."""
    found = Ticket.objects.annotate(
        note_count=Count("notes", distinct=True), file_count=Count("attachments", distinct=True)
    ).order_by("-id")
    words, state = request.GET.get("q", "").strip().replace("\x00", ""), request.GET.get("state", "")
    if words:
        found = found.filter(
            Q(number__icontains=words) | Q(caller_reference__icontains=words) | Q(title__icontains=words)
        )
    if state in Ticket.State.values:
        found = found.filter(state=state)
    page = Paginator(found, TICKETS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "q": words, "state": state, "states": Ticket.State.choices}
    return render(request, "simulator/tickets.html", context)


@require_safe
def ticket(request: HttpRequest, number: str) -> HttpResponse:
    """One ticket: its fields, notes, files, messages to the portal, calls, and the forms for sending."""
    return ticket_page(request, get_object_or_404(Ticket, number=number))


def ticket_page(
    request: HttpRequest, ticket: Ticket, *, wrong: OutgoingForm | None = None, status: int = 200
) -> HttpResponse:
    """The ticket's page; `wrong` replaces the form of its kind, to show what to correct."""
    usual = {"channel": DeskSettings.load().channel_for(ticket), "external_reference": ticket.number}
    forms = {kind: OutgoingForm.of_kind(kind, **usual) for kind in OutgoingMessage.Kind}
    if wrong is not None:
        forms[OutgoingMessage.Kind(wrong.data["kind"])] = wrong
    context = {
        "ticket": ticket,
        "notes": ticket.notes.all(),
        "attachments": ticket.attachments.defer("content"),
        "outgoing": ticket.outgoing.all(),
        "calls": _readable(list(ticket.calls.all()[:CALLS_A_PAGE])),
        "send_forms": [(kind, form, form is wrong) for kind, form in forms.items()],
    }
    return render(request, "simulator/ticket.html", context, status=status)


@require_safe
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """The file, always as a download: what strangers sent is never shown as a page of ours."""
    found = get_object_or_404(Attachment, pk=pk)
    response = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, found.name)
    return response


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The log of calls, newest first; `?direction=in|out`, `?problems=1` for those that went wrong."""
    found = Call.objects.select_related("ticket")
    direction, problems = request.GET.get("direction", ""), request.GET.get("problems", "")
    if direction in Call.Direction.values:
        found = found.filter(direction=direction)
    if problems:
        found = found.exclude(status__lt=400, fault="").filter(~Q(status=None, milliseconds=None))
    page = Paginator(found, CALLS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "calls": _readable(list(page)),
        "direction": direction,
        "directions": Call.Direction.choices,
        "problems": problems,
    }
    return render(request, "simulator/calls.html", context)


def _readable(calls: list[Call] | Page) -> list[dict[str, Any]]:
    return [
        {
            "call": call,
            "request": pretty(call.request_body),
            "response": pretty(call.response_body),
            "is_running": call.status is None and call.milliseconds is None,
            "is_bad": call.status is None or call.status >= 400 or bool(call.fault),
        }
        for call in calls
    ]
