"""People, as another desk makes, changes and looks them up here: messages, and what they do.

A desk sees the contacts that it has made, those of the tickets that it sees, and, where the administrator says so,
everybody. Of one whose address it names, and who was here before, it learns our id and nothing that it has not said
itself. It changes only those that it has made, and of them none who signs in here; address and login only as long as
nobody else has to do with the person.
"""

from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from integrations.inbound.messages import Message, Receipt
from integrations.inbound.problems import Disagrees, Invalid, NotFound
from integrations.models import ContactReference, ExternalSystem
from integrations.visibility import tickets_visible_to
from tickets.actions.contact import change_contact, create_contact, delete_contact
from tickets.errors import Conflict
from tickets.models import Contact, Ticket


@dataclass(frozen=True, kw_only=True)
class NewContact(Message):
    """A person whom they make known here; `external_id` is their own number of that person."""

    operation = "create_contact"
    email: str
    name: str = ""
    login: str = ""
    phone: str = ""
    external_id: str = ""


@dataclass(frozen=True, kw_only=True)
class ContactMessage(Message):
    """About a contact, by our id."""

    contact: int

    @property
    def target(self) -> str:
        return f"contact {self.contact}"


@dataclass(frozen=True, kw_only=True)
class ContactChange(ContactMessage):
    """What is given is changed."""

    operation: ClassVar[str] = "update_contact"
    email: str | None = None
    name: str | None = None
    login: str | None = None
    phone: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContactRemoval(ContactMessage):
    """The person is gone."""

    operation: ClassVar[str] = "delete_contact"


def contacts_visible_to(system: ExternalSystem) -> QuerySet[Contact]:
    """Whom the desk may read."""
    if system.may_name_anybody:
        return Contact.objects.all()
    tickets = Ticket.objects.filter(pk__in=tickets_visible_to(system).values("pk"), contact=OuterRef("pk"))
    known = ContactReference.objects.filter(system=system, contact=OuterRef("pk"), only_named=False)
    return Contact.objects.filter(Q(Exists(known)) | Q(Exists(tickets)))


@transaction.atomic
def create(system: ExternalSystem, message: NewContact) -> Receipt:
    """The contact with this address, made if it is the first time. One that there is stays as it is; the desk is told
    our id, and may read it only once it has to do with that person. `Disagrees` where its number is somebody else's.
    """
    _wait_for_turn(system)
    contact = Contact.objects.filter(email__iexact=message.email).first()
    made = contact is None
    if contact is None:
        try:
            contact = create_contact(email=message.email, name=message.name, login=message.login, phone=message.phone)
        except Conflict:
            # Another desk has named the same address a moment ago. Where it is the login that is taken, that is told.
            contact = Contact.objects.filter(email__iexact=message.email).first()
            made = False
            if contact is None:
                raise
    _require_free(system, message.external_id, contact)
    only_named = not made and not contacts_visible_to(system).filter(pk=contact.pk).exists()
    known, first_time = ContactReference.objects.get_or_create(
        contact=contact,
        system=system,
        defaults={"value": message.external_id, "made_by_them": made, "only_named": only_named},
    )
    if message.external_id and known.value != message.external_id:
        known.value = message.external_id
        known.save(update_fields=["value"])
    text = _("The contact was made.") if made else _("The contact was there already.")
    return _receipt(message, contact, text, changed=made or first_time)


