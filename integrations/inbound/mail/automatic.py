"""Mail that no person wrote: answers of machines, our own mail coming back, and reports of what did not arrive."""

import re
from dataclasses import dataclass
from email.message import Message as Mime
from enum import Enum
from typing import Final

from integrations.inbound.mail.headers import header, message_ids, without_comments
from integrations.inbound.mail.parsing import ParsedMail, content_of
from integrations.inbound.mail.text import decoded
from integrations.mail_words import MARK, instance_mark

# RFC 3834 asks for Auto-Submitted; the others are what programs wrote before it, and still write.
ANSWERS: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Mail-Autoreply")
MACHINES: Final = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply)(?:$|[+@])")
BOUNCERS: Final = re.compile(r"^(?:mailer-daemon|postmaster)@")
OUT_OF_OFFICE: Final = re.compile(
    r"^(?:out of (?:the )?office|automatic reply|auto(?:matic)? ?response|automatische antwort|abwesenheitsnotiz|"
    r"réponse automatique|risposta automatica|respuesta automática|automatisch antwoord)\b",
    re.IGNORECASE,
)


class Automatic(Enum):
    """NO: a person's. OWN: ours. ANSWER: a machine answered. GENERATED: a program wrote it, as ticket systems do.
    REPORT: a mail server reports."""

    NO = "no"
    OWN = "own"
    ANSWER = "answer"
    GENERATED = "generated"
    REPORT = "report"


@dataclass(frozen=True)
class Report:
    """What a mail server says of a mail of ours: `failed` for good; `about` are Message-IDs that it names."""

    failed: bool
    recipient: str
    words: str
    about: tuple[str, ...]


def kind_of(mail: ParsedMail) -> Automatic:
    """Who or what wrote it."""
    mime = mail.mime
    if header(mime, MARK) == instance_mark():
        return Automatic.OWN
    if mime.get_content_type() == "multipart/report" or BOUNCERS.match(mail.sender):
        return Automatic.REPORT
    submitted = without_comments(header(mime, "Auto-Submitted")).lower().split(";")[0].strip()
    precedence = without_comments(header(mime, "Precedence")).lower()
    if submitted.startswith("auto-replied") or precedence in ("auto_reply", "auto-reply"):
        return Automatic.ANSWER
    if any(mime.get(name) for name in ANSWERS) or OUT_OF_OFFICE.match(mail.subject):
        return Automatic.ANSWER
    suppresses = header(mime, "X-Auto-Response-Suppress").lower()
    if submitted not in ("", "no") or precedence in ("bulk", "junk", "list") or suppresses not in ("", "none"):
        return Automatic.GENERATED
    if mime.get("List-Id") or header(mime, "Return-Path").strip() == "<>":
        return Automatic.GENERATED
    return Automatic.NO


def report_of(mail: ParsedMail) -> Report:
    """What the report says (RFC 3464), or what an old mail server wrote in its own words."""
    action = recipient = words = ""
    about: list[str] = []
    for part in _parts(mail.mime):
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _blocks(part):
                action = action or header(block, "Action").lower()
                recipient = recipient or header(block, "Final-Recipient").rpartition(";")[2].strip()
                words = words or header(block, "Diagnostic-Code").partition(";")[2].strip() or header(block, "Status")
        elif kind == "message/disposition-notification":
            action = action or "read"
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            about += _original(part)
    about += message_ids(mail.mime, "References", "In-Reply-To")
    about += re.findall(r"(?i)message-id:\s{0,5}(<[^<>\s]{1,300}>)", mail.text[:50_000])
    failed = action == "failed" or (not action and mail.mime.get_content_type() != "multipart/report")
    return Report(failed, recipient[:254], words[:500], tuple(dict.fromkeys(about))[:20])


def is_written_by_a_machine(address: str) -> bool:
    """Whether nobody reads what is sent to this address."""
    return MACHINES.match(address) is not None


def _parts(mime: Mime) -> list[Mime]:
    try:
        return list(mime.walk())[:500]
    except RecursionError:
        return []


def _blocks(part: Mime) -> list[Mime]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Mime)] if isinstance(payload, list) else []


def _original(part: Mime) -> list[str]:
    inner = _blocks(part)
    if inner:
        return message_ids(inner[0], "Message-ID")
    text = decoded(content_of(part), "utf-8")
    return re.findall(r"(?im)^message-id:\s{0,5}(<[^<>\s]{1,300}>)", text[:50_000])
