"""Mailboxes and mail in the admin: configured, tried, read, decided about; and what others may not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.mail_words import reply_token
from integrations.models import ExternalSystem, IncomingMail, Mailbox, MailState
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, errors, messages_of
from tests.integrations.inbound.mail.conftest import raw_mail, take
from tests.mail_servers import ImapServer
from tickets.models import Note, Task, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def box(desk: Desk) -> Mailbox:
    """The mailbox for everybody, to which mail is handed over."""
    return Mailbox.objects.create(name="Support", address="support@portal.test")


@pytest.fixture
def unclear(box: Mailbox) -> IncomingMail:
    """A stranger's mail."""
    return take(raw_mail(From="Stan <stan@nowhere.test>", Subject="Help <b>me</b>", body="I am new."), box)


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    """Emil's, at the partner, who writes mail."""
    partner.system.mail_to = "desk@partner.test"
    partner.system.save()
    made: Task = desk.task(partner.group)
    return made


def test_a_mailbox_is_made_and_its_password_never_shown(admin: Browser) -> None:
    page = admin.send(
        "mailbox/add/",
        name="Support",
        address="s@portal.test",
        host="imap.portal.test",
        username="s",
        new_secret="hush",
    )
    assert page.status_code == 302, errors(page)
    mailbox = Mailbox.objects.get()
    assert mailbox.secret == "hush"
    assert "hush" not in admin.get(f"mailbox/{mailbox.pk}/change/").content.decode()
    assert "hush" not in str(mailbox.history.get().__dict__)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": "imap.portal.test", "username": "s"}, "new_secret"),
        ({"host": "imap.portal.test", "new_secret": "x"}, "username"),
        ({"number_formats": "{number}"}, "number_formats"),
        ({"number_formats": "(a+)+$"}, "number_formats"),
        ({"number_formats": "[A {number}]\n[B {name}]"}, "number_formats"),
        ({"address": "no address"}, "address"),
    ],
)
def test_what_could_never_work_is_refused(admin: Browser, changes: dict[str, str], field: str) -> None:
    page = admin.send("mailbox/add/", **{"name": "Support", "address": "s@portal.test", **changes})
    assert field in errors(page)


def test_the_password_is_entered_anew_for_another_server(admin: Browser, box: Mailbox) -> None:
    Mailbox.objects.filter(pk=box.pk).update(host="imap.portal.test", username="s")
    box.refresh_from_db()
    box.secret = "hush"
    box.save()
    page = admin.send(f"mailbox/{box.pk}/change/", host="imap.evil.test")
    assert "new_secret" in errors(page)
    assert admin.send(f"mailbox/{box.pk}/change/", name="Renamed").status_code == 302


def test_a_mailbox_with_a_token_needs_no_password(admin: Browser, partner: Partner) -> None:
    """And its token goes to no host but those of the system that it is from."""
    ExternalSystem.objects.filter(pk=partner.system.pk).update(
        auth_kind="oauth", auth_username="x", oauth_token_url="https://login.portal.test/token",
        base_url="https://imap.portal.test",
    )  # fmt: skip
    given = {"name": "Support", "address": "s@portal.test", "username": "s", "token_system": partner.system.pk}
    assert "token_system" in errors(admin.send("mailbox/add/", **given, host="imap.evil.test"))
    page = admin.send("mailbox/add/", **given, host="imap.portal.test")
    assert page.status_code == 302, errors(page)
    assert Mailbox.objects.get().token_system == partner.system


def test_settings_that_are_saved_leave_the_workers_columns_alone(admin: Browser, box: Mailbox) -> None:
    stale = Mailbox.objects.get(pk=box.pk)
    Mailbox.objects.filter(pk=box.pk).update(token=7, failures=3, last_error="broken")
    stale.name = "Renamed"
    stale.save()
    box.refresh_from_db()
    assert (box.name, box.token, box.failures, box.last_error) == ("Renamed", 7, 3, "broken")


