"""Awkward mails as they really come, each with what becomes of it: one table."""

from dataclasses import dataclass, field

import pytest

from integrations.models import Exchange, MailState, Way
from tests.integrations.inbound.mail.conftest import CORPUS, take
from tickets.models import Attachment, Note, Ticket

pytestmark = pytest.mark.django_db

HANDLED, STOPPED, UNCLEAR = MailState.HANDLED, MailState.STOPPED, MailState.UNCLEAR


@dataclass
class Case:
    """`text`: the new ticket's description, or the note's, exactly; `says`: a part of the reason. `box`: whose."""

    name: str
    state: str = HANDLED
    outcome: str = ""
    title: str = ""
    text: str | None = None
    files: list[str] = field(default_factory=list)
    says: str = ""
    box: str = "support"


def new(name: str, title: str = "", text: str | None = None, *files: str, box: str = "support") -> Case:
    """A new ticket."""
    return Case(name, outcome="new_ticket", title=title, text=text, files=list(files), box=box)


def message(name: str, text: str, *files: str) -> Case:
    """A message in Emil's ticket."""
    return Case(name, outcome="ticket_message", text=text, files=list(files))


def theirs(name: str, outcome: str, text: str | None = None, *files: str, box: str = "partners") -> Case:
    """What the partner says."""
    return Case(name, outcome=outcome, text=text, files=list(files), box=box)


def unclear(name: str, says: str, box: str = "support") -> Case:
    """A person decides."""
    return Case(name, UNCLEAR, says=says, box=box)


def stopped(name: str, says: str, box: str = "support") -> Case:
    """Nothing is done, and everybody sees why."""
    return Case(name, STOPPED, says=says, box=box)


