"""Every error is a problem detail (RFC 9457), whatever raised it."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from integrations.inbound.bodies import storable
from integrations.inbound.problems import Broken, Malformed, Refused, Unauthenticated, from_action
from tickets.errors import ActionRefused

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# What Django REST framework raises -> our code. Its other errors keep their own.
CODES: dict[type[Exception], str] = {
    exceptions.ParseError: "malformed",
    exceptions.ValidationError: "invalid",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}


def problem_details(error: Exception, context: dict[str, Any]) -> Response:
    """The answer for an exception; a failure of our own is logged with its trace and answered without it."""
    problem = as_refused(error)
    if problem.status >= 500:
        logger.error("REST call failed", exc_info=error)
    if view := context.get("view"):
        view.problem = problem
    return answer(problem)


def answer(problem: Refused) -> Response:
    """The problem as a response."""
    data: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": storable(problem.detail),
    }
    if problem.fields:
        data["errors"] = written(problem.fields)
    headers = dict(problem.headers)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Api-Key realm="Deskbridge"'
    return Response(data, status=problem.status, headers=headers, content_type=MEDIA_TYPE)


def written(said: Any) -> Any:
    """Errors as they can be written: what they quote may be half a character that no encoder takes."""
    if isinstance(said, dict):
        return {storable(str(name)): written(value) for name, value in said.items()}
    if isinstance(said, list | tuple):
        return [written(value) for value in said]
    return storable(str(said))


def as_refused(error: Exception) -> Refused:
    """One form for everything that may be raised."""
    match error:
        case Refused():
            return error
        case ActionRefused():
            return from_action(error)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed() | exceptions.PermissionDenied():
            return Unauthenticated(_("Give your key as: Authorization: Api-Key <key>"))
        case exceptions.ValidationError():
            fields = dict(flattened(error.detail))
            refused = Refused(" ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items()), fields=fields)
        case exceptions.APIException():
            refused = Refused(str(error.detail))
        case Http404():
            refused, error = Refused(_("There is nothing at this address.")), exceptions.NotFound()
        case RequestDataTooBig() | SuspiciousOperation():
            return Malformed(_("The request has too many parts or fields."))
        case _:
            return Broken()
    refused.status = error.status_code
    refused.code = CODES.get(type(error), getattr(error, "default_code", "invalid"))
    return refused


def flattened(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Nested validation errors as pairs of path (`attachments.0.content`) and texts."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from flattened(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for index, inner in enumerate(detail):
            if inner:
                yield from flattened(inner, f"{path}.{index}" if path else str(index))
    elif isinstance(detail, list):
        yield path or "body", [str(text) for text in detail]
    else:
        yield path or "body", [str(detail)]
