"""What the templates of a desk's operations on people may use, where there is no ticket."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from integrations.models import ContactReference, ExternalSystem
from integrations.snapshot import contact_there, login_told
from tickets.models import Contact


def of_contact(contact: Contact, system: ExternalSystem) -> dict[str, Any]:
    """The names for operations on this contact: `ticket.contact.*`, as in a process."""
    return of_values(
        system,
        name=contact.name,
        email=contact.email,
        login=login_told(contact, system.pk),
        phone=contact.phone,
        organisation=contact.organisation.name if contact.organisation else "",
        external_id=contact_there(contact.pk, system.pk),
    )


def of_search(system: ExternalSystem, text: str) -> dict[str, Any]:
    """The names for `query_contacts`: what was typed is `query.text`, and also each of the contact's own fields, for
    desks that search by one of them."""
    searched = of_values(system, name=text, email=text, login=text, phone=text)
    return {**searched, "query": {"text": text}}


def of_values(system: ExternalSystem, **contact: str) -> dict[str, Any]:
    """The names with these fields of a contact; what is not given is empty."""
    fields = dict.fromkeys(("name", "email", "login", "phone", "organisation", "external_id"), "") | contact
    return {
        "event": {"at": timezone.now().isoformat()},
        "ticket": {"contact": fields},
        "system": {"code": system.code, "name": system.name, "settings": system.settings},
        "theirs": {},
        "portal": {"url": settings.PORTAL_URL},
    }


def numbers_of(contact: Contact) -> dict[int, ContactReference]:
    """By what each desk knows the contact: system id -> row."""
    rows = ContactReference.objects.filter(contact=contact).select_related("update_due")
    return {row.system_id: row for row in rows}
