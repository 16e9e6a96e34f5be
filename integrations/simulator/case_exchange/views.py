"""Case Exchange as this desk serves it: sign-in, entities in, our feed out, and the file list."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.simulator.authentication import (
    SESSION_LIFETIME,
    begin_session,
    is_known,
    password_is_right,
    session_is_right,
)
from integrations.simulator.case_exchange import entity, files, messages, service
from integrations.simulator.case_exchange.form import FORM, meta, receipt
from integrations.simulator.desk import NotFound, Refused
from integrations.simulator.intake import Work, receive
from integrations.simulator.models import DeskSettings, FeedEntry
from integrations.simulator.views.api import MethodNotAllowed, WrongPassword, json_object

# The name of this desk in its own addresses.
TENANT = "practice"
SESSION_COOKIE, TENANT_COOKIE = "LWSSO_COOKIE_KEY", "TENANTID"
LARGEST_PAGE = 200
FEED_PARAMETERS = ("type", "system", "time", "skip", "size", "layout")


@csrf_exempt
def sign_in(request: HttpRequest) -> HttpResponse:
    """`POST {login, password}`: the session's token, as text and as cookie, valid for an hour."""
    return _receive(request, "login", {"POST": lambda: _signed_in(request)}, known=True)


@csrf_exempt
def ces(request: HttpRequest, tenant: str) -> HttpResponse:
    """`POST` brings an entity; `GET` lists what changed here, as `feed` says."""
    operation = "feed" if request.method == "GET" else _operation(request)
    work = {"GET": lambda: _feed(request.GET), "POST": lambda: _bring(request)}
    return _receive(request, operation, work, tenant=tenant)


@csrf_exempt
def file_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """`POST` keeps the body as a file."""
    return _receive(request, "upload", {"POST": lambda: files.upload(request)}, tenant=tenant)


@csrf_exempt
def listed_file(request: HttpRequest, tenant: str, guid: str) -> HttpResponse:
    """`GET` gives the file."""
    return _receive(request, "download", {"GET": lambda: files.download(guid)}, tenant=tenant)


def _receive(
    request: HttpRequest,
    operation: str,
    work: Mapping[str, Callable[[], Work]],
    *,
    tenant: str = TENANT,
    known: bool = False,
) -> HttpResponse:
    def checked() -> Work:
        if tenant != TENANT:
            raise NotFound(_("There is no tenant %(name)s.") % {"name": tenant})
        if (do := work.get(request.method or "")) is None:
            raise MethodNotAllowed(_("Use %(method)s here.") % {"method": ", ".join(work)})
        return do()

    known = known or is_known(request) or _is_signed_in(request)
    return receive(request, operation=operation, form=FORM, known=known, work=checked)


def _is_signed_in(request: HttpRequest) -> bool:
    tenant = request.COOKIES.get(TENANT_COOKIE, TENANT)
    return tenant == TENANT and session_is_right(request.COOKIES.get(SESSION_COOKIE, ""))


def _signed_in(request: HttpRequest) -> Work:
    data = json_object(request)
    if not password_is_right(str(data.get("login")), str(data.get("password"))):
        raise WrongPassword(_("Login or password is wrong."))
    token = begin_session()
    response = HttpResponse(token, content_type="text/plain; charset=utf-8")
    tenant = request.GET.get(TENANT_COOKIE, "")
    for name, value in ((SESSION_COOKIE, token), (TENANT_COOKIE, tenant)):
        if value:
            response.set_cookie(name, value, max_age=SESSION_LIFETIME, httponly=True, samesite="Strict")
    return Work(response)


def _operation(request: HttpRequest) -> str:
    """The operation, for the log and the faults, of a request that may be anything: what is wrong, the work says."""
    try:
        return entity.read(_only_entity(request)).operation.lower()
    except (Refused, RequestDataTooBig):
        return "unknown"


def _bring(request: HttpRequest) -> Work:
    data = _only_entity(request)
    read = entity.read(data)
    ticket, new = service.perform(read, files.named(read.files))
    return Work(receipt(ticket, data["ext_properties"], new=new), ticket)


def _only_entity(request: HttpRequest) -> dict[str, Any]:
    entities = json_object(request).get("entities")
    if not isinstance(entities, list) or len(entities) != 1:
        raise Refused.because_of({"entities": [_("Send exactly one entity.")]})
    only: dict[str, Any] = entities[0]
    return only


def _feed(query: Mapping[str, str]) -> Work:
    """Our changes after `time` (ms; 0 is all), oldest first, with how many there are in all."""
    if unknown := [name for name in query if name not in FEED_PARAMETERS]:
        raise Refused.because_of({name: [_("There is no such parameter.")] for name in unknown})
    if query.get("type") != entity.ENTITY_TYPE:
        raise Refused.because_of({"type": [_("Only %(type)s is exchanged here.") % {"type": entity.ENTITY_TYPE}]})
    if not query.get("system"):
        raise Refused.because_of({"system": [_("Say who you are.")]})
    after, skip, size = _number(query, "time", 0), _number(query, "skip", 0), _number(query, "size", 50)
    if not 1 <= size <= LARGEST_PAGE:
        raise Refused.because_of({"size": [_("From 1 to %(most)d.") % {"most": LARGEST_PAGE}]})
    found = FeedEntry.objects.filter(listed_at__gt=after).select_related("message__ticket")
    user = DeskSettings.load().case_exchange_user
    entities = [messages.listed(entry, user) for entry in found[skip : skip + size]]
    if layout := [name for name in query.get("layout", "").split(",") if name]:
        for one in entities:
            one["properties"] = {name: value for name, value in one["properties"].items() if name in layout}
    return Work(JsonResponse({"entities": entities, "meta": meta(found.count(), query_time=after)}))


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    value = query.get(name, "")
    if value and not (value.isascii() and value.isdecimal() and len(value) <= 15):
        raise Refused.because_of({name: [_("Write a whole number.")]})
    return int(value) if value else usual
