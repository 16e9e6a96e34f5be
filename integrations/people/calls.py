"""Calls about a person at another desk, because somebody asks for them. No transaction may be open around them."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.direct import Called, call, call_pages, paths_of
from integrations.engine import accounts
from integrations.engine.references import store_contact
from integrations.models import (
    AccountUnderWay,
    ContactReference,
    ContactUpdate,
    Exchange,
    ExternalSystem,
    OperationTemplate,
    StepState,
)
from integrations.people.context import of_contact, of_search
from tickets.actions.contact import FIELDS, create_contact
from tickets.errors import ActionRefused, Conflict, InvalidInput
from tickets.models import Contact

FIND, CREATE, UPDATE = "find_contact", accounts.CREATE_CONTACT, "update_contact"
DELETE, QUERY = "delete_contact", "query_contacts"


@dataclass(frozen=True)
class Answer:
    """What came of it, in words for the person who asked; `number` is the contact's at that desk, empty: none."""

    succeeded: bool
    words: str
    number: str = ""
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Found:
    """What a search brought: the other desk's people, by the names contact, name, email, login and phone."""

    problem: str = ""
    people: list[dict[str, str]] = field(default_factory=list)
    exchange: Exchange | None = None


def look_up(contact: Contact, system: ExternalSystem) -> Answer:
    """Ask the desk whether it knows the contact; the number that it tells is kept."""
    operation = operation_of(system, FIND)
    if operation is None:
        return _lacks(system, FIND)
    if not system.active:
        return _switched_off()
    called = call(operation, of_contact(contact, system))
    if not called.succeeded:
        return Answer(False, called.problem, exchange=called.exchange)
    try:
        number = number_in(called)
        if number:
            store_contact(contact=contact, system=system, value=number)
    except ActionRefused as problem:
        return Answer(False, str(problem), exchange=called.exchange)
    if not number:
        words = _("%(system)s does not know %(name)s.") % {"system": system, "name": contact.name}
        if kept := _number(contact, system):
            # Another address there, or removed there: which, only a person can tell.
            gone = _('The number "%(number)s" is kept here: forget it if that account is gone.')
            words = f"{words} {gone % {'number': kept}}"
        return Answer(True, words, exchange=called.exchange)
    words = _('%(system)s knows %(name)s as "%(number)s".')
    said = words % {"system": system, "name": contact.name, "number": number}
    return Answer(True, said, number, called.exchange)


def create(contact: Contact, system: ExternalSystem) -> Answer:
    """Make an account for the contact, unless the desk turns out to have one."""
    operation = operation_of(system, CREATE)
    if operation is None:
        return _lacks(system, CREATE)
    if not system.active:
        return _switched_off()
    with transaction.atomic():
        turn = accounts.take(contact.pk, system)
    if turn.other is not None:
        words = _("An account for this contact is just being made there (%(where)s). Look again in a moment.")
        return Answer(False, words % {"where": accounts.where(turn.other)})
    try:
        if known := _number(contact, system):
            # Pressed twice: who is found late over there would be made twice.
            words = _('%(system)s knows %(name)s as "%(number)s" already.')
            return Answer(True, words % {"system": system, "name": contact.name, "number": known}, known)
        if operation_of(system, FIND) is not None:
            before = look_up(contact, system)
            if not before.succeeded or before.number:
                # A desk that cannot say whether it knows somebody is not asked to make them.
                return before
        called = call(operation, of_contact(contact, system))
        if not called.succeeded:
            return Answer(False, called.problem, exchange=called.exchange)
        number = number_in(called)
        if not number:
            said = _("The account was made, but the answer gave no number: add a capture named contact.")
            return Answer(False, said, exchange=called.exchange)
        store_contact(contact=contact, system=system, value=number)
    except ActionRefused as problem:
        return Answer(False, str(problem))
    finally:
        accounts.let_go(contact.pk, system, turn)
    words = _('%(name)s was made at %(system)s, as "%(number)s".')
    return Answer(True, words % {"system": system, "name": contact.name, "number": number}, number, called.exchange)


def update(contact: Contact, system: ExternalSystem) -> Answer:
    """Send the contact's name, e-mail, phone and login of now; what was still to be sent is sent with it."""
    number = _number(contact, system)
    operation = operation_of(system, UPDATE)
    if operation is None:
        return _lacks(system, UPDATE)
    if not system.active:
        return _switched_off()
    if not number:
        return _unknown(contact, system)
    before = ContactUpdate.objects.filter(reference__contact=contact, reference__system=system).first()
    fresh = Contact.objects.select_related("organisation").get(pk=contact.pk)
    called = call(operation, of_contact(fresh, system))
    if not called.succeeded:
        return Answer(False, called.problem, number, called.exchange)
    if before is not None:
        ContactUpdate.objects.filter(pk=before.pk, version=before.version).delete()
    words = _("%(system)s has the name, e-mail, phone and login of %(name)s as they are here.")
    return Answer(True, words % {"system": system, "name": contact.name}, number, called.exchange)


