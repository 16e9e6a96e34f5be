"""Mailboxes in the configuration: by their address, with everything else that they name by its natural key.

Their passwords are in no file, and whether they are switched on is for a person to say, as of systems.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext as _

from integrations.catalogue import rows
from integrations.catalogue.reader import Reader
from integrations.catalogue.saving import save_changed
from integrations.models import ExternalSystem, Mailbox
from tickets.models import Category, Contact, Queue

# Key in a document -> the model, and the field by which a row of it is named.
NAMED: Final[Mapping[str, tuple[type[Model], str]]] = {
    "system": (ExternalSystem, "code"),
    "token_system": (ExternalSystem, "code"),
    "queue": (Queue, "code"),
    "category": (Category, "code"),
    "failover_contact": (Contact, "email"),
}
# Where the password of a mailbox is sent to, and how.
CARRY_SECRETS: Final = ("host", "port", "security", "verify_tls")


def mailboxes_document(systems: Collection[ExternalSystem] | None) -> dict[str, Any]:
    """All mailboxes, or those of these systems, by their addresses."""
    boxes: Iterable[Mailbox] = Mailbox.objects.select_related(*NAMED)
    if systems is not None:
        boxes = [box for box in boxes if box.system in systems]
    # Sorted here: databases do not agree on the order of texts.
    return {box.address: _document(box) for box in sorted(boxes, key=lambda box: box.address)}


def apply_mailboxes(reader: Reader, document: Mapping[str, Any], *, only: Collection[str]) -> list[str]:
    """Write them, after the systems; sentences about what a person has to do then.

    `only` are codes of systems: then only their mailboxes. One that the document does not name stays.
    """
    notes: list[str] = []
    for address, given in document.items():
        place = f"mailboxes/{address}"
        row = reader.mapping(given, place)
        if not only or row.get("system") in only:
            _apply(reader, address, row, place, notes)
    return notes


def _document(box: Mailbox) -> dict[str, Any]:
    document = rows.written(box)
    for name, (_model, key) in NAMED.items():
        row = getattr(box, name)
        if row is not None and getattr(row, key):
            document[name] = getattr(row, key)
    return document


def _apply(reader: Reader, address: str, given: Mapping[str, Any], place: str, notes: list[str]) -> None:
    box = Mailbox.objects.filter(address__iexact=address).first()
    values = rows.read(reader, Mailbox, given, place, further=NAMED)
    for name in NAMED:
        values[name] = _named(reader, name, given, place, notes)
    words = {"name": values.get("name", address)}
    if box is None:
        box = Mailbox(address=address, active=False)
        sentence = _(
            "The mailbox %(name)s is new. It is switched off until somebody enters its password, if it has one."
        )
        notes.append(sentence % words)
    elif (box.secret or box.token_system) and any(
        name in values and values[name] != getattr(box, name) for name in CARRY_SECRETS
    ):
        # Otherwise whoever may import could have it sent to a host of their own, or where others listen.
        values |= {"secret": "", "active": False}
        sentence = _(
            "The mailbox %(name)s is at another server now: its password is removed, and it is switched off."
        )
        notes.append(sentence % words)
    save_changed(reader, box, values, place)


def _named(reader: Reader, name: str, given: Mapping[str, Any], place: str, notes: list[str]) -> Model | None:
    """What the document names by its natural key. A person who is not known here is told, and is no fault."""
    if given.get(name) is None:
        return None
    model, key = NAMED[name]
    wanted = reader.text(given[name], f"{place}/{name}")
    found = model._default_manager.filter(**{f"{key}__iexact": wanted}).order_by("pk").first()
    if found is None and model is Contact:
        words = {"place": f"{place}/{name}", "person": wanted}
        notes.append(_("%(place)s: %(person)s is not known here, so there is no such person.") % words)
    elif found is None:
        reader.wrong(f"{place}/{name}", _('there is no "%(name)s".') % {"name": wanted})
    return found
