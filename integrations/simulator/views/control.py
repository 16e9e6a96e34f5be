"""For tests and scripts: the faults, the settings, everything in the desk, and starting afresh.

These calls are neither recorded nor touched by faults.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.simulator import faults
from integrations.simulator.authentication import is_known
from integrations.simulator.case_exchange.pulling import PullFailed, pull
from integrations.simulator.desk import Refused
from integrations.simulator.forms import OutgoingForm
from integrations.simulator.models import (
    Call,
    DeskSettings,
    Fault,
    FeedPosition,
    ListedFile,
    OutgoingMessage,
    Session,
    StoredAnswer,
    Ticket,
)
from integrations.simulator.sending import release_held, send
from integrations.simulator.views.api import FORM, json_object

SETTINGS_OF_A_FAULT = {"count", "seconds", "batch", "operation"}


def control(*methods: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """An address for known callers only, with these methods; problems are answered as JSON."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest) -> HttpResponse:
            if not is_known(request):
                return FORM.problem(status=401, code="unauthenticated", message=_("Give valid credentials."))
            if request.method not in methods:
                message = _("Use %(methods)s here.") % {"methods": ", ".join(methods)}
                return FORM.problem(status=405, code="method_not_allowed", message=message)
            try:
                return view(request)
            except Refused as problem:
                return FORM.problem(status=problem.status, code=problem.code, message=problem.message)
            except faults.UnknownFault as problem:
                return FORM.problem(status=400, code="invalid", message=str(problem))

        return checked

    return decorate


@control("GET", "PUT", "PATCH")
def fault_settings(request: HttpRequest) -> HttpResponse:
    """`PUT {kind: {count, seconds, batch, operation}}` sets these and switches all others off; `PATCH` only sets."""
    if request.method == "GET":
        return JsonResponse({"faults": faults.as_json()})
    with transaction.atomic():
        if request.method == "PUT":
            Fault.objects.update(remaining=0)
        for kind, setting in json_object(request).items():
            if not isinstance(setting, dict) or not setting.keys() <= SETTINGS_OF_A_FAULT:
                raise Refused(_("Each fault is an object with count and perhaps seconds, batch, operation."))
            faults.set_fault(kind=kind, **{"count": 1, **setting})
    return JsonResponse({"faults": faults.as_json()})


@control("GET", "PATCH")
def settings(request: HttpRequest) -> HttpResponse:
    """The settings page as JSON; the API key can be set and is not shown."""
    present = DeskSettings.load()
    names = [field.name for field in DeskSettings._meta.fields if field.name != "id"]
    for name, value in json_object(request).items() if request.method == "PATCH" else ():
        if name not in names:
            message = _("There is no setting %(name)s. There are: %(names)s.")
            raise Refused(message % {"name": name, "names": ", ".join(names)})
        setattr(present, name, value)
    try:
        present.full_clean()
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from problem
    present.save()
    return JsonResponse({name: getattr(present, name) for name in names if not name.endswith("_key")})


@control("GET")
def state(request: HttpRequest) -> HttpResponse:
    """Everything in the desk, in order of arrival, whatever search shows; numbers even while withheld."""
    return JsonResponse({"tickets": [_everything(ticket) for ticket in Ticket.objects.order_by("id")]})


@control("GET")
def calls(request: HttpRequest) -> HttpResponse:
    """The log of calls, oldest first; `?direction=in|out`, `?operation=`, `?ticket=<number>`."""
    found = Call.objects.select_related("ticket").order_by("id")
    for name, column in (("direction", "direction"), ("operation", "operation"), ("ticket", "ticket__number")):
        if value := request.GET.get(name):
            found = found.filter(**{column: value})
    return JsonResponse({"calls": [call.as_json() for call in found]})


@control("POST")
def outgoing(request: HttpRequest) -> HttpResponse:
    """Send to the portal: `{ticket, kind, channel, ...}` with the fields of `forms.OutgoingForm`; the result."""
    data = json_object(request)
    ticket = Ticket.objects.filter(number=str(data.get("ticket"))).first()
    if ticket is None:
        raise Refused(_("There is no such ticket."))
    form = OutgoingForm({"channel": DeskSettings.load().channel_for(ticket), **data})
    files = data.get("attachments", [])
    if not form.is_valid():
        raise Refused(form.errors.as_json())
    if not all(isinstance(file, dict) and set(file) == {"name", "content_type", "content"} for file in files):
        raise Refused(_("Each of attachments has name, content_type and content (base64)."))
    payload = form.payload(ticket)
    if files:
        payload["attachments"] = files
    message = send(
        ticket=ticket,
        kind=form.cleaned_data["kind"],
        channel=form.cleaned_data["channel"],
        payload=payload,
        message_id=form.cleaned_data["message_id"],
    )
    return JsonResponse(message.as_json(), status=201)


@control("POST")
def fetch(request: HttpRequest) -> HttpResponse:
    """Fetch the portal's feed now: how many entries were applied."""
    try:
        return JsonResponse({"applied": pull()})
    except PullFailed as problem:
        return FORM.problem(status=502, code="not_fetched", message=str(problem))


@control("POST")
def release(request: HttpRequest) -> HttpResponse:
    """Deliver what "send out of order" holds back, the last one first."""
    return JsonResponse({"released": release_held()})


@control("POST")
def reset(request: HttpRequest) -> HttpResponse:
    """Forget all tickets, calls, sessions and faults; the settings stay."""
    with transaction.atomic():
        _forget_everything()
    return JsonResponse({"reset": True})


def _forget_everything() -> None:
    for model in (Call, StoredAnswer, OutgoingMessage, Ticket, Session, Fault, ListedFile, FeedPosition):
        model.objects.all().delete()


def _everything(ticket: Ticket) -> dict[str, Any]:
    return {
        **ticket.as_json(),
        "number": ticket.number,
        "number_withheld": ticket.number_withheld,
        "acknowledged_at": ticket.acknowledged_at.isoformat() if ticket.acknowledged_at else None,
        "notes": [note.as_json() for note in ticket.notes.all()],
        "attachments": [attachment.as_json() for attachment in ticket.attachments.defer("content")],
        "outgoing": [message.as_json() for message in ticket.outgoing.order_by("id")],
    }
