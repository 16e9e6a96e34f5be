"""The portal's Case Exchange interface, as its partners know it."""

import base64
import re
from typing import Any
from urllib.parse import quote

import requests
from django.utils.translation import gettext as _

from integrations.simulator.calling import call_portal
from integrations.simulator.case_exchange.messages import OPERATIONS, brought
from integrations.simulator.models import Call, Channel, DeskSettings, OutgoingMessage, Ticket

SIGN_IN = "/auth/authentication-endpoint/authenticate/login"
PAGE = 50
# What can stand in a cookie.
_TOKEN = re.compile(r"[!#-+\--:<-\[\]-~]+")
# Session tokens of this process, by address, user and key.
_tokens: dict[tuple[str, str, str], str] = {}


class Portal:
    """The portal, signed in where it is needed; a session that has ended is replaced once."""

    def __init__(self, settings: DeskSettings) -> None:
        self.user, self.key = settings.case_exchange_user, settings.case_exchange_key
        self.tenant = quote(settings.case_exchange_tenant, safe="")
        self.address = settings.portal_url.rstrip("/")

    def bring(self, message: OutgoingMessage) -> tuple[int | None, str]:
        """Upload the message's files, each once, and bring the message.

        Status and answer of the call that decided what came of it; no status and the reason when nothing did.
        """
        for file in message.payload.get("attachments", []):
            if "guid" not in file:
                call, answer = self._upload(file, message.ticket)
                if answer is None or answer.status_code >= 300:
                    return _outcome(call)
                try:
                    file["guid"] = str(answer.json()["guid"])
                except (KeyError, TypeError, ValueError):
                    return None, _("The portal took a file and did not say under which id: %(answer)s") % {
                        "answer": call.response_body[:300]
                    }
                message.save(update_fields=["payload"])
        entity = brought(message, self.user)
        call, _answer = self._send(
            "POST",
            "/ces",
            operation=OPERATIONS[message.kind].lower(),
            ticket=message.ticket,
            json={"entities": [entity]},
            headers={"Idempotency-Key": message.message_id},
        )
        return _outcome(call)

    def feed(self, after: int) -> tuple[Call, requests.Response | None]:
        """The next page of what the portal has for us after that time (ms)."""
        query = {"type": "Incident", "system": self.user, "time": after, "skip": 0, "size": PAGE}
        return self._send("GET", "/ces", operation="feed", params=query)

    def download(self, guid: str, ticket: Ticket | None) -> tuple[Call, requests.Response | None]:
        """The content of a file that the feed named."""
        return self._send("GET", f"/frs/file-list/{quote(guid, safe='')}", operation="download", ticket=ticket)

    def _upload(self, file: dict[str, Any], ticket: Ticket) -> tuple[Call, requests.Response | None]:
        content = base64.b64decode(file["content"])
        file["size"] = len(content)
        headers = {"fs_filename": quote(file["name"]), "Content-Type": file["content_type"]}
        return self._send("POST", "/frs/file-list", operation="upload", ticket=ticket, data=content, headers=headers)

    def _send(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        ticket: Ticket | None = None,
        headers: dict[str, str] | None = None,
        **content: Any,
    ) -> tuple[Call, requests.Response | None]:
        known = (self.address, self.user, self.key)
        fresh = known not in _tokens
        if fresh:
            call, answer = self._sign_in(ticket)
            if answer is None or answer.status_code != 200:
                return call, None
            if not _TOKEN.fullmatch(answer.text):
                call.status, call.problem = (
                    None,
                    _("The portal answered the sign-in with something that is no token."),
                )
                call.save()
                return call, None
            _tokens[known] = answer.text
        cookie = f"LWSSO_COOKIE_KEY={_tokens[known]}; TENANTID={self.tenant}"
        address = f"{self.address}/rest/{self.tenant}{path}"
        request = requests.Request(
            method, address, headers={**(headers or {}), "Cookie": cookie}, **content
        ).prepare()
        call, answer = self._call(request, operation, ticket)
        if answer is not None and answer.status_code == 401:
            _tokens.pop(known, None)
            if not fresh:
                return self._send(method, path, operation=operation, ticket=ticket, headers=headers, **content)
        return call, answer

    def _sign_in(self, ticket: Ticket | None) -> tuple[Call, requests.Response | None]:
        address = f"{self.address}{SIGN_IN}?TENANTID={self.tenant}"
        request = requests.Request("POST", address, json={"login": self.user, "password": self.key}).prepare()
        return self._call(request, "login", ticket, hide_answer=True)

    def _call(
        self, request: requests.PreparedRequest, operation: str, ticket: Ticket | None, *, hide_answer: bool = False
    ) -> tuple[Call, requests.Response | None]:
        protocol = str(Channel.CASE_EXCHANGE.label)
        return call_portal(request, protocol=protocol, operation=operation, ticket=ticket, hide_answer=hide_answer)


def _outcome(call: Call) -> tuple[int | None, str]:
    return call.status, call.response_body or call.problem
