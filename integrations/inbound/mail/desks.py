"""Which desk a mail comes from, as far as that is proved; the sender's address alone never is.

Proved is: the desk's own mailbox and one of its addresses, a token that we gave to it, or one of its addresses with
a DKIM or SPF result, by our own mail server, for the same domain.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from integrations.inbound.mail.parsing import ParsedMail
from integrations.inbound.mail.senders import Proof, proof_of
from integrations.mail_words import tokens_in
from integrations.models import ExternalSystem, Mailbox
from tickets.models import Contact, Task


class NotProved(Exception):
    """It says that it comes from a desk, and nothing proves it: a person decides. `str()` says what is missing."""


@dataclass(frozen=True)
class Proved:
    """Desks that the mail is proved to come from; more than one where they share an address. `task` is that of the
    token."""

    systems: tuple[ExternalSystem, ...]
    task: Task | None = None


def desk_of(mail: ParsedMail, mailbox: Mailbox | None) -> Proved | None:
    """The desk; None where the mail does not even say that it comes from one. Raises `NotProved`."""
    systems = list(ExternalSystem.objects.filter(active=True).order_by("pk"))
    named = [system for system in systems if system.sends_mail_from(mail.sender)]
    by_token = _by_token(mail, systems)
    if by_token is not None and (by_token.systems[0] in named or not _is_known_person(mail.sender)):
        return by_token
    proof = proof_of(mail.mime, mail.sender, authserv_id=mailbox.authserv_id if mailbox else "")
    if mailbox is not None and mailbox.system is not None:
        return _in_own_mailbox(mail, mailbox.system, proof)
    if not named:
        return None
    if proof == Proof.PROVED:
        return Proved(tuple(named))
    words = {"sender": mail.sender, "system": named[0]}
    if proof == Proof.DENIED:
        raise NotProved(
            _("It says that it comes from %(sender)s (%(system)s), and the checks of your mail server deny it.")
            % words
        )
    raise NotProved(
        _(
            "It says that it comes from %(sender)s (%(system)s). Nothing proves it: it has no reply token, did not "
            "come to the desk's own mailbox, and no DKIM or SPF result of a trusted checker stands for it."
        )
        % words
    )


def _in_own_mailbox(mail: ParsedMail, system: ExternalSystem, proof: Proof) -> Proved:
    words = {"sender": mail.sender or "?", "system": system}
    if not system.active:
        raise NotProved(_("%(system)s is switched off.") % words)
    if not system.sends_mail_from(mail.sender):
        raise NotProved(_("This mailbox is for %(system)s alone, and %(sender)s is not among its addresses.") % words)
    if proof == Proof.DENIED:
        raise NotProved(
            _("It says that it comes from %(sender)s (%(system)s), and the checks of your mail server deny it.")
            % words
        )
    return Proved((system,))


def _by_token(mail: ParsedMail, systems: list[ExternalSystem]) -> Proved | None:
    """The first genuine token: to whom the mail went says more than its subject, that more than what it quotes."""
    by_id = {system.pk: system for system in systems}
    for place in (mail.recipients, mail.subject, mail.text):
        for task_id, system_id in tokens_in(place):
            task = Task.objects.select_related("ticket").filter(pk=task_id).first()
            if task is not None and system_id in by_id:
                return Proved((by_id[system_id],), task)
    return None


def _is_known_person(address: str) -> bool:
    """Whether a contact of ours writes: a token that came to that person by a copy does not make a desk of them."""
    return bool(address) and Contact.objects.filter(email__iexact=address).exists()
