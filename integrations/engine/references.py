"""The one place where another desk's number is stored or removed."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from integrations.engine.streams import acknowledge_arrived
from integrations.models import ContactReference, ExternalReference, ExternalSystem
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.errors import Conflict, InvalidInput
from tickets.models import Contact, Task


@transaction.atomic
def store_reference(*, task: Task, system: ExternalSystem, value: str, external_id: str = "") -> bool:
    """Store the other desk's number and wake whoever waits for it. False if it was known already.

    `external_id` is its internal id there, where that is another one; once known it stays.
    `Conflict` when the task has another number at that desk, or the number belongs to another task;
    `InvalidInput` for no or too long a number.
    """
    value = value.strip()
    if not value or len(value) > 200 or not value.isprintable():
        raise InvalidInput(_("An external reference has 1 to 200 printable characters."))
    external_id = external_id.strip()[:200]
    try:
        with transaction.atomic():
            reference, created = ExternalReference.objects.get_or_create(
                task=task, system=system, defaults={"value": value, "external_id": external_id}
            )
    except IntegrityError as error:
        raise Conflict(_('The reference "%(value)s" belongs to another task already.') % {"value": value}) from error
    if not created:
        if reference.value != value:
            raise Conflict(
                _('Task %(task)s has the reference "%(known)s" there already, not "%(value)s".')
                % {"task": task.number, "known": reference.value, "value": value}
            )
        if external_id and not reference.external_id:
            reference.external_id = external_id
            reference.save(update_fields=["external_id"])
        return False
    add_remark(
        actor=Actor.external(key=system.actor_key, name=system.name),
        ticket=task.ticket,
        task=task,
        text=_("External reference: %(value)s") % {"value": value},
    )
    acknowledge_arrived(task=task, system=system)
    return True


@transaction.atomic
def drop_reference(*, task: Task, system: ExternalSystem) -> bool:
    """Remove the other desk's number, as that desk rejected the task; nothing waits for one any more.

    False if there was none.
    """
    removed, _rows = ExternalReference.objects.filter(task=task, system=system).delete()
    acknowledge_arrived(task=task, system=system)
    return removed > 0


def store_contact(*, contact: Contact, system: ExternalSystem, value: str) -> None:
    """Store by what the other desk knows the contact; a new number replaces the old one. `InvalidInput` for none or
    too long a number."""
    value = value.strip()
    if not value or len(value) > 200 or not value.isprintable():
        raise InvalidInput(_("A contact's number has 1 to 200 printable characters."))
    ContactReference.objects.update_or_create(
        contact=contact, system=system, defaults={"value": value, "only_named": False}
    )
