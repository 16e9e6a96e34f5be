"""The page of one process run: where it is, why it waits, its steps, and who stands before and behind it."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.admin.base import Page
from integrations.admin.decision_words import DESTRUCTIVE, definitions, repeating
from integrations.admin.exchange_list import BODIES
from integrations.admin.look import (
    STEP_STATES,
    chip,
    duration,
    outcome_chip,
    relative,
    run_url,
    state_chip,
    task_url,
    to_the_second,
)
from integrations.admin.pretty import Readable, readable
from integrations.engine.decisions import LABELS, allowed_decisions
from integrations.models import OUT_OF_LINE, Exchange, ExternalSystem, ProcessRun, StepKind, StepRun, StepState
from integrations.secrets import redact_body, redact_headers, redact_url

STREAM_SHOWN = 30
EXCHANGES_SHOWN = 100

# An exchange with its outcome, time and duration in words; by the step that it belongs to.
Shown = tuple[Exchange, SafeString, str, str]
ShownExchanges = dict[int | None, list[Shown]]


@dataclass
class StepCard:
    """One step of the process, with what became of it in this run."""

    number: int
    name: str
    kind: str
    condition: str
    repeating: str
    is_current: bool
    row: StepRun | None = None
    chip: SafeString | str = ""
    first_line: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Readable | None = None
    captures: str = ""
    exchanges: list[Shown] = field(default_factory=list)
    replays: list[tuple[str, str]] = field(default_factory=list)


def run_page(model_admin: Page, request: HttpRequest, run: ProcessRun) -> TemplateResponse:
    """Show the run."""
    exchanges = _exchanges(run)
    may_decide = model_admin.has_change_permission(request, run)
    line = _in_line(run)
    head = line[0] if line else None
    task = run.stream.task
    return model_admin.page(
        request,
        "processrun/page.html",
        run,
        title=_("Process run"),
        subtitle=str(run.pk),
        back=reverse("admin:integrations_processrun_changelist"),
        run=run,
        task=task,
        system=run.stream.system,
        task_url=task_url(task.ticket_id, task.number),
        state=state_chip(run),
        waits_for=_waits_for(run, head),
        due=relative(run.due_at) if run.due_at else "",
        created=to_the_second(run.created_at),
        finished=to_the_second(run.finished_at) if run.finished_at else "",
        decisions=_decisions(run) if may_decide else [],
        line=[(other, state_chip(other), run_url(other.pk)) for other in line[:STREAM_SHOWN]],
        more_in_line=max(0, len(line) - STREAM_SHOWN),
        cards=_cards(run, exchanges, may_decide),
        # Making a step anew begins it from nothing: what was sent for the old one belongs to the run alone.
        earlier=exchanges.get(None, []),
        snapshot=json.dumps(run.snapshot, indent=2, ensure_ascii=False),
        replays=list(run.replays.order_by("pk").only("pk")[:STREAM_SHOWN]),
    )


def _decisions(run: ProcessRun) -> list[tuple[str, Any, bool]]:
    return [(name, LABELS[name], name in DESTRUCTIVE) for name in allowed_decisions(run)]


def _in_line(run: ProcessRun) -> list[ProcessRun]:
    """The runs of the stream that are not over, in order; the first is the head."""
    rows = run.stream.runs.exclude(state__in=OUT_OF_LINE).order_by("position")
    return list(rows.only("pk", "position", "state", "operation", "reason", "stream")[: STREAM_SHOWN * 10])


def _waits_for(run: ProcessRun, head: ProcessRun | None) -> ProcessRun | None:
    """The head of the stream, where this run stands behind it."""
    if run.state in OUT_OF_LINE or head is None or head.pk == run.pk:
        return None
    return head


def _cards(run: ProcessRun, exchanges: ShownExchanges, may_decide: bool) -> list[StepCard]:
    rows = {row.index: row for row in run.steps.all()}
    systems = {run.stream.system_id: run.stream.system}
    others = {
        step["request"]["system_id"] for step in definitions(run) if step["request"] and step["request"]["system_id"]
    } - set(systems)
    if others:
        systems |= ExternalSystem.objects.in_bulk(others)
    cards = []
    for index, definition in enumerate(definitions(run)):
        if run.only_step is not None and index != run.only_step:
            continue
        request = definition["request"] or {}
        card = StepCard(
            number=index + 1,
            name=definition["name"],
            kind=str(StepKind(definition["kind"]).label),
            condition=definition["condition"],
            repeating=repeating(request),
            is_current=not run.has_ended and index == run.step_index,
        )
        if (row := rows.get(index)) is not None:
            _fill(card, row, systems.get(request.get("system_id") or 0, run.stream.system))
            card.exchanges = exchanges.get(row.pk, [])
            if may_decide and (row.state in (StepState.DONE, StepState.SKIPPED) or run.has_ended):
                card.replays = _replays(row)
        cards.append(card)
    return cards


def _fill(card: StepCard, row: StepRun, system: ExternalSystem) -> None:
    """The step's own row. What was rendered is shown as the log would show it: without secrets."""
    names = system.secret_name_list
    card.row = row
    card.chip = chip(row.get_state_display(), STEP_STATES[row.state])
    card.captures = json.dumps(row.captures, indent=2, ensure_ascii=False) if row.captures else ""
    if row.request is None:
        return
    if "method" not in row.request:
        # A mail has no address of its own but its recipients.
        card.first_line = f"MAIL {', '.join(row.request['to'])}"
        card.headers = {"Subject": row.request["subject"]}
        card.body = readable(redact_body(row.request["body"], "text/plain", names=names))
        return
    headers = {str(name): str(value) for name, value in row.request["headers"].items()}
    kinds = {name.lower(): value for name, value in headers.items()}
    body = row.request.get("shown_as") or bytes(row.request_body or b"").decode("utf-8", errors="replace")
    card.first_line = f"{row.request['method']} {redact_url(row.request['url'], names=names)}"
    card.headers = redact_headers(headers, names=names)
    card.body = readable(redact_body(body, kinds.get("content-type", ""), names=names))


def _replays(row: StepRun) -> list[tuple[str, str]]:
    ways = [("anew", _("Run anew …"))]
    return [("same", _("Send the same bytes again …")), *ways] if row.request is not None else ways


def _exchanges(run: ProcessRun) -> ShownExchanges:
    rows = Exchange.objects.filter(run=run).order_by("-pk").defer(*BODIES)
    found: ShownExchanges = {}
    for row in reversed(rows[:EXCHANGES_SHOWN]):
        shown = (row, outcome_chip(row), to_the_second(row.started_at), duration(row.duration_ms))
        found.setdefault(row.step_id, []).append(shown)
    return found
