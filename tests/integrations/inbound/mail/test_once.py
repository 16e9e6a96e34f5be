"""Each mail has its effect once, whatever breaks off, and however often and on however many ways it comes."""

import errno
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import DataError, OperationalError
from django.utils import timezone

from integrations.inbound.mail import deciding, people, service
from integrations.inbound.mail.service import NotNow, receive
from integrations.models import Exchange, IncomingMail, MailState, Outcome, StoredAnswer
from tests.integrations.inbound.mail.conftest import raw_mail, take
from tickets.models import Note, Ticket

pytestmark = pytest.mark.django_db
DESK = {"From": "desk@partner.test", "Subject": "[TicketId:1001-1]", "Message_ID": "<d@partner.test>"}


class Killed(BaseException):
    """The worker is gone: nothing of ours runs after it."""


def test_the_same_mail_again_is_nothing_new(task, support):
    first = take(raw_mail(), support)
    again = take(b"Received: from somewhere else\n" + raw_mail().replace(b"\n", b"\r\n"), support)
    assert (first.pk, again.state, Ticket.objects.count()) == (again.pk, MailState.HANDLED, 2)


def test_a_copy_in_another_mailbox_is_a_repetition(task, support, partners):
    take(raw_mail(), support)
    partners.system = None
    partners.save()
    copy = take(raw_mail(), partners)
    assert (copy.state, copy.ticket.number, Ticket.objects.count()) == (MailState.REPEATED, "1002", 2)


def test_a_desks_copy_is_a_repetition(task, support, partners):
    proof = "mx.portal.test; dkim=pass header.d=partner.test"
    assert take(raw_mail(**DESK), partners).state == MailState.HANDLED
    assert take(raw_mail(**DESK, Authentication_Results=proof), support).state == MailState.REPEATED
    assert Note.objects.count() == 1


def test_a_used_message_id_with_other_words_goes_to_a_person(task, partners):
    take(raw_mail(**DESK, body="First"), partners)
    other = take(raw_mail(**DESK, body="Second"), partners)
    assert (other.state, [note.body for note in Note.objects.all()]) == (MailState.UNCLEAR, ["First"])
    assert other.exchange.outcome == Outcome.REFUSED


def test_a_persons_mail_that_comes_a_second_way_changed_makes_no_second_ticket(task, support, partners):
    first = take(raw_mail(), support)
    partners.system = None
    partners.save()
    other = take(raw_mail(Subject="[External] Hello", body="Words.\n\nThis mail comes from outside."), partners)
    assert (other.state, other.ticket, Ticket.objects.count()) == (MailState.UNCLEAR, first.ticket, 2)
    assert f"mail {first.pk}" in other.reason
    # One id of somebody else is none of that.
    assert take(raw_mail(From="s@nowhere.test"), support).reason == "The sender s@nowhere.test is not known here."


def test_two_mails_without_a_message_id_are_two(task, support):
    for day in ("03", "04"):
        take(raw_mail(Message_ID="", Date=f"Tue, {day} Nov 2026 10:00:00 +0100"), support)
    assert Ticket.objects.count() == 3


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_in_the_middle_of_a_persons_mail(task, support, monkeypatch, moment):
    real = people.take_over

    def die(*args):
        if moment == "after":
            real(*args)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(people, "take_over", die)
        receive(raw_mail(), mailbox=support)
    row = take(raw_mail(), support)
    assert (row.state, Ticket.objects.count(), IncomingMail.objects.count()) == (MailState.HANDLED, 2, 1)


def test_a_worker_killed_after_the_desks_effect(task, partners, monkeypatch):
    def die(*args, **values):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(service, "_finish", die)
        receive(raw_mail(**DESK), mailbox=partners)
    row = take(raw_mail(**DESK), partners)
    assert (row.state, Note.objects.count()) == (MailState.HANDLED, 1)
    assert sorted(Exchange.objects.filter(way="in").values_list("outcome", flat=True)) == ["repeated", "retryable"]


def test_a_mail_that_kills_its_worker_each_time_goes_to_a_person(task, support, monkeypatch):
    def die(*args):
        raise Killed

    for _try in range(3):
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(people, "take_over", die)
            receive(raw_mail(), mailbox=support)
    row = take(raw_mail(), support)
    assert (row.state, "Three times" in row.reason) == (MailState.UNCLEAR, True)


