"""The OpenAPI description: how callers authenticate, what each operation answers, problems included."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from integrations.inbound.rest.outgoing import Problem, ReceiptInfo
from integrations.inbound.rest.problems import MEDIA_TYPE
from tickets.lifecycle import CompletionCode

READ_PROBLEMS = (400, 401, 406)
ONE_PROBLEMS = (*READ_PROBLEMS, 404)
WRITE_PROBLEMS = (*ONE_PROBLEMS, 409, 413, 415, 422)
WHEN = {
    400: _("Not readable, or a value is missing, unknown or wrong."),
    401: _("No key, or one that is not valid."),
    404: _("It does not exist, or you may not see it."),
    406: _("Nothing of what you accept is offered: accept application/json."),
    409: _("It contradicts what is known, or the same message is being worked on (then with Retry-After)."),
    413: _("The request is too large."),
    415: _("The content type is not one of those listed."),
    422: _("The idempotency key or message id was used for other content."),
}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=_(
        "A key of your choice for this message. Sent again with the same key, it changes nothing and gets the first "
        "answer, with the header Idempotency-Replayed."
    ),
)
NUMBER = OpenApiParameter(
    "number",
    {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,30}$"},
    OpenApiParameter.PATH,
    description=_("The number, for example 1001-1 for a task and 1001 for a ticket."),
)

CONTACT = OpenApiParameter(
    "contact_id", {"type": "integer", "minimum": 1}, OpenApiParameter.PATH, description=_("Our id of the contact.")
)

# An object of style "form", exploded: each of its members is a query parameter.
PROPERTIES = OpenApiParameter(
    "properties",
    {
        "type": "object",
        "patternProperties": {"^property_[a-z][a-z0-9_]*$": {"type": "string", "minLength": 1}},
        "additionalProperties": False,
    },
    OpenApiParameter.QUERY,
    style="form",
    explode=True,
    description=_("Properties that our administrators have defined: `property_<code>=<value>`, as many as you like."),
)


class CompletionCodes(OpenApiSerializerFieldExtension):
    """The fixed codes, and that there may be others: which, only the database knows, and it is not asked for this."""

    target_class = "integrations.inbound.rest.incoming.CompletionCodeField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """A word that is one of the fixed codes or looks like one of the administrators' own."""
        return {"type": "string", "pattern": f"^({'|'.join(CompletionCode.values)}|[-a-zA-Z0-9_]{{1,50}})$"}


class SystemKeyScheme(OpenApiAuthenticationExtension):
    """Both spellings of the header."""

    target_class = "integrations.inbound.rest.authentication.SystemKeyAuthentication"
    name = ["ApiKey", "Bearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Either, not both."""
        return [{"ApiKey": []}, {"Bearer": []}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """One is enough."""
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Api-Key <key>`, with the word and the blank.",
            },
            {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
        ]


def reads(
    answer: Any,
    *,
    summary: Any,
    one: bool = False,
    binary: bool = False,
    listed: bool = False,
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[..., Any]:
    """Describe a GET; `one`: of one record, which may not be there."""
    success = answer(many=True) if listed else answer
    taken = [*([NUMBER] if one else []), *parameters]
    status: Any = (200, "application/octet-stream") if binary else 200
    responses = {status: success, **problems(ONE_PROBLEMS if one else READ_PROBLEMS)}
    return extend_schema(summary=summary, parameters=taken, responses=responses)


def takes(
    body: Any,
    *,
    summary: Any,
    example: dict[str, Any],
    makes: bool,
    form: Any = None,
    one: bool = True,
) -> Callable[..., Any]:
    """Describe a POST of a message; `makes`: it creates something, so 201, and 200 where there was nothing to do."""
    receipt = OpenApiResponse(ReceiptInfo, _("Accepted."), examples=[receipt_example(makes=makes)])
    accepted: dict[Any, Any] = {201: receipt} if makes else {}
    accepted[200] = OpenApiResponse(ReceiptInfo, _("Accepted; nothing new was made.") if makes else _("Accepted."))
    request: Any = {"application/json": body, "multipart/form-data": form} if form else {"application/json": body}
    return extend_schema(
        summary=summary,
        parameters=[NUMBER, IDEMPOTENCY_KEY] if one else [IDEMPOTENCY_KEY],
        request=request,
        responses={**accepted, **problems(WRITE_PROBLEMS)},
        examples=[OpenApiExample(str(summary), example, request_only=True, media_type="application/json")],
    )


def problems(statuses: Sequence[int]) -> dict[Any, OpenApiResponse]:
    """The problem details of an operation."""
    return {(status, MEDIA_TYPE): OpenApiResponse(Problem, WHEN[status]) for status in statuses}


def receipt_example(*, makes: bool) -> OpenApiExample:
    """What a receipt looks like."""
    return OpenApiExample(
        "Accepted",
        {
            "operation": "update" if makes else "reassign",
            "ticket": "1001",
            "task": "1001-1",
            "external_reference": "INC-4711",
            "message": "The update was added." if makes else "The solution was stored and is being reviewed.",
            "changed": True,
            "held_back": False,
            "note": 17 if makes else None,
            "attachments": [],
        },
        response_only=True,
    )


def one_spelling(endpoints: list[Any]) -> list[Any]:
    """Each address is served with and without the slash at its end, and described with it."""
    return [endpoint for endpoint in endpoints if endpoint[0].endswith("/") and endpoint[0].startswith("/api/")]


def nothing_unknown(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say of bodies and queries what is done with what they do not name: it is refused."""
    for name, component in result["components"]["schemas"].items():
        if name.endswith("Request") and component.get("type") == "object":
            component["additionalProperties"] = False
    return result
