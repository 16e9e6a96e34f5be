"""Signing in, messages by POST, and the feed by GET."""

import io
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from integrations import feed
from integrations.inbound import dedupe, intake
from integrations.inbound.bodies import read_body
from integrations.inbound.case_exchange import entities, mapping, query, session
from integrations.inbound.case_exchange.base import Endpoint, MethodNotAllowed, succeeded
from integrations.inbound.messages import Receipt
from integrations.inbound.problems import Invalid, Malformed, Refused, Unauthenticated
from integrations.inbound.rest.parsers import JsonBody
from integrations.models import FeedEntry
from integrations.redaction import REMOVED
from tickets.models import Task


class SignIn(Endpoint):
    """User and password for a session. What was refused is in the log, with the user alone."""

    operation = "sign_in"
    login = ""

    def handle(self, request: HttpRequest, **names: str) -> HttpResponse:
        """The token as text, and as a cookie."""
        if request.method != "POST":
            raise MethodNotAllowed(_("Sign in by POST."), headers={"Allow": "POST"})
        tenant = request.GET.get(session.TENANT_COOKIE, "")
        given = _json(read_body(request), request)
        login, password = given.get("login"), given.get("password")
        if isinstance(login, str):
            self.login = login
        if not isinstance(login, str) or not isinstance(password, str):
            raise Invalid(_('Sign in with {"login": "<your system\'s code>", "password": "<your key>"}.'))
        token = session.sign_in(login, password)
        if tenant not in ("", settings.CASE_EXCHANGE_TENANT):
            raise Unauthenticated(_("This user belongs to another tenant."))
        response = HttpResponse(token, content_type="text/plain; charset=utf-8")
        session.set_cookies(response, token, tenant=tenant)
        return response

    def shown_body(self, request: HttpRequest) -> str:
        """Never what was sent: it may hold the password in a form that nobody knows as one."""
        return json.dumps({"login": self.login, "password": REMOVED}, ensure_ascii=False) if self.login else ""


class Exchange(Endpoint):
    """`/ces`: an operation from the caller, or what there is for it."""

    data: Any = None

    def operation_of(self, request: HttpRequest) -> str:
        """The operation that the entity names; unknown for strangers, whose bodies are not looked at."""
        if self.system is not None and self.body:
            try:
                self.data = _json(self.body, request)
            except Refused:
                return ""
        return mapping.operation_in(self.data)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Let the entity have its effect, once."""
        assert self.call is not None  # noqa: S101 - `handle` recorded it, this is a POST
        layout = query.of_message(request.GET).layout
        data = self.data if self.data is not None else _json(self.body, request)
        key = dedupe.idempotency_key(request.headers)
        message = mapping.message_of(data, system=self.caller)
        receipt = intake.deliver(self.call, message, idempotency_key=key)
        status = 201 if receipt.changed and receipt.operation == "create" else 200
        response = succeeded([self.answer(data, receipt, layout)], status=status)
        if self.call.repeated:
            response["Idempotency-Replayed"] = "true"
        return response

    def answer(self, data: Any, receipt: Receipt, layout: tuple[str, ...]) -> dict[str, Any]:
        """The entity of a message that was accepted."""
        task = Task.objects.select_related("ticket").get(number=receipt.task)
        return {
            "entity": {
                "entity_type": entities.ENTITY_TYPE,
                "properties": entities.laid_out(entities.of_task(task), layout),
                "ext_properties": data["entities"][0]["ext_properties"],
            },
            "completion_status": "OK",
            "message": receipt.message,
            "changed": receipt.changed,
        }

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The feed from a time on, oldest first."""
        asked = query.of_poll(request.GET, system=self.caller)
        entries = feed.entries_after(self.caller, asked.time)
        total = entries.count()
        page = list(entries[asked.skip : asked.skip + asked.size])
        if request.method == "GET":
            feed.fetched(page, system=self.caller, url=request.build_absolute_uri())
        found = [_listed(entry, asked.layout) for entry in page]
        last = page[-1].listed_at if page else asked.time
        return succeeded(found, total_count=total, query_time=last)


def _listed(entry: FeedEntry, layout: tuple[str, ...]) -> dict[str, Any]:
    properties = {**entry.content["properties"], "LastUpdateTime": entry.listed_at}
    return {**entry.content, "properties": entities.laid_out(properties, layout)}


def _json(body: bytes, request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a body, in the caller's character set. Raises `Malformed`."""
    data = JsonBody().parse(io.BytesIO(body), request.headers.get("Content-Type", ""))
    if not isinstance(data, dict):
        raise Malformed(_("The body must be a JSON object."))
    return data
