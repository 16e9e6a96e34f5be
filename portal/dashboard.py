"""The admin's first page: is anything stuck, how each desk stands, and what went in and out in the last day."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from integrations.admin.look import OUTCOMES
from integrations.models import ENDED, GroupBinding, OperationTemplate, Process, RunState, Way
from integrations.overview import FOR_A_PERSON, Overview, Standing, SystemFigures, in_order, overview
from portal.chart import hours_chart

REFRESH_SECONDS: Final = 15
FRAGMENT: Final = "admin/overview.html"
STANDINGS: Final[dict[Standing, tuple[str, str, Promise]]] = {
    Standing.ATTENTION: ("bad", "error", gettext_lazy("Needs attention")),
    Standing.WAITS: ("wait", "schedule", gettext_lazy("Waits")),
    Standing.OFF: ("", "power_settings_new", gettext_lazy("Switched off")),
    Standing.OK: ("good", "check", gettext_lazy("OK")),
}


@dataclass(frozen=True)
class Figure:
    """A number that leads to what it counts. `name` is its id on the page, by which focus survives a refresh."""

    name: str
    count: int
    words: str
    url: str
    kind: str = ""


@dataclass(frozen=True)
class Card:
    """One external system."""

    figures: SystemFigures
    kind: str
    icon: str
    words: str
    oldest: str
    last_success: str
    last_failure: str
    last_poll: str
    failures_url: str
    runs: list[Figure]
    sent: list[Figure]
    received: list[Figure]


@dataclass(frozen=True)
class FirstStep:
    """Something that has to be configured before anything can be exchanged."""

    title: str | Promise
    help: str | Promise
    url: str
    is_done: bool


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows."""
    return {**context, **figures_for(request), "refresh_seconds": REFRESH_SECONDS}


@never_cache
@require_safe
def fragment(request: HttpRequest) -> HttpResponse:
    """The part of the first page that refreshes itself. Who is signed out meanwhile gets the page to sign in."""
    if not admin.site.has_permission(request):
        return HttpResponseClientRefresh()
    return render(request, FRAGMENT, figures_for(request))


def figures_for(request: HttpRequest) -> dict[str, Any]:
    """The figures, for who may see runs and messages; else nothing."""
    if not request.user.has_perms(["integrations.view_processrun", "integrations.view_exchange"]):
        return {"may_see": False}
    found = overview()
    steps = list(_first_steps(found)) if request.user.has_perm("integrations.add_externalsystem") else []
    return {
        "may_see": True,
        "overview": found,
        "cards": [_card(figures) for figures in found.systems],
        "chart": hours_chart(found.hours),
        "attention_url": _runs(show="stuck"),
        "overdue_for": timesince(found.overdue_since, found.at) if found.overdue_since else "",
        "strangers_url": _log(outcome="refused", since="24h"),
        "first_steps": [] if all(step.is_done for step in steps) else steps,
    }


def _card(figures: SystemFigures) -> Card:
    kind, icon, words = STANDINGS[figures.standing]
    system = figures.system
    return Card(
        figures=figures,
        kind=kind or "plain",
        icon=icon,
        words=str(words),
        oldest=timesince(figures.oldest, depth=1) if figures.oldest else "",
        last_success=_ago(figures.last_success),
        last_failure=_ago(figures.last_failure),
        last_poll=_ago(figures.polling.last_success_at) if figures.polling else "",
        failures_url=_log(system=system.pk, outcome="failed"),
        runs=list(_run_figures(figures)),
        sent=list(_messages(figures, Way.OUT)),
        received=list(_messages(figures, Way.IN)),
    )


def _run_figures(figures: SystemFigures) -> Iterator[Figure]:
    """Runs by what they wait for. Zeros are shown too: that nothing is stuck is what one wants to read."""
    pk = figures.system.pk
    waiting = [state for state in RunState if state not in (*ENDED, *FOR_A_PERSON)]
    streams = reverse("admin:integrations_stream_changelist")
    rows = [
        (
            "attention",
            figures.count(*FOR_A_PERSON),
            _("stopped until a person decides"),
            _runs(system=pk, show="stuck"),
            "bad",
        ),
        (
            "retrying",
            figures.count(RunState.RETRYING),
            _("waiting for the next try"),
            _runs(system=pk, state__exact=RunState.RETRYING.value),
            "wait",
        ),
        ("awaiting", figures.awaiting, _("waiting for a number"), f"{streams}?system={pk}&show=awaiting", "wait"),
        ("waiting", figures.count(*waiting), _("waiting in all"), _runs(system=pk, show="waiting"), ""),
    ]
    for name, count, words, url, kind in rows:
        yield Figure(f"{name}-{pk}", count, words, url, kind if count else "")


def _messages(figures: SystemFigures, way: Way) -> Iterator[Figure]:
    pk = figures.system.pk
    for outcome, count in in_order(figures.messages, way):
        url = _log(system=pk, way=way.value, outcome=outcome.value, since="24h")
        yield Figure(f"{way.value}-{outcome.value}-{pk}", count, str(outcome.label), url, OUTCOMES[outcome].kind)


def _first_steps(found: Overview) -> Iterator[FirstStep]:
    """In the order in which an administrator goes."""
    yield FirstStep(
        gettext_lazy("Add an external system"),
        gettext_lazy("The other desk: its address, how to sign in there, and the keys with which it calls us."),
        reverse("admin:integrations_externalsystem_add"),
        bool(found.systems),
    )
    yield FirstStep(
        gettext_lazy("Add its operations"),
        gettext_lazy("One template for each request: create a ticket, add a note, close it; over HTTP or SOAP."),
        reverse("admin:integrations_operationtemplate_add"),
        OperationTemplate.objects.exists(),
    )
    yield FirstStep(
        gettext_lazy("Add a process"),
        gettext_lazy("The steps that run when a task is assigned, updated or closed. Its preview sends nothing."),
        reverse("admin:integrations_process_add"),
        Process.objects.filter(steps__isnull=False).exists(),
    )
    yield FirstStep(
        gettext_lazy("Integrate an assignment group"),
        gettext_lazy("Mark a group and bind the processes to it. From then on, tasks given to it are exchanged."),
        reverse("admin:tickets_assignmentgroup_changelist"),
        GroupBinding.objects.filter(integrated=True).exists(),
    )


def _runs(**query: Any) -> str:
    return f"{reverse('admin:integrations_processrun_changelist')}?{urlencode(query)}"


def _log(*, system: int | None = None, **query: str) -> str:
    wanted: dict[str, str | int] = {**({"system__id__exact": system} if system else {}), **query}
    return f"{reverse('admin:integrations_exchange_changelist')}?{urlencode(wanted)}"


def _ago(moment: Any) -> str:
    return str(naturaltime(moment)) if moment else ""
