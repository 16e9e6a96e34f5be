"""What a mail of a person becomes: a message in that person's ticket, or a new ticket."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from integrations.inbound.mail.mapping import OF_PEOPLE, Said, said_in
from integrations.inbound.mail.parsing import ParsedMail
from integrations.inbound.mail.routing import Route
from integrations.inbound.problems import Invalid
from integrations.inbound.receiving import by_code
from integrations.mail_words import without_tokens
from integrations.models import IncomingMail, MailOutcome, MailState
from tickets import actions
from tickets.actors import Actor, ActorKind
from tickets.models import Category, Contact, Priority, Queue, Ticket


class _DoneBefore(Exception):
    """The same mail came another way, and had its effect."""


def take_over(row: IncomingMail, mail: ParsedMail, found: Route) -> IncomingMail:
    """Do it, once: the effect and its mark commit together. Raises `Refused` or `ActionRefused`: nothing was done."""
    assert found.contact is not None  # noqa: S101 - every mail that is delivered is a desk's or a person's
    try:
        with transaction.atomic():
            _mark(row)
            if found.ticket is not None:
                ticket = write(row, mail, found.contact, found.ticket)
                outcome = MailOutcome.TICKET_MESSAGE
            else:
                ticket = open_ticket(row, mail, found.contact, failover=found.failover)
                outcome = MailOutcome.NEW_TICKET
            row.state, row.reason, row.outcome, row.ticket = MailState.HANDLED, "", outcome, ticket
            row.save(update_fields=["state", "reason", "outcome", "ticket"])
    except _DoneBefore:
        stored = IncomingMail.objects.get(pk=row.pk)
        if stored.state != MailState.ARRIVED:
            return stored
        first = IncomingMail.objects.filter(effect=row.identity).first()
        row.effect = None
        row.state, row.ticket = MailState.REPEATED, first.ticket if first else None
        row.save(update_fields=["state", "ticket"])
    return row


def write(row: IncomingMail, mail: ParsedMail, contact: Contact, ticket: Ticket) -> Ticket:
    """A message of the ticket's contact."""
    # No tag means anything here, so that what stands in one is words as any other.
    said = said_in(mail, cut=True, used=())
    actor = actor_of(contact)
    if said.text:
        actions.add_note(actor=actor, ticket=ticket, body=said.text, files=mail.files)
    elif mail.files:
        for file in mail.files:
            actions.attach(actor=actor, ticket=ticket, content=file)
    else:
        raise Invalid(_("There is nothing new in it: no text besides what it quotes, and no file."))
    return ticket


def open_ticket(
    row: IncomingMail,
    mail: ParsedMail,
    contact: Contact | None,
    *,
    failover: bool = False,
    actor: Actor | None = None,
) -> Ticket:
    """A new ticket with all that the mail says. Of the failover person's it says who has written."""
    said = said_in(mail, cut=False, used=OF_PEOPLE)
    description = said.text
    if failover or contact is None:
        who = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender or "?"
        description = _("Written by %(who)s:") % {"who": who} + f"\n\n{description}"
    by = actor or (actor_of(contact) if contact else Actor.system())
    # Strangers choose nothing; their tags stay out of the ticket all the same.
    chosen = _chosen(said) if contact is not None and not failover else {}
    mailbox = row.mailbox
    chosen.setdefault("queue", mailbox.queue if mailbox else None)
    chosen.setdefault("category", mailbox.category if mailbox else None)
    ticket = actions.create_ticket(
        actor=by, title=without_tokens(said.tag("TITLE") or mail.title)[:200], description=description,
        contact=contact, **chosen,
    )  # fmt: skip
    for file in mail.files:
        actions.attach(actor=by, ticket=ticket, content=file)
    return ticket


def actor_of(contact: Contact) -> Actor:
    """The contact as the cause; never an agent, whoever that person is besides: a sender's name proves nothing."""
    return Actor(kind=ActorKind.END_USER, name=contact.name, user_id=contact.user_id)


def _chosen(said: Said) -> dict[str, Any]:
    """What the tags choose of the catalogue. Raises `Invalid`, which names the known codes."""
    found = {
        "priority": by_code(Priority, "priority", said.tag("PRIORITY")),
        "category": by_code(Category, "category", said.tag("CATEGORY")),
        "queue": by_code(Queue, "queue", said.tag("QUEUE")),
    }
    return {name: value for name, value in found.items() if value is not None}


def _mark(row: IncomingMail) -> None:
    """Claim the effect of this mail for this row. Raises `_DoneBefore`, after which the transaction is undone.

    The row is locked: two that work on it at once (a mail server's pipe that ran into its time-out and began anew)
    come one after the other, and the second finds what the first has done.
    """
    state = IncomingMail.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=row.pk)
    if state != MailState.ARRIVED:
        raise _DoneBefore
    try:
        with transaction.atomic():
            row.effect = row.identity
            row.save(update_fields=["effect"])
    except IntegrityError as error:
        raise _DoneBefore from error
