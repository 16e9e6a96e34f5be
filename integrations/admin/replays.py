"""Messages without effect get another chance: refused ones and calls without a rule are mapped
again, held back ones applied anyway."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from integrations.admin.confirm import Line, Plan, ask, chosen
from integrations.admin.look import exchange_url, outcome_chip, to_the_second
from integrations.inbound.replay import MAPPED_AGAIN, apply_anyway, replay_inbound, why_not
from integrations.models import Exchange, Outcome
from tickets.actors import Actor
from tickets.errors import ActionRefused


@dataclass(frozen=True)
class Replay:
    """One kind of second chance, for messages of these outcomes."""

    outcomes: tuple[str, ...]
    act: Callable[..., Exchange]
    title: Promise
    explanation: Promise
    words: Promise
    submit: Promise


REPLAYS: Final[dict[str, Replay]] = {
    "map-again": Replay(
        MAPPED_AGAIN,
        replay_inbound,
        gettext_lazy("Map again"),
        gettext_lazy(
            "Each message is read once more as it arrived, with the configuration of now, and does what it asks if "
            "it can. The other desk is not told. Nothing has been done yet."
        ),
        gettext_lazy("%(operation)s from %(desk)s is mapped again. It had no effect: %(why)s"),
        gettext_lazy("Map again"),
    ),
    "apply-anyway": Replay(
        (Outcome.HELD_BACK,),
        apply_anyway,
        gettext_lazy("Apply anyway"),
        gettext_lazy(
            "Each text is added to its ticket, although it is one that we had sent ourselves. "
            "Nothing has been done yet."
        ),
        gettext_lazy("%(operation)s from %(desk)s is applied%(task)s."),
        gettext_lazy("Apply anyway"),
    ),
}


def offered(exchange: Exchange) -> list[tuple[str, Replay]]:
    """What may be done with this message now."""
    fitting = [(name, replay) for name, replay in REPLAYS.items() if exchange.outcome in replay.outcomes]
    return [(name, replay) for name, replay in fitting if not why_not(exchange, replay.outcomes)]


def replay_page(model_admin: ModelAdmin, request: HttpRequest, name: str, rows: QuerySet[Exchange]) -> HttpResponse:
    """Say what will be done to the chosen messages; on POST do it, each by itself."""
    if (replay := REPLAYS.get(name)) is None:
        raise Http404
    exchanges = list(rows.filter(pk__in=chosen(request)).order_by("pk"))
    if not exchanges:
        raise Http404
    back = reverse("admin:integrations_exchange_changelist")
    if len(exchanges) == 1:
        back = exchange_url(exchanges[0].pk)
    if request.method == "POST":
        done = [new for exchange in exchanges if (new := _done(request, replay, exchange)) is not None]
        return HttpResponseRedirect(exchange_url(done[0].pk) if len(exchanges) == len(done) == 1 else back)
    plan = Plan(title=replay.title, explanation=replay.explanation, submit=replay.submit, back=back)
    for exchange in exchanges:
        why = why_not(exchange, replay.outcomes)
        (plan.left_out if why else plan.lines).append(_line(exchange, why or _words(replay, exchange)))
    return ask(model_admin, request, plan)


def _words(replay: Replay, exchange: Exchange) -> str:
    return str(replay.words) % {
        "operation": exchange.operation or exchange.dialect,
        "desk": exchange.system,
        "why": exchange.error or exchange.get_outcome_display(),
        "task": _(" to task %(number)s") % {"number": exchange.task.number} if exchange.task else "",
    }


def _line(exchange: Exchange, words: str) -> Line:
    title = f"{exchange.pk} · {to_the_second(exchange.started_at)}"
    return Line(exchange.pk, title, exchange_url(exchange.pk), words, outcome_chip(exchange))


def _done(request: HttpRequest, replay: Replay, exchange: Exchange) -> Exchange | None:
    """The new exchange; None if it was refused at once. The person is told either way."""
    try:
        new = replay.act(exchange, by=Actor.of_request(request))
    except ActionRefused as refusal:
        messages.error(request, f"{exchange.pk}: {refusal}")
        return None
    if new.outcome in (Outcome.SUCCEEDED, Outcome.REPEATED):
        messages.success(request, _("Message %(old)d worked now, as %(new)d.") % {"old": exchange.pk, "new": new.pk})
    else:
        text = _("Message %(old)d did not work this time either, as %(new)d: %(why)s")
        words = new.error or new.get_outcome_display()
        messages.error(request, text % {"old": exchange.pk, "new": new.pk, "why": words})
    return new