def test_our_own_failure_is_told_and_the_mail_is_kept(task, support, monkeypatch):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(people, "take_over", fail)
    row = take(raw_mail(), support)
    assert (row.state, "failure in this portal" in row.reason) == (MailState.UNCLEAR, True)


def test_a_database_that_is_away_is_no_reason_to_give_up(task, support, monkeypatch):
    def fail(*args):
        raise OperationalError("gone")

    with monkeypatch.context() as patched, pytest.raises(NotNow):
        patched.setattr(people, "take_over", fail)
        receive(raw_mail(), mailbox=support)
    assert take(raw_mail(), support).state == MailState.HANDLED


def test_a_desks_mail_that_is_being_worked_on_comes_again(task, partners):
    row = take(raw_mail(**DESK), partners)
    StoredAnswer.objects.update(done=False)
    IncomingMail.objects.filter(pk=row.pk).update(state=MailState.ARRIVED)
    for _try in range(5):
        # However often: it is no fault of the mail.
        with pytest.raises(NotNow):
            receive(raw_mail(**DESK), mailbox=partners)
    assert IncomingMail.objects.get().state == MailState.ARRIVED


def test_a_late_worker_does_not_make_unclear_what_another_has_done(task, support):
    row = service.store(raw_mail(), mailbox=support)
    late = IncomingMail.objects.select_related("mailbox").get(pk=row.pk)
    service.handle(row)
    late.tries = 3
    assert service.handle(late).state == MailState.HANDLED
    assert IncomingMail.objects.get().state == MailState.HANDLED


@pytest.mark.parametrize("where", ["what is read of it", "what is written of it"])
def test_a_mail_that_cannot_be_described_is_kept_for_a_person(desk, task, support, monkeypatch, where):
    real = IncomingMail.save

    def refuse(row, *args, **values):
        if row.subject:
            raise DataError("value too long")
        real(row, *args, **values)

    def fail(raw):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        if where == "what is read of it":
            patched.setattr(service, "_facts", fail)
        else:
            patched.setattr(IncomingMail, "save", refuse)
        row = take(raw_mail(), support)
        assert take(raw_mail(), support).pk == row.pk
    assert (row.state, "could not be described" in row.reason) == (MailState.UNCLEAR, True)
    with row.raw.open() as opened:
        assert opened.read() == raw_mail()
    assert len(list(Path(row.raw.path).parent.iterdir())) == 1
    done = deciding.try_again(row, by=desk.agent)
    assert (done.state, done.sender, done.ticket.title) == (MailState.HANDLED, "emil@customer.test", "Hello")


@pytest.mark.parametrize("what", ["mail", "file"])
def test_a_full_disk_is_no_reason_to_give_up(task, support, monkeypatch, what):
    """However long it is full: neither a row without its mail, nor a mail that is given up."""
    real = FileSystemStorage._save
    raw = raw_mail(Content_Type="text/plain; name=a.txt", Content_Disposition="attachment")

    def full(storage, name, content):
        if name.startswith("mail/") == (what == "mail"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(storage, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", full)
        for _try in range(5):
            with pytest.raises((OSError, NotNow)):
                receive(raw, mailbox=support)
    assert IncomingMail.objects.count() == (what == "file")
    row = take(raw, support)
    assert (row.state, Ticket.objects.count()) == (MailState.HANDLED, 2)


def test_two_at_once_with_one_mail_act_once(task, support):
    """A pipe that was begun anew while the first one still works: both hold the row as it was when it arrived."""
    row = service.store(raw_mail(), mailbox=support)
    late = IncomingMail.objects.select_related("mailbox").get(pk=row.pk)
    assert service.handle(row).state == MailState.HANDLED
    assert (service.handle(late).state, Ticket.objects.count()) == (MailState.HANDLED, 2)


def test_stored_mails_are_forgotten_but_for_what_waits(task, support):
    handled = take(raw_mail(), support)
    waits = take(raw_mail(From="s@nowhere.test", Message_ID="<s@nowhere.test>"), support)
    path = handled.raw.path
    assert service.forget_raw(timezone.now() - timedelta(days=1)) == 0
    assert service.forget_raw(timezone.now() + timedelta(days=1)) == 1
    handled.refresh_from_db()
    waits.refresh_from_db()
    assert (bool(handled.raw), bool(waits.raw)) == (False, True)
    assert not Path(path).exists()
    assert take(raw_mail(), support).state == MailState.HANDLED
    assert Ticket.objects.count() == 2
