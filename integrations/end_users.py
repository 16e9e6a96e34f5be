"""What end users see of the other desks that work on their tickets, and what they may do meanwhile.

Both the system's and the group's permissions must allow it; of several desks, each must.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from integrations.models import ExternalReference, ExternalSystem, GroupBinding, ProcessRun, ValueKind, ValueMapping
from tickets.models import Ticket
from tickets.panels import ContactLimits


@dataclass(frozen=True)
class Exchanged:
    """With whom a ticket is or was exchanged: its references, and the bindings through which that happened, also if
    they are switched off by now: what was kept from end users while they were on stays from them."""

    references: list[ExternalReference]
    bindings: list[GroupBinding]

    def unread(self) -> list[ExternalSystem]:
        """The systems whose status and notes are not for end users. One query.

        Also those of which nothing is left here but their words, as they have rejected the task: of them, and of
        those that have raised the ticket themselves, each group counts.
        """
        known = {row.desk.pk for row in self.bindings}
        kept = {row.desk.pk for row in self.bindings if not row.contacts_read}
        by_a_group = Q(pk__in=kept) | Q(bindings__contacts_read=False) & ~Q(pk__in=known)
        return list(ExternalSystem.objects.filter(Q(contacts_read=False) | by_a_group).distinct())


def exchanged(ticket: Ticket) -> Exchanged:
    """Two queries, whatever the ticket's tasks."""
    references = ExternalReference.objects.filter(task__ticket=ticket).select_related("system", "their_ticket")
    through = (
        Q(group__in=ticket.tasks.exclude(group=None).values("group"))
        | Q(group__in=ticket.tasks.exclude(solved_by_group=None).values("solved_by_group"))
        | Q(group__in=ProcessRun.objects.filter(stream__task__ticket=ticket).values("group"))
    )
    bindings = GroupBinding.objects.filter(through).exclude(system=None).select_related("system")
    return Exchanged(list(references.order_by("pk")), list(bindings.order_by("pk")))


def limits(ticket: Ticket) -> ContactLimits:
    """What the ticket's contact may not do while other desks work on it, and whose words they do not read."""
    found = exchanged(ticket)
    working = {task.exchanged_group_id for task in ticket.tasks.all() if not task.is_closed}
    at_work = [row for row in found.bindings if row.integrated and row.group_id in working]
    silent = next((row.desk for row in at_work if not (row.contacts_write and row.desk.contacts_write)), None)
    kept = next((row.desk for row in at_work if not (row.contacts_close and row.desk.contacts_close)), None)
    return ContactLimits(
        write=_("%(desk)s works on this ticket and takes no messages from here meanwhile.") % {"desk": silent}
        if silent
        else "",
        close=_("%(desk)s works on this ticket: you can close it when that is done.") % {"desk": kept}
        if kept
        else "",
        unread=frozenset(system.actor_key for system in found.unread()),
    )


def public_facts(ticket: Ticket) -> list[tuple[str, str]]:
    """For the ticket's contact: its number at each desk that works on it, and its status there as far as it is known
    and theirs to read. Several tasks at one desk stand side by side."""
    found = exchanged(ticket)
    numbers: dict[str, list[str]] = {}
    statuses: dict[str, list[str]] = {}
    unread = {system.pk for system in found.unread()} if found.references else set()
    names = _status_names(found.references)
    for reference in found.references:
        desk = reference.system.name
        numbers.setdefault(desk, []).append(reference.value)
        status = names.get(reference.pk)
        if status and reference.system_id not in unread:
            statuses.setdefault(desk, []).append(f"{reference.value}: {status}")
    facts = []
    for desk, values in numbers.items():
        facts.append((_("Reference at %(desk)s") % {"desk": desk}, ", ".join(values)))
        if told := statuses.get(desk):
            only = told[0].partition(": ")[2] if len(values) == 1 else ", ".join(told)
            facts.append((_("Status at %(desk)s") % {"desk": desk}, only))
    return facts


def _status_names(references: list[ExternalReference]) -> dict[int, str]:
    """What the status there is called, by reference: by the value map, else as that desk calls it."""
    seen: dict[int, dict[str, Any]] = {
        row.pk: row.their_ticket.values for row in references if hasattr(row, "their_ticket")
    }
    systems = {row.system_id for row in references if row.pk in seen}
    if not systems:
        return {}
    mapped = ValueMapping.objects.filter(system__in=systems, kind=ValueKind.STATUS).exclude(label="")
    labels = {(row.system_id, row.theirs): row.label for row in mapped}
    found = {}
    for row in references:
        values = seen.get(row.pk, {})
        status = str(values.get("status") or "")
        found[row.pk] = labels.get((row.system_id, status)) or str(values.get("status_label") or "") or status
    return found