@pytest.mark.django_db(transaction=True)
def test_the_connection_is_tried_without_changing_anything(admin: Browser, box: Mailbox, imap: ImapServer) -> None:
    for name, value in imap.settings().items():
        setattr(box, name, value)
    box.save()
    imap.put(raw_mail())
    page = admin.post(f"mailbox/{box.pk}/test_mailbox/").content.decode()
    assert "1 mail waits" in page
    assert (imap.count("UNSEEN"), IncomingMail.objects.count()) == (1, 0)
    box.secret = "wrong"
    box.save()
    assert "refused the name and password" in admin.post(f"mailbox/{box.pk}/test_mailbox/").content.decode()


def test_a_mailbox_that_is_read_now_says_so_until_it_is_done(admin: Browser, box: Mailbox) -> None:
    Mailbox.objects.update(host="imap.portal.test", due_at=timezone.now() + timedelta(hours=1))
    page = f"mailbox/{box.pk}/change/"
    assert "data-awaited" not in admin.get(page).content.decode()
    answer = admin.get(f"mailbox/{box.pk}/read_now/")
    assert answer.url.endswith("/change/?awaited=6#content")
    shown = admin.client.get(answer.url).content.decode()
    assert "is read as soon as a worker is free" in shown and "data-awaited" in shown


def test_a_mail_is_shown_as_text(admin: Browser, unclear: IncomingMail) -> None:
    page = admin.get(f"incomingmail/{unclear.pk}/change/").content.decode()
    for words in ("I am new.", "stan@nowhere.test", "not known here", "Help &lt;b&gt;me&lt;/b&gt;"):
        assert words in page
    assert "<b>me</b>" not in page


def test_no_token_is_shown_or_downloaded(admin: Browser, box: Mailbox, task: Task, partner: Partner) -> None:
    token = reply_token(task.pk, partner.system.pk)
    row = take(raw_mail(To=f"support+{token}@portal.test", From="x@y.test", body=f"See {token}"), box)
    assert row.state == MailState.HANDLED
    page = admin.get(f"incomingmail/{row.pk}/change/").content.decode()
    raw = admin.get(f"incomingmail/{row.pk}/raw/").content.decode()
    assert token not in page + raw
    assert "See r-" in raw


@pytest.mark.parametrize("number", ["1001", "1001-1"])
def test_a_mail_is_assigned_and_becomes_an_internal_note(
    admin: Browser, task: Task, unclear: IncomingMail, number: str
) -> None:
    admin.post("incomingmail/decide/assign/", ids=unclear.pk, answer=number)
    unclear.refresh_from_db()
    note = Note.objects.get()
    assert (unclear.state, unclear.ticket, unclear.decided_by) == (MailState.HANDLED, task.ticket, admin.user)
    assert (note.visibility, "stan@nowhere.test" in note.body, "I am new." in note.body) == ("internal", True, True)


def test_a_person_vouches_for_the_desk(admin: Browser, box: Mailbox, task: Task) -> None:
    row = take(raw_mail(From="desk@partner.test", Subject="x", body="[[SOLUTION]]: [[New fuse]]"), box)
    assert row.state == MailState.UNCLEAR
    admin.post("incomingmail/decide/assign/", ids=row.pk, answer=task.number)
    task.refresh_from_db()
    row.refresh_from_db()
    assert (row.state, row.outcome, task.solution) == (MailState.HANDLED, "task_solution", "New fuse")


def test_a_wrong_number_is_told_and_the_mail_still_waits(admin: Browser, unclear: IncomingMail) -> None:
    for answer in ("", "9999"):
        page = admin.post("incomingmail/decide/assign/", ids=unclear.pk, answer=answer)
        assert page.status_code == 422
    unclear.refresh_from_db()
    assert unclear.state == MailState.UNCLEAR


def test_a_ticket_is_made_of_it(admin: Browser, unclear: IncomingMail) -> None:
    admin.post("incomingmail/decide/ticket/", ids=unclear.pk)
    ticket = Ticket.objects.get()
    unclear.refresh_from_db()
    assert (unclear.state, unclear.ticket) == (MailState.HANDLED, ticket)
    assert (ticket.contact, "Stan <stan@nowhere.test>" in ticket.description) == (None, True)


