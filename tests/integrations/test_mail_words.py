"""Numbers, tags and tokens: what is found, and that nobody can make the finding take long."""

import time

import pytest

from integrations.inbound.mail.quotes import new_part
from integrations.inbound.mail.text import html_text
from integrations.mail_words import FormatProblem, NumberFormat, number_in, read_tags, reply_token, tokens_in


@pytest.mark.parametrize(
    ("form", "text", "number"),
    [
        ("[TicketId:{number}]", "Re: [TicketId:1001] fire", "1001"),
        ("[TicketId:{number}]", "Re: [ticketid:1001-2] fire", "1001-2"),
        ("TicketId: {number}", "TicketId:   1001", "1001"),
        ("TicketId:{number}", "MyTicketId:1001", ""),
        ("[TicketId:{number}]", "[TicketId:1001", ""),
        ("[TicketId:{number}]", "[TicketId:abc]", ""),
        ("Ticket#{number}", "Ticket#1001-", ""),
        ("Ticket#{number}", "Ticket#10012345678901234567890", ""),
    ],
)
def test_a_format_finds_its_number(form, text, number):
    assert number_in(text, [NumberFormat.of(form)]) == number


@pytest.mark.parametrize("form", ["{number}", "x{number}", "number", "{number} {number}", "[{other}:1]", "x" * 200])
def test_a_format_that_finds_nothing_or_too_much_is_refused(form):
    with pytest.raises(FormatProblem):
        NumberFormat.of(form)


@pytest.mark.parametrize(
    ("text", "values", "rest"),
    [
        ("[[TASK]]: [[1-1]]", {"TASK": "1-1"}, ""),
        ("a\n[[ task ]] :[[1-1]]\nb", {"TASK": "1-1"}, "a\n\nb"),
        ("[[SOLUTION]]: [[line 1\n\nline 2]]\nrest", {"SOLUTION": "line 1\n\nline 2"}, "rest"),
        ("[[SOLUTION]]:\n[[on the next line]]", {"SOLUTION": "on the next line"}, ""),
        ("[[SOLUTION]]: [[see [[wiki]] page]]", {"SOLUTION": "see [[wiki]] page"}, ""),
        ("[[A]]: [[1]] [[B]]: [[2]]", {"A": "1", "B": "2"}, ""),
        ("[[A]]: [[1]]\n[[A]]: [[2]]", {"A": "1"}, ""),
        ("[[A]]: [[never ends", {}, "[[A]]: [[never ends"),
        ("[[A]]: [[never ends\n[[B]]: [[2]]", {"B": "2"}, "[[A]]: [[never ends"),
        ("[[A]] no value", {}, "[[A]] no value"),
        ("[[A]]: [[]]", {"A": ""}, ""),
    ],
)
def test_tags(text, values, rest):
    found = read_tags(text)
    assert (dict(found.values), found.text) == (values, rest)


@pytest.mark.parametrize(
    "text",
    [
        "[[A]]: [[" * 20_000,
        "[[" * 70_000,
        "[[A]]: [[x]]" * 12_000,
        "[[A]]: [[" + "]] " * 50_000,
        "[[A]]:" + " " * 150_000,
        "On " * 50_000,
        "On x 1\n" * 20_000,
        "> " * 70_000,
        "From: x\nSent: x\n" * 9_000,
        "On Monday 1 wrote:\n> x\ny\n" * 6_000,
        "r-1-1-" * 25_000,
    ],
    ids=lambda text: text[:12].replace("\n", "|"),
)
def test_no_text_takes_long(text):
    started = time.monotonic()
    read_tags(text)
    new_part(text)
    tokens_in(text)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "source", ["<div>" * 100_000, "<b>x" * 50_000, "<a href='http://x'>" * 5_000, "&#0;" * 10_000]
)
def test_no_html_takes_long(source):
    started = time.monotonic()
    html_text(source)
    assert time.monotonic() - started < 3


def test_a_token_is_found_in_any_case_and_only_whole():
    token = reply_token(12345, 67)
    assert tokens_in(f"<a+{token.upper()}@x.test>") == [(12345, 67)]
    assert tokens_in(f"x{token}") == tokens_in(token[:-1]) == tokens_in(f"{token}x") == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("New.\n\nOn 1 Nov 2026, A wrote:\n> old", "New."),
        ("New.\n\nOn Sun, 1 Nov 2026 at 10:00,\nSupport <s@x.test> wrote:\n\n> old\n> older", "New."),
        ("Neu.\n\nAm 01.11.2026 um 10:00 schrieb A:\n> alt", "Neu."),
        ("Nouveau.\n\nLe dim. 1 nov. 2026 à 10:00, A a écrit :\n> vieux", "Nouveau."),
        ("Nuovo.\n\nIl giorno dom 1 nov 2026 A ha scritto:\n> vecchio", "Nuovo."),
        ("Nieuw.\n\nOp 1 nov. 2026 om 10:00 schreef A:\n> oud", "Nieuw."),
        ("New.\n\n-----Original Message-----\nFrom: A\nold", "New."),
        ("Neu.\n\nVon: A <a@x.test>\nGesendet: Sonntag\nAn: B\nBetreff: C\n\nalt", "Neu."),
        ("New.\n\n________________________________\nFrom: A <a@x.test>\nSent: now\n\nold", "New."),
        ("New.\n> quoted at the end", "New."),
        ("> What?\nThat.\n> Where?\nThere.", "> What?\nThat.\n> Where?\nThere."),
        ("On 1 Nov, A wrote:\n> old\n\nAnswer below.", "On 1 Nov, A wrote:\n> old\n\nAnswer below."),
        ("On the table I wrote: a note", "On the table I wrote: a note"),
        ("From: the heart", "From: the heart"),
        ("> only quoted", "> only quoted"),
        ("    indented\n        code", "indented\n        code"),
    ],
)
def test_what_is_quoted_is_cut_and_nothing_else(text, kept):
    assert new_part(text) == kept