CASES = [
    new("plain", "The lamp flickers", "It flickers since Monday.\n\nEmil"),
    new("latin1", "Tür klemmt", "Die Tür öffnet sich nicht."),
    new("windows-quotes-as-latin1", "Quotes", "It says “error” – and 5 €."),  # noqa: RUF001 - as the mail has it
    new("koi8-r", "Не печатает", "Принтер не печатает."),  # noqa: RUF001 - as the mail has it
    new("gb2312", "打印机坏了", "打印机坏了，请帮忙。㐂"),  # noqa: RUF001 - as the mail has it
    new("iso-2022-jp", "印刷できません", "プリンターが動きません。"),
    new("utf-16-base64", "Wide", "Wide characters: žluťoučký"),
    new("unknown-charset", "Café", "Das Café ist zu."),
    new("no-charset-raw-headers", "Raw ümlauts ohne Kodierung", "Kein Zeichensatz: äöü"),
    new("nul-and-surrogates", "NUL", None),
    new(
        "html-only",
        "HTML only",
        "Hello desk,\n\nthe printer says:\nPC LOAD LETTER\n\n- floor 2\n- floor 3\n\n"
        "See the manual <https://example.com/manual>.\n\nlogo",
    ),
    new("html-broken", "HTML broken", "Not closed at all\nbut\n\nreadable"),
    message("outlook-html-reply", "It still burns – please hurry.\n\nEmil"),  # noqa: RUF001 - as the mail has it
    new("nested-multipart", "Nested", "The plain text.", "logo.png", "manual.pdf"),
    new("apple-mail-mixed", "Two texts around a picture", "Look at this:\n\nand tell me.", "photo.jpg"),
    new(
        "forwarded-as-attachment",
        "Offer",
        "From: Vendor <vendor@shop.test>\nDate: Mon, 02 Nov 2026 08:00:00 +0000\nSubject: Angebot für Sie\n\n"
        "Buy a new printer.",
        "Angebot für Sie.eml",
    ),
    new(
        "forwarded-inline",
        "Printer",
        "Please help.\n\n---------- Forwarded message ---------\nFrom: Vendor <vendor@shop.test>\n"
        "Date: Mon, 2 Nov 2026\nSubject: Printer\n\nThe serial number is 42.",
    ),
    new("winmail", "From Outlook", "Text of an Outlook mail.", "winmail.dat"),
    new("winmail-only", "Only winmail", "", "winmail.dat"),
    new("no-subject", "The coffee machine", "The coffee machine\nis empty."),
    new("nothing-at-all", "Mail from emil@customer.test", ""),
    message("file-only-in-ticket", "", "screen.png"),
    new("filename-rfc2231", "Japanese file", "See file.", "報告書 2026.pdf"),
    new("filename-rfc2047", "Cyrillic file", "See file.", "отчет.docx"),
    new("filename-path-and-raw", "Evil file", "See files.", "passwd.html", "Prüfbericht für Öfen.pdf"),
    new("calendar", "Invitation: visit", "Technician visits on Friday.", "invitation.ics"),
    new(
        "format-flowed",
        "Flowed",
        "This is one long sentence that was broken by the program and ends here.\n\nAnother paragraph.",
    ),
    new("broken-base64", "Broken base64", "It works anyway"),
    new("broken-boundary", "Broken boundary", "The end never comes.\n--y--"),
    new("smime-signed", "Signed", "Signed words.", "smime.p7s"),
    new("mbox-from-line", "Through a pipe", "It flickers since Monday.\n\nEmil"),
    new("tags-of-a-contact", "Chosen title", "Words."),
    unclear("tags-unknown-code", "enormous"),
    unclear("no-mail", "no headers"),
    # People and their tickets.
    message("reply-in-thread", "It burns again."),
    message("reply-german", "Es brennt weiter."),
    message(
        "reply-between-the-lines",
        "On Monday, 2 Nov 2026, Support wrote:\n> Which floor?\nThe second.\n> Which room?\n2.04",
    ),
    message("reply-only-quotes", "> only\n> quotes"),
    message("to-a-task-number", "More words."),
    unclear("stranger", "not known here"),
    unclear("stranger-in-a-ticket", "not the ticket of that person"),
    unclear("stranger-in-a-thread", "not the ticket of that person"),
    unclear("two-senders", "no sender, or several"),
    unclear("sender-list", "no sender, or several"),
    unclear("display-name-lies", "evil@nowhere.test"),
    unclear("dmarc-fails", "deny"),
    message(
        "contact-solves", "[[TASK]]: [[1001-1]]\n[[OPERATION]]: [[close]]\n[[SOLUTION]]: [[I say so]]\nPlease close."
    ),
    # What no person wrote.
    stopped("auto-replied", "automatic"),
    stopped("out-of-office-exchange", "automatic"),
    stopped("vacation-old", "automatic"),
    stopped("out-of-office-unmarked", "automatic"),
    stopped("mailing-list", "automatic"),
    stopped("newsletter-null-sender", "automatic"),
    unclear("bounce-failed", "desk@partner.test did not arrive: 550 5.1.1 User unknown"),
    unclear("bounce-headers-only", "desk@partner.test did not arrive"),
    unclear("bounce-qmail", "did not arrive"),
    stopped("bounce-delayed", "nothing failed for good"),
    stopped("read-receipt", "nothing failed for good"),
    # The partner in its own mailbox.
    theirs("desk-update", "task_update", "We are on our way."),
    theirs("desk-update-by-tag", "task_update", "First line\n\nsecond [[odd]] line"),
    theirs("desk-update-in-thread", "task_update", "On our way."),
    theirs("desk-ticket-system", "task_update", "Our system says: in progress."),
    theirs("desk-solution", "task_solution"),
    theirs("desk-solution-html", "task_solution"),
    theirs("desk-solution-with-words-and-file", "task_solution", "Bill attached.", "bill.pdf"),
    theirs("desk-close", "task_solution"),
    theirs("desk-reject", "other"),
    theirs("desk-acknowledges", "acknowledgement"),
    theirs("desk-acknowledges-in-subject", "task_update", "We have your ticket."),
    theirs("desk-machine-acknowledges", "acknowledgement"),
    stopped("desk-is-away", "nothing that was waited for", box="partners"),
    new(
        "desk-new-ticket",
        "Our [Case B-12]: badge does not work",
        "The badge of Vera does not open the door.",
        box="partners",
    ),
    unclear("desk-names-another-task", "99-1", box="partners"),
    unclear("desk-answers-nothing-known", "nothing that is known", box="partners"),
    unclear("desk-wrong-operation", "explode", box="partners"),
    unclear("desk-says-nothing-new", "nothing new", box="partners"),
    unclear("stranger-in-the-desks-mailbox", "not among its addresses", box="partners"),
    unclear("contact-in-the-desks-mailbox", "not among its addresses", box="partners"),
    # Where it has to be proved.
    theirs("proved-dkim", "task_solution", box="support"),
    theirs("proved-spf", "task_solution", box="support"),
    theirs("proved-dmarc", "task_solution", box="support"),
    unclear("spf-of-a-subdomain", "Nothing proves it"),
    unclear("forged-sender", "Nothing proves it"),
    unclear("forged-by-another-checker", "Nothing proves it"),
    unclear("forged-below-the-real-one", "Nothing proves it"),
    unclear("forged-below-an-unreadable-one", "Nothing proves it"),
    unclear("forged-signed-by-himself", "Nothing proves it"),
    unclear("forged-similar-domain", "Nothing proves it"),
    unclear("forged-comment", "Nothing proves it"),
    unclear("forged-envelope-only", "Nothing proves it"),
    unclear("denied-by-dmarc", "deny"),
    unclear("wrong-token", "not the ticket of that person"),
]


def test_every_mail_of_the_corpus_has_its_outcome():
    assert sorted(case.name for case in CASES) == sorted(path.stem for path in CORPUS.glob("*.eml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_becomes(case, task, support, partners):
    box = {"support": support, "partners": partners}[case.box]
    row = take((CORPUS / f"{case.name}.eml").read_bytes(), box)
    assert (row.state, row.outcome) == (case.state, case.outcome), row.reason
    assert case.says in row.reason
    assert sorted(Attachment.objects.values_list("name", flat=True)) == sorted(case.files)
    task.refresh_from_db()
    if case.state != HANDLED:
        # Nothing was changed, and the mail is there to be read.
        assert (Ticket.objects.count(), Note.objects.count(), task.solution) == (1, 0, "")
        assert row.raw.size == len((CORPUS / f"{case.name}.eml").read_bytes())
    elif case.outcome == "new_ticket":
        ticket = Ticket.objects.get(number="1002")
        assert row.ticket == ticket
        assert ticket.title == case.title
        assert case.text is None or ticket.description == case.text
    elif case.text is not None:
        assert [note.body for note in Note.objects.all()] == ([case.text] if case.text else [])
    if case.outcome != "task_solution":
        assert task.solution == ""
    if row.system is not None and case.state == HANDLED:
        assert row.exchange.way == Way.IN
    assert Exchange.objects.filter(way=Way.IN).count() == (row.exchange is not None)
