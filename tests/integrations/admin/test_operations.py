"""Operation templates: what is wrong is said at its field, and nothing wrong is saved."""

import pytest

from integrations.models import ExternalSystem, OperationTemplate, Process, Step
from tests.integrations.admin.conftest import Browser, errors, messages_of


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(name="Acme", code="acme", base_url="https://desk.acme.test")


def add(system: ExternalSystem) -> str:
    return f"operationtemplate/add/?system={system.pk}"


def make(system: ExternalSystem, **values: object) -> OperationTemplate:
    return OperationTemplate.objects.create(system=system, **{"name": "create_ticket", **values})


def test_an_operation_is_added_for_the_system_that_it_was_begun_from(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.send(
        add(system),
        name="create_ticket",
        path="/tickets",
        body='{"title": "{{ ticket.title }}"}',
        captures="reference = response.json.number",
        creates="on",
    )
    assert answer.status_code == 302
    operation = OperationTemplate.objects.get()
    assert (operation.system, operation.creates) == (system, True)


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("path", "/{{ task.numbr }}"),
        ("headers", "X-A: {{ task.numbr }}"),
        ("body", '{"a": "{{ task.numbr }}"}'),
        ("success", "task.numbr == 1"),
        ("retry_when", "task.numbr == 1"),
        ("captures", "a = task.numbr"),
    ],
)
def test_an_unknown_name_is_an_error_at_its_field(
    admin: Browser, system: ExternalSystem, field: str, source: str
) -> None:
    found = errors(admin.send(add(system), name="create_ticket", **{field: source}))
    assert list(found) == [field]
    assert '"task.numbr". Did you mean "task.number"?' in found[field][0]
    assert not OperationTemplate.objects.exists()


def test_the_legacy_spelling_is_saved_and_an_unknown_one_is_not(admin: Browser, system: ExternalSystem) -> None:
    good = '{"type": "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#"}'
    assert admin.send(add(system), name="one", body=good).status_code == 302
    wrong = good.replace("RequestType", "RequestTyp")
    assert "Task_ExternalRequestTyp" in errors(admin.send(add(system), name="two", body=wrong))["body"][0]


def test_what_a_get_does_not_send_is_not_kept(admin: Browser, system: ExternalSystem) -> None:
    operation = make(system, body='{"a": 1}', creates=True)
    page = f"operationtemplate/{operation.pk}/change/"
    assert admin.send(page, method="GET").status_code == 302
    operation.refresh_from_db()
    assert (operation.body, operation.creates, operation.repeat) == ("", False, "safe")


def test_a_probe_must_be_complete(admin: Browser, system: ExternalSystem) -> None:
    find = make(system, name="find_ticket", method="GET")
    assert set(errors(admin.send(add(system), name="x", repeat="probe"))) == {"probe", "probe_found"}
    answer = admin.send(
        add(system),
        name="x",
        repeat="probe",
        probe=str(find.pk),
        probe_found="response.json.tickets | length > 0",
    )
    assert answer.status_code == 302


def test_the_probe_offers_operations_of_the_same_system_only(admin: Browser, system: ExternalSystem) -> None:
    other = ExternalSystem.objects.create(name="Other", code="other", base_url="https://other.test")
    foreign = make(other, name="find_elsewhere", method="GET")
    page = admin.get(add(system)).content.decode()
    assert "find_elsewhere" not in page
    answer = admin.post(
        f"operationtemplate/{make(system).pk}/change/",
        name="x",
        repeat="probe",
        probe=str(foreign.pk),
        protocol="http",
    )
    assert "same external system" in errors(answer)["probe"][0]


def test_what_is_sent_may_name_the_password_and_what_is_taken_from_answers_may_not(
    admin: Browser, system: ExternalSystem
) -> None:
    body = '{"user": "{{ auth.username }}", "password": "{{ auth.password }}"}'
    taken = admin.send(add(system), name="create_ticket", body=body, captures="password = auth.password")
    assert "captures" in errors(taken)
    assert admin.send(add(system), name="create_ticket", body=body).status_code == 302
    assert admin.send(add(system), name="login", body=body).status_code == 302


def test_a_body_that_depends_on_branches_is_saved_with_a_warning(admin: Browser, system: ExternalSystem) -> None:
    body = '{ {% if event.text == "x" %}"a": 1{% endif %} "b": 2,}'
    answer = admin.send(add(system), name="odd", body=body)
    assert answer.status_code == 302
    assert any("not valid JSON" in message for message in messages_of(answer))


def test_a_capture_that_steps_still_use_is_missed_aloud(admin: Browser, system: ExternalSystem) -> None:
    operation = make(system, path="/tickets", captures="reference = response.json.number")
    process = Process.objects.create(name="Acme tickets")
    Step.objects.create(process=process, position=1, name="create", kind="operation", operation=operation)
    Step.objects.create(process=process, position=2, name="tell", kind="note", text="{{ steps.create.reference }}")
    answer = admin.send(f"operationtemplate/{operation.pk}/change/", captures="number = response.json.number")
    assert any(
        'Process "Acme tickets", step "tell"' in message and "steps.create.reference" in message
        for message in messages_of(answer)
    )


def test_an_operation_that_a_step_calls_cannot_be_deleted(admin: Browser, system: ExternalSystem) -> None:
    operation = make(system)
    Step.objects.create(
        process=Process.objects.create(name="P"), name="create", kind="operation", operation=operation
    )
    admin.post(f"operationtemplate/{operation.pk}/delete/", post="yes")
    assert OperationTemplate.objects.filter(pk=operation.pk).exists()


def test_the_picker_offers_synced_fields_in_both_spellings(admin: Browser, system: ExternalSystem) -> None:
    assert "Sync the external app fields first" in admin.get(add(system)).content.decode()
    admin.post("appfield/sync/")
    page = admin.get(add(system)).content.decode()
    assert 'data-template="{{ ticket.title }}"' in page
    assert 'data-legacy="#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Ticket_Title#"' in page
    assert "{% for note in ticket.notes %}" in page


def test_a_form_is_saved_and_another_type_does_not_keep_its_field_for_the_file(
    admin: Browser, system: ExternalSystem
) -> None:
    values = {"content_type": "multipart/form-data", "body": "name = {{ attachment.name }}", "file_part": "file"}
    assert admin.send(add(system), name="upload_attachment", **values).status_code == 302
    operation = OperationTemplate.objects.get()
    assert operation.file_part == "file"
    page = f"operationtemplate/{operation.pk}/change/"
    assert admin.send(page, content_type="application/json", body="{}").status_code == 302
    operation.refresh_from_db()
    assert operation.file_part == ""
    wrong = errors(admin.send(add(system), name="two", **{**values, "body": "no sign"}))
    assert wrong == {"body": ["Line 1: write the part as name = template."]}
