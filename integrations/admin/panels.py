"""What the desk's pages show of the exchange: the picture on the ticket's page, badges, references, search."""

from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.admin.look import (
    OUTCOMES,
    duration,
    exchange_url,
    outcome_chip,
    outcome_said,
    run_url,
    state_chip,
    to_the_second,
    way_arrow,
)
from integrations.models import ENDED, Exchange, ExternalReference, ProcessRun, RunState, Way
from integrations.picture import Arrow, Lane, draw, in_words
from tickets import panels
from tickets.models import Task, Ticket

SHOWN: Final = 100
RUNS_SHOWN: Final = 30
NOT_LISTED: Final = ("request_headers", "request_body", "response_headers", "response_body", "error", "url")


def exchanges_panel(request: HttpRequest, ticket: Ticket) -> SafeString:
    """The ticket's exchanges as a picture and as a table, and its process runs. Empty for who may not see them."""
    if not request.user.has_perm("integrations.view_exchange"):
        return SafeString("")
    newest = Exchange.objects.filter(task__ticket=ticket, system__isnull=False).order_by("-pk")
    found = list(newest.select_related("system", "task").defer(*NOT_LISTED)[: SHOWN + 1])
    exchanges = found[:SHOWN][::-1]
    runs = _runs(ticket) if request.user.has_perm("integrations.view_processrun") else []
    if not exchanges and not runs:
        return SafeString("")
    context = {
        "ticket": ticket,
        "picture": _picture(ticket, exchanges),
        "rows": [
            (row, way_arrow(row.way), outcome_chip(row), to_the_second(row.started_at), duration(row.duration_ms))
            for row in exchanges
        ],
        "is_cut": len(found) > SHOWN,
        "shown": SHOWN,
        "runs": [(run, state_chip(run), run_url(run.pk), to_the_second(run.created_at)) for run in runs],
    }
    return render_to_string("admin/integrations/ticket_panel.html", context, request=request)


def _picture(ticket: Ticket, exchanges: list[Exchange]) -> SafeString:
    """Lanes in the order in which the desks came into it."""
    us = _("Deskbridge")
    systems = list(dict.fromkeys(row.system for row in exchanges if row.system is not None))
    if not systems:
        return SafeString("")
    numbers: dict[int, list[str]] = {}
    for system_id, value in ExternalReference.objects.filter(task__ticket=ticket).values_list("system_id", "value"):
        numbers.setdefault(system_id, []).append(value)
    lanes = [Lane(system.name, ", ".join(numbers.get(system.pk, []))) for system in systems]
    several = len({row.task_id for row in exchanges}) > 1
    arrows = [_arrow(row, systems.index(row.system), us, several) for row in exchanges if row.system is not None]
    label = _("Exchanges of ticket %(number)s in order of time") % {"number": ticket.number}
    return draw(us=us, lanes=lanes, arrows=arrows, label=label)


def _arrow(row: Exchange, lane: int, us: str, several: bool) -> Arrow:
    what = row.operation or row.dialect
    if several and row.task is not None:
        what = f"{row.task.number} {what}"
    words = in_words(us=us, desk=str(row.system), out=row.way == Way.OUT, what=what, outcome=outcome_said(row))
    return Arrow(
        lane=lane,
        out=row.way == Way.OUT,
        kind=OUTCOMES[row.outcome].kind or "good",
        label=f"{what} · {row.status}" if row.status else what,
        spoken=f"{to_the_second(row.started_at)}, {words}",
        at=row.started_at,
        url=exchange_url(row.pk),
    )


def _runs(ticket: Ticket) -> list[ProcessRun]:
    rows = ProcessRun.objects.filter(stream__task__ticket=ticket).order_by("-pk")
    rows = rows.select_related("stream__task", "stream__system", "version__process")
    return list(rows.defer("snapshot", "version__definition")[:RUNS_SHOWN])


def task_badges(tasks: list[Task]) -> dict[int, list[panels.Badge]]:
    """Beside each task: its number at other desks, and what holds its exchange up."""
    found: dict[int, list[panels.Badge]] = {task.pk: [] for task in tasks}
    for reference in ExternalReference.objects.filter(task__in=tasks).select_related("system").order_by("pk"):
        found[reference.task_id].append(panels.Badge(f"{reference.system}: {reference.value}", "info"))
    live = ProcessRun.objects.filter(stream__task__in=tasks).exclude(state__in=(*ENDED, RunState.RUNNING))
    live = live.select_related("stream__system", "stream__subscription").order_by("position")
    told = set()
    wanted = ("pk", "state", "position", "stream__task", "stream__system__name", "stream__subscription__name")
    for run in live.only(*wanted):
        # One word for each state and stream: a hundred runs behind a stopped one would say the same hundred times.
        key = (run.stream_id, run.state)
        if key in told or (run.state == RunState.QUEUED and (run.stream_id, RunState.ATTENTION) in told):
            continue
        told.add(key)
        found[run.stream.task_id].append(_badge(run))
    return found


def _badge(run: ProcessRun) -> panels.Badge:
    desk = run.stream.system.name
    if run.stream.subscription:
        # Its deliveries hold up nothing of the task's own exchange, and should not look as if they did.
        desk = _("%(desk)s, webhook %(name)s") % {"desk": desk, "name": run.stream.subscription.name}
    if run.state == RunState.ATTENTION:
        return panels.Badge(_("%(desk)s: needs attention") % {"desk": desk}, "danger", run_url(run.pk))
    words = _("%(desk)s: %(state)s") % {"desk": desk, "state": run.get_state_display().lower()}
    return panels.Badge(words, "" if run.state == RunState.QUEUED else "warning", run_url(run.pk))


def is_with_partner(task: Task) -> bool:
    """Whether the task is with a group that stands for another desk. A task without a group has no binding either."""
    binding = getattr(task.group, "binding", None)
    return binding is not None and binding.integrated


def by_reference(word: str) -> Q:
    """Tickets that another desk knows by this number."""
    return Q(tasks__external_references__value__iexact=word)


panels.register_ticket_panel("exchanges", _("Exchanges"), exchanges_panel, order=10)
panels.register_task_badge(task_badges)
panels.register_partner_check(is_with_partner, relations=("group__binding",))
panels.register_search(by_reference)
