"""Headers made to stop what follows, or to be taken for our own mail server's."""

from email import message_from_bytes

import pytest

from integrations.inbound.mail.senders import Proof, proof_of
from integrations.inbound.mail.service import receive
from integrations.models import MailState


def test_an_unreadable_result_of_our_server_hides_what_stands_below_it_whatever_its_case():
    mime = message_from_bytes(
        b"Authentication-Results: MX.portal.test; spf=fail smtp.mailfrom=((\r\n"
        b"Authentication-Results: mx.portal.test; dkim=pass header.d=desk.test\r\n"
        b"From: a@desk.test\r\n\r\nx"
    )
    assert proof_of(mime, "a@desk.test", authserv_id="mx.portal.test") is Proof.UNKNOWN


@pytest.mark.django_db
def test_a_mail_whose_id_holds_a_nul_is_stored():
    row = receive(b"Message-ID: <a\0b@evil.test>\r\nFrom: a@evil.test\r\nSubject: x\r\n\r\nhello", mailbox=None)
    assert row.pk and "\0" not in row.message_id
    assert row.state != MailState.ARRIVED
