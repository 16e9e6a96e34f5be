"""SOAP by a WSDL that was really served: fetched once, then read and written without any network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from integrations.transports import wsdl
from integrations.transports.errors import AddressRefused
from integrations.transports.http import Policy
from integrations.transports.safe_xml import XmlRefused, parse, xml_to_data
from integrations.transports.soap import (
    AnswerProblem,
    ArgumentProblem,
    WsdlBundle,
    WsdlProblem,
    add_username_token,
    build_envelope,
    fault,
    fetch_wsdl,
    operations,
    parse_answer,
)

FILES = Path(__file__).parent / "wsdl"
PLACES = {"/desk.wsdl": "desk.wsdl", "/parts/messages.wsdl": "messages.wsdl", "/schemas/data.xsd": "data.xsd",
          "/schemas/types.xsd": "types.xsd"}  # fmt: skip
ENVELOPE = '<s:Envelope xmlns:s="{}"><s:Body>{}</s:Body></s:Envelope>'
SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
ANSWER = '<CreateTicketResponse xmlns="{}"><CreateTicketResult>{}</CreateTicketResult></CreateTicketResponse>'
SAMPLE = {
    "ticket.title": "Drücker <defekt>",
    "ticket.@source": "portal",
    "ticket.description": "a",
    "ticket.description.@format": "html",
    "ticket.file[0].name": "a.txt",
    "ticket.file[0].content": "aGFsbG8=",
    "ticket.file[1].name": "b.txt",
    "ticket.file[1].content": "",
    "ticket.contactId": "007",
    "ticket.due": "2026-01-02T03:04:05Z",
    "urgent": "true",
}


@pytest.fixture
def bundle(httpserver: HTTPServer, policy: Policy) -> Iterator[WsdlBundle]:
    """The WSDL with its imports; the server is emptied afterwards, so that any later look-up fails."""
    for place, name in PLACES.items():
        httpserver.expect_request(place).respond_with_data((FILES / name).read_bytes(), content_type="text/xml")
    yield fetch_wsdl(httpserver.url_for("/desk.wsdl"), policy, headers={"Authorization": "Basic x"})
    assert [request.path for request, _answer in httpserver.log] == list(PLACES), "each document is fetched once"
    assert {request.headers["Authorization"] for request, _answer in httpserver.log} == {"Basic x"}


def test_operations_list_their_arguments_as_paths(bundle: WsdlBundle) -> None:
    found = operations(bundle)
    assert [(o.port, o.name, o.version, o.soap_action, o.address) for o in found] == [
        ("Desk11", "CreateTicket", "1.1", "urn:desk/CreateTicket", "http://desk.example/soap"),
        ("Desk12", "CreateTicket", "1.2", "urn:desk/CreateTicket", "http://desk.example/soap12"),
    ]
    arguments = {argument.path: argument for argument in found[0].arguments}
    assert list(arguments) == [
        "ticket.title", "ticket.description", "ticket.description.@lang", "ticket.description.@format",
        "ticket.priority", "ticket.contactId", "ticket.contactMail", "ticket.due", "ticket.file[0].name",
        "ticket.file[0].content", "ticket.@source", "urgent",
    ]  # fmt: skip
    assert [path for path, argument in arguments.items() if argument.required] == ["ticket.title"]
    assert [path for path, argument in arguments.items() if argument.repeated] == [
        "ticket.file[0].name",
        "ticket.file[0].content",
    ]
    assert arguments["ticket.title"].documentation == "One line that says what is wrong."
    assert arguments["ticket.priority"].choices == ("low", "high")
    assert arguments["ticket.due"].type == "dateTime"


def test_every_listed_path_can_be_given(bundle: WsdlBundle) -> None:
    samples = {"int": "1", "dateTime": "2026-01-02T03:04:05Z", "boolean": "0", "base64Binary": "", "Priority": "low"}
    for operation in operations(bundle):
        one_choice = [argument for argument in operation.arguments if argument.path != "ticket.contactMail"]
        values = {argument.path: samples.get(argument.type, "text") for argument in one_choice}
        assert b"CreateTicket" in build_envelope(bundle, operation.name, values, version=operation.version)[0]


def test_an_envelope_holds_what_was_given(bundle: WsdlBundle) -> None:
    message, headers = build_envelope(bundle, "CreateTicket", SAMPLE, soap_headers=["<t xmlns='urn:t'>1</t>"])
    assert headers == {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:desk/CreateTicket"'}
    data = xml_to_data(message)["Envelope"]
    assert data["Header"] == {"t": "1"}
    assert data["Body"]["CreateTicket"] == {
        "ticket": {
            "@source": "portal",
            "title": "Drücker <defekt>",
            "description": {"@format": "html", "#text": "a"},
            "contactId": "007",
            "due": "2026-01-02T03:04:05Z",
            "file": [{"name": "a.txt", "content": "aGFsbG8="}, {"name": "b.txt", "content": ""}],
        },
        "urgent": "true",
    }
    assert build_envelope(bundle, "CreateTicket", SAMPLE, soap_headers=["<t xmlns='urn:t'>1</t>"])[0] == message


def test_soap_1_2_says_its_action_in_the_content_type(bundle: WsdlBundle) -> None:
    message, headers = build_envelope(bundle, "CreateTicket", {"ticket.title": "x"}, version="1.2")
    assert headers == {"Content-Type": 'application/soap+xml; charset=utf-8; action="urn:desk/CreateTicket"'}
    assert parse(message).tag == f"{{{SOAP_12}}}Envelope"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"ticket.titel": "x"}, "ticket.titel"),
        ({"urgent": "yes"}, "urgent"),
        ({"ticket.contactId": "seven"}, "ticket.contactId"),
        ({"ticket.due": "tomorrow"}, "ticket.due"),
        ({"ticket.file[0].content": "no base64!"}, "ticket.file[0].content"),
        ({"ticket.title": "bell \x07"}, "ticket.title"),
        ({"ticket.title[1]": "x"}, "ticket.title[1]"),
        ({"ticket": "x"}, "ticket"),
        ({"ticket..title": "x"}, "ticket..title"),
        ({"ticket.file[9999].name": "x"}, "ticket.file[9999].name"),
    ],
)
def test_a_wrong_argument_is_named(bundle: WsdlBundle, changes: dict[str, str], path: str) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        build_envelope(bundle, "CreateTicket", {**SAMPLE, **changes})
    assert caught.value.path == path


def test_a_missing_argument_is_named(bundle: WsdlBundle) -> None:
    with pytest.raises(ArgumentProblem, match="title"):
        build_envelope(bundle, "CreateTicket", {"ticket.@source": "x"})
    with pytest.raises(WsdlProblem, match="CloseTicket"):
        build_envelope(bundle, "CloseTicket", {})


def test_a_username_token_is_added_to_any_message(bundle: WsdlBundle) -> None:
    message, _headers = build_envelope(bundle, "CreateTicket", SAMPLE)
    secured = xml_to_data(add_username_token(message, "desk", "pässword"))["Envelope"]
    token = secured["Header"]["Security"]["UsernameToken"]
    assert (token["Username"], token["Password"]["#text"]) == ("desk", "pässword")
    assert build_envelope(bundle, "CreateTicket", SAMPLE, username_token=("desk", "pässword"))[0] == (
        add_username_token(message, "desk", "pässword")
    )


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_an_answer_becomes_plain_data(bundle: WsdlBundle, version: str) -> None:
    parts = "<number>N1</number><opened>2026-01-02T03:04:05Z</opened><cost>1.50</cost>"
    body = ENVELOPE.format(version, ANSWER.format("urn:desk:data", parts)).encode()
    assert parse_answer(bundle, "CreateTicket", body) == {
        "CreateTicketResult": {"number": "N1", "opened": "2026-01-02T03:04:05+00:00", "cost": "1.50"}
    }


@pytest.mark.parametrize(
    ("namespace", "parts", "result"),
    [
        ("urn:desk:data", "<cost>2</cost><number>N1</number>", {"number": "N1", "opened": None, "cost": "2"}),
        ("urn:wrong", "<number>N1</number>", {"number": "N1"}),
        ("urn:desk:data", "<number>N1</number><extra>x</extra>", {"number": "N1", "extra": "x"}),
        ("urn:desk:data", "<cost>1</cost>", {"cost": "1"}),
    ],
    ids=["order", "namespace", "unknown element", "missing element"],
)
def test_an_answer_that_ignores_its_own_schema_is_still_read(bundle, namespace, parts, result) -> None:
    body = ENVELOPE.format(SOAP_11, ANSWER.format(namespace, parts)).encode()
    assert parse_answer(bundle, "CreateTicket", body) == {"CreateTicketResult": result}


def test_a_fault_is_no_answer(bundle: WsdlBundle) -> None:
    body = ENVELOPE.format(SOAP_11, "<s:Fault><faultcode>s:Server</faultcode><faultstring>no</faultstring></s:Fault>")
    for wrong in (body.encode(), b"<html/>", b"", b"{}"):
        with pytest.raises(AnswerProblem):
            parse_answer(bundle, "CreateTicket", wrong)


def test_faults_of_both_versions_are_recognised() -> None:
    detail = "<detail><e:code xmlns:e='urn:e'>5</e:code></detail>"
    inner = f"<s:Fault><faultcode>s:Client.Auth</faultcode><faultstring> Who? </faultstring>{detail}</s:Fault>"
    old = fault(ENVELOPE.format(SOAP_11, inner))
    assert old is not None
    assert (old.code, old.subcode, old.text, old.is_client) == ("Client.Auth", "", "Who?", True)
    assert old.detail == '<e:code xmlns:e="urn:e" xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">5</e:code>'
    inner = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>m:Busy</s:Value></s:Subcode></s:Code>"
        "<s:Reason><s:Text xml:lang='en'>later</s:Text></s:Reason><s:Detail>words</s:Detail></s:Fault>"
    )
    new = fault(ENVELOPE.format(SOAP_12, inner))
    assert new is not None
    assert (new.code, new.subcode, new.text, new.detail, new.is_client) == (
        "Receiver",
        "Busy",
        "later",
        "words",
        False,
    )
    for none in (ENVELOPE.format(SOAP_11, "<a/>"), "<html/>", "no xml", "<!DOCTYPE html><html/>", ""):
        assert fault(none) is None


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<a",
        "",
    ],
)
def test_dangerous_or_broken_xml_is_refused(text: str) -> None:
    with pytest.raises(XmlRefused):
        xml_to_data(text)


def test_a_wsdl_with_a_doctype_is_refused(httpserver: HTTPServer, policy: Policy) -> None:
    httpserver.expect_request("/").respond_with_data("<!DOCTYPE a><a/>")
    with pytest.raises(WsdlProblem, match="DOCTYPE"):
        fetch_wsdl(httpserver.url_for("/"), policy)


def test_an_import_from_a_host_that_is_not_allowed_is_refused(httpserver: HTTPServer, policy: Policy) -> None:
    text = (FILES / "desk.wsdl").read_text().replace("parts/messages.wsdl", "http://169.254.169.254/latest")
    httpserver.expect_request("/").respond_with_data(text)
    with pytest.raises(AddressRefused):
        fetch_wsdl(httpserver.url_for("/"), policy)


def test_a_wsdl_that_never_ends_is_given_up(httpserver: HTTPServer, policy: Policy, monkeypatch) -> None:
    monkeypatch.setattr(wsdl, "MAX_DOCUMENTS", 3)
    schema = '<schema xmlns="http://www.w3.org/2001/XMLSchema"><include schemaLocation="?{}"/></schema>'
    counter = iter(range(100))

    def next_one(_request):
        from werkzeug import Response

        return Response(schema.format(next(counter)))

    httpserver.expect_request("/").respond_with_handler(next_one)
    with pytest.raises(WsdlProblem, match="more than 3"):
        fetch_wsdl(httpserver.url_for("/"), policy)


def test_a_document_that_was_not_fetched_is_not_fetched_later(bundle: WsdlBundle) -> None:
    incomplete = WsdlBundle(bundle.main_url, {bundle.main_url: bundle.documents[bundle.main_url]})
    with pytest.raises(WsdlProblem, match="Fetch the WSDL again"):
        operations(incomplete)
