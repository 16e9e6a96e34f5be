"""One call of the portal: written down before it is made, and completed with what came back."""

import time

import requests

from integrations.simulator.models import Call, Ticket
from integrations.simulator.recording import REMOVED, readable_body, readable_headers

# Seconds for connecting, and between bytes.
TIMEOUT = 20


def call_portal(
    request: requests.PreparedRequest,
    *,
    protocol: str,
    operation: str,
    ticket: Ticket | None,
    hide_answer: bool = False,
) -> tuple[Call, requests.Response | None]:
    """Send it, following no redirect; the entry in the log of calls, and the answer if there was one.

    `hide_answer` is for a sign-in, whose answer is a credential.
    """
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    call = Call.objects.create(
        direction=Call.Direction.OUT,
        ticket=ticket,
        protocol=protocol,
        operation=operation,
        method=request.method or "",
        address=request.url or "",
        request_headers=readable_headers(request.headers),
        request_body=readable_body(body),
    )
    started = time.monotonic()
    response = None
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.send(request, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as problem:
        call.problem = str(problem)[:500]
    else:
        call.status = response.status_code
        call.response_headers = readable_headers(response.headers)
        call.response_body = REMOVED if hide_answer and response.ok else readable_body(response.content)
    call.milliseconds = round((time.monotonic() - started) * 1000)
    call.save()
    return call, response
