"""Secrets in templates and addresses: left out of files, kept where they are, never sent to another host."""

import re
import time
from typing import Any

import pytest

from integrations.catalogue import add, codes, load
from integrations.catalogue.cloning import clone
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.hiding import HIDDEN, hidden, restored
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.presets_written import preset_document
from integrations.catalogue.yaml_text import dump
from integrations.models import ExternalSystem, OAuthToken, OperationTemplate, Step, WebhookSubscription, WsdlDocument
from tests.cast import Partner, make_partner

pytestmark = pytest.mark.django_db

KEY = "-----BEGIN PRIVATE KEY-----\nL1teralH\n-----END PRIVATE KEY-----"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


@pytest.fixture
def acme() -> Partner:
    """A partner with a secret written into everything that takes text."""
    made = make_partner("acme", "https://desk.acme.test/api?token=L1teralA")
    OperationTemplate.objects.filter(pk=made.note.pk).update(
        path="/x?api_key=L1teralB&q={{ event.text }}",
        headers="Authorization: Bearer L1teralC\nX-Api-Key: L1teralD\nX-Other: plain",
        body='{"password": "L1teralE", "token": "{{ auth.session }}", "t": "{{ event.text }}"}',
    )
    ExternalSystem.objects.filter(pk=made.system.pk).update(
        settings={"api password": "L1teralF", "queue": "Raw"},
        oauth_parameters="client_assertion = L1teralG\naudience = https://x.test",
        client_certificate=CERTIFICATE + KEY,
    )
    webhook = {"events": ["ticket_created"], "secret": "whsec_b3V0"}
    WebhookSubscription.objects.create(
        system=made.system, name="n", url="https://hook.test/in?token=L1teralI&key=L1teralJ", **webhook
    )
    WsdlDocument.objects.create(
        system=made.system, name="T", url="https://u:L1teralK@desk.test/soap?wsdl", documents={"a": "<a/>"}
    )
    made.system.refresh_from_db()
    return made


def literals() -> list[str]:
    """All of them that are in the database."""
    rows: list[Any] = [*ExternalSystem.objects.all(), *OperationTemplate.objects.all()]
    rows += [*WebhookSubscription.objects.all(), *WsdlDocument.objects.all()]
    return sorted(set(re.findall("L1teral[A-Z]", str([vars(row) for row in rows]))))


def test_none_is_in_any_file(acme: Partner) -> None:
    assert len(literals()) == 11
    for document in (configuration_of(), preset_document(acme.system)):
        text = dump(document)
        assert "L1teral" not in text
        assert HIDDEN in text
        for kept in ("{{ auth.session }}", "X-Other: plain", "queue"):
            assert kept in text


def test_importing_the_file_again_changes_nothing_and_loses_none(acme: Partner) -> None:
    result = import_configuration(dump(configuration_of()))
    assert (result.changes, result.notes, len(literals())) == ([], [], 11)
    text = dump(configuration_of()).replace("X-Other: plain", "X-Other: changed")
    (change,) = import_configuration(text).changes
    assert change.place == "systems/acme/operations/add_note"
    assert len(literals()) == 11
    assert "X-Other: changed" in acme.system.operations.get(name="add_note").headers


def test_a_secret_that_a_file_brings_is_a_change_that_is_not_shown(acme: Partner) -> None:
    text = dump(configuration_of()).replace("Bearer (hidden)", "Bearer L1teralZ")
    for dry_run in (True, False):
        (change,) = import_configuration(text, dry_run=dry_run).changes
        assert (change.place, change.kind) == ("systems/acme/operations/add_note/headers", "changed")
        assert "L1teral" not in change.as_text()
        assert ("L1teralZ" in literals()) is not dry_run
    assert import_configuration(text).changes == []


def test_elsewhere_it_is_said_what_is_missing_once(acme: Partner) -> None:
    text = dump(configuration_of()).replace("  acme:\n", "  other:\n").replace("name: Partner acme", "name: Other")
    text = (
        text.replace("Exchange with acme", "Exchange with other")
        .replace("acme-group", "other-group")
        .replace("acme group", "other group")
    )
    notes = import_configuration(text, only=["other"]).notes
    assert any("systems/other/operations/add_note/headers" in note and HIDDEN in note for note in notes)
    assert import_configuration(text, only=["other"]).notes == []


