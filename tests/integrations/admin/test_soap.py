"""SOAP operations: the WSDL is fetched once, its operations are a list, their arguments a form."""

from pathlib import Path
from typing import Any

import pytest

from integrations.models import Exchange, ExternalSystem, OperationTemplate, WsdlDocument
from tests.integrations.admin.conftest import Browser, address, errors, form_values, messages_of

WSDL = Path("integrations/simulator/soap/tickets.wsdl")


@pytest.fixture
def system(db: None, httpserver: Any) -> ExternalSystem:
    httpserver.expect_request("/soap").respond_with_data(WSDL.read_text(), content_type="text/xml")
    return ExternalSystem.objects.create(
        name="Acme",
        code="acme",
        base_url=httpserver.url_for("/"),
        allow_private=True,
        auth_kind="basic",
        auth_username="portal",
        auth_secret="pa55-word",
    )


@pytest.fixture
def wsdl(system: ExternalSystem, httpserver: Any) -> WsdlDocument:
    return WsdlDocument.objects.create(system=system, name="Tickets", url=httpserver.url_for("/soap?wsdl"))


@pytest.fixture
def fetched(admin: Browser, wsdl: WsdlDocument) -> WsdlDocument:
    admin.post(f"wsdldocument/{wsdl.pk}/fetch/")
    wsdl.refresh_from_db()
    return wsdl


def add(wsdl: WsdlDocument, operation: str = "") -> str:
    query = f"system={wsdl.system_id}&protocol=soap&wsdl={wsdl.pk}&soap_operation={operation}"
    return f"operationtemplate/add/?{query}"


def test_fetching_stores_the_documents_and_lists_the_operations(fetched: WsdlDocument, admin: Browser) -> None:
    assert fetched.fetched_at is not None
    assert list(fetched.documents) == [fetched.url]
    page = admin.get(f"wsdldocument/{fetched.pk}/change/").content.decode()
    assert "CreateTicket" in page
    assert "Title*" in page


def test_fetching_signs_in_and_is_logged_without_the_password(fetched: WsdlDocument, httpserver: Any) -> None:
    request, _response = httpserver.log[0]
    assert request.authorization.password == "pa55-word"
    exchange = Exchange.objects.get()
    assert (exchange.operation, exchange.outcome, exchange.status) == ("fetch_wsdl", "succeeded", 200)
    assert "pa55-word" not in str(vars(exchange))


def test_fetching_is_refused_by_get(admin: Browser, wsdl: WsdlDocument) -> None:
    assert admin.get(f"wsdldocument/{wsdl.pk}/fetch/").status_code == 405


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/none?wsdl", "http://elsewhere.test/?wsdl"])
def test_what_cannot_be_fetched_is_said_in_words(admin: Browser, wsdl: WsdlDocument, url: str) -> None:
    WsdlDocument.objects.filter(pk=wsdl.pk).update(url=url)
    answer = admin.post(f"wsdldocument/{wsdl.pk}/fetch/")
    assert answer.status_code == 302
    assert messages_of(answer)[0].startswith("The WSDL was not fetched.")
    assert Exchange.objects.get().outcome in ("retryable", "misconfigured")


def test_a_page_that_is_no_wsdl_is_not_stored(admin: Browser, wsdl: WsdlDocument, httpserver: Any) -> None:
    httpserver.expect_request("/page").respond_with_data("<html/>", content_type="text/html")
    WsdlDocument.objects.filter(pk=wsdl.pk).update(url=httpserver.url_for("/page"))
    answer = admin.post(f"wsdldocument/{wsdl.pk}/fetch/")
    assert "neither a WSDL" in messages_of(answer)[0]
    wsdl.refresh_from_db()
    assert wsdl.documents == {}


def test_another_address_needs_another_fetch(admin: Browser, fetched: WsdlDocument) -> None:
    admin.send(f"wsdldocument/{fetched.pk}/change/", url="http://elsewhere.test/?wsdl")
    fetched.refresh_from_db()
    assert (fetched.documents, fetched.fetched_at) == ({}, None)


def test_the_arguments_of_the_chosen_operation_are_a_form(admin: Browser, fetched: WsdlDocument) -> None:
    values = form_values(admin.get(add(fetched, "CreateTicket")))
    assert "soap_arguments:Title" in values
    assert "soap_arguments:Contact.Name" in values


def test_without_scripts_saving_shows_the_arguments_to_fill_in(admin: Browser, fetched: WsdlDocument) -> None:
    answer = admin.send(add(fetched), name="create_ticket", soap_operation="CreateTicket")
    assert errors(answer)["soap_arguments"] == ["Title: the operation needs this argument."]
    assert "soap_arguments:Title" in form_values(answer)


def test_arguments_are_stored_by_their_path(admin: Browser, fetched: WsdlDocument) -> None:
    arguments = {
        "soap_arguments:Title": "{{ ticket.title }}",
        "soap_arguments:Contact.Email": "{{ ticket.contact.email }}",
    }
    answer = admin.send(add(fetched, "CreateTicket"), name="create_ticket", **arguments)
    assert answer.status_code == 302, errors(answer)
    operation = OperationTemplate.objects.get()
    assert operation.soap_arguments == {
        "Title": "{{ ticket.title }}",
        "Contact.Email": "{{ ticket.contact.email }}",
    }
    again = form_values(admin.get(f"operationtemplate/{operation.pk}/change/"))
    assert again["soap_arguments:Contact.Email"] == "{{ ticket.contact.email }}"


def test_an_unknown_name_is_told_with_its_argument(admin: Browser, fetched: WsdlDocument) -> None:
    answer = admin.send(add(fetched, "CreateTicket"), name="x", **{"soap_arguments:Title": "{{ ticket.titel }}"})
    assert errors(answer)["soap_arguments"] == [
        'Title: There is no field "ticket.titel". Did you mean "ticket.title"?'
    ]
    assert "problems_soap_arguments:Title" in answer.content.decode()


def test_an_argument_that_the_operation_does_not_have_is_refused(admin: Browser, fetched: WsdlDocument) -> None:
    arguments = {"soap_arguments:Title": "x", "soap_arguments:Colour": "red"}
    answer = admin.client.post(
        address(add(fetched)),
        {
            **form_values(admin.get(add(fetched, "CreateTicket"))),
            "name": "x",
            **arguments,
        },
    )
    assert errors(answer)["soap_arguments"] == ["Colour: the operation has no such argument."]


def test_without_a_wsdl_the_body_is_the_whole_envelope(admin: Browser, system: ExternalSystem) -> None:
    page = f"operationtemplate/add/?system={system.pk}&protocol=soap"
    assert "wsdl" in errors(admin.send(page, name="raw"))
    envelope = "<Envelope><Body>{{ ticket.title }}</Body></Envelope>"
    assert admin.send(page, name="raw", body=envelope, soap_action="urn:create").status_code == 302
    assert OperationTemplate.objects.get().body == envelope


def test_arguments_are_fetched_for_an_open_form(admin: Browser, fetched: WsdlDocument) -> None:
    query = {"wsdl": fetched.pk, "operation": "AddNote", "version": "1.2", "name": "steps-0-soap_arguments"}
    page = admin.get("operationtemplate/soap-arguments/", **query).content.decode()
    assert 'name="steps-0-soap_arguments:Text"' in page
    assert admin.get("operationtemplate/soap-arguments/", **{**query, "operation": "No"}).status_code == 200
    assert admin.get("operationtemplate/soap-arguments/", wsdl="0").status_code == 404
    assert admin.get("operationtemplate/soap-arguments/", wsdl="x").status_code == 404
