"""What is taken and what is answered, envelope by envelope, held against the published schema."""

import pytest

from integrations.inbound.workflow_service.contract import PATH, schema
from integrations.inbound.workflow_service.envelope import SOAP11, SOAP12
from tests.integrations.inbound.conftest import Desk
from tests.integrations.inbound.workflow_service.soap import (
    ACKNOWLEDGE,
    MEDIA_TYPES,
    REASSIGN,
    UPDATE,
    content_of,
    envelope,
    problem_of,
    send,
    token,
    values_of,
)
from tickets.models import Note, Task

CALLS = {
    ACKNOWLEDGE: "<taskNumber>{number}</taskNumber><externalReference>INC-1</externalReference>",
    UPDATE: "<taskNumber>{number}</taskNumber><text>Hello</text>",
    REASSIGN: "<taskNumber>{number}</taskNumber><solution>Done</solution>",
}


@pytest.mark.parametrize("version", [SOAP11, SOAP12])
@pytest.mark.parametrize("method", CALLS)
def test_answers_validate_against_the_published_schema(northwind: Desk, task: Task, method: str, version: str):
    body = envelope(method, CALLS[method].format(number=task.number), version=version)
    response = send(northwind, body, version=version)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == MEDIA_TYPES[version]
    schema().assertValid(content_of(response))
    assert values_of(response)["taskNumber"] == task.number


@pytest.mark.parametrize(("version", "status"), [(SOAP11, 500), (SOAP12, 400)])
def test_a_fault_has_the_form_of_its_version_and_a_detail_by_the_schema(
    northwind: Desk, task: Task, version: str, status: int
):
    response = send(northwind, envelope(UPDATE, "<text>x</text>", version=version), version=version)
    assert response.status_code == status
    fault = content_of(response)
    assert fault.tag == f"{{{version}}}Fault"
    code = fault.findtext("faultcode") or fault.findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Value")
    assert code == ("soap:Client" if version == SOAP11 else "soap:Sender")
    text = fault.findtext("faultstring") or fault.findtext(f"{{{SOAP12}}}Reason/{{{SOAP12}}}Text")
    problem = problem_of(response)
    assert problem == {"status": "400", "code": "invalid", "detail": text}
    schema().assertValid(next(fault.iter("{http://tempuri.org/}problem")))


def test_elements_may_come_in_any_order_with_blanks_nil_and_unknown_ones_among_them(northwind: Desk, task: Task):
    content = (
        "<visibility> internal </visibility><unknown>x</unknown><text>\n Hello\n</text>"
        '<author xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
        f"<messageId/><taskNumber text='x'> {task.number}\n</taskNumber>"
    )
    response = send(northwind, envelope(UPDATE, content))
    assert response.status_code == 200, response.content
    note = Note.objects.get(task=task)
    assert (note.visibility, note.author_name, note.body) == ("internal", "Northwind", "\n Hello\n")


def test_a_task_is_found_by_their_reference(northwind: Desk, task: Task):
    send(northwind, envelope(ACKNOWLEDGE, CALLS[ACKNOWLEDGE].format(number=task.number)))
    response = send(northwind, envelope(UPDATE, "<externalReference>INC-1</externalReference><text>Hi</text>"))
    assert values_of(response)["taskNumber"] == task.number


def test_a_reference_that_contradicts_the_task_is_refused(northwind: Desk, task: Task):
    send(northwind, envelope(ACKNOWLEDGE, CALLS[ACKNOWLEDGE].format(number=task.number)))
    content = f"<taskNumber>{task.number}</taskNumber><externalReference>INC-2</externalReference><text>Hi</text>"
    problem = problem_of(send(northwind, envelope(UPDATE, content)))
    assert (problem["code"], "INC-1" in problem["detail"]) == ("conflict", True)
    assert not Note.objects.exists()


def test_wrong_values_are_named_as_the_service_names_them(northwind: Desk, task: Task):
    content = f"<taskNumber>{task.number}</taskNumber><completionCode>maybe</completionCode><status>Done</status>"
    detail = problem_of(send(northwind, envelope(REASSIGN, content)))["detail"]
    assert "completionCode:" in detail
    assert "status:" in detail


def test_base64_may_have_line_breaks_and_what_is_none_is_refused(northwind: Desk, task: Task):
    file = "<attachments><attachment><name>a</name><content>{}</content></attachment></attachments>"
    number = f"<taskNumber>{task.number}</taskNumber>"
    good = send(northwind, envelope(UPDATE, number + "<text>x</text>" + file.format("aGVs\n  bG8=\n")))
    assert good.status_code == 200
    with Note.objects.get().attachments.get().file.open("rb") as stored:
        assert stored.read() == b"hello"
    bad = send(northwind, envelope(UPDATE, number + "<text>y</text>" + file.format("%%%")))
    assert "attachments.0.content" in problem_of(bad)["detail"]


def test_both_spellings_of_the_path_and_any_case_are_the_service(northwind: Desk, task: Task):
    body = envelope(UPDATE, CALLS[UPDATE].format(number=task.number))
    for path in (PATH, PATH.replace("WebService", "Webservice"), PATH.lower()):
        assert send(northwind, body, path=path).status_code == 200
        assert northwind.client.get(path + "?WSDL").status_code == 200


@pytest.mark.parametrize("method", ["NoSuchMethod", UPDATE + "Soap"])
def test_an_unknown_operation_is_a_client_fault_that_lists_those_there_are(northwind: Desk, method: str):
    response = send(northwind, envelope(method, ""))
    problem = problem_of(response)
    assert content_of(response).findtext("faultcode") == "soap:Client"
    assert problem["code"] == "unknown_operation"
    assert ACKNOWLEDGE in problem["detail"]


def test_a_username_token_is_understood_and_other_headers_that_must_be_are_not(northwind: Desk, task: Task):
    content = CALLS[UPDATE].format(number=task.number)
    right = envelope(UPDATE, content, header=token("Northwind", northwind.key))
    assert send(None, right).status_code == 200
    foreign = '<s:Header><x:To xmlns:x="urn:x" s:mustUnderstand="1"/></s:Header>'
    response = send(northwind, envelope(UPDATE, content, header=foreign))
    assert content_of(response).findtext("faultcode") == "soap:MustUnderstand"


def test_another_systems_key_does_not_open_this_systems_door(northwind: Desk, outsider: Desk, task: Task):
    body = envelope(UPDATE, CALLS[UPDATE].format(number=task.number), header=token("northwind", outsider.key))
    response = send(None, body)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert problem_of(response)["code"] == "unauthenticated"
    assert not Note.objects.exists()
