"""Mail is fetched from a real IMAP server: each mail once, whatever breaks off in the middle."""

import base64
import os
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.fetching import worker
from integrations.fetching.account import opened
from integrations.fetching.claim import due, renew, take
from integrations.fetching.worker import fetch
from integrations.inbound.mail import deciding, service
from integrations.inbound.mail.service import NotNow
from integrations.models import IncomingMail, Mailbox, MailState, Waiting
from integrations.tasks import prune, sweep
from integrations.transports.imap import Reader
from tests.integrations.inbound.mail.conftest import raw_mail
from tickets.models import Attachment, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The worker is gone: nothing of ours runs after it."""


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def box(desk, imap):
    """A mailbox on the server, to which Emil writes."""
    return Mailbox.objects.create(name="Support", address="support@portal.test", **imap.settings())


def numbered(number: int, **headers: str) -> bytes:
    """The so-and-so-many-eth mail."""
    return raw_mail(Message_ID=f"<{number}@customer.test>", Subject=f"No. {number}", **headers)


def fetch_now(box: Mailbox) -> Mailbox:
    """As if its time had come, also if a killed worker still holds it."""
    past = timezone.now() - timedelta(seconds=1)
    Mailbox.objects.filter(pk=box.pk).update(due_at=past, lease_until=None)
    fetch(box.pk)
    box.refresh_from_db()
    return box


def titles() -> list[str]:
    """Every ticket, in order."""
    return list(Ticket.objects.order_by("pk").values_list("title", flat=True))


def test_mail_is_taken_over_in_order_and_marked_as_read(box, imap):
    imap.put(numbered(1), numbered(2))
    fetch_now(box)
    assert (titles(), box.last_error, box.failures) == (["No. 1", "No. 2"], "", 0)
    assert (imap.count("UNSEEN"), imap.count("SEEN")) == (0, 2)
    fetch_now(box)
    assert len(titles()) == 2
    assert box.due_at > timezone.now() + timedelta(seconds=50)


def test_mail_is_moved_away_where_there_is_a_folder_for_it(box, imap):
    Mailbox.objects.filter(pk=box.pk).update(done_folder="Done")
    imap.put(numbered(1))
    fetch_now(box)
    assert (titles(), imap.count(), imap.count(folder="Done")) == (["No. 1"], 0, 1)


@pytest.mark.parametrize("moment", ["before it is stored", "before its effect", "before it is marked"])
def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(box, imap, monkeypatch, moment):
    where = {
        "before it is stored": (service, "store"),
        "before its effect": (service.people, "take_over"),
        "before it is marked": (Reader, "done"),
    }[moment]

    def die(*args, **values):
        raise Killed

    imap.put(numbered(1), numbered(2))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(*where, die)
        fetch_now(box)
    assert imap.count("UNSEEN") == 2
    fetch_now(box)
    assert (titles(), imap.count("UNSEEN")) == (["No. 1", "No. 2"], 0)


def test_what_was_stored_is_done_though_the_mail_is_gone_over_there(box, imap, monkeypatch):
    def die(*args, **values):
        raise Killed

    imap.put(numbered(1))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(service.people, "take_over", die)
        fetch_now(box)
    imap.empty()
    fetch_now(box)
    assert titles() == ["No. 1"]


@pytest.mark.parametrize("hours", [0, 2])
@pytest.mark.parametrize("read", [True, False])
def test_what_was_stored_and_nobody_will_take_over_is_left_to_a_person(box, imap, monkeypatch, hours, read):
    """As when it is switched off while the worker is killed; in one that is read the next look finishes it."""

    def die(*args, **values):
        raise Killed

    imap.put(numbered(1))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(service.people, "take_over", die)
        fetch_now(box)
    Mailbox.objects.filter(pk=box.pk).update(active=read)
    IncomingMail.objects.update(received_at=timezone.now() - timedelta(hours=hours))
    prune()
    row = IncomingMail.objects.get()
    left = hours > 0 and not read
    assert row.state == (MailState.UNCLEAR if left else MailState.ARRIVED)
    if left:
        assert deciding.try_again(row, by=User.objects.create(username="decider")).state == MailState.HANDLED
        assert titles() == ["No. 1"]


def test_one_mail_that_cannot_be_understood_does_not_stop_the_next(box, imap, monkeypatch):
    real = service.people.take_over

    def fail(row, mail, found):
        if mail.subject == "No. 1":
            raise ZeroDivisionError
        return real(row, mail, found)

    monkeypatch.setattr(service.people, "take_over", fail)
    imap.put(numbered(1), b"no headers, only noise", numbered(2), numbered(3, From="stranger@nowhere.test"))
    fetch_now(box)
    assert (titles(), imap.count("UNSEEN")) == (["No. 2"], 0)
    assert IncomingMail.objects.filter(state=MailState.UNCLEAR).count() == 3


def test_a_mail_that_cannot_be_stored_at_all_comes_last(box, imap, monkeypatch):
    real = worker.receive

    def fail(raw, **values):
        if b"No. 1" in raw:
            raise ValueError("it cannot be stored")
        return real(raw, **values)

    monkeypatch.setattr(worker, "receive", fail)
    imap.put(numbered(1), numbered(2))
    fetch_now(box)
    fetch_now(box)
    assert (titles(), box.failures) == (["No. 2"], 2)


def test_one_mail_at_which_the_server_breaks_off_comes_last(box, imap, monkeypatch):
    real = Reader.fetch

    def break_off(reader, uid, **values):
        raw = real(reader, uid, **values)
        if b"No. 1" in raw:
            raise service_broke
        return raw

    service_broke = worker.TransportError("the connection broke")
    monkeypatch.setattr(Reader, "fetch", break_off)
    imap.put(numbered(1), numbered(2))
    fetch_now(box)
    assert (titles(), box.failures) == ([], 1)
    fetch_now(box)
    assert (titles(), box.failures, box.last_error) == (["No. 2"], 2, "the connection broke")
    monkeypatch.undo()
    fetch_now(box)
    assert (titles(), box.failures, box.troubled) == (["No. 2", "No. 1"], 0, [])


def test_a_mail_that_cannot_be_stored_now_stays_over_there(box, imap, monkeypatch):
    def fail(*args, **values):
        raise NotNow("the database is away")

    imap.put(numbered(1))
    with monkeypatch.context() as patched:
        patched.setattr(worker, "receive", fail)
        fetch_now(box)
    assert (box.failures, imap.count("UNSEEN")) == (1, 1)


def test_a_mail_of_thirty_megabytes(box, imap):
    """Two files of eleven megabytes each: the largest that mail servers usually let through."""
    encoded = base64.encodebytes(os.urandom(11 * 1024**2)).decode()
    part = "--b\nContent-Type: application/zip; name={}\nContent-Transfer-Encoding: base64\n\n{}\n"
    body = "--b\n\nLarge.\n" + part.format("one.zip", encoded) + part.format("two.zip", encoded) + "--b--"
    raw = numbered(1, Content_Type="multipart/mixed; boundary=b", body=body)
    assert len(raw) > 30_000_000
    imap.put(raw)
    fetch_now(box)
    assert (titles(), box.last_error) == (["No. 1"], "")
    assert [(file.name, file.size) for file in Attachment.objects.order_by("pk")] == [
        ("one.zip", 11 * 1024**2),
        ("two.zip", 11 * 1024**2),
    ]


def test_a_file_that_is_too_large_is_named_and_stays_in_the_stored_mail(box, imap, settings):
    settings.MAX_ATTACHMENT_BYTES = 1000
    body = "--b\n\nLarge.\n--b\nContent-Type: text/plain; name=big.txt\n\n" + "x" * 2000 + "\n--b--"
    imap.put(numbered(1, Content_Type="multipart/mixed; boundary=b", body=body))
    fetch_now(box)
    assert "big.txt (0.0 MB) was not taken over" in Ticket.objects.get().description
    assert IncomingMail.objects.get().raw.size > 2000


def test_a_file_of_a_refused_kind_is_named_and_all_else_is_taken(box, imap):
    parts = "".join(f"--b\nContent-Type: text/plain; name={name}\n\nx\n" for name in ("log.txt", "run.bat"))
    imap.put(numbered(1, Content_Type="multipart/mixed; boundary=b", body=f"--b\n\nBroken.\n{parts}--b--"))
    fetch_now(box)
    assert "run.bat was not taken over: files of this kind are refused" in Ticket.objects.get().description
    assert [file.name for file in Attachment.objects.all()] == ["log.txt"]


def test_of_a_mail_that_is_too_large_a_person_learns(box, imap, settings):
    settings.MAX_MAIL_BYTES = 2000
    imap.put(numbered(1, body="x" * 3000), numbered(2))
    fetch_now(box)
    row = IncomingMail.objects.get(state=MailState.UNCLEAR)
    assert (row.subject, row.size > 3000, "only its header" in row.reason) == ("No. 1", True, True)
    assert titles() == ["No. 2"]


def test_two_workers_never_read_one_mailbox_at_once(box, imap):
    first = take(box.pk)
    assert first is not None
    assert take(box.pk) is None
    assert not fetch(box.pk)
    Mailbox.objects.filter(pk=box.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert take(box.pk) is not None
    with pytest.raises(worker.ClaimLost):
        renew(first)


def test_a_worker_that_lost_its_lease_does_nothing_more(box, imap, monkeypatch):
    real = Reader.fetch

    def slow(reader, uid, **values):
        Mailbox.objects.filter(pk=box.pk).update(token=999)
        return real(reader, uid, **values)

    monkeypatch.setattr(Reader, "fetch", slow)
    imap.put(numbered(1))
    fetch_now(box)
    assert (titles(), imap.count("UNSEEN")) == ([], 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"secret": "wrong"}, "refused the name and password"),
        ({"secret": "pässwörd"}, "refused the name and password"),
        ({"folder": "Nowhere"}, "Nowhere"),
        ({"done_folder": "Nowhere"}, "refused"),
        ({"allow_private": False}, "private address"),
        ({"security": "tls"}, "No connection"),
        ({"port": 1}, "No connection"),
    ],
)
def test_what_is_wrong_is_said_and_tried_again_later(box, imap, change, says):
    for name, value in change.items():
        setattr(box, name, value)
    box.save()
    imap.put(numbered(1))
    fetch_now(box)
    assert says in box.last_error
    assert (box.failures, box.lease_until, box.due_at > timezone.now()) == (1, None, True)
    for _try in range(2):
        fetch_now(box)
    assert box.needs_attention


def test_new_mail_is_told_at_once(box, imap, monkeypatch):
    Mailbox.objects.filter(pk=box.pk).update(waiting=Waiting.IDLE)
    told = []
    wait, clock = Reader.wait, time.monotonic

    def mail_comes_while_it_waits(reader, seconds):
        if told:
            # Enough was seen: the claim's time is over.
            monkeypatch.setattr(worker.time, "monotonic", lambda: clock() + 1000)
            return False
        timer = threading.Timer(0.3, lambda: imap.put(numbered(1)))
        timer.start()
        told.append(wait(reader, seconds))
        timer.join()
        return told[0]

    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(Reader, "wait", mail_comes_while_it_waits)
    fetch_now(box)
    assert (titles(), told, box.last_error) == (["No. 1"], [True], "")
    assert box.due_at <= timezone.now()


def test_what_is_due_is_found_by_the_sweeper(box, monkeypatch):
    from integrations import tasks

    asked = []
    monkeypatch.setattr(tasks, "enqueue", lambda row_id, *, task="", expires=None: asked.append((task, row_id)))
    assert sweep() == 1
    assert asked == [("integrations.tasks.fetch_mail", box.pk)]


def test_a_mailbox_that_is_switched_off_or_piped_or_of_a_desk_that_is_off_is_not_read(box, partner):
    now = timezone.now()
    assert due(now).exists()
    for change in ({"active": False}, {"host": ""}, {"system": partner.system}):
        row = Mailbox.objects.get()
        for name, value in change.items():
            setattr(row, name, value)
        partner.system.active = False
        partner.system.save()
        row.save()
        assert not due(now).exists()
        for name in change:
            setattr(row, name, getattr(box, name))
        row.save()


def test_the_network_is_not_used_inside_a_transaction(box):
    with transaction.atomic(), pytest.raises(RuntimeError), opened(box):
        pass
