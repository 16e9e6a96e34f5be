"""Tags and properties of a ticket."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.record import lock_ticket, refuse_merged, write_history
from tickets.actors import Actor
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import PropertyDefinition, PropertyValue, Tag, Ticket

MAX_TAGS = 50


@transaction.atomic
def set_tags(*, actor: Actor, ticket: Ticket, names: Iterable[str]) -> Ticket:
    """The ticket has exactly these tags; new ones are made. Upper and lower case are one tag."""
    wanted = {name.strip().casefold(): name.strip() for name in names if name.strip()}
    if len(wanted) > MAX_TAGS or any(len(name) > 50 for name in wanted.values()):
        raise InvalidInput(_("A ticket has at most %(limit)d tags of at most 50 characters.") % {"limit": MAX_TAGS})
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    before = {tag.name.casefold(): tag for tag in ticket.tags.all()}
    if set(before) == set(wanted):
        return ticket
    tags = [before.get(key) or _tag(name) for key, name in wanted.items()]
    ticket.tags.set(tags)
    _told(
        actor,
        ticket,
        EventName.TAGS_CHANGED,
        {"tags": (_list(tag.name for tag in before.values()), _list(tag.name for tag in tags))},
    )
    return ticket


@transaction.atomic
def change_tags(*, actor: Actor, ticket: Ticket, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Ticket:
    """Put tags on and take tags off; all others stay, whoever else puts some on meanwhile."""
    ticket = lock_ticket(ticket)
    gone = {name.strip().casefold() for name in remove}
    kept = [tag.name for tag in ticket.tags.all() if tag.name.casefold() not in gone]
    return set_tags(actor=actor, ticket=ticket, names=[*kept, *add])


@transaction.atomic
def set_properties(*, actor: Actor, ticket: Ticket, values: Mapping[str, Any]) -> Ticket:
    """Set the named properties; empty ones are removed, others stay. `InvalidInput` says of each what is wrong."""
    known = {row.code: row for row in PropertyDefinition.objects.filter(code__in=list(values), active=True)}
    wrong, canonical = [], {}
    for code, value in values.items():
        if code not in known:
            wrong.append(_('There is no property "%(code)s".') % {"code": code})
            continue
        try:
            canonical[code] = known[code].canonical(value)
        except ValueError as problem:
            wrong.append(f"{known[code].name}: {problem}")
    if wrong:
        raise InvalidInput(" ".join(wrong))
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    rows = {row.definition.code: row for row in ticket.property_values.select_related("definition")}
    changes = {}
    for code, value in canonical.items():
        before = rows[code].value if code in rows else ""
        if before == value:
            continue
        changes[f"property_{code}"] = (before, value)
        if value:
            PropertyValue.objects.update_or_create(ticket=ticket, definition=known[code], defaults={"value": value})
        else:
            rows[code].delete()
    if changes:
        _told(actor, ticket, EventName.PROPERTIES_CHANGED, changes)
    return ticket


def _tag(name: str) -> Tag:
    found = Tag.objects.filter(name__iexact=name).first()
    return found or Tag.objects.get_or_create(name=name)[0]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _told(actor: Actor, ticket: Ticket, event: EventName, changes: dict[str, tuple[Any, Any]]) -> None:
    write_history(actor, event, ticket=ticket, changes=changes)
    publish(Event(name=event, actor=actor, ticket=ticket, changes=changes))
