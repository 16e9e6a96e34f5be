"""A raw mail as the parts that matter, whatever strange things its sender's program did."""

import base64
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.feedparser import BytesFeedParser
from email.message import Message as Mime
from email.policy import compat32
from email.utils import collapse_rfc2231_value
from typing import Final

from django.utils.translation import gettext as _

from integrations.inbound.mail.headers import header, message_ids, readable_header, recipients_of, sender_of
from integrations.inbound.mail.text import decoded, html_text, unflowed
from integrations.mail_words import TOKEN, without_tokens
from tickets.actions import FileContent
from tickets.actions.attachment import refuse_kind, safe_name
from tickets.errors import InvalidInput

MAX_PARTS: Final = 500
# Each level costs all lines below it once more; mail servers stop at less.
MAX_DEPTH: Final = 30
MAX_HEADER_BLOCK: Final = 512 * 1024
CHUNK: Final = 256 * 1024
MAX_TEXT: Final = 150_000
TEXTS: Final = ("text/plain", "text/html", "text/enriched", "text/richtext")
REPORTS: Final = ("delivery-status", "disposition-notification")
RAW_NAME: Final = re.compile(r"\b(?:file)?name\s{0,5}=\s{0,5}(?:\"([^\"]{1,400})\"|([^;\r\n]{1,400}))", re.IGNORECASE)
TOKEN_BYTES: Final = re.compile(TOKEN.pattern.encode(), re.IGNORECASE)
PREFIX: Final = re.compile(
    r"^(?:(?:re|aw|sv|antw|fw|fwd|wg|tr|rif|vs|doorst)(?:\[\d{1,3}\])?\s{0,3}:\s{0,5}){1,10}", re.I
)


class Unreadable(Exception):
    """It is no mail, or one that nobody should try to read; `str()` says why."""


@dataclass(frozen=True)
class ParsedMail:
    """What a mail says, and who says so. `text` is all of its text, quotes included; `mime` has the headers.

    `too_large` names files that are larger than an attachment may be, `refused` those of a kind that is not taken
    over: they stay in the stored mail.
    """

    mime: Mime
    message_id: str
    refers_to: tuple[str, ...]
    sender: str
    sender_name: str
    recipients: str
    subject: str
    text: str
    files: tuple[FileContent, ...] = ()
    too_large: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    identity: str = ""

    @property
    def title(self) -> str:
        """The subject without Re: and the like; without a subject the first words."""
        title = PREFIX.sub("", self.subject).strip()
        first = next((line.strip() for line in self.text.splitlines() if line.strip(" >-_*")), "")
        return (title or first or _("Mail from %(sender)s") % {"sender": self.sender or "?"})[:200].strip()

    @property
    def is_answer(self) -> bool:
        """Whether its sender's program says that it answers an earlier mail."""
        return bool(self.refers_to)


@dataclass
class _Found:
    texts: list[str] = field(default_factory=list)
    files: list[FileContent] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    parts: int = 0


def parse(raw: bytes, *, largest_file: int) -> ParsedMail:
    """Read a mail. Files of more than `largest_file` bytes are only named. Raises `Unreadable`."""
    mime = read_mime(raw)
    found = _Found()
    try:
        _collect(mime, found, largest_file)
    except RecursionError as error:
        raise Unreadable(_("It is nested deeper than is read.")) from error
    name, address = sender_of(mime)
    return ParsedMail(
        mime=mime,
        message_id=next(iter(message_ids(mime, "Message-ID")), "")[:200],
        refers_to=tuple(message_ids(mime, "References", "In-Reply-To")),
        sender=address,
        sender_name=name,
        recipients=recipients_of(mime),
        subject=header(mime, "Subject")[:300],
        text=_cut("\n\n".join(text.strip("\n") for text in found.texts if text.strip())),
        files=tuple(found.files),
        too_large=tuple(found.too_large),
        refused=tuple(found.refused),
        identity=identity_of(raw, mime),
    )


