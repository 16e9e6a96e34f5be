"""Change whom we work for."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from tickets.errors import Conflict, InvalidInput
from tickets.models import Contact

FIELDS = ("name", "email", "login", "phone")


@transaction.atomic
def create_contact(*, email: str, name: str = "", login: str = "", phone: str = "") -> Contact:
    """A new contact. `Conflict` where the address or login is somebody's already, `InvalidInput` for what is none."""
    return _saved(Contact(email=email.strip(), name=name.strip() or email.strip(), login=login.strip(), phone=phone))


@transaction.atomic
def change_contact(contact: Contact, **values: str) -> Contact:
    """Name, e-mail, login or phone, whichever is given. Raises as `create_contact` does."""
    contact = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
    for field, value in values.items():
        if field not in FIELDS:
            raise InvalidInput(_('A contact has no "%(field)s".') % {"field": field})
        setattr(contact, field, value.strip())
    return _saved(contact)


@transaction.atomic
def delete_contact(contact: Contact) -> None:
    """Remove a contact for whom there is no ticket. `Conflict` where there is one: what was done stays explained."""
    try:
        contact.delete()
    except ProtectedError as error:
        raise Conflict(_("%(name)s has tickets, so the contact stays.") % {"name": contact.name}) from error


def _saved(contact: Contact) -> Contact:
    try:
        contact.clean_fields(exclude=["organisation", "user"])
    except ValidationError as error:
        problems: dict[str, Any] = error.message_dict
        raise InvalidInput(" ".join(f"{name}: {' '.join(texts)}" for name, texts in problems.items())) from error
    try:
        with transaction.atomic():
            contact.clean()
            contact.save()
    except (IntegrityError, ValidationError) as error:
        raise Conflict(_("This address or login is another contact's already.")) from error
    return contact
