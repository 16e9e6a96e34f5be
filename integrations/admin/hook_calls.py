"""Recorded calls of a webhook: chosen, read, and every rule tried on them without doing anything."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from integrations.admin.base import Page
from integrations.admin.look import outcome_chip, to_the_second
from integrations.admin.pretty import readable
from integrations.inbound.problems import Refused
from integrations.inbound.replay import MAPPED_AGAIN, why_not
from integrations.inbound.webhook.trying import Found, context_to_try, found_in, try_rules
from integrations.models import Exchange, Hook, HookRule, Outcome
from integrations.overview import DAY

DIALECT: Final = "webhook"
LAST_CALLS: Final = 30
LAST_STRANGERS: Final = 5


@dataclass(frozen=True)
class CallLine:
    """One recorded call in the list."""

    exchange: Exchange
    chip: SafeString
    at: str
    is_mapped: bool = False


def last_calls(hook: Hook) -> list[Exchange]:
    """The newest calls of this desk, without their bodies; what was mapped again counts with its first."""
    rows = Exchange.objects.filter(system=hook.system_id, dialect=DIALECT, replay_of=None).order_by("-pk")
    return list(rows.defer("request_body", "response_body", "request_headers", "response_headers")[:LAST_CALLS])


def mapped_again(rows: list[Exchange]) -> set[int]:
    """Which of these calls had an effect when they were mapped again."""
    worked = Exchange.objects.filter(replay_of__in=rows, outcome__in=[Outcome.SUCCEEDED, Outcome.REPEATED])
    return {pk for pk in worked.values_list("replay_of_id", flat=True) if pk is not None}


def chosen_call(hook: Hook, wanted: str | None) -> Exchange | None:
    """The call that the address names, else the newest; None where there is none."""
    rows = Exchange.objects.filter(system=hook.system_id, dialect=DIALECT)
    if wanted and wanted.isdecimal() and len(wanted) < 19:
        return rows.filter(pk=int(wanted)).first()
    return rows.filter(replay_of=None).order_by("-pk").first()


def read_call(exchange: Exchange) -> tuple[dict[str, Any] | None, str]:
    """The call as rules see it, or why it cannot be read: its body may be forgotten by now, or was malformed."""
    if not exchange.request_body and exchange.started_at < timezone.now() - DAY:
        return None, gettext("The body of this call is no longer kept.")
    try:
        return context_to_try(exchange), ""
    except Refused as refused:
        return None, refused.detail


def picker(hook: Hook, wanted: str | None) -> dict[str, Any]:
    """For the page of a rule: the calls to choose from, and what is in the chosen one."""
    exchange = chosen_call(hook, wanted)
    values: list[Found] = []
    problem = ""
    if exchange is not None:
        context, problem = read_call(exchange)
        values = found_in(context) if context is not None else []
    return {
        "calls": _lines(last_calls(hook)),
        "call": exchange,
        "call_problem": problem,
        "found": values,
    }


def calls_page(model_admin: Page, request: HttpRequest, hook: Hook) -> HttpResponse:
    """Show the last calls, the chosen one, and what each rule makes of it. A GET: it changes nothing."""
    rows = last_calls(hook)
    exchange = chosen_call(hook, request.GET.get("call"))
    rules = list(HookRule.objects.filter(hook=hook))
    context, problem = read_call(exchange) if exchange is not None else (None, "")
    lines = _lines(rows)
    idle = [line.exchange for line in lines if not line.is_mapped]
    without_effect = [row.pk for row in idle if row.outcome in (Outcome.NO_RULE, Outcome.RECORDED)]
    again = reverse("admin:integrations_exchange_replay", args=["map-again"])
    new_rule = reverse("admin:integrations_hookrule_add")
    may_decide = request.user.has_perm("integrations.change_processrun")
    return model_admin.page(
        request,
        "hook_calls.html",
        hook,
        title=gettext("Rules and recorded calls"),
        hook=hook,
        lines=lines,
        call=exchange,
        call_chip=outcome_chip(exchange) if exchange is not None else "",
        call_at=to_the_second(exchange.started_at) if exchange is not None else "",
        body=readable(exchange.request_body) if exchange is not None else None,
        problem=problem,
        found=found_in(context) if context is not None else [],
        trials=try_rules(hook, rules, context) if context is not None else [],
        rules=rules,
        strangers=_strangers(hook),
        may_map=exchange is not None and may_decide and not why_not(exchange, MAPPED_AGAIN),
        map_call_url=f"{again}?ids={exchange.pk}" if exchange is not None else "",
        map_all_url=f"{again}?ids={','.join(map(str, without_effect))}" if may_decide and without_effect else "",
        without_effect_count=len(without_effect),
        may_add_rule=context is not None and request.user.has_perm("integrations.add_hookrule"),
        new_rule_url=f"{new_rule}?hook={hook.pk}&call={exchange.pk if exchange is not None else ''}",
    )


def _lines(rows: list[Exchange]) -> list[CallLine]:
    mapped = mapped_again(rows)
    return [CallLine(row, outcome_chip(row), to_the_second(row.started_at), row.pk in mapped) for row in rows]


def _strangers(hook: Hook) -> list[tuple[Exchange, str]]:
    """The newest calls at this address that were not proved to be the desk's, of the last day: why a desk that says
    that it calls is not heard."""
    rows = Exchange.objects.filter(
        system=None,
        outcome=Outcome.REFUSED,
        started_at__gte=timezone.now() - DAY,
        dialect=DIALECT,
        url__contains=f"/hooks/{hook.system.code}",
    )
    newest = rows.order_by("-started_at").only("pk", "started_at", "error", "outcome")[:LAST_STRANGERS]
    return [(row, to_the_second(row.started_at)) for row in newest]
