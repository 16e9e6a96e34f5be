"""Answers of Case Exchange: every one carries `meta`, which says whether it was done."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse

from integrations.simulator.models import Ticket


class CaseExchangeForm:
    """Problems as `meta` with its list of errors."""

    protocol = "Case Exchange"

    def problem(
        self, *, status: int, code: str, message: str, fields: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        """`FAILED` with that status."""
        error: dict[str, Any] = {"errorCode": code, "message": message}
        if fields:
            error["fields"] = fields
        return JsonResponse({"entities": [], "meta": meta(0, [error])}, status=status)

    def error_in_success(self, *, operation: str, message: str) -> HttpResponse:
        """`FAILED` with status 200."""
        return self.problem(status=200, code="failed", message=message)


FORM = CaseExchangeForm()


def meta(count: int, errors: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """The part that every answer has."""
    status = "FAILED" if errors else "OK"
    return {"completion_status": status, "total_count": count, "errorDetailsList": errors or [], **more}


def receipt(ticket: Ticket, external: Mapping[str, Any], *, new: bool) -> HttpResponse:
    """What came of an entity: our number (none while it is withheld), and what the caller said about itself."""
    entity = {
        "entity_type": "Incident",
        "properties": {
            "Id": None if ticket.number_withheld else ticket.number,
            "LastUpdateTime": round(ticket.updated_at.timestamp() * 1000),
            "Status": str(ticket.get_state_display()),
        },
        "ext_properties": dict(external),
    }
    body = {"entities": [{"entity": entity, "completion_status": "OK"}], "meta": meta(1)}
    status = 200 if not new else 202 if ticket.number_withheld else 201
    return JsonResponse(body, status=status)
