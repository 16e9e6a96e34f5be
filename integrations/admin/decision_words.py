"""What a decision about a run will do, in words, before it is done."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.admin.look import NOTHING
from integrations.engine.decisions import LABELS
from integrations.models import ENDED, OUT_OF_LINE, ProcessRun, Repeat, RunState

DESTRUCTIVE = ("cancel", "skip", "send_again")


def what_happens(decision: str, run: ProcessRun) -> str:
    """What this decision will do to this run, and to those behind it."""
    step = step_name(run)
    match decision:
        case "retry":
            return _('Step "%(step)s" is tried at once, with the same bytes under the same idempotency key.') % {
                "step": step
            }
        case "rerender":
            return _(
                'Step "%(step)s" is made anew with the process "%(process)s" as it is configured now, and sent under '
                "a new idempotency key. Steps that are done are not repeated."
            ) % {"step": step, "process": run.version.process}
        case "skip":
            return _skip(run, step)
        case "hold":
            return _("The run waits until somebody releases it.") + _behind(run, waits=True)
        case "release":
            return _('The run goes on with step "%(step)s" as soon as it is its turn.') % {"step": step}
        case "cancel":
            return _cancel(run) + _behind(run)
        case "arrived":
            return _(
                'Step "%(step)s" counts as done and is not sent again. The number that you enter is kept as the '
                "reference of task %(task)s, and whatever waits for it goes on."
            ) % {"step": step, "task": run.stream.task.number}
        case "send_again":
            return _(
                'The same bytes of step "%(step)s" are sent again. If they arrived the first time after all, '
                "%(desk)s has them twice, unless it knows the idempotency key."
            ) % {"step": step, "desk": run.stream.system}
    raise KeyError(decision)


def why_left_out(decision: str, run: ProcessRun, allowed: list[str]) -> str:
    """Why this decision cannot be taken about this run now; empty if it can be."""
    if decision in allowed:
        return ""
    state = run.get_state_display()
    if run.state in ENDED:
        return _("It has ended: %(state)s.") % {"state": state}
    if run.state == RunState.RUNNING:
        return _("It is being worked on at this moment.")
    if "send_again" in allowed and decision in ("retry", "rerender"):
        return _("Its request may have arrived: say whether it did, or that it is to be sent again.")
    return _("%(decision)s is not possible while its state is: %(state)s.") % {
        "decision": LABELS[decision],
        "state": state,
    }


def definitions(run: ProcessRun) -> list[dict[str, Any]]:
    """The steps of the run's process as it was when the run began."""
    steps: list[dict[str, Any]] = run.version.definition["steps"]
    return steps


def step_name(run: ProcessRun) -> str:
    """The step that the run is at."""
    steps = definitions(run)
    return steps[run.step_index]["name"] if run.step_index < len(steps) else _("(none)")


def asks_for_number(run: ProcessRun) -> bool:
    """Whether the step creates a record at the other desk, so that its number has to be entered."""
    steps = definitions(run)
    return run.step_index < len(steps) and bool(steps[run.step_index]["creates"])


def repeating(request: dict[str, Any]) -> str:
    """What repeating a request means, in the words of its template."""
    return str(Repeat(request["repeat"]).label) if request.get("repeat") in Repeat.values else ""


def _skip(run: ProcessRun, step: str) -> str:
    rest = _rest(run)[1:]
    if not rest:
        return _('Step "%(step)s" is not done; as it is the last one, the run ends.') % {"step": step} + _behind(run)
    return _('Step "%(step)s" is not done; the run goes on with "%(next)s".') % {"step": step, "next": rest[0]}


def _cancel(run: ProcessRun) -> str:
    return _("The run ends without: %(steps)s. What was sent stays sent.") % {
        "steps": ", ".join(_rest(run)) or NOTHING
    }


def _rest(run: ProcessRun) -> list[str]:
    """The step that the run is at and those that would follow."""
    steps = [step["name"] for step in definitions(run)]
    last = len(steps) if run.only_step is None else run.only_step + 1
    return steps[run.step_index : last]


def _behind(run: ProcessRun, *, waits: bool = False) -> str:
    """A sentence about the runs that stand behind this one in its stream; empty where there are none."""
    if run.state in OUT_OF_LINE:
        return ""
    behind = run.stream.runs.exclude(state__in=OUT_OF_LINE).filter(position__gt=run.position).count()
    if not behind:
        return ""
    if waits:
        words = ngettext("The run behind it waits, too.", "The %(count)d runs behind it wait, too.", behind)
    else:
        words = ngettext("The run behind it moves up.", "The %(count)d runs behind it move up.", behind)
    return " " + words % {"count": behind}
