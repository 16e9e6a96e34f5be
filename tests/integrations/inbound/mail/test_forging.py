"""Attacks of strangers, contacts and other desks: nobody solves, numbers or reads what is not theirs."""

import pytest

from integrations.inbound.mail.headers import sender_of
from integrations.inbound.mail.parsing import parse, read_mime
from integrations.inbound.mail.senders import Proof, proof_of
from integrations.mail_words import reply_token
from integrations.models import ExternalSystem, MailState
from tests.integrations.inbound.mail.conftest import SENT, raw_mail, take
from tickets import actions
from tickets.models import Note

pytestmark = pytest.mark.django_db
SOLVES = "[[TASK]]: [[1001-1]]\n[[SOLUTION]]: [[New fuse]]"
PASSES = "mx.portal.test; dkim=pass header.d=partner.test"


def forged(head: str, body: str = SOLVES) -> bytes:
    """A mail with exactly these headers."""
    return f"{head}\nMessage-ID: <forged@evil.test>\nSubject: [TicketId:1001-1]\n\n{body}\n".encode()


@pytest.mark.parametrize(
    "head",
    [
        # Two senders, one of them the desk.
        "From: desk@partner.test\nFrom: evil@evil.test",
        "From: evil@evil.test\nFrom: desk@partner.test",
        "From: desk@partner.test, evil@evil.test",
        "From: Desk: desk@partner.test;",
        # Words that look like an address.
        '"desk@partner.test" <evil@evil.test>',
        "From: =?utf-8?Q?desk=40partner.test_=3Cdesk=40partner.test=3E?= <evil@evil.test>",
        "From: =?utf-8?Q?=3Cdesk=40partner=2Etest=3E?=",
        "From: desk@partner.test <evil@evil.test>",
        'From: (" ) desk@partner.test (") <evil@evil.test>',
        # Somebody else's name for it.
        "Sender: desk@partner.test\nFrom: evil@evil.test",
        "Resent-From: desk@partner.test\nFrom: evil@evil.test",
        "Reply-To: desk@partner.test\nFrom: evil@evil.test",
        # The desk's address, and results that are not our server's, not for it, or not results.
        "From: desk@partner.test",
        f"From: desk@partner.test\nX-Authentication-Results: {PASSES}",
        f"From: desk@partner.test\nARC-Authentication-Results: i=1; {PASSES}",
        f"From: desk@partner.test\nAuthentication-Results: {PASSES.replace('mx.portal', 'mx.evil')}",
        f"From: desk@partner.test\nAuthentication-Results: mx.portal.test; none\nAuthentication-Results: {PASSES}",
        "From: desk@partner.test\nAuthentication-Results: mx.portal.test; dkim=pass (header.d=partner.test)"
        " header.d=evil.test",
        "From: desk@partner.test\nAuthentication-Results: mx.portal.test; dkim=pass header.d=evil.test\n"
        " (; dkim=pass header.d=partner.test)",
        # Bare returns: our mail server has checked one header where another reader sees two, or the end of them.
        f"X-A: b\rAuthentication-Results: {PASSES}\nFrom: desk@partner.test",
        "X-A: b\rFrom: desk@partner.test\r\rX\nFrom: evil@evil.test",
        # Letters that become other ones in capitals, or look alike.
        "From: desk@p\u0430rtner.test",
        "From: desk@partner.test\u200b",
        "From: desk@partner\uff0etest",
        "From: desk@partner.test\0.evil.test",
    ],
)
def test_nobody_is_taken_for_the_desk(task, support, head):
    row = take(forged(head if head.startswith(("From", "X", "Sender", "Re")) else f"From: {head}"), support)
    task.refresh_from_db()
    assert (row.state, row.system, task.solution, Note.objects.count()) == (MailState.UNCLEAR, None, "", 0)


def test_a_bare_return_ends_no_header():
    mime = read_mime(b"X: a\rFrom: desk@partner.test\r\rx\r\nFrom: evil@evil.test\r\n\r\nbody")
    assert (sender_of(mime)[1], mime.get_payload()) == ("evil@evil.test", "body")
    # What a broken server makes of each line end is none of that.
    mime = read_mime(b"From: a@b.test\r\r\nSubject: x\r\r\n\r\r\nbody")
    assert (mime["Subject"], sender_of(mime)[1]) == ("x", "a@b.test")


@pytest.mark.parametrize("where", ["nested mail", "attached text", "body"])
def test_results_inside_the_mail_are_none(where):
    inner = f"Authentication-Results: {PASSES}\nFrom: desk@partner.test\n\n{SOLVES}"
    kind = {"nested mail": "message/rfc822", "attached text": "text/plain", "body": "text/plain"}[where]
    raw = f"From: desk@partner.test\nContent-Type: {kind}\n\n{inner}".encode()
    assert proof_of(read_mime(raw), "desk@partner.test", authserv_id="mx.portal.test") == Proof.UNKNOWN


def test_a_token_of_another_task_speaks_for_that_one_alone(desk, task, support):
    """Whatever the tags, the subject and the thread say."""
    other = desk.task(task.group)
    token = reply_token(other.pk, ExternalSystem.objects.get().pk)
    raw = raw_mail(
        From="desk@partner.test", To=f"support+{token}@portal.test", Subject="[TicketId:1001-1]", In_Reply_To=SENT,
        body=SOLVES,
    )  # fmt: skip
    row = take(raw, support)
    task.refresh_from_db()
    other.refresh_from_db()
    assert (row.task, task.solution, other.solution) == (other, "", "New fuse")


