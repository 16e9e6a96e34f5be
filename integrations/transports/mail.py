"""Mail to other desks, through Django's mail backend."""

import re
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.utils import parseaddr

from django.core.mail import BadHeaderError, EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext as _

from integrations.transports.deadline import Deadline
from integrations.transports.errors import (
    ConnectFailed,
    LoginRefused,
    MailDelayed,
    MailRefused,
    OutcomeUnknown,
    RequestInvalid,
    TransportError,
)
from integrations.transports.http import refuse_inside_transaction

DEADLINE_SECONDS = 60.0
# Whether the mailbox exists is the server's to say; this only keeps out what no server should be asked about.
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@dataclass(frozen=True)
class Mail:
    """One plain text mail. `message_id` includes the angle brackets and stays the same when a mail is repeated.

    Attachments are (file name, content, content type). `sender` defaults to DEFAULT_FROM_EMAIL. `done` are recipients
    who have it from an earlier try: they are named in it, and it does not go to them again.
    """

    to: tuple[str, ...]
    subject: str
    body: str
    message_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[tuple[str, bytes, str], ...] = ()
    sender: str = ""
    done: tuple[str, ...] = ()


class _OneRecipient(EmailMessage):
    """Names all recipients in its header but goes to one of them.

    With several in one envelope, SMTP takes the mail although some were refused, and nobody would learn of it.
    """

    envelope_to: str

    def recipients(self) -> list[str]:
        return [self.envelope_to]


def send_mail(mail: Mail, *, deadline: float = DEADLINE_SECONDS) -> None:
    """Send to every recipient who does not have it, within `deadline` seconds after the connection is made (see
    EMAIL_TIMEOUT).

    Raises a `TransportError`: `MailRefused` (5xx, with the recipients that were refused; `reached` when others got
    the mail), `MailDelayed` (4xx), `LoginRefused`, `ConnectFailed`, `OutcomeUnknown`, or `RequestInvalid` for a mail
    that cannot be written, header injection included; each with the recipients that were `accepted`. Raises
    `RuntimeError` inside a database transaction.
    """
    refuse_inside_transaction()
    messages = [_message(mail, recipient) for recipient in mail.to if recipient not in mail.done]
    if not messages:
        raise RequestInvalid(_("The mail has no recipient."))
    backend = get_connection(fail_silently=False)
    _open(backend)
    refused: list[TransportError] = []
    accepted: list[str] = []
    with Deadline(deadline) as limit:
        server = getattr(backend, "connection", None)
        if isinstance(server, smtplib.SMTP) and server.sock is not None:
            limit.watch(server.sock)
        try:
            for message in messages:
                try:
                    _send(backend, message, limit)
                    accepted.append(message.envelope_to)
                except (MailRefused, MailDelayed) as error:
                    refused.append(error)
                except TransportError as error:
                    error.accepted = tuple(accepted)
                    raise
        finally:
            _close(backend)
    if refused:
        _raise_refusals(refused, accepted=accepted)


def _message(mail: Mail, recipient: str) -> _OneRecipient:
    message = _OneRecipient(
        subject=mail.subject,
        body=mail.body,
        from_email=mail.sender or None,
        to=mail.to,
        headers={**mail.headers, "Message-ID": mail.message_id},
        attachments=list(mail.attachments),
    )
    message.envelope_to = recipient
    if not ADDRESS.fullmatch(parseaddr(recipient)[1]):
        raise RequestInvalid(_("“%(address)s” is not a mail address.") % {"address": recipient})
    if not parseaddr(recipient)[1].rpartition("@")[0].isascii():
        # Django would write it as an encoded word, which is another mailbox, if it is one at all.
        raise RequestInvalid(
            _("“%(address)s” has letters before the @ that mail servers do not know.") % {"address": recipient}
        )
    try:
        message.message().as_bytes()
    except (BadHeaderError, MessageError, ValueError) as error:
        raise RequestInvalid(_("The mail cannot be written: %(reason)s") % {"reason": error}) from error
    return message


def _open(backend: BaseEmailBackend) -> None:
    try:
        backend.open()
    except smtplib.SMTPAuthenticationError as error:
        _close(backend)
        raise LoginRefused(
            _("The mail server refused the portal's name and password: %(reason)s") % {"reason": _answer(error)}
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        _close(backend)
        reason = error.strerror or error
        raise ConnectFailed(_("No connection to the mail server: %(reason)s") % {"reason": reason}) from error


def _send(backend: BaseEmailBackend, message: EmailMessage, limit: Deadline) -> None:
    try:
        backend.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise _refusal(code, f"{', '.join(error.recipients)}: {code} {_text(answer)}") from error
    except smtplib.SMTPSenderRefused as error:
        raise _refusal(error.smtp_code, f"{error.sender}: {_answer(error)}") from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, _answer(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        reason = _("the time was up") if limit.passed else error
        raise OutcomeUnknown(
            _("The connection to the mail server broke; the mail may have left (%(reason)s).") % {"reason": reason}
        ) from error


def _close(backend: BaseEmailBackend) -> None:
    try:
        backend.close()
    except (OSError, smtplib.SMTPException):
        # Everything was answered by then, so a server that hangs up rudely changes nothing.
        return


def _refusal(code: int, words: str) -> TransportError:
    kind = MailRefused if code >= 500 else MailDelayed
    return kind(_("The mail server refused: %(words)s") % {"words": words})


def _raise_refusals(refused: list[TransportError], *, accepted: list[str]) -> None:
    words = " ".join(str(error) for error in refused)
    kind = MailRefused if any(isinstance(error, MailRefused) for error in refused) else MailDelayed
    failure = kind(words, reached=bool(accepted))
    failure.accepted = tuple(accepted)
    raise failure from refused[0]


def _answer(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", errors="replace") if isinstance(answer, bytes) else answer
