"""Faults on demand: what exists, what is switched on, and taking one."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models import Fault, OutgoingMessage

ALWAYS = -1

READING = ("get", "find", "list_notes", "list_attachments", "feed", "download")
CREATING = ("create", "note", "attachment")
# From "upload" on: what only Case Exchange knows.
WRITING = (*CREATING, "update", "close", "reopen", "upload", "assign", "accept", "resolve", "reject", "cancel")
SENDING = tuple(str(kind) for kind in OutgoingMessage.Kind)
INCOMING = ("login", *WRITING, *READING)


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it does, where it can happen, and where it happens unless an operation is named."""

    label: str | Promise
    help: str | Promise
    possible: tuple[str, ...]
    usual: tuple[str, ...]
    seconds: float | None = None
    batch: bool = False


KINDS: dict[str, Kind] = {
    "late": Kind(
        _("Answer late"), _("Waits this many seconds, then does the work and answers."), INCOMING, INCOMING, 5
    ),
    "time_out_after": Kind(
        _("Time out after creating"),
        _("Does the work, holds the answer this many seconds, then closes the connection without an answer."),
        INCOMING,
        ("create",),
        0,
    ),
    "server_error": Kind(_("Answer 500"), _("Does nothing and answers with a server error."), INCOMING, INCOMING),
    "too_many_requests": Kind(
        _("Answer 429"),
        _("Does nothing and asks to come back after this many seconds (Retry-After)."),
        INCOMING,
        INCOMING,
        5,
    ),
    "refuse": Kind(_("Refuse"), _("Does nothing and answers that the request is wrong (400)."), INCOMING, INCOMING),
    "error_in_200": Kind(
        _("Answer 200 with an error"),
        _("Does nothing and answers with status 200 and an error in the body."),
        INCOMING,
        INCOMING,
    ),
    "ignore_idempotency_keys": Kind(
        _("Ignore idempotency keys"),
        _("Does the work again when a request is repeated under the same key."),
        WRITING,
        WRITING,
    ),
    "search_delay": Kind(
        _("Late search"),
        _("Search shows new tickets, notes and attachments only after this many seconds."),
        CREATING,
        CREATING,
        10,
    ),
    "send_twice": Kind(_("Send twice"), _("Delivers each message to the portal twice."), SENDING, SENDING),
    "out_of_order": Kind(
        _("Send out of order"),
        _("Holds messages to the portal until there are this many, then delivers the last one first."),
        SENDING,
        SENDING,
        batch=True,
    ),
}


class UnknownFault(ValueError):
    """A fault setting that does not exist or is out of range; the text says which."""


def take(kind: str, operation: str) -> Fault | None:
    """Use the fault once for this operation, if it is switched on for it; safe among threads."""
    fault = active(kind, operation)
    if fault is None or fault.remaining == ALWAYS:
        return fault
    used = Fault.objects.filter(pk=fault.pk, remaining__gt=0).update(remaining=F("remaining") - 1)
    return fault if used else None


def active(kind: str, operation: str) -> Fault | None:
    """The fault if it is switched on for this operation, without using it up."""
    fault = Fault.objects.filter(kind=kind).exclude(remaining=0).first()
    if fault is None:
        return None
    where = (fault.operation,) if fault.operation else KINDS[kind].usual
    return fault if operation in where else None


def set_fault(*, kind: str, count: int, seconds: float | None = None, batch: int = 2, operation: str = "") -> Fault:
    """Switch a fault on for the next `count` calls (-1: always, 0: off). Raises `UnknownFault`."""
    known = KINDS.get(kind)
    if known is None:
        raise UnknownFault(f"There is no fault {kind!r}. There are: {', '.join(KINDS)}.")
    if isinstance(count, bool) or not isinstance(count, int) or not ALWAYS <= count <= 1_000_000:
        raise UnknownFault("count is a whole number: -1 for always, 0 for off, else for the next so many calls.")
    if seconds is None:
        seconds = known.seconds or 0
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 600:
        raise UnknownFault("seconds is a number from 0 to 600.")
    if isinstance(batch, bool) or not isinstance(batch, int) or not 2 <= batch <= 100:
        raise UnknownFault("batch is a whole number from 2 to 100.")
    if operation and operation not in known.possible:
        raise UnknownFault(f"{kind} can happen at: {', '.join(known.possible)}; not at {operation!r}.")
    return Fault.objects.update_or_create(
        kind=kind,
        defaults={"remaining": count, "seconds": seconds, "batch": batch, "operation": operation},
    )[0]


def switched_on() -> list[Fault]:
    """All faults that are switched on."""
    return list(Fault.objects.exclude(remaining=0).order_by("kind"))


def as_json() -> dict[str, dict[str, object]]:
    """Every kind with its present setting; `count` is what is left."""
    present: Mapping[str, Fault] = {fault.kind: fault for fault in Fault.objects.all()}
    return {
        kind: {
            "count": present[kind].remaining if kind in present else 0,
            "seconds": present[kind].seconds if kind in present else known.seconds or 0,
            "batch": present[kind].batch if kind in present else 2,
            "operation": present[kind].operation if kind in present else "",
            "description": str(known.help),
        }
        for kind, known in KINDS.items()
    }
