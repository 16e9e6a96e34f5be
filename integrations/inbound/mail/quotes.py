"""What is new in an answer: what it quotes of earlier mails is cut off, in time that grows with its length alone.

The libraries for this were tried: their expressions take minutes for a mail that is written for that.
"""

import re
from typing import Final

# "On ... wrote:" of the usual clients, in the languages of our neighbours; it may be broken into up to three lines.
WROTE: Final = re.compile(
    r"^(?:>\s?)*(?:on|am|le|il giorno|il|el|op|den|em|dnia|w dniu|dne|pada)\b.{3,400}"
    r"(?:wrote|schrieb|a écrit|ha scritto|escribió|escribio|schreef|skrev|escreveu|napisał|napisała|napsal|menulis)"
    r"\b.{0,120}:\s*$",
    re.IGNORECASE,
)
BEGINS_WROTE: Final = re.compile(
    r"^(?:on|am|le|il giorno|il|el|op|den|em|dnia|w dniu|dne|pada)\s.{0,300}\d", re.IGNORECASE
)
SEPARATOR: Final = re.compile(
    r"^\s*-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|messaggio originale|"
    r"mensaje original|oorspronkelijk bericht|mensagem original|forwarded message|weitergeleitete nachricht|"
    r"original appointment|ursprünglicher termin)\s*-{2,}\s*$",
    re.IGNORECASE,
)
# So many lines are looked at to see whether an answer stands between the quoted ones.
LOOK_AHEAD: Final = 200
# Outlook's block: two or more of these lines one after another, the first being the sender.
FROM: Final = re.compile(r"^[*\s]{0,5}(?:from|von|de|da|van|från|fra|od)\s{0,2}:[*\s]{0,5}\S", re.IGNORECASE)
FIELD: Final = re.compile(
    r"^[*\s]{0,5}(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|date|à|objet|inviato|data|a|oggetto|"
    r"enviado|fecha|para|asunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne)\s{0,2}:",
    re.IGNORECASE,
)
LINE: Final = re.compile(r"^\s*_{20,}\s*$")


def new_part(text: str) -> str:
    """The text without what it quotes. All of it, where nothing else would be left: no word is lost by a guess.

    An answer written between the quoted lines stays, with the lines that it answers.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    end = _where_quoting_begins(lines)
    kept = lines[:end]
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">")):
        kept.pop()
    if kept and WROTE.match(kept[-1][:1000]):
        kept.pop()
    found = "\n".join(kept).strip()
    if not found and end < len(lines):
        # Answered below what is quoted, as some do: what is not quoted there is new.
        below = [line for line in lines[end:] if not _quotes(line)]
        found = "\n".join(below).strip() if len(below) < len(lines[end:]) else ""
    if not found:
        unquoted = "\n".join(line for line in lines if not line.lstrip().startswith(">")).strip()
        found = unquoted if len(unquoted.split()) > 2 and unquoted != text.strip() else ""
        if WROTE.match(found[:1000]):
            found = ""
    return found or text.strip()


def _where_quoting_begins(lines: list[str]) -> int:
    for number, line in enumerate(lines):
        line = line[:1000]
        if SEPARATOR.match(line):
            return number
        if LINE.match(line) and FROM.match(_next_words(lines, number)):
            return number
        if FROM.match(line) and _is_header_block(lines, number):
            return number
        if WROTE.match(line) and _is_quoted_below(lines, number + 1):
            return number
        if BEGINS_WROTE.match(line):
            for length in (2, 3):
                joined = " ".join(part.strip() for part in lines[number : number + length])[:1000]
                if WROTE.match(joined) and _is_quoted_below(lines, number + length):
                    return number
    return len(lines)


def _is_quoted_below(lines: list[str], number: int) -> bool:
    """Whether what follows "... wrote:" is quoted and not answered between the lines."""
    rest = [line for line in lines[number : number + LOOK_AHEAD] if line.strip()]
    if not any(line.lstrip().startswith(">") for line in rest):
        # A client that quotes without marking it: the rest is the earlier mail.
        return True
    return all(line.lstrip().startswith(">") for line in rest[: _signature(rest)])


def _signature(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.rstrip() == "--"), len(lines))


def _is_header_block(lines: list[str], number: int) -> bool:
    following = [line for line in lines[number + 1 : number + 6] if line.strip()]
    return sum(1 for line in following[:4] if FIELD.match(line[:200])) >= 2


def _next_words(lines: list[str], number: int) -> str:
    return next((line[:200] for line in lines[number + 1 : number + 4] if line.strip()), "")


def _quotes(line: str) -> bool:
    return line.lstrip().startswith(">") or WROTE.match(line[:1000]) is not None
