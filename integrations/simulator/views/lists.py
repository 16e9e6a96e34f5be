"""What a caller asks for before it gives us a ticket: our values, and the people whom we know, by their tickets."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.simulator import desk
from integrations.simulator.authentication import is_known
from integrations.simulator.desk import NotFound, Refused
from integrations.simulator.intake import Work, receive
from integrations.simulator.models import Ticket
from integrations.simulator.views.api import FORM, MethodNotAllowed, json_object, page_of


@csrf_exempt
def priorities(request: HttpRequest) -> HttpResponse:
    """`GET` lists the priorities: {code, name}."""
    return _received(request, "priorities", {"GET": lambda: _values("priorities", Ticket.Priority.choices)})


@csrf_exempt
def states(request: HttpRequest) -> HttpResponse:
    """`GET` lists the states of a ticket: {code, name}."""
    return _received(request, "states", {"GET": lambda: _values("states", Ticket.State.choices)})


@csrf_exempt
def contacts(request: HttpRequest) -> HttpResponse:
    """`GET ?email=` finds people, `POST {name, email}` makes one known. Their e-mail address is their id."""
    return _received(request, "contacts", {"GET": lambda: _find(request), "POST": lambda: _add(request)})


@csrf_exempt
def contact(request: HttpRequest, email: str) -> HttpResponse:
    """`PATCH {name, email}` changes a person on all tickets, `DELETE` takes them off."""
    work = {"PATCH": lambda: _change(request, email), "DELETE": lambda: _remove(email)}
    return _received(request, "contact", work)


@csrf_exempt
def content(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """`GET` gives a file of a ticket."""
    return _received(request, "download", {"GET": lambda: _content(number, pk)})


def _received(request: HttpRequest, operation: str, work: dict[str, Callable[[], Work]]) -> HttpResponse:
    def checked() -> Work:
        if (do := work.get(request.method or "")) is None:
            raise MethodNotAllowed(_("Use %(method)s here.") % {"method": ", ".join(work)})
        return do()

    return receive(request, operation=operation, form=FORM, known=is_known(request), work=checked)


def _values(what: str, choices: list[tuple[str, Any]]) -> Work:
    return Work(JsonResponse({what: [{"code": code, "name": str(name)} for code, name in choices]}))


def _find(request: HttpRequest) -> Work:
    tickets = Ticket.objects.exclude(contact_email="").order_by("id")
    if email := request.GET.get("email"):
        tickets = tickets.filter(contact_email__iexact=email)
    # The newest ticket of a person has the name that counts.
    people = {row.contact_email.lower(): _as_json(row.contact_name, row.contact_email) for row in tickets}
    return Work(JsonResponse({"count": len(people), "contacts": page_of(list(people.values()), request)}))


def _add(request: HttpRequest) -> Work:
    data = json_object(request)
    return Work(JsonResponse(_as_json(data.get("name"), _email_in(data)), status=201))


def _change(request: HttpRequest, email: str) -> Work:
    data = json_object(request)
    new = _email_in({"email": email, **data})
    name = str(data.get("name") or "")[:200]
    for ticket in Ticket.objects.filter(contact_email__iexact=email):
        ticket.contact_name, ticket.contact_email = name or ticket.contact_name, new
        ticket.save()
    return Work(JsonResponse(_as_json(name, new)))


def _remove(email: str) -> Work:
    if not Ticket.objects.filter(contact_email__iexact=email).update(contact_name="", contact_email=""):
        raise NotFound(_("Nobody has the address %(email)s.") % {"email": email})
    return Work(HttpResponse(status=204))


def _content(number: str, pk: int) -> Work:
    ticket = desk.ticket_by_number(number)
    file = ticket.attachments.filter(pk=pk).first()
    if file is None:
        raise NotFound(_("This ticket has no such file."))
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    return Work(response, ticket)


def _email_in(data: dict[str, Any]) -> str:
    email = data.get("email")
    if not isinstance(email, str) or "@" not in email or len(email) > 254:
        raise Refused.because_of({"email": [_("An e-mail address is needed.")]})
    return email


def _as_json(name: object, email: str) -> dict[str, str]:
    return {"id": email, "name": str(name or ""), "email": email}
