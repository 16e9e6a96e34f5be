"""What becomes of a mail: whose it is, what it is about, or why a person has to decide. Changes nothing."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.mail.automatic import Automatic, kind_of, report_of
from integrations.inbound.mail.desks import NotProved, Proved, desk_of
from integrations.inbound.mail.parsing import ParsedMail
from integrations.inbound.mail.senders import Proof, proof_of
from integrations.mail_words import number_in, read_tags, reference_in
from integrations.models import Exchange, ExternalSystem, IncomingMail, Mailbox, MailOutcome, MailState, Way
from integrations.visibility import tasks_visible_to
from tickets.lifecycle import TicketStatus
from tickets.models import Contact, Link, LinkKind, Task, Ticket

MAIL = "mail"


@dataclass(frozen=True)
class Route:
    """Where a mail goes. Without a `state` it is delivered: by a desk (`system`), or by a `contact`.

    Of a desk's mail `task` is what it is about, None for a new ticket; of a contact's mail `ticket`. `reference` is
    the desk's number in it. `only_number`: a machine's answer, of which nothing but that counts.
    """

    state: MailState | None = None
    reason: str = ""
    system: ExternalSystem | None = None
    task: Task | None = None
    ticket: Ticket | None = None
    contact: Contact | None = None
    failover: bool = False
    reference: str = ""
    only_number: bool = False


def unclear(reason: str, **about: object) -> Route:
    """A person decides."""
    return Route(state=MailState.UNCLEAR, reason=reason, **about)  # type: ignore[arg-type]  # its fields by name


def stopped(reason: str, **about: object) -> Route:
    """Nothing is done, and people see why."""
    return Route(state=MailState.STOPPED, reason=reason, **about)  # type: ignore[arg-type]  # its fields by name


def route(mail: ParsedMail, row: IncomingMail, *, although_automatic: bool = False) -> Route:
    """Decide. `although_automatic`: a person has looked, and it is no loop."""
    kind = kind_of(mail)
    if kind == Automatic.OWN or _is_ours(mail):
        return stopped(_("This is a mail of our own that came back."))
    if kind == Automatic.REPORT and not although_automatic:
        return _about_report(mail)
    if although_automatic:
        kind = Automatic.NO
    try:
        proved = desk_of(mail, row.mailbox)
    except NotProved as problem:
        return unclear(str(problem))
    found = _of_desk(mail, row, proved, kind) if proved else _of_person(mail, row, kind)
    if found.state is None and not although_automatic and (reason := _too_many(row, found)):
        return stopped(reason, system=found.system, task=found.task, ticket=found.ticket)
    return found


def sent_mails(message_ids: tuple[str, ...]) -> QuerySet[Exchange]:
    """Our mails with these ids, the newest first."""
    return Exchange.objects.filter(way=Way.OUT, dialect=MAIL, message_id__in=message_ids).order_by("-pk")


def _is_ours(mail: ParsedMail) -> bool:
    return bool(mail.message_id) and sent_mails((mail.message_id,)).exists()


def _about_report(mail: ParsedMail) -> Route:
    report = report_of(mail)
    exchange = sent_mails(report.about).select_related("task__ticket").first()
    task = exchange.task if exchange is not None else None
    about = {"task": task, "ticket": task.ticket if task else None}
    if not report.failed:
        return stopped(_("A mail server reports on a mail of ours; nothing failed for good."), **about)
    words = {"recipient": report.recipient or "?", "words": report.words or "?"}
    return unclear(_("A mail of ours to %(recipient)s did not arrive: %(words)s") % words, **about)


def _of_desk(mail: ParsedMail, row: IncomingMail, proved: Proved, kind: Automatic) -> Route:
    formats = row.mailbox.formats if row.mailbox else []
    tags = read_tags(mail.text).values
    reference = tags.get("REFERENCE", "") or reference_in(mail.subject, formats)
    number = tags.get("TASK", "") or tags.get("TICKET", "") or number_in(mail.subject, formats)
    found: Task | None = None
    system = proved.systems[0]
    for system in proved.systems:
        found = _task_of(mail, system, proved, number, reference)
        if found is not None:
            break
    if kind == Automatic.ANSWER:
        if found is None or not reference or _is_numbered(found, system):
            return stopped(
                _("A machine of %(system)s answered, with nothing that was waited for.") % {"system": system},
                system=system,
                task=found,
                ticket=found.ticket if found else None,
            )
        return Route(system=system, task=found, ticket=found.ticket, reference=reference, only_number=True)
    if found is not None:
        return Route(system=system, task=found, ticket=found.ticket, reference=reference)
    if proved.task is not None:
        words = {"task": proved.task.number, "system": system}
        return unclear(_("Task %(task)s is no longer at %(system)s.") % words, system=system)
    if len(proved.systems) > 1:
        names = ", ".join(str(row) for row in proved.systems)
        return unclear(
            _("Several desks write from this address (%(names)s), and it names no task.") % {"names": names}
        )
    if number:
        return unclear(
            _('It names "%(number)s", and there is no such task for %(system)s.')
            % {"number": number[:50], "system": system},
            system=system,
        )
    if mail.is_answer and not reference:
        return unclear(_("It is an answer, but to nothing that is known here."), system=system)
    return Route(system=system, reference=reference)


def _task_of(mail: ParsedMail, system: ExternalSystem, proved: Proved, number: str, reference: str) -> Task | None:
    """The task of this desk that the mail is about: by token, number, earlier mails, their number."""
    theirs = tasks_visible_to(system).select_related("ticket")
    if proved.task is not None:
        return theirs.filter(pk=proved.task.pk).first()
    if number:
        exact = theirs.filter(number=number[:30]).first()
        # A ticket's number stands for its task at this desk, if there is one alone.
        of_ticket = list(theirs.filter(ticket__number=number[:30])[:2]) if exact is None else []
        return exact or (of_ticket[0] if len(of_ticket) == 1 else None)
    if mail.refers_to:
        sent = sent_mails(mail.refers_to).filter(system=system).exclude(task=None).values_list("task", flat=True)
        came = IncomingMail.objects.filter(system=system, message_id__in=mail.refers_to).exclude(task=None)
        for task_id in [*sent[:1], *came.order_by("-pk").values_list("task", flat=True)[:1]]:
            if (task := theirs.filter(pk=task_id).first()) is not None:
                return task
    if reference:
        return theirs.filter(external_references__system=system, external_references__value=reference).first()
    return None


def _is_numbered(task: Task, system: ExternalSystem) -> bool:
    return task.external_references.filter(system=system).exists()


def _of_person(mail: ParsedMail, row: IncomingMail, kind: Automatic) -> Route:
    mailbox = row.mailbox
    if kind != Automatic.NO:
        return stopped(_("No person wrote this: it is marked as automatic."))
    if not mail.sender:
        return unclear(_("Nobody can tell who wrote it: it names no sender, or several."))
    if proof_of(mail.mime, mail.sender, authserv_id=mailbox.authserv_id if mailbox else "") == Proof.DENIED:
        return unclear(
            _("The checks of your mail server deny that it comes from %(sender)s.") % {"sender": mail.sender}
        )
    if (other := _under_this_id(mail, row)) is not None:
        return unclear(
            _("Its Message-ID is that of mail %(mail)d, which says something else.") % {"mail": other.pk},
            ticket=other.ticket,
        )
    contact = Contact.objects.filter(email__iexact=mail.sender).first()
    ticket = _ticket_of(mail, mailbox)
    if ticket is None:
        if contact is not None:
            return Route(contact=contact)
        failover = mailbox.failover_contact if mailbox else None
        if failover is None:
            return unclear(_("The sender %(sender)s is not known here.") % {"sender": mail.sender})
        if reason := _too_many_strangers(row, failover):
            return unclear(reason)
        return Route(contact=failover, failover=True)
    if contact is None or ticket.contact_id != contact.pk:
        return unclear(
            _("%(sender)s writes to ticket %(ticket)s, and it is not the ticket of that person.")
            % {"sender": mail.sender, "ticket": ticket.number},
            ticket=ticket,
        )
    if ticket.status in (TicketStatus.DELETED, TicketStatus.SPAM):
        return unclear(_("Ticket %(ticket)s is no longer worked on.") % {"ticket": ticket.number}, ticket=ticket)
    return Route(contact=contact, ticket=ticket)


def _under_this_id(mail: ParsedMail, row: IncomingMail) -> IncomingMail | None:
    """A mail of the same person with the same id and another content: it came by two ways, one of which has changed
    it, or somebody's program gives one id to all."""
    if not mail.message_id:
        return None
    same = IncomingMail.objects.filter(message_id=row.message_id, sender=row.sender, state=MailState.HANDLED)
    return same.exclude(identity=row.identity).exclude(pk=row.pk).select_related("ticket").first()


