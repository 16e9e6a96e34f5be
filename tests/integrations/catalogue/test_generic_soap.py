"""Any desk with a SOAP service: the envelopes of the preset, and the answers that it describes."""

import base64

import pytest

from integrations.models import ContactReference, ExternalReference
from integrations.transports.safe_xml import xml_to_data
from tests.integrations.catalogue.contract import Contract, run_states, text
from tickets.models import Task

pytestmark = pytest.mark.django_db

CONTACT = "<Contact><Id>c-1</Id><Name>Emil Ende</Name><Email>emil@customer.test</Email></Contact>"
TICKET = "<Ticket><Number>S-1</Number><Title>x</Title><State>{state}</State><Priority>normal</Priority></Ticket>"


def answered(method: str, content: str = "") -> object:
    """The answer of an operation."""
    return text(
        200,
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{method}Response xmlns="urn:desk:tickets/">{content}</{method}Response></s:Body></s:Envelope>',
        "text/xml; charset=utf-8",
    )


@pytest.fixture
def service(adopt) -> Contract:
    """A service that knows nobody and takes everything."""
    contract: Contract = adopt("generic-soap", path="/tickets.asmx", settings={"queue": "Printers"})

    def answer(request):
        method = request.headers["SOAPAction"].strip('"').rpartition("/")[2]
        return {
            "CreateContact": answered(method, CONTACT),
            "CreateTicket": answered(method, TICKET.format(state="open")),
            "GetTicket": answered(method, TICKET.format(state="resolved")),
            "ListTickets": answered(method, f"<Tickets>{TICKET.format(state='resolved')}</Tickets>"),
            "AddNote": answered(method, "<Note><Id>n-1</Id></Note>"),
            "AddAttachment": answered(method, "<Attachment><Id>f-1</Id></Attachment>"),
            "ListNotes": answered(
                method,
                "<Notes><Note><Id>n-1</Id><Text>a</Text><Author>Jo</Author><Created>2026-01-31T09:40:00Z</Created>"
                "<Public>true</Public></Note><Note><Id>n-2</Id><Text>b</Text><Author>Ada</Author><Public>false</Public>"
                "<Created>2026-01-31T09:41:00Z</Created><MessageId>note-7</MessageId></Note></Notes>",
            ),
            "GetAttachment": answered(method, "<Attachment><Content>YWJj</Content></Attachment>"),
        }.get(method, answered(method))(request)

    contract.answers("POST /tickets.asmx", answer)
    return contract


@pytest.fixture
def task(service) -> Task:
    """A task that is known there."""
    return service.give()


def sent(contract: Contract, index: int = -1) -> tuple[str, dict]:
    """Method and arguments of a call, whose SOAP action agrees."""
    ((method, arguments),) = xml_to_data(contract.body(index))["Envelope"]["Body"].items()
    assert contract.sent(index).headers["SOAPAction"] == f'"urn:desk:tickets/{method}"'
    return method, arguments


def test_the_contact_is_looked_up_and_created_before_the_ticket(service, task):
    assert sent(service, 0) == ("FindContact", {"Email": "emil@customer.test"})
    assert sent(service, 1)[0] == "CreateContact"
    assert sent(service, 2) == (
        "CreateTicket",
        {
            "CallerReference": task.number,
            "Title": "The printer is on fire",
            "Description": "Smoke on floor 2",
            "Queue": "Printers",
            "Priority": "normal",
            "ContactId": "c-1",
        },
    )
    assert ExternalReference.objects.get(task=task).value == "S-1"
    assert ContactReference.objects.get().value == "c-1"
    assert service.sent().headers["Authorization"].startswith("Basic ")


def test_notes_files_and_the_end(service, task):
    service.note(task, "It <still> burns")
    method, arguments = sent(service)
    assert (method, arguments["Text"], arguments["Public"]) == ("AddNote", "It <still> burns", "true")
    service.attach(task)
    method, arguments = sent(service)
    assert (method, arguments["Content"]) == ("AddAttachment", base64.b64encode(b"\x89PNG").decode())
    service.decline(task)
    assert sent(service) == ("ReopenTicket", {"Number": "S-1", "Reason": "Still broken"})
    task.refresh_from_db()
    service.close(task)
    assert sent(service)[1] == {"Number": "S-1", "Solution": "Replaced", "CompletionCode": "fulfilled"}
    assert set(run_states()) == {"done"}


def test_records_are_read_one_or_several(service, task):
    (record,) = service.read("fetch_modified_since")
    assert sent(service)[1] == {"ModifiedSince": "2026-01-31T09:30:00Z", "Page": "1", "Size": "50"}
    assert (record["reference"], record["status"]) == ("S-1", "resolved")
    assert service.read("fetch_ticket", task) == [record]
    first, second = service.read("fetch_notes", task)
    assert (first["visibility"], first["ours"], second["visibility"], second["ours"]) == (
        "public",
        False,
        "internal",
        True,
    )
    assert service.read("find_contact", task) == []
    assert service.captured("download_attachment", task, file={"id": "f-1"}) == {"content_base64": "YWJj"}
