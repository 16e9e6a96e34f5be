"""Mails that are made to keep a worker busy: each is read, or refused, within moments."""

import time

import pytest

from integrations.inbound.mail.automatic import kind_of, report_of
from integrations.inbound.mail.mapping import said_in
from integrations.inbound.mail.parsing import Unreadable, parse
from integrations.inbound.mail.senders import proof_of
from integrations.inbound.mail.service import shown_headers, store
from integrations.models import MailState
from tests.integrations.inbound.mail.conftest import take

HEAD = b"From: a@x.test\r\nSubject: s\r\nMessage-ID: <1@x>\r\n"
SIZE = 3_000_000


def many(piece: bytes, size: int = SIZE) -> bytes:
    """The piece again and again."""
    return piece * (size // len(piece))


def nested(depth: int) -> bytes:
    """Multiparts within each other, with very many lines in the innermost."""
    levels = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    )
    return HEAD + levels + b"\r\n" + many(b"x\r\n", SIZE // 3)


REFUSED = {
    "levels": nested(200),
    "mails in mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"Subject: x\r\n\r\nx",
    "parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 10_000,
    "blocks of a report": HEAD
    + b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    + many(b"Action: failed\r\n\r\n"),
    "results": many(b"Authentication-Results: a; dkim=pass header.d=x.test\r\n") + HEAD + b"\r\nx",
    "recipients": many(b"To: a@x.test\r\n") + HEAD + b"\r\nx",
    "encoded words": b"Subject: " + many(b"=?utf-8?B?YQ==?= ") + b"\r\n" + HEAD + b"\r\nx",
}
READ = {
    "some levels": nested(12),
    "comments": many(b"Authentication-Results: " + b"(a)" * 3000 + b"\r\n", 400_000) + HEAD + b"\r\nx",
    "flowed": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + many(b"x \r\n"),
    "one long line of HTML": HEAD + b"Content-Type: text/html\r\n\r\n" + many(b"<b>x</b> "),
    "links in links": HEAD + b"Content-Type: text/html\r\n\r\n" + many(b"<a href='https://x'>"),
    "quotes in quotes": HEAD + b"Content-Type: text/html\r\n\r\n" + many(b"<blockquote>") + many(b"x<br>"),
    "tags without end": HEAD + b"\r\n" + many(b"[[A]]: [[", 150_000),
    "someone wrote": HEAD + b"In-Reply-To: <q@x>\r\n\r\n" + many(b"On 1 wrote:\n> x\ny\n", 150_000),
    "pieces of a name": HEAD
    + b"Content-Disposition: attachment; "
    + b"".join(b"filename*%d=a; " % number for number in range(20_000))
    + b"\r\n\r\nx",
}


def read(raw: bytes) -> None:
    mail = parse(raw, largest_file=1000)
    kind_of(mail)
    report_of(mail)
    proof_of(mail.mime, mail.sender, authserv_id="mx.portal.test")
    said_in(mail, cut=True)
    shown_headers(mail)


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_writes_is_refused_at_once(name):
    began = time.monotonic()
    with pytest.raises(Unreadable):
        read(REFUSED[name])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", READ)
def test_what_somebody_might_write_is_read_in_moments(name):
    """Each took a minute or more for a mail of this size, or grew with the square of it."""
    began = time.monotonic()
    read(READ[name])
    assert time.monotonic() - began < 10


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["levels", "parts", "results"])
def test_what_is_refused_waits_for_a_person(settings, tmp_path, name):
    settings.MEDIA_ROOT = tmp_path
    row = take(REFUSED[name], None)
    assert (row.state, row.raw.size) == (MailState.UNCLEAR, len(REFUSED[name]))
    assert store(REFUSED[name], mailbox=None).pk == row.pk
