"""One look into one mailbox, from the claim to the time of the next."""

import logging
import time
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine.claim import ClaimLost
from integrations.engine.sending import clean
from integrations.engine.streams import enqueue
from integrations.engine.visits import failed, succeeded
from integrations.fetching import claim as claims
from integrations.fetching.account import opened
from integrations.fetching.claim import Claim, read_by_workers, record, renew, take
from integrations.inbound.mail.service import NotNow, handle, is_stored, receive, store
from integrations.models import IncomingMail, MailState, Waiting
from integrations.secrets import SecretUnreadable
from integrations.transports import imap
from integrations.transports.errors import TransportError

logger = logging.getLogger(__name__)

MOST_TROUBLED = 50
# After so many times that reading broke off at a mail, its header is fetched first: then a person learns of it.
SUSPECT_AFTER = 3


def fetch(mailbox_id: int) -> bool:
    """Take over all that waits, for at most CLAIM_SECONDS. False: another worker has it, or it is not due."""
    claim = take(mailbox_id)
    if claim is None:
        return False
    try:
        _fetch(claim)
    except ClaimLost:
        logger.info("mailbox %s was taken over by another worker", mailbox_id)
        return False
    return True


def _fetch(claim: Claim) -> None:
    mailbox = claim.mailbox
    try:
        left = _finish_broken_off(claim)
        with opened(mailbox) as reader:
            due_at = _read(claim, reader, stop_at=time.monotonic() + settings.CLAIM_SECONDS)
        if left is not None:
            raise left
        _succeeded(claim, due_at)
    except ClaimLost:
        raise
    except (TransportError, SecretUnreadable, NotNow) as problem:
        _failed(claim, str(problem))
    except Exception as error:
        # Broad on purpose: else it would fail again and again where nobody sees it. Without a database this fails,
        # too, and the sweeper comes back when the lease has ended.
        logger.exception("mailbox %s failed unexpectedly", mailbox.pk)
        _failed(claim, _("A failure in this portal, see its log: %(reason)s") % {"reason": str(error)[:200]})


def _finish_broken_off(claim: Claim) -> Exception | None:
    """What another worker had stored and not finished: whoever has just claimed the mailbox does it. What keeps one
    of them from being finished is told after the others, and after new mail was read."""
    problem: Exception | None = None
    left = IncomingMail.objects.filter(mailbox=claim.mailbox, state=MailState.ARRIVED).order_by("pk")
    for row in left.select_related("mailbox", "exchange")[:100]:
        renew(claim)
        try:
            handle(row)
        except NotNow as error:
            problem = error
        except Exception as error:
            # Broad on purpose, as above: one mail stops no other.
            logger.exception("mail %s could not be finished", row.pk)
            problem = error
    return problem


def leave_to_people(before: datetime) -> int:
    """What was stored before then, is not done, and no worker will come to: its mailbox was switched off, or is a
    pipe's, whose mail server may have given up. A person decides, and may try it again."""
    waits = IncomingMail.objects.filter(state=MailState.ARRIVED, received_at__lt=before)
    # Somebody who has just decided about it is at work on it.
    waits = waits.filter(Q(decided_at=None) | Q(decided_at__lt=before))
    return waits.filter(~Q(mailbox__in=read_by_workers()) | Q(mailbox=None)).update(
        state=MailState.UNCLEAR,
        reason=_("It was stored and not taken over, and nobody reads its mailbox any more. It can be tried again."),
    )


def _read(claim: Claim, reader: imap.Reader, *, stop_at: float) -> datetime:
    """Take over what waits; where the server tells of new mail, wait for that, too. When to look again."""
    mailbox = claim.mailbox
    idles = mailbox.waiting == Waiting.IDLE and reader.can_wait
    while True:
        renew(claim)
        troubled = set(mailbox.troubled)
        waiting = sorted(reader.waiting(), key=lambda mail: mail.uid in troubled)
        withheld: imap.MailWithheld | None = None
        for mail in waiting:
            try:
                _take_over(claim, reader, mail)
            except imap.MailWithheld as problem:
                # The connection is as good as before: the others first.
                withheld = problem
            if time.monotonic() >= stop_at:
                return timezone.now()
        if withheld is not None:
            raise withheld
        left = stop_at - time.monotonic()
        if not idles or left <= 0:
            break
        renew(claim)
        if not reader.wait(min(left, settings.LEASE_SECONDS / 3)):
            continue
    return timezone.now() if idles else timezone.now() + mailbox.interval


def _take_over(claim: Claim, reader: imap.Reader, waiting: imap.Waiting) -> None:
    """One mail: fetched, stored and done, and only then marked over there. A worker that dies in between leaves it
    unmarked; whoever comes next finds it stored, and marks it."""
    mailbox = claim.mailbox
    try:
        renew(claim)
        too_large = waiting.size > settings.MAX_MAIL_BYTES
        if mailbox.troubled.count(waiting.uid) >= SUSPECT_AFTER and not too_large:
            raw = _suspect(claim, reader, waiting)
        else:
            raw = reader.fetch(waiting.uid, only_header=too_large)
            if raw is None:
                return
        renew(claim)
        if raw is not None:
            receive(raw, mailbox=mailbox, too_large=waiting.size if too_large else 0)
            renew(claim)
        reader.done(waiting.uid)
    except ClaimLost:
        raise
    except Exception:
        # Broad on purpose: whatever it was is raised again for who reads the mailbox. That this mail was at fault is
        # noted first, so that the next time it comes after the others.
        mailbox.troubled = [*mailbox.troubled[-MOST_TROUBLED:], waiting.uid]
        record(claim, troubled=mailbox.troubled)
        raise
    if waiting.uid in mailbox.troubled:
        mailbox.troubled = [uid for uid in mailbox.troubled if uid != waiting.uid]
        record(claim, troubled=mailbox.troubled)


def _suspect(claim: Claim, reader: imap.Reader, waiting: imap.Waiting) -> bytes | None:
    """A mail at which reading broke off again and again. Its header first: if that comes and the mail does not, it
    is the mail and not the server, and a person learns of it by that header. None: a person knows, and it is done."""
    mailbox, uid = claim.mailbox, waiting.uid
    try:
        head = reader.fetch(uid, only_header=True)
    except imap.MailWithheld:
        # Nothing of it can be had, and yet somebody has to know that it is there.
        head = f"Subject: [{mailbox.folder}, {reader.generation}, {uid}]\r\n\r\n".encode()
    if head is None or is_stored(head, mailbox=mailbox):
        return None
    try:
        return reader.fetch(uid)
    except TransportError as error:
        words = {"count": mailbox.troubled.count(uid) + 1, "reason": error}
        problem = _(
            "%(count)d times it could not be fetched; the mail itself is in the mailbox. The last time: %(reason)s"
        )
        store(head, mailbox=mailbox, problem=problem % words)
        if isinstance(error, imap.MailWithheld):
            return None
        # The connection may be gone; the next look finds that a person knows, and marks the mail as done.
        raise


def _succeeded(claim: Claim, due_at: datetime) -> None:
    record(claim, **succeeded() | {"due_at": due_at})
    if due_at <= timezone.now():
        enqueue(claim.mailbox.pk, task=claims.FETCH)


def _failed(claim: Claim, reason: str) -> None:
    mailbox = claim.mailbox
    if mailbox.token_system is not None:
        reason = clean(mailbox.token_system, reason)
    record(claim, **failed(mailbox, reason))