class _Parser(BytesFeedParser):
    """The library's, which gives up where a mail has more parts, or levels of them, than anybody writes."""

    def __init__(self) -> None:
        self.parts = 0
        super().__init__(policy=compat32)

    def _new_message(self) -> None:
        super()._new_message()  # type: ignore[misc]  # the one place where the library begins a part
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise Unreadable(_("It has more than %(limit)d parts.") % {"limit": MAX_PARTS})
        if len(self._msgstack) > MAX_DEPTH:  # type: ignore[attr-defined]  # how deep that part is
            raise Unreadable(_("It is nested deeper than is read."))


def read_mime(raw: bytes) -> Mime:
    """The mail's tree. Raises `Unreadable` for what has no headers at all, and what is made to be a burden."""
    head = header_of(raw)
    if len(head) > MAX_HEADER_BLOCK:
        raise Unreadable(_("Its header is larger than %(limit)d kB.") % {"limit": MAX_HEADER_BLOCK // 1024})
    try:
        parser = _Parser()
        # From a pipe, mail may begin with the envelope line of a Unix mailbox.
        parser.feed(_without_bare_returns(head))
        for start in range(len(head), len(raw), CHUNK):
            parser.feed(raw[start : start + CHUNK])
        mime = parser.close()
        names = {name.lower() for name in mime}
    except (RecursionError, ValueError, LookupError, AssertionError) as error:
        raise Unreadable(_("It is not a mail that can be read: %(reason)s") % {"reason": error}) from error
    if not names & {"from", "subject", "message-id", "to", "date", "received"}:
        raise Unreadable(_("It has no headers of a mail."))
    return mime


def _without_bare_returns(head: bytes) -> bytes:
    """The library ends lines at a bare CR, mail servers do not: what they have checked as the end of one header
    must not be read as another one here."""
    return re.sub(rb"\r(?!\n)", b" ", re.sub(rb"\r+\n", b"\r\n", head)) if b"\n" in head else head


def identity_of(raw: bytes, mime: Mime) -> str:
    """The same for the same mail, however often it comes: what servers add on the way does not count."""
    digest = hashlib.sha256()
    for name in ("Message-ID", "From", "Date", "Subject"):
        digest.update(readable_header(mime.get(name)).encode(errors="replace") + b"\0")
    digest.update(raw[len(header_of(raw)) :].replace(b"\r\n", b"\n").rstrip())
    return digest.hexdigest()


def header_of(raw: bytes) -> bytes:
    """The bytes up to the first empty line; all of them, where there is none."""
    end = re.search(rb"\r?\n\r?\n", raw)
    return raw[: end.end()] if end else raw


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text.strip()
    return (
        text[:MAX_TEXT].rstrip()
        + "\n"
        + _("[cut off: the text is longer than %(limit)d characters]") % {"limit": MAX_TEXT}
    )


def _collect(part: Mime, found: _Found, largest: int) -> None:
    found.parts += 1
    if found.parts > MAX_PARTS:
        raise Unreadable(_("It has more than %(limit)d parts.") % {"limit": MAX_PARTS})
    kind = part.get_content_type()
    if kind == "message/rfc822":
        _forwarded(part, found, largest)
    elif kind == "multipart/alternative":
        _alternative(part, found, largest)
    elif part.is_multipart():
        for inner in _children(part):
            _collect(inner, found, largest)
    elif kind in TEXTS and not _is_file(part):
        found.texts.append(text_of(part))
    else:
        _keep(part, found, largest)


def _alternative(part: Mime, found: _Found, largest: int) -> None:
    """The best of several forms of one text: plain, unless that is empty. What else is in it (an invitation, images)
    is kept as a file."""
    before = len(found.texts)
    candidates: dict[str, _Found] = {}
    for inner in _children(part):
        tried = _Found(parts=found.parts)
        _collect(inner, tried, largest)
        found.parts = tried.parts
        found.files += tried.files
        found.too_large += tried.too_large
        found.refused += tried.refused
        if any(text.strip() for text in tried.texts):
            candidates.setdefault(inner.get_content_type(), tried)
    chosen = candidates.get("text/plain") or next(reversed(list(candidates.values())), None)
    if chosen is not None:
        found.texts[before:] = chosen.texts


def _children(part: Mime) -> Iterator[Mime]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Mime))


def text_of(part: Mime) -> str:
    """A text part as plain text in its own words."""
    text = decoded(content_of(part), str(part.get_content_charset("") or ""))
    if part.get_content_type() == "text/plain":
        if str(part.get_param("format", "")).lower() == "flowed":
            return unflowed(text, delete_space=str(part.get_param("delsp", "")).lower() == "yes")
        return text.replace("\r\n", "\n")
    return html_text(text)


