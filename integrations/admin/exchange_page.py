"""The page of one exchange: what it means, request and response, its other tries, and where it belongs."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.admin.base import Page
from integrations.admin.look import duration, outcome_chip, run_url, task_url, to_the_second, way_arrow
from integrations.admin.meaning import meaning
from integrations.admin.pretty import Readable, readable
from integrations.admin.replays import offered
from integrations.models import Exchange

OTHER_TRIES = 50


@dataclass(frozen=True)
class Side:
    """Request or response."""

    name: str
    title: str | Promise
    first_line: str
    headers: dict[str, str]
    body: Readable


def exchange_page(model_admin: Page, request: HttpRequest, exchange: Exchange) -> TemplateResponse:
    """Show the exchange."""
    tries = _tries(exchange)
    here = next((index for index, other in enumerate(tries) if other.pk == exchange.pk), 0)
    may_decide = request.user.has_perm("integrations.change_processrun")
    task = exchange.task
    return model_admin.page(
        request,
        "exchange/page.html",
        exchange,
        title=_("Exchange"),
        subtitle=str(exchange.pk),
        back=reverse("admin:integrations_exchange_changelist"),
        exchange=exchange,
        way=way_arrow(exchange.way),
        outcome=outcome_chip(exchange),
        meaning=meaning(exchange),
        began=to_the_second(exchange.started_at),
        took=duration(exchange.duration_ms),
        task_url=task_url(task.ticket_id, task.number) if task else "",
        run_url=run_url(exchange.run_id) if exchange.run_id else "",
        sides=_sides(exchange),
        tries=[(other, outcome_chip(other), to_the_second(other.started_at)) for other in tries],
        previous=tries[here - 1] if here > 0 else None,
        following=tries[here + 1] if here + 1 < len(tries) else None,
        replays=list(exchange.replays.order_by("pk").only("pk", "outcome")[:OTHER_TRIES]),
        offered=offered(exchange) if may_decide else [],
    )


def _tries(exchange: Exchange) -> list[Exchange]:
    """All exchanges of the same step: its tries, its probes, its logins."""
    if exchange.step_id is None:
        return []
    rows = Exchange.objects.filter(step=exchange.step_id).order_by("pk")
    return list(
        rows.only("pk", "way", "run", "operation", "attempt", "outcome", "status", "started_at")[:OTHER_TRIES]
    )


def _sides(exchange: Exchange) -> list[Side]:
    asked = Side(
        "request",
        _("Request"),
        f"{exchange.method} {exchange.url}".strip(),
        _headers(exchange.request_headers),
        readable(exchange.request_body),
    )
    status = str(_("Status %(status)d") % {"status": exchange.status}) if exchange.status else ""
    answered = Side(
        "response",
        _("Response"),
        status,
        _headers(exchange.response_headers),
        readable(exchange.response_body),
    )
    return [asked, answered]


def _headers(value: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def raw_body(exchange: Exchange, side: str) -> HttpResponse:
    """A body as it is kept, as a file: no browser shall ever make a page of what another desk wrote."""
    bodies = {"request": exchange.request_body, "response": exchange.response_body}
    if side not in bodies:
        raise Http404
    return HttpResponse(
        bodies[side],
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="exchange-{exchange.pk}-{side}.txt"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
