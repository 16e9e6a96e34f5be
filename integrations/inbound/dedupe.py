"""The same message again gets the same answer and changes nothing.

A delivery first claims its keys (rows that are not done), in a transaction of its own, so that a second one that
arrives meanwhile sees them. Effect, answer and "done" then commit together. A claim whose worker died is taken over
after a minute; the worker that comes back from the dead finds its claim gone when it wants to finish, and undoes what
it did.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.messages import Acknowledgement, CaseMessage, Message, Receipt, TaskMessage, digest
from integrations.inbound.problems import DifferentContent, InProgress, Invalid
from integrations.models import ExternalReference, ExternalSystem, StoredAnswer

VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,200}")
ABANDONED_AFTER: Final = timedelta(seconds=60)


@dataclass(frozen=True)
class Claim:
    """Keys that this delivery works on."""

    rows: tuple[int, ...]
    taken_at: datetime


def idempotency_key(headers: Mapping[str, str]) -> str:
    """The caller's key; empty without the header. Raises `Invalid` for one that is none, also an empty one: the
    caller believes that it is protected."""
    key = headers.get("Idempotency-Key")
    if key is not None and not VISIBLE.fullmatch(key):
        raise Invalid(_("An Idempotency-Key has 1 to 200 visible ASCII characters."))
    return key or ""


def keys_of(system: ExternalSystem, message: Message, *, dialect: str, idempotency_key: str) -> list[str]:
    """The keys under which a repetition is recognised: the caller's idempotency key, for this endpoint, and its own
    message id, whatever dialect it comes in. Both count for one operation and one task, however that is named."""
    keys = []
    for target in _targets(system, message):
        if idempotency_key:
            about = target if isinstance(message, TaskMessage | CaseMessage) else ""
            keys.append(_fitting(f"key {dialect} {message.operation} {about} {idempotency_key}"))
        if message.message_id:
            keys.append(_fitting(f"message {message.operation} {target} {message.message_id}"))
    return list(dict.fromkeys(keys))


def _targets(system: ExternalSystem, message: Message) -> list[str]:
    """Every name of what the message is about: our number and, if it is known, theirs."""
    if not isinstance(message, TaskMessage) or isinstance(message, Acknowledgement):
        return [message.target]
    known = ExternalReference.objects.filter(system=system)
    number, reference = message.task_number, message.external_reference
    if not number:
        number = known.filter(value=reference).values_list("task__number", flat=True).first() or ""
    if not reference:
        reference = known.filter(task__number=number).values_list("value", flat=True).first() or ""
    return [*([number] if number else []), *([f"reference {reference}"] if reference else [])]


def claim(*, system: ExternalSystem, message: Message, keys: list[str]) -> Claim | Receipt:
    """Claim the keys, or the receipt of the first delivery.

    Raises `InProgress` while that one is being worked on, and `DifferentContent` where it said something else.
    """
    content = digest(message)
    now = timezone.now()
    known = list(StoredAnswer.objects.filter(system=system, key__in=keys))
    for row in known:
        abandoned = not row.done and row.created_at < now - ABANDONED_AFTER
        if row.digest != content and not abandoned:
            raise DifferentContent(
                _("This idempotency key or message id was used for a message with other content. Use a new one.")
            )
        if row.done:
            return _receipt(row)
        if not abandoned:
            raise InProgress
    rows = [
        StoredAnswer(system=system, key=key, digest=content) for key in keys if key not in {row.key for row in known}
    ]
    try:
        with transaction.atomic():
            for row in known:
                taken = StoredAnswer.objects.filter(pk=row.pk, done=False, created_at=row.created_at)
                if not taken.update(created_at=now, digest=content):
                    raise InProgress
            StoredAnswer.objects.bulk_create(rows)
            # `auto_now_add` is each row's own moment: one for all of the claim.
            StoredAnswer.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=now)
    except IntegrityError as error:
        # Between looking and claiming somebody else was faster.
        raise InProgress from error
    return Claim(rows=tuple(row.pk for row in (*known, *rows)), taken_at=now)


def finish(claim: Claim, receipt: Receipt) -> None:
    """Store the answer; in the transaction of the effect, which must not commit if this raises."""
    if not claim.rows:
        return
    finished = _held(claim).update(done=True, answer=asdict(receipt))
    if finished != len(claim.rows):
        raise InProgress


def release(claim: Claim) -> None:
    """Forget the claim of a delivery that had no effect, so that it may be sent again."""
    if claim.rows:
        _held(claim).delete()


def _fitting(key: str) -> str:
    """Long keys are shortened without becoming another's."""
    return key if len(key) <= 300 else f"{key[:200]} {hashlib.sha256(key.encode()).hexdigest()}"


def _held(claim: Claim) -> QuerySet[StoredAnswer]:
    return StoredAnswer.objects.filter(pk__in=claim.rows, done=False, created_at=claim.taken_at)


def _receipt(row: StoredAnswer) -> Receipt:
    answer = row.answer or {}
    return Receipt(**{**answer, "attachments": tuple(answer["attachments"])})
