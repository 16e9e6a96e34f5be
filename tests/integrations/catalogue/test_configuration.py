"""The configuration as a file: complete, exact, without secrets, as a whole or not at all."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model

from integrations.catalogue import rows
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import dump
from integrations.definition import current_version
from integrations.models import (
    Authentication,
    ExternalSystem,
    GroupBinding,
    Hook,
    HookRule,
    OAuthToken,
    OperationTemplate,
    Polling,
    Process,
    ProcessVersion,
    Repeat,
    Step,
    StepKind,
    ValueMapping,
    WebhookSubscription,
    WsdlDocument,
)
from tests.cast import Partner, make_partner
from tickets.models import AssignmentGroup

pytestmark = pytest.mark.django_db

HISTORIES = (
    ExternalSystem,
    OperationTemplate,
    Process,
    Step,
    ValueMapping,
    GroupBinding,
    Polling,
    Hook,
    HookRule,
)


@pytest.fixture
def acme() -> Partner:
    """A partner with something in every part of its document."""
    made = make_partner("acme", "https://desk.acme.test/api")
    login = OperationTemplate.objects.create(
        system=made.system, name="login", path="/session", captures="session = response.json.id", repeat=Repeat.SAFE
    )
    ExternalSystem.objects.filter(pk=made.system.pk).update(
        auth_kind=Authentication.LOGIN,
        auth_name="X-Session",
        auth_secret="hunter2-hunter2",
        auth_login=login,
        settings={"queue": "Raw"},
        conflict_rule="ours",
    )
    ValueMapping.objects.create(system=made.system, kind="priority", ours="P1", theirs="5", label="Very high\n now")
    ValueMapping.objects.create(system=made.system, kind="status", ours="", theirs="7", way="in")
    WsdlDocument.objects.create(system=made.system, name="Tickets", url="https://desk.acme.test/soap?wsdl")
    Polling.objects.create(system=made.system, path="/rest/acme/ces", our_name="us", interval_seconds=90, cursor=77)
    WebhookSubscription.objects.create(
        system=made.system,
        name="news",
        url="https://desk.acme.test/in",
        events=["ticket_created"],
        secret="whsec_b3V0",
    )
    hook = Hook.objects.create(
        system=made.system, authentication="key_header", header="X-Key", secret="h00k-secret", recording_only=True
    )
    HookRule.objects.create(
        hook=hook,
        name="comment",
        operation="update",
        condition="body.kind == 'c'",
        fields="reference = body.no\ntext = body.text",
    )
    Step.objects.create(
        process=made.process, position=9, name="tell", kind=StepKind.NOTE, text="Line one\nLine two\n"
    )
    made.system.refresh_from_db()
    return made


def exported(*systems: ExternalSystem) -> str:
    return dump(configuration_of(systems or None))


def lines_of_history() -> int:
    return sum(model.history.count() for model in HISTORIES)


def wipe() -> None:
    """Another portal, where nothing is configured."""
    GroupBinding.objects.all().delete()
    Step.objects.all().delete()
    Process.objects.all().delete()
    ExternalSystem.objects.update(auth_login=None)
    OperationTemplate.objects.update(probe=None)
    ExternalSystem.objects.all().delete()
    AssignmentGroup.objects.all().delete()


def test_a_file_makes_the_same_configuration_elsewhere(acme: Partner):
    make_partner("other", "https://other.test")
    text = exported()
    wipe()
    result = import_configuration(text)
    assert exported() == text
    assert {change.kind for change in result.changes} == {"new"}
    system = ExternalSystem.objects.get(code="acme")
    assert (system.active, system.auth_secret) == (False, "")
    assert "Partner acme is new. It is switched off until" in result.notes[0]
    assert any("outgoing webhook news of Partner acme has a new secret" in note for note in result.notes)
    assert any("The webhook of Partner acme needs its secret" in note for note in result.notes)
    assert Hook.objects.get().rules.get().fields == "reference = body.no\ntext = body.text"
    assert [wsdl.name for wsdl in result.to_fetch] == ["Tickets"]
    assert AssignmentGroup.objects.get(code=acme.group.code).binding.system == system


def test_importing_what_is_there_changes_nothing(acme: Partner):
    version, before = current_version(acme.process), lines_of_history()
    result = import_configuration(exported())
    assert (result.changes, result.notes) == ([], [])
    assert lines_of_history() == before
    assert current_version(acme.process) == version
    assert ProcessVersion.objects.count() == 1


def test_what_is_to_be_done_is_said_once(acme: Partner):
    Hook.objects.update(secret="")
    text = exported()
    assert import_configuration(text).notes == []
    Hook.objects.all().delete()
    assert "The webhook of Partner acme needs its secret" in import_configuration(text).notes[0]
    assert import_configuration(text).notes == []


def test_two_who_import_at_once_are_told(acme: Partner, monkeypatch: pytest.MonkeyPatch):
    text = exported().replace("method: GET", "method: DELETE")

    def taken(*_arguments: Any) -> None:
        raise IntegrityError("duplicate key")

    monkeypatch.setattr("integrations.catalogue.importing.check_processes", taken)
    with pytest.raises(DocumentProblem, match="Somebody else changed the configuration"):
        import_configuration(text)
    assert acme.system.operations.get(name="find_ticket").method == "GET"


def test_two_systems_of_one_name_are_told(acme: Partner):
    document: Any = configuration_of([acme.system])
    part = {**document["systems"]["acme"], "groups": {}, "processes": {}}
    document["systems"]["second"] = part
    with pytest.raises(DocumentProblem, match="systems/second/system/name: External system with this Name already"):
        import_configuration(dump(document))
    assert ExternalSystem.objects.count() == 1


def test_what_an_import_made_is_not_made_again(acme: Partner):
    text = exported().replace("Line two", "Line three").replace("path: /tickets\n", "path: /cases\n")
    assert {change.place for change in import_configuration(text).changes} == {
        "systems/acme/operations/create_ticket",
        "systems/acme/processes/Exchange with acme",
    }
    before = lines_of_history()
    assert import_configuration(text).changes == []
    assert lines_of_history() == before
    assert exported() == text


def test_secrets_are_not_in_the_file_and_stay_in_the_database(acme: Partner):
    text = exported()
    assert "hunter2" not in text
    assert "h00k-secret" not in text
    assert "whsec_" not in text
    assert "auth_secret" not in text
    import_configuration(text.replace("interval_seconds: 90", "interval_seconds: 91"))
    acme.system.refresh_from_db()
    assert (acme.system.auth_secret, acme.system.active) == ("hunter2-hunter2", True)
    assert (acme.system.polling.interval_seconds, acme.system.polling.cursor) == (91, 77)
    assert Hook.objects.get().secret == "h00k-secret"
    assert WebhookSubscription.objects.get().secret == "whsec_b3V0"


def test_a_file_cannot_send_the_secret_to_another_host(acme: Partner):
    result = import_configuration(exported().replace("https://desk.acme.test/api", "https://evil.test/api"))
    acme.system.refresh_from_db()
    assert (acme.system.auth_secret, acme.system.active) == ("", False)
    assert "its stored secrets are removed" in result.notes[0]


def test_a_file_cannot_send_the_secret_to_another_token_endpoint(acme: Partner):
    ExternalSystem.objects.filter(pk=acme.system.pk).update(
        auth_kind=Authentication.OAUTH, auth_username="us", oauth_token_url="https://login.acme.test/token"
    )
    OAuthToken.objects.create(system=acme.system, access_token="short-lived", refresh_token="long-lived")
    result = import_configuration(exported().replace("https://login.acme.test", "https://evil.test"))
    acme.system.refresh_from_db()
    assert (acme.system.auth_secret, acme.system.active) == ("", False)
    assert not OAuthToken.objects.exists()
    assert "its stored secrets are removed" in result.notes[0]


def test_an_active_system_keeps_what_its_level_needs(acme: Partner):
    with pytest.raises(DocumentProblem, match="It cannot be active at the level Log only"):
        import_configuration(exported().replace("conflict_rule: ours", "level: log_only"))
    ExternalSystem.objects.update(active=False)
    assert import_configuration(exported().replace("conflict_rule: ours", "level: log_only")).changes


def test_a_dry_run_tells_everything_and_does_nothing(acme: Partner):
    text, before = exported(), lines_of_history()
    result = import_configuration(text.replace("method: GET", "method: DELETE"), dry_run=True)
    (change,) = result.changes
    assert change.place == "systems/acme/operations/find_ticket"
    assert "-method: GET" in change.lines
    assert "+method: DELETE" in change.lines
    assert (exported(), lines_of_history()) == (text, before)


def test_what_a_named_system_no_longer_has_is_removed_and_what_is_not_named_stays(acme: Partner):
    other = make_partner("other", "https://other.test")
    document: Any = configuration_of([acme.system])
    part = document["systems"]["acme"]
    del part["value_maps"]["status"], part["polling"], part["operations"]["reopen_ticket"]
    steps = part["processes"]["Exchange with acme"]["steps"]
    part["processes"]["Exchange with acme"]["steps"] = [
        step for step in steps if step.get("operation") != "reopen_ticket"
    ]
    import_configuration(dump(document))
    assert not acme.system.operations.filter(name="reopen_ticket").exists()
    assert list(acme.system.value_mappings.values_list("kind", flat=True)) == ["priority"]
    # A part that is left out stays; an empty one says that there is none.
    assert Polling.objects.filter(system=acme.system).exists()
    import_configuration(dump({**document, "systems": {"acme": {**part, "polling": {}}}}))
    assert not Polling.objects.filter(system=acme.system).exists()
    assert other.system.operations.count() == 5
    assert Process.objects.count() == 2


def test_an_operation_that_is_still_called_elsewhere_is_not_removed(acme: Partner):
    document: Any = configuration_of([acme.system])
    del document["systems"]["acme"]["operations"]["reopen_ticket"]
    document["systems"]["acme"]["processes"] = {}
    document["systems"]["acme"]["groups"] = {}
    with pytest.raises(DocumentProblem, match='operations: "reopen_ticket" cannot be removed'):
        import_configuration(dump(document))


def test_processes_follow_the_name_of_their_system(acme: Partner):
    Process.objects.filter(pk=acme.process.pk).update(name="Partner acme: exchange")
    text = exported()
    assert "    processes:\n      exchange:\n" in text
    import_configuration(text.replace("name: Partner acme\n", "name: Acme Ltd\n"))
    acme.process.refresh_from_db()
    assert acme.process.name == "Acme Ltd: exchange"
    assert Process.objects.count() == 1


def test_a_process_that_calls_two_systems_belongs_to_none(acme: Partner):
    other = make_partner("other", "https://other.test")
    both = Process.objects.create(name="Both")
    for position, desk in enumerate((acme, other), start=1):
        step = f"note_{position}"
        Step.objects.create(process=both, position=position, name=step, kind="operation", operation=desk.note)
    GroupBinding.objects.filter(pk=acme.binding.pk).update(update_process=both)
    document: Any = configuration_of([acme.system])
    assert [step["operation"] for step in document["processes"]["Both"]["steps"]] == [
        "acme/add_note",
        "other/add_note",
    ]
    assert document["systems"]["acme"]["groups"][acme.group.code]["update"] == "Both"
    text = exported()
    wipe()
    import_configuration(text)
    assert exported() == text


def test_only_some_systems_of_a_file(acme: Partner):
    make_partner("other", "https://other.test")
    text = exported().replace("method: GET", "method: DELETE")
    result = import_configuration(text, only=["other"])
    assert [change.place for change in result.changes] == ["systems/other/operations/find_ticket"]
    with pytest.raises(DocumentProblem, match='systems: there is no "nobody"'):
        import_configuration(text, only=["nobody"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("method: GET", "method: FETCH", "systems/acme/operations/find_ticket/method: Value 'FETCH' is not a valid"),
        ("method: GET", "methd: GET", 'systems/acme/operations/find_ticket: Not known: "methd"'),
        ("creates: true", "creates: maybe", "create_ticket/creates: Here stands true or false, not a text"),
        ("settle_seconds: 1", "settle_seconds: soon", "create_ticket/settle_seconds: Here stands a whole number"),
        ("settle_seconds: 1", "settle_seconds: 99999", "create_ticket/settle_seconds: Ensure this value is less"),
        ("theirs: '5'", "theirs: 1.5", "value_maps/priority/1/theirs: Here stands a text"),
        ("theirs: '5'", "theirs: yes", "value_maps/priority/1/theirs: Here stands a text, not true or false"),
        ("kind: note", "kind: sing", "steps/5/kind: Value 'sing' is not a valid choice"),
        ("probe: find_ticket", "probe: nothing", 'create_ticket/probe: there is no "nothing"'),
        ("operation: add_note", "operation: acme/nothing", 'steps/3/operation: there is no "acme/nothing"'),
        ("{{ ticket.title }}", "{{ ticket.titel }}", "operations/create_ticket/body: "),
        ("response.json.number", "response.json.(", "operations/create_ticket/captures: Line 1"),
        ("auth_login: login", "auth_login: nothing", 'systems/acme/system/auth_login: there is no "nothing"'),
        ("auth_kind: login", "auth_kind: basic", "systems/acme/system/auth_username: This kind of authentication"),
        ("operation: update\n", "operation: dance\n", "systems/acme/hooks: "),
        ("text = body.text", "text = body.(", "systems/acme/hooks: "),
        ("- ticket_created", "- ticket_eaten", "systems/acme/webhooks/news/events: Here stands a list of events"),
        ("base_url: https", "base_url: gopher", "systems/acme/system/base_url: Enter a valid URL"),
        ("  acme:", "  a c m e:", "systems/a c m e/system/code: "),
        ("assignment: Exchange with acme", "assignment: Gone", 'groups/acme-group/assignment: there is no "Gone"'),
        ("value_maps:", "value_maps: [1]\n    further:", "systems/acme/value_maps: Here stand names"),
        ("deskbridge_configuration: 1", "deskbridge_configuration: 2", "no configuration of Deskbridge"),
    ],
)
def test_a_fault_is_told_by_its_place_and_nothing_is_half_done(acme: Partner, old: str, new: str, says: str):
    text, before = exported(), lines_of_history()
    assert old in text, text
    broken = text.replace(old, new)
    broken = broken.replace("retry_schedule: 1 s", "retry_schedule: 2 s")  # this alone would be done
    with pytest.raises(DocumentProblem) as told:
        import_configuration(broken)
    assert says in str(told.value)
    assert (exported(), lines_of_history()) == (text, before)


@pytest.mark.parametrize("text", ["", "[]", "3", "systems: {}", "deskbridge_configuration: 1\nsystems: {a: 1}"])
def test_what_is_no_configuration_is_refused(text: str):
    with pytest.raises(DocumentProblem):
        import_configuration(text)


def relations(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if field.is_relation}


def test_every_field_of_a_configured_row_has_its_place():
    """A new field is in the documents by itself, or its relation has to be written by its natural key here."""
    assert relations(ExternalSystem) == {"auth_login"}
    assert relations(OperationTemplate) == {"system", "probe", "wsdl"}
    assert relations(Step) == {"process", "operation", "system", "probe", "wsdl"}
    assert relations(GroupBinding) == {
        "group",
        "system",
        *(f"{name}_process" for name in ("assignment", "update", "closure", "rejection", "incoming")),
    }
    names = {field.name for field in rows.plain_fields(ExternalSystem)}
    assert "auth_secret" not in names
    assert {"base_url", "level", "conflict_rule", "contacts_close"} <= names
