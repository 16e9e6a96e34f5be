"""Taking over a mail: stored first, then done, once, whatever breaks in between."""

import errno
import hashlib
import json
import logging
from collections.abc import Container
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from integrations.inbound import intake
from integrations.inbound.bodies import storable
from integrations.inbound.mail import people
from integrations.inbound.mail.headers import all_headers, header, message_ids, sender_of
from integrations.inbound.mail.mapping import messages_of
from integrations.inbound.mail.parsing import ParsedMail, Unreadable, header_of, identity_of, parse, read_mime
from integrations.inbound.mail.routing import MAIL, Route, route
from integrations.inbound.problems import Broken, InProgress, Refused, from_action
from integrations.mail_words import without_tokens
from integrations.models import Exchange, IncomingMail, Mailbox, MailState, Outcome
from tickets.errors import ActionRefused
from tickets.models import Task

logger = logging.getLogger(__name__)

# A mail in whose middle the worker ended so often is left to a person: the next ones wait behind it.
MOST_TRIES: Final = 3
SHOWN: Final = (
    *("From", "To", "Cc", "Date", "Subject", "Message-ID", "In-Reply-To", "References", "Reply-To"),
    *("Auto-Submitted", "Precedence"),
)
TRANSIENT: Final = (OperationalError, InterfaceError)
# What a machine suffers from for a while: no space, a file system that is away, too much open.
PASSING: Final = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ESTALE", "EMFILE", "ENFILE", "ENOMEM", "ETIMEDOUT")
    if hasattr(errno, name)
)


class NotNow(Exception):
    """It is being taken over at this moment, or the database is away: it has to be delivered again."""


def receive(raw: bytes, *, mailbox: Mailbox | None, too_large: int = 0) -> IncomingMail:
    """Store the mail and take it over. Raises `NotNow`; then it may be given in again, and nothing is doubled.

    `too_large`: the size in bytes of a mail of which only the header is here.
    """
    return handle(store(raw, mailbox=mailbox, too_large=too_large))


def store(raw: bytes, *, mailbox: Mailbox | None, too_large: int = 0, problem: str = "") -> IncomingMail:
    """The mail's row, made if it has never been seen in this mailbox. Commits before anything is done with it.

    `problem`: why it is not all here; then a person decides. A mail that cannot be described, or whose description
    the database refuses, is stored without one, for a person, too: it would fail the same way for ever. What passes
    is raised: `OSError`, `OperationalError`, `InterfaceError`.
    """
    if too_large:
        limit = settings.MAX_MAIL_BYTES // 1024**2
        problem = _(
            "It is larger than %(limit)d MB: only its header was fetched. The mail itself is in the mailbox."
        ) % {"limit": limit}
    size = too_large or len(raw)
    try:
        identity, facts = _facts(raw)
        return _stored(raw, mailbox, identity, problem, size=size, **facts)
    except (OSError, *TRANSIENT):
        raise
    except Exception as error:
        # Broad on purpose: whatever it was, a person sees this mail, and the next ones are read.
        logger.exception("a mail of %d bytes could be stored without its description alone", size)
        words = {"reason": f"{type(error).__name__}: {error}"[:300]}
        problem = _("It could not be described (%(reason)s); the mail itself is stored.") % words
        return _stored(raw, mailbox, hashlib.sha256(raw).hexdigest(), problem, size=size)


def is_stored(raw: bytes, *, mailbox: Mailbox | None) -> bool:
    """Whether this mail, or this header of one, has a row."""
    return IncomingMail.objects.filter(mailbox=mailbox, identity=_facts(raw)[0]).exists()