def test_another_host_gets_none_of_them(acme: Partner) -> None:
    OAuthToken.objects.create(system=acme.system, access_token="short", refresh_token="long")
    own = {"kind": "request", "path": "/x", "headers": "X-Api-Key: L1teralS", "repeat": "safe"}
    step = Step.objects.create(process=acme.process, position=9, name="own", **own)
    moved = dump(configuration_of()).replace("https://desk.acme.test/api?token=(hidden)", "https://evil.test/api")
    result = import_configuration(moved, dry_run=True)
    assert "stored secrets are removed" in result.notes[0]
    assert len(literals()) == 11
    import_configuration(moved)
    acme.system.refresh_from_db()
    assert not acme.system.active
    assert not OAuthToken.objects.exists()
    operation = acme.system.operations.get(name="add_note")
    assert "L1teral" not in operation.headers + operation.body + operation.path + str(acme.system.settings)
    assert acme.system.settings["api password"] == HIDDEN
    step.refresh_from_db()
    assert step.headers == f"X-Api-Key: {HIDDEN}"


def test_an_address_alone_takes_none_along(acme: Partner) -> None:
    file = {"name": "Partner acme", "system": {"base_url": "https://evil.test"}}
    import_configuration(dump({"deskbridge_configuration": 1, "systems": {"acme": file}}))
    assert "L1teral" not in str([vars(row) for row in acme.system.operations.all()])


def test_a_clone_has_none_of_them(acme: Partner) -> None:
    made = clone(acme.system, name="Second", code="second")
    assert "L1teral" not in str([vars(made), *(vars(row) for row in made.operations.all())])


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body", "token=" + "x" * 300_000 + "{"),
        ("body", "<a>" + "<token>x" * 40_000),
        ("body", "{" + '"token": "' * 40_000),
        ("headers", "a" * 300_000),
        ("client_certificate", "-----BEGIN PRIVATE KEY-----" * 2_000),
    ],
)
def test_long_texts_take_no_time(field: str, text: str) -> None:
    began = time.monotonic()
    hidden(field, text)
    assert time.monotonic() - began < 10


@pytest.mark.contract
@pytest.mark.parametrize("code", codes())
def test_nothing_of_a_preset_is_taken_for_a_secret(code: str) -> None:
    preset = load(code)
    add(preset, name="Acme", code="acme", base_url="https://desk.acme.test", username="u", secret="s3cret-value")
    text = dump(configuration_of())
    assert HIDDEN not in text
    assert "s3cret-value" not in text


@pytest.mark.parametrize(
    ("field", "value", "safe"),
    [
        ("headers", "Authorization: Bearer {{ auth.session }}", None),
        ("headers", "Cookie: a=b", f"Cookie: {HIDDEN}"),
        ("body", "user = me\npassword = abc", f"user = me\npassword = {HIDDEN}"),
        ("body", "user=me&password=abc&x=1", f"user=me&password={HIDDEN}&x=1"),
        ("body", "<a><Password>abc</Password><b c='1'/></a>", f"<a><Password>{HIDDEN}</Password><b c='1'/></a>"),
        ("body", '<a token="abc">x</a>', f'<a token="{HIDDEN}">x</a>'),
        ("body", '{"password": "{{ auth.password }}", "title": "token"}', None),
        ("body", '{"password": "a\\"b"}', f'{{"password": "{HIDDEN}"}}'),
        ("path", "/x?key=abc&number={{ task.number }}", f"/x?key={HIDDEN}&number={{{{ task.number }}}}"),
        ("path", "/x?token={{ auth.session }}", None),
        ("soap_arguments", {"a.password": "abc", "b": "c"}, {"a.password": HIDDEN, "b": "c"}),
        ("description", "password=abc", None),
    ],
)
def test_what_is_left_out_and_put_back(field: str, value: Any, safe: Any) -> None:
    assert hidden(field, value) == (value if safe is None else safe)
    assert restored(field, hidden(field, value), value) == value
