"""`manage.py receive_mail`, as a mail server's pipe calls it: a mail on standard input, an exit code of sysexits."""

import io

import pytest
from django.core.management import call_command
from django.db import OperationalError

from integrations.inbound.mail import service
from integrations.models import IncomingMail, Mailbox
from tests.integrations.inbound.mail.conftest import raw_mail
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipe(desk, settings, tmp_path, monkeypatch):
    """Hands over bytes; the exit code and what was said."""
    settings.MEDIA_ROOT = tmp_path
    Mailbox.objects.create(name="Support", address="support@portal.test")

    def hand_over(raw, *arguments):
        stdin = io.TextIOWrapper(io.BytesIO(raw))
        monkeypatch.setattr("sys.stdin", stdin)
        said = io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("receive_mail", *arguments, stdout=said, stderr=said)
        return ended.value.code, said.getvalue()

    return hand_over


@pytest.mark.parametrize("name", ["support@portal.test", "SUPPORT@portal.test", "Support"])
def test_a_mail_is_taken_over(pipe, name):
    assert pipe(raw_mail(), "--mailbox", name)[0] == 0
    assert (Ticket.objects.count(), IncomingMail.objects.get().mailbox.name) == (1, "Support")
    assert pipe(raw_mail(), "--mailbox", name)[0] == 0
    assert Ticket.objects.count() == 1


def test_without_a_mailbox_too(pipe):
    assert pipe(raw_mail())[0] == 0
    assert pipe(raw_mail())[0] == 0
    assert (Ticket.objects.count(), IncomingMail.objects.count()) == (1, 1)


def test_what_a_person_has_to_decide_is_taken_over(pipe):
    code, said = pipe(raw_mail(From="s@nowhere.test"), "--mailbox", "Support")
    assert (code, "Unclear" in said) == (0, True)
    assert pipe(b"\x00\xff noise")[0] == 0


def test_what_is_no_mail_at_all_is_given_back(pipe, settings):
    settings.MAX_MAIL_BYTES = 1000
    assert (pipe(b""), pipe(b" \n")) == ((65, pipe(b"")[1]), (65, pipe(b"")[1]))
    assert pipe(raw_mail(body="x" * 2000))[0] == 65
    assert IncomingMail.objects.count() == 0


def test_what_cannot_be_done_now_is_tried_again(pipe, monkeypatch):
    assert pipe(raw_mail(), "--mailbox", "nobody")[0] == 75
    Mailbox.objects.update(active=False)
    assert pipe(raw_mail(), "--mailbox", "Support")[0] == 75
    Mailbox.objects.update(active=True)

    def fail(*args, **values):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(service.IncomingMail.objects, "filter", fail)
        assert pipe(raw_mail(), "--mailbox", "Support")[0] == 75
    assert pipe(raw_mail(), "--mailbox", "Support")[0] == 0


def test_a_failure_of_ours_never_sends_a_mail_back_to_its_sender(pipe, monkeypatch):
    def fail(*args, **values):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(service, "_stored", fail)
        assert pipe(raw_mail(), "--mailbox", "Support")[0] == 75
    assert pipe(raw_mail(), "--mailbox", "Support")[0] == 0