@transaction.atomic
def change(system: ExternalSystem, message: ContactChange) -> Receipt:
    """Change a contact that the desk has made. `NotFound`, `Disagrees` where it is not theirs to change."""
    _wait_for_turn(system)
    named = _only_named(system, message.contact)
    contact = named.contact if named else _visible(system, message.contact)
    facts = {
        name: value for name in ("email", "name", "login", "phone") if (value := getattr(message, name)) is not None
    }
    # Of whom it has only named, it does not even learn whether that is what we know.
    different = {name: value for name, value in facts.items() if named or getattr(contact, name) != value.strip()}
    if different:
        _require_theirs(system, contact)
        if different.keys() & {"email", "login"}:
            _require_known_to_nobody_else(system, contact)
        contact = change_contact(contact, **different)
    numbered = 0
    if message.external_id is not None:
        _require_free(system, message.external_id, contact)
        reference, made = ContactReference.objects.get_or_create(contact=contact, system=system)
        numbered = made or reference.value != message.external_id
        reference.value = message.external_id
        reference.save(update_fields=["value"])
    changed = bool(different or numbered)
    text = _("The contact was changed.") if changed else _("There was nothing new in it.")
    return _receipt(message, contact, text, changed=changed)


@transaction.atomic
def remove(system: ExternalSystem, message: ContactRemoval) -> Receipt:
    """Delete a contact that the desk has made; one with tickets stays (`Conflict`)."""
    contact = _visible(system, message.contact)
    _require_theirs(system, contact)
    receipt = _receipt(message, contact, _("The contact was deleted."), changed=True)
    delete_contact(contact)
    return receipt


def is_only_named(system: ExternalSystem, contact_id: int) -> bool:
    """Whether the desk knows of this contact nothing but the address, which it has named itself, and our id."""
    return _only_named(system, contact_id) is not None


def _only_named(system: ExternalSystem, contact_id: int) -> ContactReference | None:
    rows = ContactReference.objects.filter(system=system, only_named=True).select_related("contact")
    named = rows.filter(contact_id=contact_id).first() if contact_id < 2**63 else None
    if named is None or contacts_visible_to(system).filter(pk=contact_id).exists():
        return None
    return named


def _wait_for_turn(system: ExternalSystem) -> None:
    """Two calls of one desk at once that name the same person, or give one number to two: the second waits here, then
    finds what the first has done. Before anything else is locked, as all wait for this first."""
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)


def _require_free(system: ExternalSystem, number: str, contact: Contact) -> None:
    """Raises `Disagrees` where the desk has told us this number of another person, `Invalid` for what is none."""
    if not number.isprintable():
        raise Invalid(
            _("Your number of a person has printable characters only."), fields={"external_id": [_("Not printable.")]}
        )
    if number and ContactReference.objects.filter(system=system, value=number).exclude(contact=contact).exists():
        raise Disagrees(
            _('The external_id "%(number)s" is that of another person whom you have told us of.') % {"number": number}
        )


def _visible(system: ExternalSystem, contact_id: int) -> Contact:
    contact = contacts_visible_to(system).filter(pk=contact_id).first() if contact_id < 2**63 else None
    if contact is None:
        raise NotFound(_("There is no such contact for you."))
    return contact


def _require_theirs(system: ExternalSystem, contact: Contact) -> None:
    made = ContactReference.objects.filter(system=system, contact=contact, made_by_them=True).exists()
    if not made or contact.user_id is not None:
        raise Disagrees(_("Only contacts that you have made, and who do not sign in here, are yours to change."))


def _require_known_to_nobody_else(system: ExternalSystem, contact: Contact) -> None:
    """Address and login say who somebody is. A new one goes to every desk that knows the person, where it opens the
    account to whoever has it; and what is written to the contact goes to it."""
    elsewhere = ContactReference.objects.filter(contact=contact, only_named=False).exclude(system=system)
    tickets = Ticket.objects.filter(contact=contact).exclude(pk__in=tickets_visible_to(system).values("pk"))
    if elsewhere.exclude(value="").exists() or tickets.exists():
        raise Disagrees(_("This contact is known to others by now: ask us to change the e-mail address or login."))


def _receipt(message: Message, contact: Contact, text: str, *, changed: bool) -> Receipt:
    return Receipt(
        operation=message.operation,
        ticket="",
        task="",
        external_reference="",
        message=text,
        changed=changed,
        contact=contact.pk,
    )
