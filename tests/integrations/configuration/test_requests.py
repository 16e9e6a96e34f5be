"""What keeps a request template from being saved, and what is only doubtful."""

from types import SimpleNamespace
from typing import Any

import pytest

from integrations.configuration import (
    doubts_about_request,
    names_for_operation,
    names_for_step,
    problems_of_request,
    sample_context,
)
from integrations.configuration.rows import operation_values
from integrations.templating import render
from integrations.templating.escape import Escape
from tests.cast import Partner

# The properties that administrators define are among the names.
pytestmark = pytest.mark.django_db


def request(**values: Any) -> dict[str, Any]:
    """A request that is fine, but for `values`."""
    fine: dict[str, Any] = {
        "protocol": "http",
        "method": "POST",
        "path": "/tickets/{{ task.number }}",
        "headers": "",
        "content_type": "application/json",
        "body": '{"title": "{{ ticket.title }}"}',
        "sends_file": False,
        "file_part": "",
        "wsdl": None,
        "soap_operation": "",
        "soap_version": "1.1",
        "soap_arguments": {},
        "success": "",
        "retry_when": "",
        "captures": "reference = response.json.number",
        "repeat": "ask",
        "probe": None,
        "probe_found": "",
        "system_id": 1,
    }
    return {**fine, **values}


def problems(operation: str = "create_ticket", **values: Any) -> dict[str, list[str]]:
    """What the check says about such a request."""
    return problems_of_request(request(**values), names=names_for_operation(operation))


def test_a_request_without_mistakes_has_no_problems() -> None:
    assert problems() == {}


@pytest.mark.parametrize(
    ("field", "source", "message"),
    [
        ("path", "/tickets/{{ task.numbr }}", 'There is no field "task.numbr". Did you mean "task.number"?'),
        (
            "body",
            '{\n"a": "{{ ticket.titel }}"}',
            'Line 2: there is no field "ticket.titel". Did you mean "ticket.title"?',
        ),
        ("body", '{"a": "{{ steps.create.reference }}"}', 'There is no field "steps.create.reference".'),
        ("body", '{"a": {{ ticket.title | shout }}}', 'There is no filter "shout".'),
        ("body", '{"a": "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_Nmber#"}', "Task_Nmber"),
        ("headers", "X-Task: {{ task.number }}\nX-Bad: {{ task.x }}", 'Line 2: there is no field "task.x".'),
        ("headers", "no colon", "Line 1: write the header as Name: value."),
        ("headers", "Bad Name: x", 'Line 1: "Bad Name" is not a name for a header.'),
        ("headers", "Host: elsewhere", "Line 1: Host is set by the portal itself."),
        ("headers", "Content-Type: text/plain", "Line 1: give the content type in its own field."),
        ("headers", "X-A: 1\nx-a: 2", "Line 2: x-a is given twice."),
        ("success", "response.jsn.ok", 'There is no field "response.jsn.ok".'),
        ("retry_when", "response.json.a ==", "This cannot be read"),
        ("captures", "number", "Line 1: write the capture as name = expression."),
        ("captures", "Number = response.status", 'Line 1: "Number": Use small letters'),
        ("captures", "a = response.status\na = response.text", 'Line 2: "a" is captured twice.'),
        ("captures", "a =", "Line 1: behind the = stands what to take from the answer."),
        ("captures", "a = nothing.here", 'Line 1: there is no field "nothing.here".'),
        ("content_type", "image/png", "image/png"),
    ],
)
def test_a_mistake_is_told_at_its_field_with_name_and_line(field: str, source: str, message: str) -> None:
    found = problems(**{field: source})
    assert list(found) == [field]
    assert message in found[field][0]


def test_json_that_cannot_be_right_with_any_values_is_a_problem() -> None:
    found = problems(body='{"priority": {{ ticket.priority.rank }}')
    assert "not valid JSON" in found["body"][0]


def test_json_that_depends_on_branches_is_only_doubtful() -> None:
    body = '{ {% if event.text == "x" %}"a": 1{% endif %} "b": 2,}'
    assert problems(body=body) == {}
    assert "not valid JSON" in doubts_about_request(request(body=body), names=names_for_operation("x"))["body"][0]


def test_xml_that_is_not_well_formed_is_a_problem() -> None:
    found = problems(content_type="text/xml", body="<a>{{ ticket.title }}</b>")
    assert "not well-formed XML" in found["body"][0]


def test_credentials_are_known_where_something_is_sent() -> None:
    body = '{"user": "{{ auth.username }}", "password": "{{ auth.password }}", "form": "{{ auth.form }}"}'
    assert problems("login", body=body, path="/login", captures="session = response.json.token") == {}
    assert problems("create_ticket", body=body, path="/?s={{ auth.session }}", headers="X: {{ auth.session }}") == {}
    assert "auth.session" in problems("create_ticket", success="auth.session == response.text")["success"][0]


