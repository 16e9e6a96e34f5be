"""Mailboxes in the configuration as a file: by natural keys, without passwords; the same again changes nothing."""

from typing import Any

import pytest

from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.mailboxes import NAMED
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import dump
from integrations.models import ExternalSystem, Mailbox
from tests.cast import Partner, make_partner
from tickets.models import Category, Contact, Queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Partner:
    return make_partner("acme", "https://desk.acme.test/api")


@pytest.fixture
def box(acme: Partner) -> Mailbox:
    """A mailbox that names something of everything."""
    ExternalSystem.objects.filter(pk=acme.system.pk).update(
        auth_kind="oauth", auth_username="us", oauth_token_url="https://login.acme.test/token", mail_to="d@acme.test"
    )
    made: Mailbox = Mailbox.objects.create(
        name="Acme's",
        address="acme@portal.test",
        host="imap.portal.test",
        username="acme",
        secret="hunter2-hunter2",
        system=acme.system,
        token_system=acme.system,
        queue=Queue.objects.create(code="first", name="First"),
        category=Category.objects.create(code="mail", name="Mail"),
        failover_contact=Contact.objects.create(name="Emil", email="emil@customer.test"),
        number_formats="[TicketId:{number}]\n[Case {reference}]",
        interval_seconds=90,
    )
    Mailbox.objects.filter(pk=made.pk).update(last_error="broken", failures=2, troubled=["7"])
    Mailbox.objects.create(name="Support", address="support@portal.test")
    return made


def exported(*systems: ExternalSystem) -> str:
    return dump(configuration_of(systems or None))


def test_a_file_makes_the_same_mailboxes_elsewhere(box: Mailbox):
    text = exported()
    document: Any = configuration_of()["mailboxes"]
    assert list(document) == ["acme@portal.test", "support@portal.test"]
    assert document["acme@portal.test"] == {
        "name": "Acme's",
        "host": "imap.portal.test",
        "username": "acme",
        "number_formats": "[TicketId:{number}]\n[Case {reference}]",
        "interval_seconds": 90,
        "system": "acme",
        "token_system": "acme",
        "queue": "first",
        "category": "mail",
        "failover_contact": "emil@customer.test",
    }
    assert "hunter2" not in text and "broken" not in text
    Mailbox.objects.all().delete()
    result = import_configuration(text)
    assert [change.place for change in result.changes] == [
        "mailboxes/acme@portal.test",
        "mailboxes/support@portal.test",
    ]
    assert exported() == text
    made = Mailbox.objects.get(address="acme@portal.test")
    assert (made.active, made.secret, made.token_system, made.failures) == (False, "", box.system, 0)
    assert "Acme's is new. It is switched off" in result.notes[0]


def test_the_same_again_changes_nothing(box: Mailbox):
    before = Mailbox.history.count()
    result = import_configuration(exported())
    assert (result.changes, result.notes, Mailbox.history.count()) == ([], [], before)
    box.refresh_from_db()
    assert (box.active, box.secret, box.failures) == (True, "hunter2-hunter2", 2)


def test_what_changes_is_told_and_in_a_dry_run_not_done(box: Mailbox):
    text = exported().replace("interval_seconds: 90", "interval_seconds: 30")
    (change,) = import_configuration(text, dry_run=True).changes
    assert (change.place, "+interval_seconds: 30" in change.lines) == ("mailboxes/acme@portal.test", True)
    box.refresh_from_db()
    assert box.interval_seconds == 90
    import_configuration(text)
    box.refresh_from_db()
    assert (box.interval_seconds, box.secret, box.active) == (30, "hunter2-hunter2", True)


@pytest.mark.parametrize("change", ["host: imap.evil.test", "host: imap.portal.test\n    security: none"])
def test_a_file_cannot_send_the_password_elsewhere(box: Mailbox, change: str):
    result = import_configuration(exported().replace("host: imap.portal.test", change))
    box.refresh_from_db()
    assert (box.secret, box.active, "its password is removed" in result.notes[0]) == ("", False, True)


def test_a_file_cannot_have_a_token_sent_where_others_listen(box: Mailbox):
    Mailbox.objects.filter(pk=box.pk).update(secret="")
    import_configuration(
        exported().replace("host: imap.portal.test", "host: imap.portal.test\n    verify_tls: false")
    )
    box.refresh_from_db()
    assert (box.active, box.verify_tls) == (False, False)


def test_of_one_system_only_its_mailbox(box: Mailbox, acme: Partner):
    assert list(configuration_of([acme.system])["mailboxes"]) == ["acme@portal.test"]
    text = exported().replace("name: Support", "name: Other").replace("interval_seconds: 90", "interval_seconds: 30")
    result = import_configuration(text, only=["acme"])
    assert [change.place for change in result.changes] == ["mailboxes/acme@portal.test"]


def test_what_the_file_does_not_name_stays(box: Mailbox):
    document: Any = configuration_of()
    del document["mailboxes"]
    assert import_configuration(dump(document)).changes == []
    assert Mailbox.objects.count() == 2


def test_a_person_who_is_not_known_there_is_told(box: Mailbox):
    result = import_configuration(exported().replace("emil@customer.test", "nobody@customer.test"))
    box.refresh_from_db()
    assert box.failover_contact is None
    assert "nobody@customer.test is not known here" in result.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("queue: first", "queue: last", 'mailboxes/acme@portal.test/queue: there is no "last"'),
        ("token_system: acme", "token_system: x", 'mailboxes/acme@portal.test/token_system: there is no "x"'),
        ("interval_seconds: 90", "interval_seconds: 1", "mailboxes/acme@portal.test/interval_seconds: Ensure"),
        ("interval_seconds: 90", "secret: hush", 'mailboxes/acme@portal.test: Not known: "secret"'),
        ("[Case {reference}]", "{reference}", "mailboxes/acme@portal.test/number_formats: "),
        ("  support@portal.test:", "  support:", "mailboxes/support/address: "),
        ("    name: Support", "    name: Acme's", "mailboxes/support@portal.test/name: "),
    ],
)
def test_a_fault_is_told_by_its_place_and_nothing_is_half_done(box: Mailbox, old: str, new: str, says: str):
    text = exported()
    assert old in text, text
    with pytest.raises(DocumentProblem) as told:
        import_configuration(text.replace(old, new))
    assert says in str(told.value)
    assert exported() == text


def test_every_relation_of_a_mailbox_has_its_place():
    relations = {field.name for field in Mailbox._meta.concrete_fields if field.is_relation}
    assert relations == set(NAMED)
