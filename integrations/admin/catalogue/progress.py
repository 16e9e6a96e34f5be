"""The steps of the guided form as a list: what is done, where one is, what comes."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.catalogue.readiness import last_test
from integrations.models import Outcome, Setup, SetupStep

ORDER = list(SetupStep)


@dataclass(frozen=True)
class Mark:
    """One step in the list. `state` is done, current or open; one that can be opened has an address."""

    number: int
    label: str
    state: str
    url: str = ""


def progress_of(setup: Setup | None, current: str) -> list[Mark]:
    """All steps, the choice of a desk first. What was reached once can be opened again, in any order."""
    marks = [Mark(1, _("Choose a desk"), "done", reverse("admin:integrations_catalogue"))]
    reached = ORDER.index(SetupStep(setup.reached)) if setup else 0
    for position, step in enumerate(ORDER):
        is_done = position < reached and (step != SetupStep.TEST or _is_tested(setup))
        state = "current" if step == current else "done" if is_done else "open"
        url = ""
        if setup is not None and position <= reached:
            url = reverse("admin:integrations_setup_step", args=(setup.system_id, step))
        marks.append(Mark(position + 2, str(step.label), state, url))
    return marks


def _is_tested(setup: Setup | None) -> bool:
    """Passing the test is no success: the last one was, or there is nothing to call."""
    if setup is None or not setup.system.base_url:
        return True
    last = last_test(setup.system)
    return last is not None and last.outcome == Outcome.SUCCEEDED


def after(step: str) -> SetupStep:
    """The step that follows; the last is followed by itself."""
    return ORDER[min(ORDER.index(SetupStep(step)) + 1, len(ORDER) - 1)]


def advance(setup: Setup, to: SetupStep) -> None:
    """Remember that this step was reached; going back loses nothing."""
    if ORDER.index(to) > ORDER.index(SetupStep(setup.reached)):
        setup.reached = to
        setup.save(update_fields=["reached"])
