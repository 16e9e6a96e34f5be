"""The words by which mail finds its way: ticket numbers in subjects, tags in texts, and tokens that prove a desk.

Whatever comes in is a stranger's: nothing here takes longer than the text is long.
"""

import base64
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

NUMBER: Final = r"(?P<number>[0-9]{1,18}(?:-[0-9]{1,6})?)(?![0-9-])"
REFERENCE: Final = r"(?P<reference>[A-Za-z0-9](?:[A-Za-z0-9._/#-]{0,98}[A-Za-z0-9])?)"
PLACEHOLDERS: Final[Mapping[str, str]] = {"{number}": NUMBER, "{reference}": REFERENCE}
MAX_FORMAT: Final = 100
BLANKS: Final = r"[ \t]{0,5}"
TAG: Final = re.compile(r"\[\[([^\[\]\r\n]{1,40})\]\][ \t]{0,5}:[ \t\r\n]{0,5}\[\[")
TAG_END: Final = re.compile(r"\]\](?=[ \t]{0,200}(?:\r?\n|\Z))")

TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9])r-([0-9a-z]{1,13})-([0-9a-z]{1,13})-([a-z2-7]{24})(?![A-Za-z0-9])", re.IGNORECASE
)
# The header by which we know our own mail.
MARK: Final = "X-Deskbridge-Portal"
REMOVED: Final = "r-…"
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class FormatProblem(ValueError):
    """A ticket number format that would find nothing, or too much; `str()` says what to write."""


@dataclass(frozen=True)
class NumberFormat:
    """A way to name a number: plain text around {number} or {reference}. No regular expressions: one that was written
    in haste takes hours on a subject that was written with care."""

    template: str
    placeholder: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, template: str) -> "NumberFormat":
        """The format; raises `FormatProblem`."""
        template = template.strip()
        found = re.findall(r"\{[a-z]*\}", template)
        if len(template) > MAX_FORMAT or len(found) != 1 or found[0] not in PLACEHOLDERS:
            raise FormatProblem(
                _('"%(format)s": write text around one {number} or {reference}, like [TicketId:{number}].')
                % {"format": template[:MAX_FORMAT]}
            )
        before, after = template.split(found[0])
        if len((before + after).strip()) < 2:
            raise FormatProblem(
                _('"%(format)s" would find every number. Write at least two characters around it.')
                % {"format": template}
            )
        if "\n" in template:
            raise FormatProblem(_("One format a line."))
        start = r"(?<![A-Za-z0-9])" if before[:1].isalnum() else ""
        pattern = start + _literal(before) + PLACEHOLDERS[found[0]] + _literal(after)
        return cls(template, found[0], re.compile(pattern, re.IGNORECASE))

    def find(self, text: str) -> str:
        """The first number in the text, empty if there is none."""
        match = self.pattern.search(text[:2000])
        return match.group(self.placeholder.strip("{}")) if match else ""

    def write(self, number: str) -> str:
        """The number in this form."""
        return self.template.replace(self.placeholder, number)


def number_in(text: str, formats: list[NumberFormat]) -> str:
    """Our number in the text, empty if none of the formats finds one."""
    return next(filter(None, (row.find(text) for row in formats if row.placeholder == "{number}")), "")


def reference_in(text: str, formats: list[NumberFormat]) -> str:
    """The other desk's number in the text, empty if none of the formats finds one."""
    return next(filter(None, (row.find(text) for row in formats if row.placeholder == "{reference}")), "")


@dataclass(frozen=True)
class Tagged:
    """A text with its tags taken out; values by the labels in capitals, the first of each counts."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


def read_tags(text: str, *, taken_out: Container[str] | None = None) -> Tagged:
    """Take `[[LABEL]]: [[Value]]` out of the text. A value may span lines, and ends at brackets that end a line, else
    at the next ones; one that never ends is no tag. With `taken_out`, any other tag stays in the text as it is
    written, and so does one that comes again."""
    values: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while (tag := TAG.search(text, at)) is not None:
        begin = tag.end()
        closing = text.find("]]", begin)
        if closing < 0:
            break
        following = TAG.search(text, begin)
        if following is not None and closing > following.start():
            rest.append(text[at:begin])
            at = begin
            continue
        end = TAG_END.search(text, begin, following.start() if following else len(text))
        if end is not None:
            closing = end.start()
        label = " ".join(tag.group(1).upper().split())
        stays = taken_out is not None and (label not in taken_out or label in values)
        values.setdefault(label, text[begin:closing].strip())
        rest.append(text[at : closing + 2 if stays else tag.start()])
        at = closing + 2
    rest.append(text[at:])
    return Tagged("".join(rest).strip(), values)


def write_tags(values: Mapping[str, str]) -> str:
    """Tags, one a line, for the end of a mail."""
    return "\n".join(f"[[{label}]]: [[{value}]]" for label, value in values.items())


def reply_token(task_id: int, system_id: int) -> str:
    """What proves that a mail answers one of ours about this task to this desk. Fits a mail address, in any case."""
    return f"r-{_short(task_id)}-{_short(system_id)}-{_signature(task_id, system_id, settings.SECRET_KEY)}"


def tokens_in(text: str) -> list[tuple[int, int]]:
    """Task and system of each genuine token in the text; what is not ours is nothing."""
    found = []
    for match in list(TOKEN.finditer(text))[:20]:
        task_id, system_id = int(match.group(1), 36), int(match.group(2), 36)
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        genuine = (_signature(task_id, system_id, key) for key in keys)
        if any(constant_time_compare(match.group(3).lower(), signature) for signature in genuine):
            found.append((task_id, system_id))
    return list(dict.fromkeys(found))


def without_tokens(text: str) -> str:
    """The text for people and logs: whoever could read a token could speak for the desk."""
    return TOKEN.sub(REMOVED, text)


def instance_mark() -> str:
    """By what this portal knows its own mail when it comes back."""
    return salted_hmac("integrations.mail_words.instance", "", algorithm="sha256").hexdigest()[:20]


def _signature(task_id: int, system_id: int, key: str) -> str:
    digest = salted_hmac(
        "integrations.mail_words.reply", f"{task_id}:{system_id}", secret=key, algorithm="sha256"
    ).digest()
    return base64.b32encode(digest[:15]).decode().lower()


def _short(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = DIGITS[rest] + digits
    return digits or "0"


def _literal(text: str) -> str:
    """The text, with any run of blanks standing for a few of them."""
    return BLANKS.join(re.escape(word) for word in re.split(r"[ \t]+", text))
