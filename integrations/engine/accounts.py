"""One account for a contact at a desk, however many tickets of that contact are given away at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine import results
from integrations.engine.claim import lease
from integrations.engine.rendering import contact_of
from integrations.engine.steps.base import Execution
from integrations.engine.steps.tries import CONTACT
from integrations.models import (
    ENDED,
    AccountUnderWay,
    ContactReference,
    ExternalSystem,
    Repeat,
    RunState,
    StepRun,
    StepState,
)
from tickets.models import Contact

CREATE_CONTACT: Final = "create_contact"
# How soon a step looks again whether the account that another one is making is there.
LOOK_AGAIN: Final = timedelta(seconds=5)


def hold_back(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> results.Result | None:
    """What keeps a step from making an account: there is one, or somebody is just making it. None: go ahead.

    Whoever went ahead keeps the others waiting until its step has ended: for its retries and probes, too, and while
    a person has to decide about it.
    """
    contact_id = contact_of(execution.run)
    if request["operation"] != CREATE_CONTACT or contact_id is None:
        return None
    step = execution.step
    with transaction.atomic():
        Contact.objects.select_for_update(no_key=True).get(pk=contact_id)
        known = ContactReference.objects.filter(contact_id=contact_id, system=system).exclude(value="").first()
        twice = known is None and request["repeat"] != Repeat.SAFE
        nameless = _made_without_number(contact_id, system) if twice else None
        other = None if nameless else take(contact_id, system, step=step).other
    if nameless is not None:
        reason = _(
            "An account for this contact was made (%(where)s), and nobody knows its number: on the contact's page, "
            "look them up or make another. Then retry."
        )
        return results.attention(reason % {"where": where(nameless)}, step_state=StepState(step.state))
    if other is not None:
        return results.retry(
            _("Waits: an account for this contact is just being made (%(where)s).") % {"where": where(other)},
            timezone.now() + LOOK_AGAIN,
            step_state=StepState(step.state),
        )
    if known is None:
        return None
    if step.state == StepState.READY:
        return results.skipped(_('Not made again: the contact is known there as "%(number)s".') % {"number": known})
    return results.done(reason=_('It arrived: the contact is known there as "%(number)s".') % {"number": known})


def _made_without_number(contact_id: int, system: ExternalSystem) -> AccountUnderWay | None:
    """Whoever made the account last, if their step is done and told no number: made again, it is there twice."""
    rows = AccountUnderWay.objects.select_related("step__run")
    found = rows.filter(contact_id=contact_id, system=system, step__state=StepState.DONE).first()
    return found if found is not None and found.step and not found.step.captures.get(CONTACT) else None


@dataclass(frozen=True)
class Turn:
    """Who may make the account: `other` is the row of whoever is just making it; else it is our turn, `until` then
    where it is a person's."""

    other: AccountUnderWay | None = None
    until: datetime | None = None


def take(contact_id: int, system: ExternalSystem, *, step: StepRun | None = None) -> Turn:
    """Be the one who makes the account, unless another is. In the caller's transaction.

    The contact's row is locked, so that of two at once one sees the other. Without a step it is a person's, and lasts
    for one request; a step that was refused, and waits for a person, gives way to it.
    """
    Contact.objects.select_for_update(no_key=True).get(pk=contact_id)
    until = None if step else timezone.now() + lease()
    found, created = AccountUnderWay.objects.select_related("step__run").get_or_create(
        contact_id=contact_id, system=system, defaults={"step": step, "until": until}
    )
    if created or (step is not None and found.step_id == step.pk):
        return Turn(until=until)
    if _is_live(found) and not (step is None and _was_refused(found)):
        return Turn(other=found)
    found.step, found.until = step, until
    found.save(update_fields=["step", "until"])
    return Turn(until=until)


def let_go(contact_id: int, system: ExternalSystem, turn: Turn) -> None:
    """A person's request is over. Whoever took over after it had lasted too long keeps their turn."""
    AccountUnderWay.objects.filter(contact_id=contact_id, system=system, step=None, until=turn.until).delete()


def _is_live(row: AccountUnderWay) -> bool:
    if row.step is None:
        return row.until is not None and row.until > timezone.now()
    return row.step.state not in (StepState.DONE, StepState.SKIPPED) and row.step.run.state not in ENDED


def _was_refused(row: AccountUnderWay) -> bool:
    step = row.step
    waits = step is not None and step.run.state in (RunState.ATTENTION, RunState.HELD)
    return waits and step is not None and step.state == StepState.FAILED


def where(row: AccountUnderWay) -> str:
    if row.step is None:
        return _("by a person")
    return _("run %(number)d") % {"number": row.step.run_id}
