"""The practice desk's SOAP interface: a strict client (zeep) against the published WSDL, over a real socket."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken

from tests.practice_desk import PracticeDesk

NAMESPACE = "urn:northwind-support:tickets:v1"
VERSIONS = {
    "Tickets11": ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml"),
    "Tickets12": ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"),
}
SCHEMA = "{http://schemas.xmlsoap.org/wsdl/}types/{http://www.w3.org/2001/XMLSchema}schema"


@pytest.fixture(params=VERSIONS)
def port(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def service(practice_desk: PracticeDesk, port: str) -> Iterator[Any]:
    session = requests.Session()
    session.trust_env = False
    session.auth = (practice_desk.user, practice_desk.password)
    with zeep.Client(f"{practice_desk.url}/soap?wsdl", transport=zeep.Transport(session=session)) as client:
        yield client.bind("NorthwindTickets", port)


def post(desk: PracticeDesk, port: str, body: str, header: str = "", **options: Any) -> requests.Response:
    namespace, kind = VERSIONS[port]
    text = (
        f'<s:Envelope xmlns:s="{namespace}" xmlns="{NAMESPACE}"><s:Header>{header}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
    headers = {"Content-Type": f"{kind}; charset=utf-8", **options.pop("headers", {})}
    return desk.post("/soap", data=text.encode(), headers=headers, **options)


def check_schema(desk: PracticeDesk, answer: requests.Response) -> etree._Element:
    wsdl = etree.fromstring(desk.get("/soap?wsdl").content)
    message = etree.fromstring(answer.content)[-1][0]
    etree.XMLSchema(wsdl.find(SCHEMA)).assertValid(message)
    return message


def test_zeep_does_every_operation(practice_desk: PracticeDesk, service: Any) -> None:
    made = service.CreateTicket(
        CallerReference="1001-1",
        Title="Printer <on> fire & smoke",
        Description="Line one\nline two",
        Priority="High",
        Contact={"Name": "Ann", "Email": "ann@example.org"},
    )
    assert made.Result.Success
    number = made.Ticket.Number
    assert (made.Ticket.State, made.Ticket.Contact.Email) == ("New", "ann@example.org")
    content = bytes(range(256)) * 100
    note = service.AddNote(Number=number, Text="hello", Author="Ann", MessageId="m-1", Public=False)
    assert not note.Note.Public
    file = service.AddAttachment(Number=number, Name="a.bin", Content=content, MessageId="a-1")
    assert file.Attachment.Sha256 == hashlib.sha256(content).hexdigest()
    assert service.UpdateTicket(Number=number, Priority="Low", State="Open").Ticket.Priority == "Low"
    assert [t.Number for t in service.FindTicket(CallerReference="1001-1").Ticket] == [number]
    assert service.FindTicket(CallerReference="1001-2").Ticket == []
    seen = service.GetTicket(Number=number)
    assert seen.Ticket.Title == "Printer <on> fire & smoke"
    assert [n.MessageId for n in seen.Note] == ["m-1"]
    assert [a.MessageId for a in seen.Attachment] == ["a-1"]
    assert service.CloseTicket(Number=number, Reason="Done", Solution="Water").Ticket.State == "Closed"
    assert service.ReopenTicket(Number=number, Reason="No").Ticket.State == "Open"
    [ticket] = practice_desk.state()
    assert [n["text"] for n in ticket["notes"]] == ["hello", "Done", "No"]
    assert ticket["attachments"][0]["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_withheld_number_is_missing_from_the_answer(service: Any) -> None:
    made = service.CreateTicket(Title="x", ReferenceLater=True)
    assert made.Result.Success
    assert made.Ticket.Number is None


@pytest.mark.parametrize(
    "body",
    [
        "<CreateTicket/>",
        "<CreateTicket><Title>x</Title><CallerReference>wrong order</CallerReference></CreateTicket>",
        "<CreateTicket><Title>x</Title><Priority>P1</Priority></CreateTicket>",
        "<GetTicket><Number>999</Number></GetTicket>",
        "<GetTicket><Number>PD-999999</Number></GetTicket>",
        "<AddAttachment><Number>PD-000001</Number><Name>x</Name><Content>***</Content></AddAttachment>",
        "<Unheard/>",
        "",
        "<GetTicket/><GetTicket/>",
    ],
)
def test_a_wrong_message_is_the_callers_fault(practice_desk: PracticeDesk, port: str, body: str) -> None:
    answer = post(practice_desk, port, body)
    assert answer.status_code == (500 if port == "Tickets11" else 400)
    assert ("soap:Client" if port == "Tickets11" else "soap:Sender") in answer.text
    assert practice_desk.state() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_in_every_encoding(practice_desk: PracticeDesk, encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>'
        f'<s:Envelope xmlns:s="{VERSIONS["Tickets11"][0]}" xmlns="{NAMESPACE}"><s:Body>'
        "<CreateTicket><Title>x</Title><Description>&b;</Description></CreateTicket></s:Body></s:Envelope>"
    )
    answer = practice_desk.post("/soap", data=text.encode(encoding), headers={"Content-Type": "text/xml"})
    assert "soap:Client" in answer.text
    assert practice_desk.state() == []
    assert [call["operation"] for call in practice_desk.calls()] == ["unknown"]


@pytest.mark.parametrize("body", [b"", b"<a", b"<a/>", b"\x00"])
def test_what_is_no_envelope_is_refused(practice_desk: PracticeDesk, body: bytes) -> None:
    answer = practice_desk.post("/soap", data=body, headers={"Content-Type": "text/xml"})
    assert "soap:Client" in answer.text
    assert [call["operation"] for call in practice_desk.calls()] == ["unknown"]


def test_a_user_name_token_is_accepted_and_not_kept(practice_desk: PracticeDesk, port: str) -> None:
    for password, accepted in ((practice_desk.password, True), ("wrong-password", False)):
        token = UsernameToken(practice_desk.user, password)
        with zeep.Client(f"{practice_desk.url}/soap?wsdl", wsse=token) as client:
            client.transport.session.trust_env = False
            bound = client.bind("NorthwindTickets", port)
            if accepted:
                assert bound.FindTicket(CallerReference="1").Result.Success
            else:
                with pytest.raises((zeep.exceptions.Fault, zeep.exceptions.TransportError)):
                    bound.FindTicket(CallerReference="1")
    log = str(practice_desk.calls())
    assert "UsernameToken" in log
    assert practice_desk.password not in log
    assert "wrong-password" not in log


def test_a_password_is_removed_from_the_log_however_it_is_written(practice_desk: PracticeDesk, port: str) -> None:
    namespace = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    for written in (practice_desk.password, f"<![CDATA[{practice_desk.password}]]>"):
        token = f"<Username>{practice_desk.user}</Username><Password>{written}</Password>"
        header = f'<Security xmlns="{namespace}"><UsernameToken>{token}</UsernameToken></Security>'
        find = "<FindTicket><CallerReference>1</CallerReference></FindTicket>"
        assert post(practice_desk, port, find, header).status_code == 200
    assert practice_desk.password not in str(practice_desk.calls())


def test_no_credentials_is_401(practice_desk: PracticeDesk, port: str) -> None:
    answer = post(practice_desk, port, "<FindTicket/>", headers={"X-Api-Key": "wrong"})
    assert answer.status_code == 401


def test_a_header_that_must_be_understood_is_refused(practice_desk: PracticeDesk, port: str) -> None:
    header = '<other xmlns="urn:x" s:mustUnderstand="1"/>'
    assert "soap:MustUnderstand" in post(practice_desk, port, "<GetTicket/>", header).text


@pytest.mark.parametrize(
    ("kind", "status11", "status12", "code11", "code12"),
    [
        ("server_error", 500, 500, "soap:Server", "soap:Receiver"),
        ("too_many_requests", 429, 429, "soap:Server", "soap:Receiver"),
        ("refuse", 500, 400, "soap:Client", "soap:Sender"),
    ],
)
def test_faults_on_demand_are_soap_faults(
    practice_desk: PracticeDesk, port: str, kind: str, status11: int, status12: int, code11: str, code12: str
) -> None:
    practice_desk.set_fault(kind)
    answer = post(practice_desk, port, "<CreateTicket><Title>x</Title></CreateTicket>")
    assert answer.status_code == (status11 if port == "Tickets11" else status12)
    assert (code11 if port == "Tickets11" else code12) in answer.text
    assert practice_desk.state() == []


def test_answers_keep_to_the_published_schema(practice_desk: PracticeDesk, port: str) -> None:
    create = "<CreateTicket><Title>x</Title></CreateTicket>"
    practice_desk.set_fault("error_in_200")
    failed = post(practice_desk, port, create)
    assert failed.status_code == 200
    assert check_schema(practice_desk, failed).findtext(f".//{{{NAMESPACE}}}Success") == "false"
    check_schema(practice_desk, post(practice_desk, port, create))
    number = practice_desk.state()[0]["number"]
    practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "bell \x07"})
    check_schema(practice_desk, post(practice_desk, port, f"<GetTicket><Number>{number}</Number></GetTicket>"))


def test_the_connection_is_closed_after_creating_over_soap_too(practice_desk: PracticeDesk, port: str) -> None:
    practice_desk.set_fault("time_out_after")
    with pytest.raises(requests.ConnectionError):
        post(practice_desk, port, "<CreateTicket><Title>x</Title></CreateTicket>")
    assert len(practice_desk.state()) == 1
