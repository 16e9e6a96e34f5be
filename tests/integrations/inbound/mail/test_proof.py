"""Nobody forges a solution: a desk is what was proved to be one, and no stranger gets into somebody's ticket."""

import base64
import quopri
from email import message_from_bytes

import pytest

from integrations.inbound.mail.headers import sender_of
from integrations.inbound.mail.parsing import read_mime
from integrations.inbound.mail.senders import Proof, proof_of
from integrations.mail_words import reply_token
from integrations.models import ExternalSystem, MailState
from tests.integrations.inbound.mail.conftest import raw_mail, take
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import Contact, Note

pytestmark = pytest.mark.django_db
SOLVES = "[[SOLUTION]]: [[New fuse]]"


def places(token):
    """The places where a token may come back."""
    return {
        "address": {"To": f"support+{token}@portal.test"},
        "capitals": {"To": f"SUPPORT+{token.upper()}@PORTAL.TEST"},
        "subject": {"Subject": f"Re: printer {token}"},
        "quoted": {"body": f"{SOLVES}\n\n> [[TASK]]: [[1001-1]]\n> [[TOKEN]]: [[{token}]]"},
    }


@pytest.mark.parametrize("place", ["address", "capitals", "subject", "quoted"])
def test_a_token_proves_the_desk_whoever_writes(task, support, place):
    token = reply_token(task.pk, support_system().pk)
    given = {"From": "colleague@elsewhere.test", "body": SOLVES, **places(token)[place]}
    row = take(raw_mail(**given), support)
    assert (row.state, row.outcome) == (MailState.HANDLED, "task_solution"), row.reason
    task.refresh_from_db()
    assert (task.phase, task.solution) == (Phase.REVIEW, "New fuse")


def test_no_token_is_kept_where_people_read(task, support):
    token = reply_token(task.pk, support_system().pk)
    inner = f"--b\n\nSee {token}\n--b\nContent-Type: message/rfc822\n\nSubject: {token}\n\nx\n--b--"
    raw = raw_mail(From="a@elsewhere.test", To=f"support+{token}@portal.test", Subject=f"Re {token}", body=inner,
                   Content_Type="multipart/mixed; boundary=b")  # fmt: skip
    row = take(raw, support)
    note = Note.objects.get()
    (file,) = note.attachments.all()
    seen = [note.body, row.subject, row.exchange.request_body, str(row.exchange.request_headers), file.name]
    assert row.state == MailState.HANDLED
    assert token not in " ".join(seen)
    with file.file.open() as opened:
        assert token.encode() not in opened.read()


@pytest.mark.parametrize("way", ["base64", "quoted-printable", "attached as a text"])
def test_no_token_is_in_a_file_however_it_is_encoded(task, support, way):
    """A desk that forwards our mail as a file, which the ticket's contact may open."""
    token = reply_token(task.pk, support_system().pk)
    said = f"Please leave these lines:\n[[TOKEN]]: [[{token}]]\n".encode()
    head = f"Subject: Ours\nReply-To: support+{token}@portal.test\nContent-Type: text/plain; charset=utf-8\n"
    if way == "attached as a text":
        part = b"Content-Type: text/plain; name=a.eml\n\n" + said
    else:
        encoded = base64.encodebytes(said) if way == "base64" else quopri.encodestring(said)
        inner = f"{head}Content-Transfer-Encoding: {way}\n\n".encode() + encoded
        part = b"Content-Type: message/rfc822\n\n" + inner
    raw = raw_mail(
        From="desk@partner.test", To=f"support+{token}@portal.test", Content_Type="multipart/mixed; boundary=b",
        body=f"--b\n\nSee.\n--b\n{part.decode()}\n--b--",
    )  # fmt: skip
    assert take(raw, support).state == MailState.HANDLED
    (file,) = Note.objects.get().attachments.all()
    with file.file.open() as opened:
        data = opened.read()
    readable = b"".join(part.get_payload(decode=True) or b"" for part in message_from_bytes(data).walk())
    assert token.encode() not in data + readable
    assert b"r-..." in data + readable