def content_of(part: Mime) -> bytes:
    """The bytes of a part. What is wrongly encoded is taken as far as it goes: the library does that."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _is_file(part: Mime) -> bool:
    return part.get_content_disposition() == "attachment" or bool(name_of(part))


def name_of(part: Mime) -> str:
    """The file's name, in whichever way it is encoded (RFC 2231, RFC 2047, raw bytes); empty if it has none."""
    try:
        given = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    name = readable_header(collapse_rfc2231_value(given)) if given else ""
    return (_raw_name(part) or name if "\ufffd" in name else name)[:400]


def _raw_name(part: Mime) -> str:
    """A name whose bytes stand in the header as they are, which the library does not hand out."""
    for header_name, value in part.raw_items():
        if header_name.lower() in ("content-disposition", "content-type"):
            line = decoded(str(value).encode("utf-8", "surrogateescape"), "utf-8")
            match = RAW_NAME.search(line[:2000])
            if match is not None:
                return (match.group(1) or match.group(2) or "").strip()
    return ""


def _forwarded(part: Mime, found: _Found, largest: int) -> None:
    """A mail in the mail: kept as a file; where nothing else is said, what it says is the text."""
    inner = next(_children(part), None)
    if inner is None:
        return _keep(part, found, largest)
    if not any(text.strip() for text in found.texts):
        said = _Found(parts=found.parts)
        _collect(inner, said, 0)
        found.parts = said.parts
        head = "\n".join(f"{name}: {header(inner, name)}" for name in ("From", "Date", "Subject") if inner.get(name))
        found.texts.append("\n\n".join([head, *said.texts]))
    name = name_of(part) or f"{header(inner, 'Subject') or 'message'}.eml"
    name = name if name.lower().endswith(".eml") else f"{name}.eml"
    # It may be one of ours: whoever reads the file must not find what proves the desk.
    return _add(FileContent(name, safe_bytes(inner), "message/rfc822"), found, largest)


def safe_bytes(mime: Mime) -> bytes:
    """The mail as a file for people, without what proves a desk, also where its texts are encoded; changes `mime`."""
    for part in _encoded_texts_of(mime):
        content = content_of(part)
        if TOKEN_BYTES.search(content):
            del part["Content-Transfer-Encoding"]
            part["Content-Transfer-Encoding"] = "base64"
            part.set_payload(base64.encodebytes(TOKEN_BYTES.sub(b"r-...", content)).decode("ascii"))
    try:
        data = mime.as_bytes()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        data = str(mime.get_payload()).encode("utf-8", "replace")
    return TOKEN_BYTES.sub(b"r-...", data)


def _encoded_texts_of(mime: Mime) -> Iterator[Mime]:
    for part in mime.walk():
        encoding = header(part, "Content-Transfer-Encoding").lower()
        if part.get_content_maintype() == "text" and encoding not in ("", "7bit", "8bit", "binary"):
            yield part


def _keep(part: Mime, found: _Found, largest: int) -> None:
    data = content_of(part)
    kind = part.get_content_type()
    name = name_of(part)
    if not name:
        if not data:
            return
        names = {"text/calendar": "invitation", "application/ms-tnef": "winmail"}
        ending = {"application/ms-tnef": ".dat", "message/delivery-status": ".txt"}.get(kind)
        ending = ending or mimetypes.guess_extension(kind) or ".bin"
        name = f"{names.get(kind, f'file-{len(found.files) + 1}')}{ending}"
    _add(FileContent(name, data, kind), found, largest)


def _add(file: FileContent, found: _Found, largest: int) -> None:
    file = replace(file, name=without_tokens(file.name))
    if file.content_type.startswith("text/"):
        file = replace(file, data=TOKEN_BYTES.sub(b"r-...", file.data))
    if len(file.data) > largest:
        found.too_large.append(f"{file.name} ({len(file.data) / 1024**2:.1f} MB)")
        return
    try:
        refuse_kind(file.name, file.content_type)
    except InvalidInput:
        found.refused.append(safe_name(file.name))
    else:
        found.files.append(file)
