"""What a desk's mail says, as messages of that desk: by its tags, else by its words."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from integrations.inbound import messages
from integrations.inbound.mail.parsing import PREFIX, ParsedMail
from integrations.inbound.mail.quotes import new_part
from integrations.inbound.mail.routing import Route
from integrations.inbound.problems import Invalid
from integrations.mail_words import TOKEN, read_tags, without_tokens
from integrations.models import Mailbox, MailOutcome
from tickets.lifecycle import CompletionCode
from tickets.models import Visibility

# What may stand in [[OPERATION]], in the words of the desks that say it.
OPERATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("create", "new", "new ticket"), "create"),
    **dict.fromkeys(("acknowledge", "acknowledged", "acknowledgement", "accepted"), "acknowledge"),
    **dict.fromkeys(("update", "message", "note", "comment"), "update"),
    **dict.fromkeys(("solution", "solve", "solved", "resolve", "resolved", "ready", "done"), "resolve"),
    **dict.fromkeys(("close", "closed"), "close"),
    **dict.fromkeys(("reopen", "reopened"), "reopen"),
    **dict.fromkeys(("reject", "rejected", "rejection"), "reject"),
    **dict.fromkeys(("cancel", "cancelled", "canceled"), "cancel"),
    **dict.fromkeys(("assign", "assigned"), "assign"),
}
# The tags of a desk of which its message is made; the rest of its mail is words.
OF_DESKS: Final = frozenset(
    {
        *("ACTION", "OPERATION", "REFERENCE", "VISIBILITY", "EXPECTED", "EXPECTED RESOLUTION"),
        *("SOLUTION", "CODE", "COMPLETION CODE", "REASON"),
    }
)
# The tags of a person of which a new ticket is made.
OF_PEOPLE: Final = frozenset(("TITLE", "PRIORITY", "CATEGORY", "QUEUE"))
OUTCOMES: Final[Mapping[str, MailOutcome]] = {
    "create": MailOutcome.NEW_TICKET,
    "acknowledge": MailOutcome.ACKNOWLEDGEMENT,
    "update": MailOutcome.TASK_UPDATE,
    "resolve": MailOutcome.TASK_SOLUTION,
    "close": MailOutcome.TASK_SOLUTION,
}


@dataclass(frozen=True)
class Said:
    """What is new in a mail: its words, and the values of its tags."""

    text: str
    tags: Mapping[str, str]

    def tag(self, *labels: str) -> str:
        """The value of the first of these tags that has one."""
        return next((without_tokens(self.tags[label]) for label in labels if self.tags.get(label)), "")


def said_in(mail: ParsedMail, *, cut: bool, used: Container[str] | None = None) -> Said:
    """The words without tags, tokens and, with `cut`, quotes; a line for each file that was left out.

    A desk's tag MESSAGE stands for all of its words, as what is around it is the desk's letterhead. With `used`, the
    tags of which something is made, nothing else is left out: other tags stay in the words as they are written.
    """
    answers = mail.is_answer or PREFIX.match(mail.subject) or TOKEN.search(f"{mail.recipients} {mail.text}")
    quotes = cut and bool(answers)
    tagged = read_tags(new_part(mail.text) if quotes else mail.text, taken_out=used)
    message = tagged.values.get("MESSAGE") or tagged.values.get("TEXT") if used is None else ""
    text = without_tokens(message or tagged.text).strip()
    for name in mail.too_large:
        line = _("[%(file)s was not taken over: it is too large. It is in the stored mail.]") % {"file": name}
        text = f"{text}\n\n{line}".strip()
    for name in mail.refused:
        line = _("[%(file)s was not taken over: files of this kind are refused. It is in the stored mail.]")
        text = f"{text}\n\n{line % {'file': name}}".strip()
    return Said(text, tagged.values)


def messages_of(
    mail: ParsedMail, found: Route, mailbox: Mailbox | None, *, used: Container[str] | None = None
) -> tuple[list[messages.Message], MailOutcome]:
    """What the mail asks, in order, and what that makes of it; `used` as `said_in` takes it. Raises `Invalid`."""
    by: dict[str, Any] = {
        "message_id": mail.message_id or f"sha256:{mail.identity}",
        "author": (mail.sender_name or mail.sender)[: messages.MAX_AUTHOR],
    }
    said = said_in(mail, cut=found.task is not None, used=used)
    if found.task is None:
        return [_new_ticket(mail, said, found, mailbox, by)], MailOutcome.NEW_TICKET
    by["task_number"] = found.task.number
    acknowledging, named = _acknowledging(found, by)
    if found.only_number:
        return acknowledging, MailOutcome.ACKNOWLEDGEMENT
    operation = _operation(said, found, mail)
    by |= {"external_reference": named}
    if operation == "create":
        raise Invalid(_("It asks for a new ticket, but answers a task that there is."))
    if operation == "acknowledge":
        if not acknowledging and not named:
            raise Invalid(_("It acknowledges without a number: [[REFERENCE]]: [[...]] is missing."))
        # What is said with a number that is known already is an update.
        if acknowledging and not (said.text or mail.files):
            return acknowledging, MailOutcome.ACKNOWLEDGEMENT
        operation = "update"
    message = _message(operation, mail, said, by)
    outcome = OUTCOMES.get(operation, MailOutcome.OTHER)
    return [*acknowledging, message], outcome


def _acknowledging(found: Route, by: Mapping[str, Any]) -> tuple[list[messages.Message], str]:
    """The message that stores their number, where it is new; and the number by which they name the task now."""
    if not found.reference or found.task is None or found.system is None:
        return [], ""
    if len(found.reference) > messages.MAX_REFERENCE:
        raise Invalid(_("The number is longer than %(limit)d characters.") % {"limit": messages.MAX_REFERENCE})
    if found.task.external_references.filter(system=found.system).exists():
        return [], found.reference
    return [messages.Acknowledgement(**by, external_reference=found.reference)], found.reference


def _operation(said: Said, found: Route, mail: ParsedMail) -> str:
    named = said.tag("OPERATION", "ACTION")
    if named:
        operation = OPERATIONS.get(" ".join(named.lower().split()))
        if operation is None:
            known = ", ".join(sorted(OPERATIONS))
            raise Invalid(_('"%(name)s" is no operation. Known: %(known)s.') % {"name": named[:50], "known": known})
        return operation
    if said.tag("SOLUTION"):
        return "resolve"
    if found.reference and not said.text and not mail.files:
        return "acknowledge"
    return "update"


def _message(operation: str, mail: ParsedMail, said: Said, by: Mapping[str, Any]) -> messages.Message:
    if operation == "update":
        if not said.text and not mail.files:
            raise Invalid(_("There is nothing new in it: no text besides what it quotes, and no file."))
        return messages.Update(
            **by,
            text=said.text,
            visibility=_visibility(said),
            files=mail.files,
            expected_resolution_at=_moment(said.tag("EXPECTED", "EXPECTED RESOLUTION")),
        )
    solution = said.tag("SOLUTION")
    spare = messages.Comment(text=said.text, created_at=str(by["message_id"]), author=str(by["author"]))
    deed: dict[str, Any] = {**by, "files": mail.files, "comments": (spare,) if said.text else ()}
    if operation in ("resolve", "close"):
        kind = messages.Resolution if operation == "resolve" else messages.Closure
        if not solution:
            deed["comments"] = ()
        return kind(
            **deed, solution=solution or said.text, completion_code=_code(said.tag("CODE", "COMPLETION CODE"))
        )
    if operation in ("reopen", "reject"):
        kind_with_reason = messages.Reopening if operation == "reopen" else messages.Rejection
        reason = said.tag("REASON")
        return kind_with_reason(**(deed if reason else {**deed, "comments": ()}), reason=reason or said.text)
    return (messages.Cancellation if operation == "cancel" else messages.LocalAssignment)(**deed)


def _new_ticket(
    mail: ParsedMail, said: Said, found: Route, mailbox: Mailbox | None, by: Mapping[str, Any]
) -> messages.NewTicket:
    queue = mailbox.queue.code if mailbox and mailbox.queue else ""
    category = mailbox.category.code if mailbox and mailbox.category else ""
    return messages.NewTicket(
        **by,
        external_reference=found.reference or None,
        title=without_tokens(said.tag("TITLE") or mail.title)[:200],
        description=said.tag("DESCRIPTION") or said.text,
        contact_email=said.tag("CONTACT"),
        contact_name=said.tag("NAME"),
        priority=said.tag("PRIORITY"),
        category=said.tag("CATEGORY") or category,
        queue=said.tag("QUEUE") or queue,
        files=mail.files,
    )


def _visibility(said: Said) -> str:
    given = said.tag("VISIBILITY").lower() or Visibility.PUBLIC
    if given not in Visibility.values:
        raise Invalid(_('"%(value)s" is not a visibility: use public or internal.') % {"value": given[:50]})
    return str(given)


def _code(given: str) -> str:
    """Our completion code by its value or its name; none given: what the operation has by itself."""
    wanted = given.strip().lower()
    for value, label in CompletionCode.choices:
        if wanted in (value, str(label).lower()):
            return str(value)
    if wanted:
        known = ", ".join(CompletionCode.values)
        raise Invalid(
            _('"%(code)s" is not a completion code. Known: %(known)s.') % {"code": given[:50], "known": known}
        )
    return ""


def _moment(given: str) -> datetime | None:
    if not given:
        return None
    try:
        moment = parse_datetime(given.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise Invalid(_('"%(time)s" is no time: write it like 2026-01-31T12:00+01:00.') % {"time": given[:50]})
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