def test_only_what_is_sent_holds_credentials() -> None:
    found = problems_of_request(request(body='"{{ auth.password }}"'), names=names_for_step({}))
    assert "known only in what is sent" in found["body"][0]


def test_a_login_request_cannot_depend_on_a_task() -> None:
    assert 'There is no field "task.number".' in problems("login", path="/{{ task.number }}")["path"][0]


def test_probing_needs_an_operation_and_an_expression() -> None:
    assert set(problems(repeat="probe")) == {"probe", "probe_found"}


def test_a_probe_belongs_to_the_same_system() -> None:
    probe = SimpleNamespace(system_id=2, protocol="http", method="GET", name="find")
    found = problems(repeat="probe", probe=probe, probe_found="response.json.hits | length > 0")
    assert found == {"probe": ["The probe must be an operation of the same external system."]}


def test_a_probe_that_posts_is_doubtful() -> None:
    probe = SimpleNamespace(system_id=1, protocol="http", method="POST", name="search")
    values = request(repeat="probe", probe=probe, probe_found="response.json.found")
    assert problems_of_request(values, names=names_for_operation("x")) == {}
    assert "changes nothing" in doubts_about_request(values, names=names_for_operation("x"))["probe"][0]


def test_captures_of_earlier_steps_are_known_by_the_name_of_their_step() -> None:
    names = names_for_step({"create": ["reference"]})
    body = '{"a": "{{ steps.create.reference }}", "b": "{{ steps.create.other }}"}'
    found = problems_of_request(request(body=body), names=names)
    assert found == {"body": ['There is no field "steps.create.other". Did you mean "steps.create.reference"?']}


def test_every_known_name_has_a_sample_that_a_template_can_write() -> None:
    names = names_for_step({"create": ["reference"]})
    context = sample_context(names)
    for name in names:
        source = f"{{{{ {name} }}}}"
        if "[]" in name:
            items, inner = name.split("[]")
            source = f"{{% for item in {items} %}}{{{{ item{inner} }}}}{{% endfor %}}"
        assert render(source, context, escape=Escape.TEXT)


def test_the_operations_of_the_cast_pass_the_check(partner: Partner) -> None:
    for operation in partner.system.operations.all():
        names = names_for_operation(operation.name)
        assert problems_of_request(operation_values(operation), names=names) == {}, operation


@pytest.mark.parametrize(
    ("operation", "values", "message"),
    [
        ("upload", {}, "The file itself is the body. Remove what is written as the body."),
        ("upload", {"method": "GET", "body": ""}, "A GET has no body. Choose another method."),
        ("upload", {"protocol": "soap"}, "A SOAP request has an envelope: a file goes into it as base64."),
        ("login", {"path": "/login", "body": ""}, "There is no file at a login."),
    ],
)
def test_the_file_as_body_is_refused_where_it_makes_no_sense(operation: str, values: Any, message: str) -> None:
    assert problems(operation, sends_file=True, **values)["sends_file"] == [message]


def test_a_request_that_sends_the_file_needs_no_body() -> None:
    headers = "fs_filename: {{ attachment.name | urlencode }}"
    assert problems("upload", sends_file=True, body="", content_type="", headers=headers) == {}


FORM = {"content_type": "multipart/form-data", "file_part": "file"}


def test_a_form_has_one_part_a_line_and_the_file() -> None:
    body = 'text = {{ event.text }}\n\nmanifest; application/json = {"name": "{{ attachment.name }}"}'
    assert problems("upload", **FORM, body=body) == {}
    assert problems("upload", **FORM, body="") == {}


@pytest.mark.parametrize(
    ("operation", "values", "field", "message"),
    [
        ("upload", {"body": "a = 1\nno sign"}, "body", "Line 2: write the part as name = template."),
        ("upload", {"body": "= 1"}, "body", "Line 1: write the part as name = template."),
        ("upload", {"body": "a = 1\nb = {{ task.numbr }}"}, "body", 'Line 2: there is no field "task.numbr".'),
        ("upload", {"body": 'a; application/json = {"b": '}, "body", "Line 1: the result is not valid JSON"),
        ("upload", {"body": "a; image/png = {{ task.number }}"}, "body", "Line 1: a body of type"),
        ("upload", {"body": "", "file_part": ""}, "body", "A form has at least one part"),
        ("upload", {"content_type": "multipart/form-data; boundary=x", "body": ""}, "content_type", "the boundary"),
        ("upload", {"content_type": "application/json"}, "file_part", "Choose multipart/form-data"),
        ("upload", {"protocol": "soap"}, "file_part", "Only a form has fields."),
        ("upload", {"method": "GET", "body": ""}, "file_part", "A GET has no body."),
        ("upload", {"sends_file": True, "body": ""}, "file_part", "Either the file is the body"),
        ("login", {"path": "/login", "body": ""}, "file_part", "There is no file at a login."),
    ],
)
def test_a_mistake_in_a_form_is_told(operation: str, values: Any, field: str, message: str) -> None:
    assert message in problems(operation, **{**FORM, **values})[field][0]