@pytest.mark.parametrize("place", ["subject", "body", "forwarded"])
def test_a_token_that_has_ended_proves_nothing_wherever_it_stands(desk, task, support, place):
    token = reply_token(task.pk, ExternalSystem.objects.get().pk)
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    body = f"{SOLVES}\n[[TOKEN]]: [[{token}]]"
    given = {
        "subject": {"Subject": f"Re: {token}", "body": SOLVES},
        "body": {"body": body},
        "forwarded": {"Content_Type": "message/rfc822", "body": f"From: desk@partner.test\n\n{body}"},
    }[place]
    row = take(raw_mail(From="evil@evil.test", **given), support)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.UNCLEAR, "")


def test_guessed_tokens_cost_nothing_and_prove_nothing(task, support):
    guessed = " ".join(f"r-{task.pk}-1-{'abcdefgh' * 3}" for _try in range(1000))
    row = take(raw_mail(From="evil@evil.test", body=f"{SOLVES}\n{guessed}"), support)
    assert (row.state, row.system) == (MailState.UNCLEAR, None)


def test_tags_that_nobody_sees_or_that_are_quoted_say_nothing(task, partners):
    hidden = "".join(
        f"<div {attributes}>[[SOLUTION]]: [[No]]</div>"
        for attributes in (
            *("hidden", 'style="display: none"', 'style="visibility:hidden"', 'style="font-size:0px"'),
            *('style="opacity: 0"', 'style="color:red;max-height:0;overflow:hidden"'),
        )
    )
    quoted = "<blockquote>[[SOLUTION]]: [[No]]<br>[[OPERATION]]: [[close]]</blockquote>"
    body = f"<p>Seen.</p>{hidden}{quoted}<!-- [[SOLUTION]]: [[No]] -->"
    file = "--b\nContent-Type: text/plain; name=a.txt\n\n[[SOLUTION]]: [[No]]\n--b--"
    raw = raw_mail(
        From="desk@partner.test", In_Reply_To=SENT, Content_Type="multipart/mixed; boundary=b",
        body=f"--b\nContent-Type: text/html\n\n{body}\n{file}",
    )  # fmt: skip
    row = take(raw, partners)
    task.refresh_from_db()
    assert (row.outcome, task.solution) == ("task_update", ""), row.reason
    assert "SOLUTION" not in Note.objects.get().body


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("no", MailState.HANDLED),
        ("no (a person wrote this)", MailState.HANDLED),
        ("auto-replied", MailState.STOPPED),
        ("Auto-Replied (vacation)", MailState.STOPPED),
        ("(vacation) auto-replied; owner-email=a@b.test", MailState.STOPPED),
        ("auto-generated", MailState.STOPPED),
        ("auto-notified; x", MailState.STOPPED),
        ("=?utf-8?q?auto-replied?=", MailState.STOPPED),
        ("something new", MailState.STOPPED),
    ],
)
def test_auto_submitted_in_all_its_ways(task, support, value, state):
    assert take(raw_mail(Auto_Submitted=value), support).state == state


def test_an_answering_machine_of_the_desk_that_quotes_tags_solves_nothing(task, partners):
    for number, value in enumerate(["auto-replied (out of office)", "(x) auto-replied"]):
        raw = raw_mail(
            From="desk@partner.test", Auto_Submitted=value, Message_ID=f"<{number}@partner.test>", body=SOLVES
        )
        assert take(raw, partners).state == MailState.STOPPED
    task.refresh_from_db()
    assert task.solution == ""


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@partner.test", "desk@partner.test"])
def test_a_bounce_with_the_token_solves_nothing(task, partners, sender):
    token = reply_token(task.pk, ExternalSystem.objects.get().pk)
    kind = "multipart/report; report-type=delivery-status; boundary=b"
    raw = raw_mail(
        From=sender, To=f"support+{token}@portal.test", Content_Type=kind,
        body=f"--b\n\n{SOLVES}\n{token}\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b--",
    )  # fmt: skip
    row = take(raw, partners)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.UNCLEAR, "")


def test_names_of_files_and_people_lead_nowhere(task, support):
    names = ["../../etc/passwd", "C:\\\\Windows\\\\a.pdf", "invoice\u202efdp.png", "a\u2066b\u2069.txt", "."]
    parts = "".join(f'--b\nContent-Disposition: attachment; filename="{name}"\n\nx\n' for name in names)
    raw = raw_mail(
        From="Emil \u202elimE\u202c <emil@customer.test>", Subject="Bill \u202egnp.exe",
        Content_Type="multipart/mixed; boundary=b", body=f"--b\n\nSee.\n{parts}--b--",
    )  # fmt: skip
    row = take(raw, support)
    assert row.state == MailState.HANDLED, row.reason
    stored = list(row.ticket.attachments.order_by("pk").values_list("name", flat=True))
    assert stored == ["passwd", "a.pdf", "invoicefdp.png", "ab.txt", "file"]
    shown = f"{row.subject} {row.sender_name} {row.ticket.title}"
    assert not any(mark in shown for mark in "\u202e\u202c\u2066")
    assert parse(raw, largest_file=10).sender_name == "Emil limE"
