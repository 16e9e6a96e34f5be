"""What was changed about a contact here goes to the desks that know the contact, also when they are down just then.

The row of the outbox is written in the transaction of the change; workers send what is due, and the sweeper finds
what nobody sent. What is sent is the contact as it is then, so that of several changes the last one counts.
"""

from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from integrations.direct import call
from integrations.engine.claim import lease
from integrations.engine.retry import next_try, parse_schedule
from integrations.engine.streams import enqueue
from integrations.models import ContactReference, ContactUpdate, OperationTemplate
from integrations.people.calls import UPDATE, operation_of
from integrations.people.context import of_contact
from tickets.models import Contact

# The Celery task that sends one update, in `integrations.tasks`.
SEND: Final = "integrations.tasks.update_contact"
TOLD: Final = ("name", "email", "phone", "login")


def before_saving(sender: object, instance: Contact, raw: bool = False, **_kwargs: object) -> None:
    """Receiver of `pre_save`: remember whether anything changes that other desks are told."""
    before = None if raw or instance.pk is None else Contact.objects.filter(pk=instance.pk).values(*TOLD).first()
    changed = before is not None and any(before[name] != getattr(instance, name) for name in TOLD)
    instance.__dict__["_told_changed"] = changed


def after_saving(sender: object, instance: Contact, **_kwargs: object) -> None:
    """Receiver of `post_save`: put the change into the outbox, in the same transaction."""
    if instance.__dict__.pop("_told_changed", False):
        note_change(instance)


@transaction.atomic
def note_change(contact: Contact) -> None:
    """The contact has changed: every desk that knows them and takes changes is to be told."""
    takes = OperationTemplate.objects.filter(system=OuterRef("system"), name=UPDATE)
    known = ContactReference.objects.filter(Exists(takes), contact=contact, system__updates_contacts=True)
    # Whom the desk has made here is theirs to change, and they know them already.
    known = known.exclude(value="").exclude(made_by_them=True).exclude(only_named=True)
    for reference in known.order_by("pk"):
        row, created = ContactUpdate.objects.get_or_create(reference=reference, defaults={"due_at": timezone.now()})
        if not created:
            ContactUpdate.objects.filter(pk=row.pk).update(
                version=F("version") + 1, due_at=timezone.now(), failures=0, last_error=""
            )
        transaction.on_commit(partial(enqueue, row.pk, task=SEND), robust=True)


def due(now: datetime) -> QuerySet[ContactUpdate]:
    """What is to be sent now and that no worker has; to a desk that is switched off, or is not to be told of changes
    any more, it waits."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    told = Q(reference__system__active=True, reference__system__updates_contacts=True)
    return ContactUpdate.objects.filter(free, told, due_at__lte=now).order_by("due_at")


def send(update_id: int) -> bool:
    """Send one update. False: another worker has it, or it is not due."""
    now = timezone.now()
    ours = due(now).filter(pk=update_id).order_by()
    if not ours.update(token=F("token") + 1, lease_until=now + lease()):
        return False
    row = ContactUpdate.objects.select_related("reference__contact__organisation", "reference__system").get(
        pk=update_id
    )
    contact, system = row.reference.contact, row.reference.system
    mine = ContactUpdate.objects.filter(pk=row.pk, token=row.token)
    operation = operation_of(system, UPDATE)
    if operation is None:
        mine.delete()
        return True
    called = call(operation, of_contact(contact, system))
    if called.succeeded:
        if not mine.filter(version=row.version).delete()[0]:
            _again(mine, update_id)
        return True
    later = None
    if called.retryable:
        later = next_try(parse_schedule(system.retry_schedule), failures=row.failures + 1, now=timezone.now())
    failed = {"failures": row.failures + 1, "last_error": called.problem, "due_at": later, "lease_until": None}
    if not mine.filter(version=row.version).update(**failed):
        _again(mine, update_id)
    return True


def given_up() -> QuerySet[ContactUpdate]:
    """What was refused, or tried in vain until the end: a person has to look."""
    return ContactUpdate.objects.filter(due_at=None)


def _again(mine: QuerySet[ContactUpdate], update_id: int) -> None:
    """The contact has changed once more while the last change was on its way."""
    if mine.update(lease_until=None, due_at=timezone.now()):
        enqueue(update_id, task=SEND)


def connect(pre_save: Any, post_save: Any) -> None:
    """Listen to contacts that are saved, whoever saves them."""
    pre_save.connect(before_saving, sender=Contact, dispatch_uid="integrations.people.before")
    post_save.connect(after_saving, sender=Contact, dispatch_uid="integrations.people.after")
