"""What a case does here: a ticket as a whole, read and written by a desk that has a task of it.

Whoever raised the ticket says what it is about. Another desk that works on it adds to it and says of its own tasks
that they are done, or not; what else it would change is refused by name. Tasks end and begin again through
`operations`, like those of every other dialect.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from integrations import triggers
from integrations.inbound import operations
from integrations.inbound.case_members import MemberChanges, check_people, member_changes, write_members
from integrations.inbound.case_status import write_status
from integrations.inbound.messages import CaseValues, Receipt
from integrations.inbound.problems import Disagrees, Invalid, NotFound, named
from integrations.inbound.receiving import actor_of, receipt, same
from integrations.models import ExternalReference, ExternalSystem
from integrations.visibility import raised_by, tasks_visible_to, tickets_visible_to
from tickets import actions
from tickets.actions.record import lock_ticket, merged_into
from tickets.errors import TransitionRefused
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Category, Contact, Priority, PropertyDefinition, Queue, Task, Ticket

# What is emptied where it is left out, for a desk whose missing fields wipe.
WIPED: Final = ("contact", "category", "queue", "deadline_at")
# Of the ticket's own fields: what a case calls it -> (attribute that is compared, record that its key stands for).
FIELDS: Final[dict[str, tuple[str, Any]]] = {
    "title": ("title", None),
    "details": ("description", None),
    "contact": ("contact_id", Contact),
    "category": ("category_id", Category),
    "priority": ("priority_id", Priority),
    "queue": ("queue_id", Queue),
    "deadline_at": ("deadline_at", None),
}


def find(system: ExternalSystem, case: int) -> tuple[Ticket, list[Task]]:
    """The ticket, locked until the transaction ends, and the tasks of it that the desk may see.

    `NotFound` also where it exists but has no task of theirs; `TransitionRefused` for a merged one names the case to
    use.
    """
    missing = NotFound(_("There is no case %(case)d for you.") % {"case": case})
    ticket = tickets_visible_to(system).filter(pk=case).first()
    if ticket is None:
        raise missing
    ticket = lock_ticket(ticket)
    if ticket.status == TicketStatus.MERGED:
        into = merged_into(ticket)
        raise TransitionRefused(
            _("Case %(number)s was merged: use the case with the seqNo %(other)s and the eactId %(id)d.")
            % {"number": ticket.number, "other": into.number, "id": into.pk}
        )
    tasks = list(tasks_visible_to(system).filter(ticket=ticket).order_by("pk"))
    if not tasks:
        raise missing
    return ticket, tasks


def spoken_of(tasks: list[Task]) -> Task:
    """The task that a desk means when it speaks of the case: the first that is open, else the last."""
    return next((task for task in tasks if task.phase != Phase.CLOSE), tasks[-1])


@transaction.atomic
def create(*, system: ExternalSystem, reference: str, values: CaseValues, author: str = "") -> Receipt:
    """A ticket with a task, as `operations.create` makes it, and what else the case says. A known reference: the case
    there is. Created closed, it was never open: the last open status is Open's default."""

    def code_of(model: Any, name: str) -> str:
        key = values.get(name)
        return model.objects.values_list("code", flat=True).get(pk=key) if key else ""

    contact_id = values.get("contact")
    check_people(system, contact_id, values.get("members", []))
    contact = Contact.objects.get(pk=contact_id) if contact_id else None
    told = operations.create(
        system=system,
        reference=reference or None,
        title=values["title"],
        description=values.get("details") or "",
        contact=contact,
        priority=code_of(Priority, "priority"),
        category=code_of(Category, "category"),
        queue=code_of(Queue, "queue"),
        author=author,
    )
    if told.changed:
        task = Task.objects.select_related("ticket").get(number=told.task)
        _write(system, lock_ticket(task.ticket), [task], values, raiser=True, author=author)
    return told


def _acknowledge(system: ExternalSystem, tasks: list[Task], reference: str, author: str) -> Receipt | None:
    """Their number for the case, given later than the case: for the task that they mean. None where it is known."""
    held = ExternalReference.objects.filter(system=system, task__in=tasks, value=reference)
    if not reference or held.exists():
        return None
    return operations.acknowledge(system=system, task=spoken_of(tasks), reference=reference, author=author)


