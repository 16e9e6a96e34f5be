"""SMTX SSP7: the three methods of its Workflow Service, in the form of our own WSDL, and its acknowledgement."""

import base64

import pytest

from integrations.inbound.workflow_service.envelope import read
from integrations.inbound.workflow_service.mapping import soap_message
from integrations.models import Exchange, ExternalReference
from integrations.transports.safe_xml import xml_to_data
from tests.integrations.catalogue.contract import Contract, run_states, text
from tickets.models import Task

pytestmark = pytest.mark.django_db

SERVICE = "/Workflow/Webservice/WorkflowService.asmx"
METHOD = "ProcessInstanceTaskExternal"


def result(method: str, success: str = "true") -> str:
    """The answer of a method."""
    name = METHOD + method
    return (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<{name}Response xmlns="http://tempuri.org/"><{name}Result><success>{success}</success></{name}Result>'
        f"</{name}Response></soap:Body></soap:Envelope>"
    )


@pytest.fixture
def ssp7(adopt) -> Contract:
    """An SSP7 that takes everything; its number comes in the answer."""
    contract: Contract = adopt("smtx-ssp7")
    contract.answers("POST /Workflow/api/tickets", (200, {"number": "T-77"}))
    return contract


@pytest.fixture
def task(ssp7) -> Task:
    """A task that is known there."""
    return ssp7.give()


def sent(contract: Contract, method: str) -> dict:
    """The arguments of the last call, which went to this method."""
    request = contract.sent()
    assert request.path == SERVICE
    assert request.headers["SOAPAction"] == f'"http://tempuri.org/{METHOD}{method}"'
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    body = xml_to_data(contract.body())["Envelope"]["Body"]
    return body[METHOD + method]


def test_a_task_is_started_there_and_known_by_its_number(ssp7, task):
    assert ssp7.lines == ["POST /Workflow/api/tickets"]
    basic = base64.b64encode(b"bridge:s3cret-of-the-desk").decode()
    assert ssp7.sent().headers["Authorization"] == f"Basic {basic}"
    assert ssp7.body() == {
        "requestType": "Submit Request",
        "taskNumber": task.number,
        "title": "The printer is on fire",
        "description": "Smoke on floor 2",
        "priority": "Normal",
        "contactName": "Emil Ende",
        "contactEmail": "emil@customer.test",
    }
    assert ExternalReference.objects.get(task=task).value == "T-77"


def test_without_a_number_its_acknowledgement_is_awaited(ssp7):
    ssp7.played.server.clear()
    ssp7.answers("POST /Workflow/api/tickets", (202, {}))
    task = ssp7.give()
    ssp7.note(task, "It still burns")
    assert (ssp7.lines, run_states()) == ([], ["done", "awaiting"])


def test_a_note_is_an_update_message_that_our_own_service_understands(ssp7, task):
    ssp7.answers(f"POST {SERVICE}", text(200, result("UpdateMessage"), "text/xml"))
    ssp7.note(task, "It <still> burns")
    assert sent(ssp7, "UpdateMessage") == {
        "taskNumber": "T-77",
        "externalReference": task.number,
        "text": "It <still> burns",
        "visibility": "Public",
        "author": "Ada",
        "messageId": Exchange.objects.latest("pk").run.snapshot["event"]["message_id"],
    }
    envelope = read(ssp7.body().decode().partition("?>")[2])
    assert envelope.method == f"{METHOD}UpdateMessage"
    assert soap_message(envelope.method, sent(ssp7, "UpdateMessage")).text == "It <still> burns"


def test_a_file_goes_with_an_update_message(ssp7, task):
    ssp7.answers(f"POST {SERVICE}", text(200, result("UpdateMessage"), "text/xml"))
    ssp7.attach(task)
    assert sent(ssp7, "UpdateMessage")["attachments"]["attachment"] == {
        "name": "brücke.png",
        "contentType": "image/png",
        "content": base64.b64encode(b"\x89PNG").decode(),
    }


def test_closed_is_a_reassignment_and_declined_an_update_with_our_number(ssp7, task):
    ssp7.answers(
        f"POST {SERVICE}",
        text(200, result("Acknowledgement"), "text/xml"),
        text(200, result("UpdateMessage"), "text/xml"),
        text(200, result("Reassignment"), "text/xml"),
    )
    ssp7.decline(task)
    assert sent(ssp7, "UpdateMessage")["text"] == "Still broken"
    task.refresh_from_db()
    ssp7.close(task)
    assert sent(ssp7, "Reassignment") == {
        "taskNumber": "T-77",
        "externalReference": task.number,
        "solution": "Replaced",
        "completionCode": "fulfilled",
        "status": "Closed",
    }


def test_a_fault_stops_with_its_words(ssp7, task):
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        "<faultstring>No such task</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    ssp7.answers(f"POST {SERVICE}", text(500, fault, "text/xml"))
    ssp7.note(task, "Hello")
    assert run_states()[-1] == "attention"
    assert "No such task" in Exchange.objects.latest("pk").error
