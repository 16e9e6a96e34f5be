"""Whatever bytes come, a mail is read or refused as unreadable, and what is read can be stored."""

import random

import pytest

from integrations.inbound.mail.automatic import kind_of, report_of
from integrations.inbound.mail.mapping import said_in
from integrations.inbound.mail.parsing import Unreadable, parse
from integrations.inbound.mail.senders import proof_of
from integrations.inbound.mail.service import shown_headers
from tests.integrations.inbound.mail.conftest import CORPUS

PIECES = [
    *(b"\n\n", b"--", b"=?utf-8?B?", b"?=", b"\x00", b"\xff", b"boundary=", b'"', b"charset=", b";", b"<", b">"),
    *(b"*0*=", b"[[A]]: [[", b"From: ", b"Content-Type: multipart/mixed; boundary=x\n", b"=?x?q?"),
    *(b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n"),
]


def mutated(chance: random.Random, files: list[bytes]) -> bytes:
    """One of the files with a few bytes changed, cut out or put in."""
    data = bytearray(chance.choice(files))
    for _change in range(chance.randint(1, 12)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at:at] = chance.choice(PIECES)
            case 2:
                del data[at : at + chance.randint(1, 30)]
            case _:
                other = chance.choice(files)
                begin = chance.randrange(len(other))
                data[at:at] = other[begin : begin + chance.randint(1, 200)]
    return bytes(data)


@pytest.mark.parametrize("seed", range(3))
def test_no_bytes_bring_the_reading_down(seed):
    chance = random.Random(seed)
    files = [path.read_bytes() for path in sorted(CORPUS.glob("*.eml"))]
    for _mail in range(60):
        try:
            mail = parse(mutated(chance, files), largest_file=1000)
        except Unreadable:
            continue
        kind_of(mail)
        report_of(mail)
        proof_of(mail.mime, mail.sender, authserv_id="mx.portal.test")
        texts = [mail.subject, mail.text, mail.sender, mail.sender_name, mail.message_id, mail.title]
        texts += [said_in(mail, cut=True).text, *(file.name for file in mail.files), *shown_headers(mail).values()]
        for text in texts:
            text.encode()
            assert "\0" not in text
