"""The way of every received call: recorded, known, perhaps faulty, done once, answered."""

import hashlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrations.simulator import faults
from integrations.simulator.desk import Refused
from integrations.simulator.models import StoredAnswer, Ticket
from integrations.simulator.recording import record_answer, record_received


@dataclass(frozen=True)
class Work:
    """What an operation did: the answer, and the ticket that it was about."""

    response: HttpResponse
    ticket: Ticket | None = None


class Form(Protocol):
    """How one protocol writes what is not a success."""

    protocol: str

    def problem(
        self, *, status: int, code: str, message: str, fields: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        """The answer to a request that was not done."""

    def error_in_success(self, *, operation: str, message: str) -> HttpResponse:
        """An answer with status 200 that carries an error."""


def receive(
    request: HttpRequest, *, operation: str, form: Form, known: bool, work: Callable[[], Work]
) -> HttpResponse:
    """Take one call. `work` runs in one transaction, together with the answer stored for its repetition."""
    started = time.monotonic()
    try:
        request.body  # noqa: B018 - reading it is what may fail
    except RequestDataTooBig:
        return form.problem(status=413, code="too_large", message=_("The request is too large."))
    call = record_received(request, protocol=form.protocol, operation=operation)
    names: list[str] = []
    ticket: Ticket | None = None
    response: HttpResponse | None
    if not known:
        response = form.problem(status=401, code="unauthenticated", message=_("Give valid credentials."))
        response["WWW-Authenticate"] = 'Basic realm="practice desk"'
    elif (response := _faulty_answer(operation, form, names)) is None:
        try:
            done = _do_once(request, operation, form, work, names)
        except Refused as problem:
            response = form.problem(
                status=problem.status, code=problem.code, message=problem.message, fields=problem.fields
            )
        else:
            response, ticket = done.response, done.ticket
        if fault := faults.take("time_out_after", operation):
            names.append("time_out_after")
            # Before the wait: whoever looks meanwhile, or empties the desk, finds the call complete.
            record_answer(call, response=None, ticket=ticket, fault=", ".join(names), milliseconds=_since(started))
            time.sleep(fault.seconds)
            _hang_up(request)
            return response
    record_answer(call, response=response, ticket=ticket, fault=", ".join(names), milliseconds=_since(started))
    return response


def _faulty_answer(operation: str, form: Form, names: list[str]) -> HttpResponse | None:
    if fault := faults.take("late", operation):
        names.append("late")
        time.sleep(fault.seconds)
    if fault := faults.take("too_many_requests", operation):
        names.append("too_many_requests")
        response = form.problem(status=429, code="too_many_requests", message=_("Too many requests."))
        response["Retry-After"] = str(round(fault.seconds))
        return response
    if faults.take("server_error", operation):
        names.append("server_error")
        return form.problem(status=500, code="server_error", message=_("Something broke at this desk."))
    if faults.take("refuse", operation):
        names.append("refuse")
        return form.problem(status=400, code="refused", message=_("This desk refuses the request."))
    if faults.take("error_in_200", operation):
        names.append("error_in_200")
        return form.error_in_success(operation=operation, message=_("The request could not be done."))
    return None


def _do_once(request: HttpRequest, operation: str, form: Form, work: Callable[[], Work], names: list[str]) -> Work:
    key = request.headers.get("Idempotency-Key", "")[:300]
    if not key or operation not in faults.WRITING:
        with transaction.atomic():
            return work()
    scope = f"{form.protocol} {operation} {request.path}"[:300]
    digest = hashlib.sha256(request.body).hexdigest()
    # The database lets one writer in at a time, so that a repetition which overtakes waits here for the first.
    with transaction.atomic():
        stored = StoredAnswer.objects.filter(scope=scope, key=key).select_related("ticket").first()
        if stored and faults.take("ignore_idempotency_keys", operation):
            names.append("ignore_idempotency_keys")
            return work()
        if stored and stored.request_sha256 != digest:
            raise KeyUsedBefore(_("This idempotency key was used with another request."))
        if stored:
            response = HttpResponse(stored.body, status=stored.status, content_type=stored.content_type)
            response["Idempotency-Replayed"] = "true"
            return Work(response, stored.ticket)
        done = work()
        StoredAnswer.objects.create(
            scope=scope,
            key=key,
            request_sha256=digest,
            status=done.response.status_code,
            content_type=done.response["Content-Type"],
            body=done.response.content.decode(),
            ticket=done.ticket,
        )
        return done


class KeyUsedBefore(Refused):
    """The same idempotency key with another body."""

    status = 422
    code = "idempotency_key_reused"


def _hang_up(request: HttpRequest) -> None:
    """Close the connection so that the caller gets no answer at all."""
    connection = request.META.get("gunicorn.socket")
    if connection is None:
        raise RuntimeError("Closing a connection without an answer works under gunicorn only.")
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The caller gave up first.
        return


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