def _stored(raw: bytes, mailbox: Mailbox | None, identity: str, problem: str, **facts: Any) -> IncomingMail:
    known = IncomingMail.objects.filter(mailbox=mailbox, identity=identity).first()
    if known is not None:
        return known
    row = IncomingMail(mailbox=mailbox, identity=identity, **facts)
    if problem:
        row.state, row.reason = MailState.UNCLEAR, storable(problem)
    row.raw.save("mail.eml", ContentFile(raw), save=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        # Somebody else was faster with the same mail.
        row.raw.delete(save=False)
        return IncomingMail.objects.get(mailbox=mailbox, identity=identity)
    except DatabaseError:
        row.raw.delete(save=False)
        raise
    return row


def describe(row: IncomingMail) -> None:
    """Fill in what lists show of a mail that was stored without it, where that can be done by now."""
    if row.message_id or row.sender or row.subject:
        return
    try:
        with row.raw.open("rb") as opened:
            _identity, facts = _facts(opened.read())
        with transaction.atomic():
            IncomingMail.objects.filter(pk=row.pk).update(**facts)
    except Exception:
        # Broad on purpose: what a hostile mail makes the parser raise nobody can list. It is in the log, the mail is
        # stored, and is taken over or left to a person by `handle`.
        logger.exception("mail %s still cannot be described", row.pk)
        return
    for name, value in facts.items():
        setattr(row, name, value)


def handle(row: IncomingMail, *, although_automatic: bool = False, hold_echo: bool = True) -> IncomingMail:
    """Take over a stored mail, if that is not done yet. What cannot be understood is left to a person."""
    if row.state != MailState.ARRIVED:
        return row
    if row.exchange is not None and row.exchange.outcome == Outcome.SENDING:
        Exchange.objects.filter(pk=row.exchange.pk).update(
            outcome=Outcome.RETRYABLE, error=_("The worker ended in the middle of this; it was done again.")
        )
    if row.tries >= MOST_TRIES:
        if not IncomingMail.objects.filter(pk=row.pk, state=MailState.ARRIVED).exists():
            return _somebody_elses(row)
        reason = _("Three times this was begun and not ended: the worker ended, or the database was away.")
        return settle(row, MailState.UNCLEAR, reason)
    if not IncomingMail.objects.filter(pk=row.pk, state=MailState.ARRIVED, tries=row.tries).update(
        tries=F("tries") + 1
    ):
        return _somebody_elses(row)
    row.tries += 1
    try:
        mail = read(row)
        found = route(mail, row, although_automatic=although_automatic)
        if found.state is not None:
            return settle(row, found.state, found.reason, found)
        if found.system is None:
            return people.take_over(row, mail, found)
        return deliver(row, mail, found, hold_echo=hold_echo)
    except Unreadable as problem:
        return settle(row, MailState.UNCLEAR, str(problem))
    except TRANSIENT as error:
        raise NotNow(str(error)) from error
    except (Refused, ActionRefused) as refused:
        return settle(row, MailState.UNCLEAR, str(refused))
    except NotNow:
        _uncount(row)
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in PASSING:
            _uncount(row)
            raise NotNow(str(error)) from error
        # Broad on purpose: whatever it was, this mail must not keep the next ones from being read.
        logger.exception("mail %s failed", row.pk)
        return settle(row, MailState.UNCLEAR, _("A failure in this portal, see its log. Nothing was changed."))


def _somebody_elses(row: IncomingMail) -> IncomingMail:
    """What another worker has done with it meanwhile. Raises `NotNow` while that goes on."""
    now = IncomingMail.objects.select_related("mailbox", "ticket", "task", "system", "exchange").get(pk=row.pk)
    if now.state == MailState.ARRIVED:
        raise NotNow(_("It is being taken over at this moment."))
    return now


def _uncount(row: IncomingMail) -> None:
    """It was not this mail's fault, however often it is tried."""
    IncomingMail.objects.filter(pk=row.pk, tries__gt=0).update(tries=F("tries") - 1)
    row.tries -= 1


def read(row: IncomingMail) -> ParsedMail:
    """The stored mail. Raises `Unreadable`, and `OSError` for what passes."""
    try:
        with row.raw.open("rb") as opened:
            raw = opened.read()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in PASSING:
            raise
        raise Unreadable(_("The stored mail is no longer there.")) from error
    return parse(raw, largest_file=settings.MAX_ATTACHMENT_BYTES)


def deliver(
    row: IncomingMail,
    mail: ParsedMail,
    found: Route,
    *,
    hold_echo: bool = True,
    used: Container[str] | None = None,
) -> IncomingMail:
    """What a desk says, through the one way in of all dialects; `used` as `said_in` takes it. Raises `Refused` (it is
    in the log) and `NotNow`."""
    call = intake.arrived(
        dialect=MAIL,
        operation="",
        method="MAIL",
        url=f"mailto:{row.mailbox.address}" if row.mailbox else "",
        headers=shown_headers(mail),
        body=without_tokens(mail.text),
        system=found.system,
        replay_of=row.exchange,
    )
    row.exchange, row.system, row.task, row.ticket = call.exchange, found.system, found.task, found.ticket
    row.save(update_fields=["exchange", "system", "task", "ticket"])
    try:
        wanted, outcome = messages_of(mail, found, row.mailbox, used=used)
        call.exchange.operation = wanted[-1].operation
        call.exchange.save(update_fields=["operation"])
        for message in wanted:
            intake.deliver(call, message, hold_echo=hold_echo)
    except Exception as error:
        # Whatever it was goes on to the caller; the log says so, too.
        _finish(call, _as_refused(error))
        if isinstance(error, InProgress):
            raise NotNow(str(error)) from error
        raise
    _finish(call, None)
    receipt = call.receipt
    assert receipt is not None  # noqa: S101 - every message gives one
    row.task = Task.objects.select_related("ticket").filter(number=receipt.task).first() or row.task
    row.ticket = row.task.ticket if row.task else row.ticket
    if receipt.held_back:
        return settle(row, MailState.STOPPED, receipt.message)
    again = call.repeated and row.tries == 1
    return settle(row, MailState.REPEATED if again else MailState.HANDLED, receipt.message, outcome=outcome)


def settle(
    row: IncomingMail, state: str, reason: str = "", found: Route | None = None, *, outcome: str = ""
) -> IncomingMail:
    """Write what became of it."""
    row.state, row.reason, row.outcome = MailState(state), storable(reason), outcome
    if found is not None:
        row.system, row.task, row.ticket = found.system, found.task, found.ticket
    row.save(update_fields=["state", "reason", "outcome", "system", "task", "ticket", "exchange"])
    if state == MailState.UNCLEAR:
        logger.warning("mail %s is unclear: %s", row.pk, row.reason)
    return row


def shown_headers(mail: ParsedMail) -> dict[str, str]:
    """The headers that tell where a mail came from, without what proves a desk."""
    found = {name: header(mail.mime, name) for name in SHOWN if mail.mime.get(name)}
    results = all_headers(mail.mime, "Authentication-Results")
    if results:
        found["Authentication-Results"] = "\n".join(results[:5])
    return {name: without_tokens(value)[:2000] for name, value in found.items()}


def forget_raw(before: datetime) -> int:
    """Delete the stored mails of rows that nobody has to decide about; the rows stay, so that none comes twice."""
    rows = IncomingMail.objects.filter(received_at__lt=before).exclude(raw="")
    count = 0
    for row in rows.exclude(state__in=[MailState.ARRIVED, MailState.UNCLEAR]).iterator(chunk_size=200):
        row.raw.delete(save=False)
        IncomingMail.objects.filter(pk=row.pk).update(raw="")
        count += 1
    return count


def _as_refused(error: Exception) -> Refused:
    if isinstance(error, ActionRefused):
        return from_action(error)
    return error if isinstance(error, Refused) else Broken()


def _finish(call: intake.Arrived, problem: Refused | None) -> None:
    answer: dict[str, Any] = asdict(call.receipt) if call.receipt and not problem else {"detail": str(problem)}
    intake.finished(
        call,
        status=problem.status if problem else 200,
        headers={"Content-Type": "application/json"},
        body=json.dumps(answer, ensure_ascii=False),
        problem=problem,
    )


def _facts(raw: bytes) -> tuple[str, dict[str, Any]]:
    """What tells the mail from others, and what lists show of it; also of what is no mail."""
    try:
        # The header alone: to take a large mail apart takes seconds, and is done once, when it is taken over.
        mime = read_mime(header_of(raw))
    except Unreadable:
        return hashlib.sha256(raw).hexdigest(), {}
    name, address = sender_of(mime)
    return identity_of(raw, mime), {
        "message_id": storable(next(iter(message_ids(mime, "Message-ID")), "")[:200]),
        "sender": storable(address),
        "sender_name": storable(name),
        "subject": storable(without_tokens(header(mime, "Subject"))[:300]),
    }