@pytest.mark.parametrize("change", ["signature", "task", "system", "old key"])
def test_a_token_counts_only_for_its_task_and_desk(desk, task, support, settings, change):
    system = support_system()
    other = desk.task(task.group)
    token = reply_token(task.pk, system.pk)
    forged = {
        "signature": token[:-1] + ("a" if token[-1] != "a" else "b"),
        "task": reply_token(other.pk, system.pk).rsplit("-", 1)[0] + "-" + token.rsplit("-", 1)[1],
        "system": reply_token(task.pk, system.pk + 1).rsplit("-", 1)[0] + "-" + token.rsplit("-", 1)[1],
        "old key": token,
    }[change]
    if change == "old key":
        settings.SECRET_KEY = "another-key-of-at-least-fifty-characters-for-this-test-only"
    row = take(raw_mail(From="evil@nowhere.test", To=f"support+{forged}@portal.test", body=SOLVES), support)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.UNCLEAR, "")


def test_a_token_of_a_rotated_key_still_counts(task, support, settings):
    token = reply_token(task.pk, support_system().pk)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-at-least-fifty-characters-for-this-test-only"
    row = take(raw_mail(From="a@elsewhere.test", To=f"support+{token}@portal.test", body=SOLVES), support)
    assert row.outcome == "task_solution"


def test_a_token_does_not_make_a_desk_of_our_contact(task, support):
    """Who got a copy of a mail to the desk, and answers to all."""
    token = reply_token(task.pk, support_system().pk)
    row = take(raw_mail(To=f"support+{token}@portal.test", Subject="Re: [TicketId:1001]", body=SOLVES), support)
    task.refresh_from_db()
    assert (row.system, task.solution, task.phase) == (None, "", Phase.INITIAL_SUPPORT)


def test_a_token_ends_when_the_task_is_no_longer_theirs(desk, task, support):
    token = reply_token(task.pk, support_system().pk)
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    row = take(raw_mail(From="desk@partner.test", To=f"support+{token}@portal.test", body=SOLVES), support)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.UNCLEAR, "")


def test_another_desks_mailbox_solves_nothing(task, support, partners):
    globex = ExternalSystem.objects.create(name="Globex", code="globex", mail_to="desk@globex.test")
    partners.system = globex
    partners.save()
    row = take(raw_mail(From="desk@globex.test", Subject="[TicketId:1001-1]", body=SOLVES), partners)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.UNCLEAR, "")
    assert "no such task" in row.reason


def test_a_desk_that_is_switched_off_says_nothing(task, partners):
    partners.system.active = False
    partners.system.save()
    row = take(raw_mail(From="desk@partner.test", Subject="[TicketId:1001-1]", body=SOLVES), partners)
    assert (row.state, "switched off" in row.reason) == (MailState.UNCLEAR, True)


def test_a_contact_whose_account_is_an_agents_writes_as_a_contact(desk, task, support):
    Contact.objects.filter(email="emil@customer.test").update(user=desk.agent)
    take(raw_mail(Subject="[TicketId:1001] hello"), support)
    assert Note.objects.get().actor_kind == "end_user"


@pytest.mark.parametrize(
    ("value", "proof"),
    [
        ("mx.portal.test; dkim=pass header.d=partner.test", Proof.PROVED),
        ("mx.portal.test; dkim=pass header.i=@partner.test", Proof.PROVED),
        ("mx.portal.test; dkim=pass (2048-bit key) header.d=partner.test header.b=abc; spf=fail", Proof.PROVED),
        ("mx.portal.test 1; spf=pass smtp.mailfrom=partner.test", Proof.PROVED),
        ("MX.portal.TEST; spf=pass smtp.mailfrom=a@partner.test", Proof.PROVED),
        ("mx.portal.test; dkim=pass header.d=test", Proof.UNKNOWN),
        ("mx.portal.test; dkim=fail header.d=partner.test", Proof.UNKNOWN),
        ("mx.portal.test; spf=softfail smtp.mailfrom=partner.test", Proof.UNKNOWN),
        ("mx.portal.test; spf=fail smtp.mailfrom=partner.test", Proof.DENIED),
        ("mx.portal.test; dmarc=fail header.from=partner.test; dkim=none", Proof.DENIED),
        ("mx.portal.test; none", Proof.UNKNOWN),
        ("mx.portal.test; auth=pass smtp.auth=partner.test", Proof.UNKNOWN),
        ("mx.portal.test.evil.test; dkim=pass header.d=partner.test", Proof.UNKNOWN),
        ('"mx.portal.test; dkim=pass header.d=partner.test"', Proof.UNKNOWN),
    ],
)
def test_what_the_checker_says(value, proof):
    mime = read_mime(raw_mail(Authentication_Results=value))
    assert proof_of(mime, "desk@partner.test", authserv_id="mx.portal.test") == proof
    assert proof_of(mime, "desk@partner.test", authserv_id="") == Proof.UNKNOWN


