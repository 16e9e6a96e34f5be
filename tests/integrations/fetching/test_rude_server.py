"""Mail servers that drop, lie and hang: no mail is lost, none holds up the others, and people learn of each."""

import pytest

from integrations.fetching import account
from integrations.inbound.mail.deciding import try_again
from integrations.models import IncomingMail, Mailbox, MailState, Waiting
from integrations.transports import imap as transport
from tests.integrations.fetching.test_fetch import fetch_now, numbered, titles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def box(desk, rude, monkeypatch):
    """A mailbox on the rude server; a command may take a moment."""
    monkeypatch.setattr(account, "longest_send", lambda seconds: 0.4)
    rude.mails = {1: numbered(1), 2: numbered(2)}
    return Mailbox.objects.create(name="Support", address="support@portal.test", **rude.settings())


@pytest.mark.parametrize("how", ["drop", "no", "bad", "empty", "short", "long", "huge", "hang"])
def test_a_mail_that_never_comes_whole_lands_where_a_person_sees_it(box, rude, how):
    rude.how = {1: how}
    for _look in range(5):
        fetch_now(box)
    box.refresh_from_db()
    (row,) = IncomingMail.objects.filter(state=MailState.UNCLEAR)
    assert (titles(), row.subject, "could not be fetched" in row.reason) == (["No. 2"], "No. 1", True)
    assert (rude.seen, box.failures, box.troubled) == ({1, 2}, 0, [])
    rude.mails[3] = numbered(3)
    fetch_now(box)
    assert titles() == ["No. 2", "No. 3"]


@pytest.mark.parametrize("how", ["no", "bad", "empty"])
def test_what_the_server_refuses_to_give_holds_up_nothing_even_once(box, rude, how):
    rude.how = {1: how}
    box = fetch_now(box)
    assert (titles(), box.failures, "does not hand it out" in box.last_error) == (["No. 2"], 1, True)


@pytest.mark.parametrize("how", ["no", "empty"])
def test_of_a_mail_of_which_nothing_comes_at_all_a_person_learns_too(box, rude, how):
    rude.how, rude.header_too = {1: how}, True
    for _look in range(4):
        fetch_now(box)
    row = IncomingMail.objects.get(state=MailState.UNCLEAR)
    assert (row.subject, titles(), rude.seen) == ("[INBOX, 1, 1]", ["No. 2"], {1, 2})


@pytest.mark.parametrize("how", ["drop", "no", "hang"])
def test_a_server_that_is_ill_for_a_while_loses_nothing(box, rude, how):
    """Its headers do not come either, as of every mail: it is not the mail."""
    rude.how, rude.header_too = {1: how, 2: how}, how != "no"
    for _look in range(2 if how == "no" else 5):
        fetch_now(box)
    assert (titles(), IncomingMail.objects.count(), rude.seen) == ([], 0, set())
    rude.how = {}
    fetch_now(box)
    assert sorted(titles()) == ["No. 1", "No. 2"]
    box.refresh_from_db()
    assert (box.failures, box.troubled) == (0, [])


def test_numbers_that_begin_anew_double_nothing_and_lose_nothing(box, rude):
    fetch_now(box)
    rude.validity, rude.seen = 2, set()
    rude.mails = {1: numbered(2), 2: numbered(3), 3: numbered(1)}
    fetch_now(box)
    assert (titles(), rude.seen) == (["No. 1", "No. 2", "No. 3"], {1, 2, 3})


@pytest.mark.parametrize("idle", ["drop", "hang"])
def test_a_server_that_breaks_off_while_it_is_waited_for(box, rude, settings, idle):
    settings.CLAIM_SECONDS = 1
    Mailbox.objects.filter(pk=box.pk).update(waiting=Waiting.IDLE)
    rude.idle = idle
    fetch_now(box)
    box.refresh_from_db()
    assert (titles(), box.failures, box.lease_until) == (["No. 1", "No. 2"], 1, None)


def test_a_person_decides_about_what_could_not_be_fetched(box, rude, desk):
    rude.how = {1: "no"}
    for _look in range(4):
        fetch_now(box)
    row = IncomingMail.objects.get(state=MailState.UNCLEAR)
    assert try_again(row, by=desk.agent).state == MailState.HANDLED
    assert titles() == ["No. 2", "No. 1"]


def test_a_mail_that_somebody_took_away_meanwhile_is_no_failure(rude):
    rude.mails, rude.how = {1: b"Subject: x\n\ny"}, {1: "empty", 2: "empty"}
    with transport.open_mailbox(transport.Account(**rude.settings())) as reader:
        assert reader.fetch("2") is None
        with pytest.raises(transport.MailWithheld):
            reader.fetch("1")