def _ticket_of(mail: ParsedMail, mailbox: Mailbox | None) -> Ticket | None:
    """The ticket that a person writes to: by earlier mails, ours and theirs, or by its number in the subject."""
    task = sent_mails(mail.refers_to).exclude(task=None).values_list("task__ticket", flat=True).first()
    came = IncomingMail.objects.filter(message_id__in=mail.refers_to).exclude(ticket=None).order_by("-pk")
    number = number_in(mail.subject, mailbox.formats if mailbox else [])
    found = None
    if number:
        found = Ticket.objects.filter(number=number).first() or Ticket.objects.filter(tasks__number=number).first()
    if found is None and (ticket_id := task or came.values_list("ticket", flat=True).first()):
        found = Ticket.objects.filter(pk=ticket_id).first()
    for _step in range(5):
        if found is None or found.status != TicketStatus.MERGED:
            break
        link = Link.objects.filter(ticket=found, kind=LinkKind.MERGED).select_related("other").first()
        found = link.other if link else None
    return found


def _too_many_strangers(row: IncomingMail, failover: Contact) -> str:
    """Why a person has to look before more of them become tickets; empty if not so many have come. Whoever takes a
    new address for each mail is no loop that `_too_many` could see."""
    limit = settings.STRANGERS_AN_HOUR
    since = timezone.now() - timedelta(hours=1)
    made = IncomingMail.objects.filter(mailbox=row.mailbox, received_at__gte=since, pk__lt=row.pk)
    made = made.filter(state=MailState.HANDLED, outcome=MailOutcome.NEW_TICKET, ticket__contact=failover)
    if made.exclude(sender__iexact=failover.email).count() < limit:
        return ""
    return _("More than %(limit)d people who are not known here have written within an hour.") % {"limit": limit}


def _too_many(row: IncomingMail, found: Route) -> str:
    """Why it is taken for a loop; empty if it is none. New tickets count together, for people: a machine without any
    mark of one writes a new one each time."""
    limit = row.mailbox.hourly_limit if row.mailbox else 20
    since = timezone.now() - timedelta(hours=1)
    if found.system is not None and found.ticket is None:
        return ""
    same = IncomingMail.objects.filter(sender=row.sender, received_at__gte=since, pk__lt=row.pk)
    if found.ticket is not None:
        count = same.filter(ticket=found.ticket).count()
    else:
        count = same.filter(state=MailState.HANDLED, outcome=MailOutcome.NEW_TICKET).count()
    if count < limit:
        return ""
    return _("More than %(limit)d mails within an hour from %(sender)s: this is taken for a loop.") % {
        "limit": limit,
        "sender": row.sender,
    }