@pytest.mark.parametrize(
    ("sender", "value", "proof"),
    [
        # One above, within one organisation.
        ("desk.partner.test", "dkim=pass header.d=partner.test", Proof.PROVED),
        ("desk.partner.co.uk", "spf=pass smtp.mailfrom=bounces@partner.co.uk", Proof.PROVED),
        # Suffixes under which anybody may have a domain, of registries and of those who rent out names.
        ("partner.co.uk", "dkim=pass header.d=co.uk", Proof.UNKNOWN),
        ("desk.github.io", "dkim=pass header.d=github.io", Proof.UNKNOWN),
        ("desk.github.io", "dkim=pass header.d=attacker.github.io", Proof.UNKNOWN),
        ("github.io", "dkim=pass header.d=attacker.github.io", Proof.UNKNOWN),
        # A customer of a host that is on no list: below and beside.
        ("shared-host.example", "dkim=pass header.d=attacker.shared-host.example", Proof.UNKNOWN),
        ("desk.shared-host.example", "dkim=pass header.d=attacker.shared-host.example", Proof.UNKNOWN),
        ("desk.shared-host.example", "spf=pass smtp.mailfrom=a@attacker.shared-host.example", Proof.UNKNOWN),
        # The domain's owner says what may speak for it.
        ("partner.test", "dmarc=pass header.from=partner.test; dkim=pass header.d=mail.partner.test", Proof.PROVED),
        ("partner.test", "dmarc=pass header.from=mail.partner.test", Proof.UNKNOWN),
        (
            "sub.partner.test",
            "dkim=pass header.d=partner.test; dmarc=fail header.from=sub.partner.test",
            Proof.DENIED,
        ),
        # The same domain in the two ways of writing it.
        ("bücher.test", "dkim=pass header.d=xn--bcher-kva.test", Proof.PROVED),
        # Ends alike, and is another one.
        ("evilpartner.test", "dkim=pass header.d=partner.test", Proof.UNKNOWN),
        ("partner.test", "dkim=pass header.d=evilpartner.test", Proof.UNKNOWN),
        # A comment, and a value that looks like a result.
        ("partner.test", "dkim=none (dkim=pass header.d=partner.test)", Proof.UNKNOWN),
        ("partner.test", 'dkim=pass header.d=evil.test reason="; dkim=pass header.d=partner.test"', Proof.UNKNOWN),
        ("partner.test", 'spf=pass smtp.mailfrom="a@partner.test"@evil.test', Proof.UNKNOWN),
        ("partner.test", "spf=pass smtp.helo=partner.test", Proof.UNKNOWN),
    ],
)
def test_only_the_sender_s_own_organisation_speaks_for_it(sender, value, proof):
    mime = read_mime(raw_mail(Authentication_Results=f"mx.portal.test;\n {value}"))
    assert proof_of(mime, f"desk@{sender}", authserv_id="mx.portal.test") == proof


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("Emil <Emil@Customer.test>", "emil@customer.test"),
        ("emil@customer.test (Emil)", "emil@customer.test"),
        ('"Ende, Emil" <emil@customer.test>', "emil@customer.test"),
        ('"desk@partner.test" <evil@nowhere.test>', "evil@nowhere.test"),
        ("desk@partner.test <evil@nowhere.test>", "evil@nowhere.test"),
        ("<desk@partner.test> <evil@nowhere.test>", ""),
        ("desk@partner.test, evil@nowhere.test", ""),
        ("evil@nowhere.test)desk@partner.test", ""),
        ("desk@partner.test@nowhere.test", ""),
        ('"unclosed <desk@partner.test>', ""),
        ("undisclosed-recipients:;", ""),
        ("=?utf-8?Q?desk=40partner=2Etest?= <evil@nowhere.test>", "evil@nowhere.test"),
    ],
)
def test_there_is_one_sender_or_none(value, address):
    assert sender_of(read_mime(raw_mail(From=value)))[1] == address


def support_system() -> ExternalSystem:
    """The partner."""
    return ExternalSystem.objects.get(code="acme")
