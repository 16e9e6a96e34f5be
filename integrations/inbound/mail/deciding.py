"""What a person decides about a mail that was unclear or stopped. Each ends in the same actions as any other mail."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.mail import people, service
from integrations.inbound.mail.mapping import OF_DESKS, said_in
from integrations.inbound.mail.parsing import ParsedMail, Unreadable
from integrations.inbound.mail.routing import Route
from integrations.inbound.problems import Refused
from integrations.models import UNDECIDED, IncomingMail, MailOutcome, MailState
from integrations.visibility import exchanged_with
from tickets import actions
from tickets.actors import Actor
from tickets.errors import ActionRefused
from tickets.models import Contact, Task, Ticket, Visibility


def try_again(row: IncomingMail, *, by: User) -> IncomingMail:
    """As if it had come now: after what was in its way was mended. For what was stopped: it is no loop."""
    stopped = row.state == MailState.STOPPED
    _claim(row, by, MailState.ARRIVED)
    row.tries = 0
    row.save(update_fields=["tries"])
    service.describe(row)
    try:
        return service.handle(row, although_automatic=stopped, hold_echo=not stopped)
    except service.NotNow as error:
        service.settle(row, MailState.UNCLEAR, str(error))
        raise ActionRefused(_("It cannot be done at this moment: %(reason)s") % {"reason": error}) from error


def discard(row: IncomingMail, *, by: User) -> IncomingMail:
    """It stays readable for a while, and nothing is done."""
    _claim(row, by, MailState.DISCARDED)
    return row


def assign(row: IncomingMail, number: str, *, by: User) -> IncomingMail:
    """It belongs to this ticket or task. For a task that is at the desk whose address it comes from: that desk's
    message, with its tags, as this person vouches for it. Else a note: the contact's own, or, of anybody else, an
    internal one. Raises `ActionRefused`."""
    task = Task.objects.select_related("ticket").filter(number=number.strip()[:30]).first()
    ticket = task.ticket if task else Ticket.objects.filter(number=number.strip()[:30]).first()
    if ticket is None:
        raise ActionRefused(_('There is no ticket or task "%(number)s".') % {"number": number[:50]})
    mail = _readable(row)
    binding = None
    if task is not None:
        desks = exchanged_with(task)
        binding = next((row for row in desks if row.desk.sends_mail_from(mail.sender)), None)
    if binding is not None and task is not None:
        found = Route(system=binding.desk, task=task, ticket=ticket)
        return _decided(row, by, lambda: service.deliver(row, mail, found, used=OF_DESKS))
    return _decided(row, by, lambda: _as_note(row, mail, ticket, task, by))


def make_ticket(row: IncomingMail, *, by: User) -> IncomingMail:
    """A new ticket of its sender, where that is a contact, else of the failover person. Raises `ActionRefused`."""
    mail = _readable(row)
    contact = Contact.objects.filter(email__iexact=mail.sender).first() if mail.sender else None
    failover = contact is None
    if failover and row.mailbox is not None:
        contact = row.mailbox.failover_contact

    def act() -> IncomingMail:
        with transaction.atomic():
            actor = Actor.of_user(by)
            ticket = people.open_ticket(row, mail, contact, failover=failover, actor=actor)
            row.ticket = ticket
            return service.settle(row, MailState.HANDLED, outcome=MailOutcome.NEW_TICKET)

    return _decided(row, by, act)


def _as_note(row: IncomingMail, mail: ParsedMail, ticket: Ticket, task: Task | None, by: User) -> IncomingMail:
    with transaction.atomic():
        contact = Contact.objects.filter(email__iexact=mail.sender).first() if mail.sender else None
        if contact is not None and ticket.contact_id == contact.pk:
            people.write(row, mail, contact, ticket)
        else:
            who = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender or "?"
            body = _("Mail from %(who)s: %(subject)s") % {"who": who, "subject": mail.subject}
            said: Any = said_in(mail, cut=True, used=())
            actions.add_note(
                actor=Actor.of_user(by),
                ticket=ticket,
                task=task,
                body=f"{body}\n\n{said.text}".strip(),
                visibility=Visibility.INTERNAL,
                files=mail.files,
            )
        row.ticket, row.task = ticket, task
        return service.settle(row, MailState.HANDLED, outcome=MailOutcome.TICKET_MESSAGE)


def _decided(row: IncomingMail, by: User, act: Callable[[], IncomingMail]) -> IncomingMail:
    """Do it under this person's claim; where it is refused, the mail waits as before."""
    state, reason = row.state, row.reason
    _claim(row, by, MailState.ARRIVED)
    try:
        return act()
    except (Refused, ActionRefused, service.NotNow) as error:
        service.settle(row, state, reason)
        raise ActionRefused(str(error)) from error
    except Exception:
        # Broad on purpose: whatever it was is raised again for the page; the mail must not stay claimed, where nobody
        # sees it.
        service.settle(row, state, reason)
        raise


def _claim(row: IncomingMail, by: User, state: str) -> None:
    """Two people at once: the first decides. Raises `ActionRefused` for the second."""
    now = timezone.now()
    mine = IncomingMail.objects.filter(pk=row.pk, state__in=UNDECIDED)
    if not mine.update(state=state, decided_by=by, decided_at=now):
        raise ActionRefused(_("This mail was decided about already."))
    row.state, row.decided_by, row.decided_at = MailState(state), by, now


def _readable(row: IncomingMail) -> ParsedMail:
    try:
        return service.read(row)
    except (Unreadable, OSError) as problem:
        raise ActionRefused(str(problem)) from problem
