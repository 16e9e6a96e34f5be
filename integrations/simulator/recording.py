"""The log of calls: what is kept of a request and an answer, with credentials removed."""

import json
import re
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from integrations.simulator.models import Call, Ticket

REMOVED = "(removed)"
SECRET_HEADERS = {"authorization", "x-api-key", "x-session", "cookie", "set-cookie"}
# Longer bodies are cut in the log; the desk's own data keeps everything.
LONGEST_BODY = 200_000
_SECRET_IN_XML = re.compile(r"(<(?:[\w.-]+:)?Password\b[^>]*>).*?(</)", re.DOTALL)
_SECRET_IN_JSON = re.compile(r'("(?:password|session)"\s*:\s*)"(?:[^"\\]|\\.)*"')


def readable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the values of credentials removed."""
    return {name: REMOVED if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def readable_body(body: bytes | str) -> str:
    """A body as text with passwords removed, cut when it is very long."""
    text = body if isinstance(body, str) else body.decode("utf-8", errors="replace")
    text = text.replace("\x00", "\ufffd")
    text = _SECRET_IN_XML.sub(rf"\1{REMOVED}\2", text)
    text = _SECRET_IN_JSON.sub(rf'\1"{REMOVED}"', text)
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]} … ({len(text)} characters)"


def record_received(request: HttpRequest, *, protocol: str, operation: str) -> Call:
    """Write the call down before anything is done with it."""
    return Call.objects.create(
        direction=Call.Direction.IN,
        protocol=protocol,
        operation=operation,
        method=request.method or "",
        address=request.get_full_path()[:2000],
        request_headers=readable_headers(request.headers),
        request_body=readable_body(request.body),
    )


def record_answer(
    call: Call, *, response: HttpResponse | None, ticket: Ticket | None, fault: str, milliseconds: int
) -> None:
    """Complete a received call; `response` is None when the connection is closed without an answer."""
    answered = {}
    if response is not None:
        # Case Exchange answers a sign-in with nothing but the session's token.
        is_token = call.operation == "login" and response["Content-Type"].startswith("text/plain")
        answered = {
            "status": response.status_code,
            "response_headers": readable_headers(response.headers),
            "response_body": REMOVED if is_token else readable_body(response.content),
        }
    Call.objects.filter(pk=call.pk).update(ticket=ticket, fault=fault, milliseconds=milliseconds, **answered)


def pretty(body: str) -> str:
    """A JSON body with line breaks; anything else as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