@transaction.atomic
def change(
    *,
    system: ExternalSystem,
    ticket: Ticket,
    tasks: list[Task],
    values: CaseValues,
    reference: str = "",
    author: str = "",
) -> Receipt:
    """Write what differs; what was left out stays, unless the desk's missing fields wipe. `ticket` and `tasks` are
    what `find` has locked. Raises `Disagrees` for what is not theirs to change, and for another reference.

    As with every update, a closed or awaiting ticket wakes, unless the case names a status.
    """
    acknowledged = _acknowledge(system, tasks, reference, author)
    raiser = raised_by(system, ticket)
    if raiser and system.missing_fields_wipe:
        values = _with_wiped(ticket, values)
    changed, told = _write(system, ticket, tasks, values, raiser=raiser, author=author)
    task = Task.objects.select_related("ticket").get(pk=spoken_of(tasks).pk)
    if not changed:
        nothing = receipt("change", system, task, _("There was nothing new in it."), changed=False)
        return acknowledged or told or nothing
    if "status" not in values and "own_status" not in values:
        actions.wake_ticket(actor=actor_of(system, author), ticket=ticket)
    triggers.received(
        system=system,
        task=task,
        operation="update",
        request_type=triggers.UPDATE,
        actor=actor_of(system, author),
    )
    return receipt("change", system, task, told.message if told else _("The case was changed."))


def _write(
    system: ExternalSystem, ticket: Ticket, tasks: list[Task], values: CaseValues, *, raiser: bool, author: str
) -> tuple[bool, Receipt | None]:
    """Whether anything differed, and what became of the tasks."""
    actor = actor_of(system, author)
    members = member_changes(ticket, values.get("members", []))
    fields = _fields_that_differ(ticket, values, members)
    tags = _tags_that_differ(ticket, values)
    properties = _properties_that_differ(ticket, values)
    if not raiser:
        theirs = {"tags": tags is not None, "properties": bool(properties), "members": bool(members)}
        _refuse([*fields, *(name for name, differs in theirs.items() if differs)])
    check_people(system, fields.get("contact"), members.started)
    if fields:
        with named("deadline_at"):
            ticket = actions.change_ticket(actor=actor, ticket=ticket, **_records(fields))
    if tags is not None:
        actions.set_tags(actor=actor, ticket=ticket, names=tags)
    if properties:
        with named("properties"):
            actions.set_properties(actor=actor, ticket=ticket, values=properties)
    write_members(actor, ticket, members)
    moved, told = write_status(system, ticket, tasks, values, raiser=raiser, author=author)
    return bool(fields or tags is not None or properties or members or moved), told


def _refuse(names: list[str]) -> None:
    if names:
        text = _("Only the desk that raised the case may change this.")
        raise Disagrees(text, fields={name: [text] for name in names})


def _with_wiped(ticket: Ticket, values: CaseValues) -> CaseValues:
    given: dict[str, Any] = dict(values)
    named = {*given, *(["contact"] if any(member["role"] == 20 for member in values.get("members", [])) else [])}
    wiped: dict[str, Any] = {name: None for name in WIPED if name not in named}
    if "tags" not in named:
        wiped["tags"] = []
    held = ticket.property_values.filter(definition__active=True).values_list("definition__code", flat=True)
    given["properties"] = {**dict.fromkeys(held), **values.get("properties", {})}
    return {**given, **wiped}  # type: ignore[typeddict-item]  # built key by key


def _fields_that_differ(ticket: Ticket, values: CaseValues, members: MemberChanges) -> dict[str, Any]:
    given: dict[str, Any] = {**values}
    found = {
        name: given[name]
        for name, (attribute, _model) in FIELDS.items()
        if name in given and not same(getattr(ticket, attribute), given[name])
    }
    if members.contact_changes:
        if "contact" in found and found["contact"] != members.contact:
            text = _("The contact and the member with the role 20 are not the same.")
            raise Invalid(text, fields={"members": [text]})
        found["contact"] = members.contact
    return found


def _records(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the action takes them."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        model = FIELDS[name][1]
        found[name] = model.objects.get(pk=value) if model is not None and value is not None else value
    if "details" in found:
        found["description"] = found.pop("details") or ""
    return found


def _tags_that_differ(ticket: Ticket, values: CaseValues) -> list[str] | None:
    if "tags" not in values:
        return None
    held = {name.casefold() for name in ticket.tags.values_list("name", flat=True)}
    return None if {name.casefold() for name in values["tags"]} == held else values["tags"]


def _properties_that_differ(ticket: Ticket, values: CaseValues) -> dict[str, Any]:
    given = values.get("properties", {})
    known = {row.code: row for row in PropertyDefinition.objects.filter(code__in=list(given))} if given else {}
    held = dict(ticket.property_values.values_list("definition__code", "value")) if given else {}

    def differs(code: str, value: Any) -> bool:
        try:
            return known[code].canonical(value) != held.get(code, "")
        except (KeyError, ValueError):
            # What is wrong with it, the action says.
            return True

    return {code: value for code, value in given.items() if differs(code, value)}