def delete(contact: Contact, system: ExternalSystem) -> Answer:
    """Remove the contact over there; here only the number is forgotten."""
    number = _number(contact, system)
    operation = operation_of(system, DELETE)
    if operation is None:
        return _lacks(system, DELETE)
    if not system.active:
        return _switched_off()
    if not number:
        return _unknown(contact, system)
    called = call(operation, of_contact(contact, system))
    if not called.succeeded:
        return Answer(False, called.problem, number, called.exchange)
    forget(contact, system)
    words = _("%(name)s was removed at %(system)s.") % {"system": system, "name": contact.name}
    return Answer(True, words, exchange=called.exchange)


def query(system: ExternalSystem, text: str) -> Found:
    """Search the desk's people: by the desk itself where its template names what is searched, else among all."""
    operation = operation_of(system, QUERY)
    if operation is None:
        return Found(_lacks(system, QUERY).words)
    called = call_pages(operation, of_search(system, text))
    if not called.succeeded:
        return Found(called.problem, exchange=called.exchange)
    people = [_person(record) for record in called.records]
    if not any(path.startswith(("query.", "ticket.contact.")) for path in paths_of(operation)):
        wanted = text.casefold()
        people = [person for person in people if any(wanted in value.casefold() for value in person.values())]
    return Found(people=[person for person in people if person["contact"]], exchange=called.exchange)


@transaction.atomic
def link(contact: Contact, system: ExternalSystem, number: str) -> None:
    """The desk's person with this number is this contact. `Conflict` where it is another contact already."""
    _hold_numbers(system)
    taken = ContactReference.objects.filter(system=system, value=number.strip()).exclude(contact=contact).first()
    if taken is not None:
        raise Conflict(
            _('"%(number)s" of %(system)s is %(name)s here.')
            % {"number": number, "system": system, "name": taken.contact}
        )
    store_contact(contact=contact, system=system, value=number)


@transaction.atomic
def import_person(system: ExternalSystem, person: dict[str, str]) -> Contact:
    """A new contact, made of a person of the desk. `InvalidInput` without name and e-mail, or where one of ours has
    that e-mail or login; `Conflict` where the number is another contact's."""
    _hold_numbers(system)
    if not person["email"] or not person["name"]:
        raise InvalidInput(_("A contact needs a name and an e-mail address, and this person has none over there."))
    if match(person) is not None:
        raise InvalidInput(_("There is a contact with this e-mail address or login: link that one."))
    contact = create_contact(**{name: person[name] for name in FIELDS})
    link(contact, system, person["contact"])
    return contact


def match(person: dict[str, str]) -> Contact | None:
    """Our contact with this person's e-mail or login, if there is one."""
    by_email = Contact.objects.filter(email__iexact=person["email"]).first() if person["email"] else None
    if by_email is not None or not person["login"]:
        return by_email
    return Contact.objects.filter(login__iexact=person["login"]).first()


@transaction.atomic
def forget(contact: Contact, system: ExternalSystem) -> None:
    """Forget by what the desk knows the contact; over there nothing changes."""
    known = ContactReference.objects.filter(contact=contact, system=system)
    # That the desk has made them here stays true.
    known.filter(made_by_them=True).update(value="")
    known.filter(made_by_them=False).delete()
    # Whoever made the account has told its number, which is to be forgotten: another may be made.
    AccountUnderWay.objects.filter(contact=contact, system=system, step__state=StepState.DONE).delete()


def operation_of(system: ExternalSystem, name: str) -> OperationTemplate | None:
    """The system's operation of this name."""
    rows = system.operations.select_related("system__auth_login", "probe", "wsdl")
    return rows.filter(name=name).first()


def number_in(called: Called) -> str:
    """The number that an answer told: by the capture named contact, else by the one record that was read.

    `Conflict` where several people were found: nobody guesses.
    """
    captured = called.captures.get("contact")
    if captured not in (None, ""):
        return str(captured)
    numbers = [str(record["contact"]) for record in called.records if record.get("contact") not in (None, "")]
    if len(set(numbers)) > 1:
        raise Conflict(_("The other desk knows several such people: search its people and link the right one."))
    return numbers[0] if numbers else ""


def _hold_numbers(system: ExternalSystem) -> None:
    """Of two who give one number at once, also the desk itself (`inbound.people`), the second sees the first."""
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)


def _person(record: dict[str, Any]) -> dict[str, str]:
    names = ("contact", "name", "email", "login", "phone")
    return {name: str(record.get(name) if record.get(name) is not None else "").strip() for name in names}


def _number(contact: Contact, system: ExternalSystem) -> str:
    found = ContactReference.objects.filter(contact=contact, system=system).values_list("value", flat=True).first()
    return found or ""


def _lacks(system: ExternalSystem, name: str) -> Answer:
    return Answer(False, _("%(system)s has no operation %(name)s.") % {"system": system, "name": name})


def _switched_off() -> Answer:
    return Answer(False, _("It is switched off, and nothing is sent to it. Switch it on first, on its own page."))


def _unknown(contact: Contact, system: ExternalSystem) -> Answer:
    words = _("%(system)s does not know %(name)s: look them up or make them first.")
    return Answer(False, words % {"system": system, "name": contact.name})
