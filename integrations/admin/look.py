"""How outcomes and states look: always a word and an icon, never a colour alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.models import Exchange, Outcome, ProcessRun, RunState, StepState, Way

# What stands where there is nothing to say: a dash.
NOTHING: Final = "\u2013"


@dataclass(frozen=True)
class Look:
    """`kind` is good, bad, doubt, wait or empty and chooses the colour; `icon` is a name of Material Symbols."""

    kind: str
    icon: str


OUTCOMES: Final[dict[str, Look]] = {
    Outcome.SENDING: Look("wait", "hourglass_top"),
    Outcome.SUCCEEDED: Look("good", "check"),
    Outcome.RETRYABLE: Look("bad", "replay"),
    Outcome.PERMANENT: Look("bad", "block"),
    Outcome.MISCONFIGURED: Look("bad", "build"),
    Outcome.UNKNOWN: Look("doubt", "question_mark"),
    Outcome.REFUSED: Look("bad", "do_not_disturb_on"),
    Outcome.REPEATED: Look("", "repeat"),
    Outcome.HELD_BACK: Look("doubt", "pause"),
    Outcome.NO_RULE: Look("doubt", "rule"),
    Outcome.RECORDED: Look("", "fiber_manual_record"),
    Outcome.IGNORED: Look("", "do_not_touch"),
}
FAILURES: Final = (Outcome.RETRYABLE, Outcome.PERMANENT, Outcome.MISCONFIGURED, Outcome.UNKNOWN, Outcome.REFUSED)

RUN_STATES: Final[dict[str, Look]] = {
    RunState.QUEUED: Look("", "schedule"),
    RunState.RUNNING: Look("wait", "play_arrow"),
    RunState.RETRYING: Look("wait", "replay"),
    RunState.AWAITING: Look("wait", "mark_email_unread"),
    RunState.PARKED: Look("wait", "local_parking"),
    RunState.ATTENTION: Look("bad", "error"),
    RunState.HELD: Look("doubt", "pause"),
    RunState.DONE: Look("good", "check"),
    RunState.SKIPPED: Look("", "skip_next"),
    RunState.CANCELLED: Look("", "close"),
}
STEP_STATES: Final[dict[str, Look]] = {
    StepState.READY: Look("", "schedule"),
    StepState.SENDING: Look("wait", "hourglass_top"),
    StepState.FAILED: Look("bad", "error"),
    StepState.UNKNOWN: Look("doubt", "question_mark"),
    StepState.DONE: Look("good", "check"),
    StepState.SKIPPED: Look("", "skip_next"),
}


def chip(text: Any, look: Look, url: str = "") -> SafeString:
    """A word with its icon in its colour; a link if it leads somewhere."""
    inside = format_html(
        '<span class="material-symbols-outlined" aria-hidden="true">{}</span>{}', look.icon, str(text)
    )
    if url:
        return format_html('<a class="xl-chip xl-{}" href="{}">{}</a>', look.kind or "plain", url, inside)
    return format_html('<span class="xl-chip xl-{}">{}</span>', look.kind or "plain", inside)


def outcome_chip(exchange: Exchange) -> SafeString:
    """What became of a message."""
    return chip(outcome_said(exchange), OUTCOMES[exchange.outcome])


def outcome_said(exchange: Exchange) -> str:
    """What became of a message, in words. What we send without a process run is not tried again by itself."""
    alone = exchange.way == Way.OUT and exchange.run_id is None
    if alone and exchange.outcome == Outcome.RETRYABLE:
        return _("Failed")
    return str(exchange.get_outcome_display())


def state_chip(run: ProcessRun) -> SafeString:
    """How far a run is."""
    return chip(run.get_state_display(), RUN_STATES[run.state])


def way_arrow(way: str) -> SafeString:
    """The direction as an arrow and a word."""
    out = way == Way.OUT
    return format_html(
        '<span class="xl-way"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        "arrow_forward" if out else "arrow_back",
        _("Out") if out else _("In"),
    )


def exchange_url(exchange_id: int) -> str:
    """The page of an exchange."""
    return reverse("admin:integrations_exchange_change", args=[exchange_id])


def run_url(run_id: int) -> str:
    """The page of a process run."""
    return reverse("admin:integrations_processrun_change", args=[run_id])


def task_url(ticket_id: int, number: str) -> str:
    """The task on its ticket's page."""
    return reverse("admin:tickets_ticket_change", args=[ticket_id]) + f"#task-{number}"


def duration(milliseconds: int | None) -> str:
    """A duration for people: 84 ms, 1.2 s, 3 min."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 1000:
        return _("%(count)d ms") % {"count": milliseconds}
    if milliseconds < 120_000:
        return _("%(count).1f s") % {"count": milliseconds / 1000}
    return _("%(count)d min") % {"count": milliseconds // 60_000}


def to_the_second(moment: datetime) -> str:
    """A moment as the log tells it: exchanges follow each other within a minute."""
    return date_format(timezone.localtime(moment), "j M Y, H:i:s")


def relative(moment: datetime) -> str:
    """A moment seen from now: 4 minutes ago, 2 hours from now."""
    return str(naturaltime(moment))