def test_it_is_tried_again_after_the_configuration_was_mended(
    admin: Browser, desk: Desk, box: Mailbox, unclear: IncomingMail
) -> None:
    page = admin.post("incomingmail/decide/again/", ids=unclear.pk)
    assert "Unclear" in messages_of(page)[0]
    box.failover_contact = desk.contact
    box.save()
    admin.post("incomingmail/decide/again/", ids=unclear.pk)
    unclear.refresh_from_db()
    assert (unclear.state, Ticket.objects.get().contact) == (MailState.HANDLED, desk.contact)
    assert "Stan <stan@nowhere.test>" in Ticket.objects.get().description


def test_what_was_stopped_is_let_through(admin: Browser, box: Mailbox) -> None:
    row = take(raw_mail(Precedence="bulk"), box)
    admin.post("incomingmail/decide/again/", ids=row.pk)
    row.refresh_from_db()
    assert (row.state, Ticket.objects.count()) == (MailState.HANDLED, 1)


def test_a_mail_is_decided_about_once(admin: Browser, unclear: IncomingMail) -> None:
    admin.post("incomingmail/decide/discard/", ids=unclear.pk)
    page = admin.post("incomingmail/decide/ticket/", ids=unclear.pk)
    unclear.refresh_from_db()
    assert (unclear.state, Ticket.objects.count()) == (MailState.DISCARDED, 0)
    assert "already" in messages_of(page)[-1]


def test_who_may_only_read_decides_nothing(browser_for: Callable[..., Browser], unclear: IncomingMail) -> None:
    reader = browser_for("view_incomingmail", "view_mailbox")
    page = reader.get(f"incomingmail/{unclear.pk}/change/")
    assert (page.status_code, "decide-" in page.content.decode()) == (200, False)
    refused = [f"incomingmail/decide/{name}/" for name in ("assign", "ticket", "again", "discard")]
    refused += [f"incomingmail/{unclear.pk}/change/", f"mailbox/{unclear.mailbox_id}/test_mailbox/"]
    for path in refused:
        assert reader.post(path, ids=unclear.pk, answer="1").status_code == 403, path
    assert reader.get(f"incomingmail/{unclear.pk}/raw/").status_code == 403
    unclear.refresh_from_db()
    assert unclear.state == MailState.UNCLEAR


def test_who_may_not_read_mail_sees_none(browser_for: Callable[..., Browser], unclear: IncomingMail) -> None:
    outsider = browser_for("view_process")
    for path in (
        "incomingmail/",
        f"incomingmail/{unclear.pk}/change/",
        f"incomingmail/{unclear.pk}/raw/",
        "mailbox/",
    ):
        assert outsider.get(path).status_code in (302, 403), path


def test_the_overview_says_that_mail_waits(admin: Browser, unclear: IncomingMail) -> None:
    Mailbox.objects.update(failures=3, host="imap.portal.test", last_error="no connection")
    page = admin.get("/admin/").content.decode()
    assert "1 mail is unclear" in page
    assert "The mailbox Support cannot be read: no connection" in page


def test_lists_cost_the_same_for_many_rows(admin: Browser, task: Task, box: Mailbox) -> None:
    def queries(path: str) -> int:
        admin.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(path).status_code == 200
        return len(captured)

    def more(number: int) -> None:
        take(raw_mail(Message_ID=f"<{number}@x.test>", Subject="[TicketId:1001] x"), box)
        take(raw_mail(Message_ID=f"<s{number}@x.test>", From="s@nowhere.test"), box)
        Mailbox.objects.create(name=f"Box {number}", address=f"b{number}@portal.test")

    more(0)
    few = {path: queries(path) for path in ("incomingmail/", "mailbox/", "/admin/")}
    for number in range(1, 6):
        more(number)
    assert {path: queries(path) for path in few} == few
