"""The status of a case, as another desk would have it.

A ticket closes and opens again with its tasks. So Closed is the operation close on the desk's tasks, and Open after
Closed the operation reopen; every other status is set as by hand, by the desk that raised the ticket.
"""

from typing import Any

from django.utils.translation import gettext as _

from integrations.inbound import operations
from integrations.inbound.messages import CaseValues, Receipt
from integrations.inbound.problems import Disagrees, Invalid, named
from integrations.inbound.receiving import actor_of, is_at_another_desk, same
from integrations.models import ExternalSystem
from tickets import actions
from tickets.lifecycle import TASKS_FOLLOW, Phase, TasksThen, TicketStatus, check_status
from tickets.models import OwnStatus, Task, Ticket

ENDS_TASKS = (TasksThen.CLOSED, TasksThen.WITHDRAWN)


def write_status(
    system: ExternalSystem, ticket: Ticket, tasks: list[Task], values: CaseValues, *, raiser: bool, author: str
) -> tuple[bool, Receipt | None]:
    """Whether something changed, and the receipt of the operation on a task, if there was one.

    `tasks` are those that the desk may see. Raises `Disagrees` for what it may not decide, `TransitionRefused` for
    what the tables do not allow.
    """
    status, own = wanted_status(ticket, values)
    hold = _hold(ticket, status, values)
    moves = status != ticket.status
    if not moves and own is None and hold == _held(ticket):
        return False, None
    if moves:
        check_status(ticket.status, status)
    if not raiser:
        held = _held(ticket)
        names = [name for name, value in held.items() if hold and hold[name] != value]
        if status not in (ticket.status, TicketStatus.OPEN, TicketStatus.CLOSED):
            names.append("status")
        if own is not None and not (moves and own.is_default):
            names.append("own_status")
        if names:
            text = _("Only the desk that raised the case may change this; you may send the status 2 or 1.")
            raise Disagrees(text, fields={name: [text] for name in names})
    told = None
    if moves and status == TicketStatus.CLOSED:
        if raiser:
            _refuse_while_others_work(system, ticket, status, tasks)
        told = _close(system, tasks, author)
    elif moves and raiser and TASKS_FOLLOW.get((ticket.status, status)) in ENDS_TASKS:
        _refuse_while_others_work(system, ticket, status, [t for t in tasks if not is_at_another_desk(t, system)])
    elif moves and status == TicketStatus.OPEN and (ticket.status == TicketStatus.CLOSED or not raiser):
        told = _reopen(system, tasks, author)
        if told is None and not raiser:
            raise Disagrees(
                _("None of your tasks of this case can be reopened."),
                fields={"status": [_("Only the desk that raised the case may change this.")]},
            )
    if not raiser:
        return bool(told and told.changed), told
    changed = bool(told and told.changed)
    ticket = Ticket.objects.get(pk=ticket.pk)
    if told is None or (own is not None and ticket.status == status and ticket.own_status_id != own.pk):
        actor = actor_of(system, author)
        with named("on_hold_until"):
            actions.set_status(actor=actor, ticket=ticket, status=status, own_status=own, **hold)
        changed = True
    return changed, told


def wanted_status(ticket: Ticket, values: CaseValues) -> tuple[TicketStatus, OwnStatus | None]:
    """The fixed status and, where it is to change, the own one. Only an own one: the fixed one follows it. Both, and
    they disagree: the fixed one wins, and the own one becomes its default (the ITX document's rule)."""
    own = OwnStatus.objects.get(pk=values["own_status"]) if "own_status" in values else None
    status = TicketStatus(values.get("status") or (own.status if own else ticket.status))
    if own is not None and own.status != status:
        own = OwnStatus.default_of(status)
    return status, own if own is not None and own.pk != ticket.own_status_id else None


def _hold(ticket: Ticket, status: TicketStatus, values: CaseValues) -> dict[str, Any]:
    """Until when it is on hold, and why. What a case that leaves its hold still says of it does not count."""
    before = {"on_hold_until": ticket.on_hold_until, "on_hold_comment": ticket.on_hold_comment}
    given: dict[str, Any] = {name: value for name, value in values.items() if name in before}
    if "on_hold_comment" in given:
        given["on_hold_comment"] = given["on_hold_comment"] or ""
    if "on_hold_until" in given and same(ticket.on_hold_until, given["on_hold_until"]):
        given["on_hold_until"] = ticket.on_hold_until
    if status == TicketStatus.ON_HOLD:
        return {**before, **given}
    new = [name for name, value in given.items() if value and value != before[name]]
    if new:
        text = _("Only a case on hold has this: send it with the status 8.")
        raise Invalid(text, fields={name: [text] for name in new})
    return {}


def _held(ticket: Ticket) -> dict[str, Any]:
    if ticket.status != TicketStatus.ON_HOLD:
        return {}
    return {"on_hold_until": ticket.on_hold_until, "on_hold_comment": ticket.on_hold_comment}


def _refuse_while_others_work(
    system: ExternalSystem, ticket: Ticket, status: TicketStatus, tasks: list[Task]
) -> None:
    others = Task.objects.filter(ticket=ticket).exclude(phase=Phase.CLOSE).exclude(pk__in=[task.pk for task in tasks])
    if others.exists():
        text = _('Others still work on this case: it cannot become "%(status)s" now.') % {"status": status.label}
        raise Disagrees(text, fields={"status": [text]})


def _close(system: ExternalSystem, tasks: list[Task], author: str) -> Receipt | None:
    """The receipt of the last one; None where none was open."""
    told = None
    for task in tasks:
        if task.phase != Phase.CLOSE:
            told = operations.close(system=system, task=task, author=author)
    return told


def _reopen(system: ExternalSystem, tasks: list[Task], author: str) -> Receipt | None:
    """Of the desk's tasks that were done, the one that was done last; None where none was."""
    done = [task for task in tasks if task.phase in (Phase.REVIEW, Phase.CLOSE)]
    if not done:
        return None
    last = max(done, key=lambda task: (task.closed_at is not None, task.closed_at or task.updated_at, task.pk))
    return operations.reopen(system=system, task=last, author=author)
