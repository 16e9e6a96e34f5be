"""Deciding about runs: a page that says what will happen to each of them, then the decision itself."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from integrations.admin.confirm import Line, Plan, ask, chosen
from integrations.admin.decision_words import DESTRUCTIVE, asks_for_number, what_happens, why_left_out
from integrations.admin.look import run_url, state_chip
from integrations.engine import decisions
from integrations.models import ProcessRun, StepRun
from tickets.actors import Actor
from tickets.errors import ActionRefused
from tickets.views.once import once

DECISIONS: Final[dict[str, Callable[..., None]]] = {
    "retry": decisions.retry_now,
    "rerender": decisions.retry_rerendered,
    "skip": decisions.skip_step,
    "hold": decisions.hold_run,
    "release": decisions.release_run,
    "cancel": decisions.cancel_run,
    "arrived": decisions.it_arrived,
    "send_again": decisions.send_again,
}
REPLAYS: Final = {
    "same": (
        gettext_lazy("Send the same bytes again"),
        gettext_lazy(
            "The request of this step is sent once more, byte for byte, under the same idempotency key, at the end "
            "of the stream. A desk that knows the key changes nothing. Nothing has been done yet."
        ),
    ),
    "anew": (
        gettext_lazy("Run the step anew"),
        gettext_lazy(
            "The step is made anew with the process as it is configured now and run at the end of the stream, under "
            "a new idempotency key: the other desk takes it for a new request. Nothing has been done yet."
        ),
    ),
}


def decide_page(
    model_admin: ModelAdmin, request: HttpRequest, decision: str, rows: QuerySet[ProcessRun]
) -> HttpResponse:
    """Say what the decision will do to the chosen runs; on POST take it for each by itself."""
    if decision not in DECISIONS:
        raise Http404
    runs = list(rows.filter(pk__in=chosen(request)).order_by("pk"))
    if not runs:
        raise Http404
    plan = _plan(decision, runs)
    if request.method == "POST":
        plan.answer = request.POST.get("answer", "")
        _take(request, decision, runs, plan)
        if not plan.problem:
            return HttpResponseRedirect(plan.back)
    return ask(model_admin, request, plan)


def replay_page(model_admin: ModelAdmin, request: HttpRequest, step: StepRun, how: str) -> HttpResponse:
    """Say what replaying a step that has ended will do; on POST do it once, however often the form is sent."""
    if how not in REPLAYS:
        raise Http404
    title, explanation = REPLAYS[how]
    plan = Plan(title=title, explanation=explanation, submit=title, back=run_url(step.run_id))
    words = _('Step "%(step)s" of run %(run)d is run again for task %(task)s.')
    words %= {"step": step.name, "run": step.run_id, "task": step.run.stream.task.number}
    plan.lines = [Line(step.run_id, _title(step.run), run_url(step.run_id), words, state_chip(step.run))]

    def act() -> str:
        new = decisions.replay_step(step, by=_person(request), same_bytes=how == "same")
        return run_url(new.pk)

    if request.method == "POST":
        try:
            target, is_first = once(request, act)
        except ActionRefused as refusal:
            plan.problem = str(refusal)
        else:
            if is_first:
                messages.success(request, _("The step stands at the end of its stream, in this run."))
            return HttpResponseRedirect(target)
    return ask(model_admin, request, plan)


def _plan(decision: str, runs: list[ProcessRun]) -> Plan:
    label = decisions.LABELS[decision]
    back = run_url(runs[0].pk) if len(runs) == 1 else reverse("admin:integrations_processrun_changelist")
    plan = Plan(
        title=label,
        explanation=_("Nothing has been done yet."),
        submit=label,
        back=back,
        destructive=decision in DESTRUCTIVE,
    )
    if decision == "cancel":
        plan.submit = ngettext("Cancel this run", "Cancel these runs", len(runs))
    if decision == "arrived":
        # Each has a number of its own.
        runs = runs[:1]
        plan.asks = _("Number at %(desk)s") % {"desk": runs[0].stream.system}
        plan.asks_help = (
            _("The number that the other desk gave the ticket.")
            if asks_for_number(runs[0])
            else _("Leave it empty if the other desk gave none.")
        )
    for run in runs:
        why = why_left_out(decision, run, decisions.allowed_decisions(run))
        line = Line(run.pk, _title(run), run_url(run.pk), why or what_happens(decision, run), state_chip(run))
        (plan.left_out if why else plan.lines).append(line)
    return plan


def _take(request: HttpRequest, decision: str, runs: list[ProcessRun], plan: Plan) -> None:
    """Each run by itself: one that is refused does not hold back the others, and the person is told why."""
    more = {"reference": plan.answer} if decision == "arrived" else {}
    done = 0
    for run in runs:
        try:
            DECISIONS[decision](run, by=_person(request), **more)
        except ActionRefused as refusal:
            if decision == "arrived" and plan.lines:
                plan.problem = str(refusal)
            else:
                messages.error(request, f"{_title(run)}: {refusal}")
        else:
            done += 1
    if done:
        text = ngettext("%(decision)s: done for %(count)d run.", "%(decision)s: done for %(count)d runs.", done)
        messages.success(request, text % {"decision": plan.title, "count": done})


def _title(run: ProcessRun) -> str:
    return f"{run.pk} · {run.stream} · {run.operation}"


def _person(request: HttpRequest) -> Actor:
    return Actor.of_request(request)
