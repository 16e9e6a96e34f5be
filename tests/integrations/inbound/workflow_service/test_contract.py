"""The published description: one WSDL for both versions, with the configured names, and pages for people."""

from typing import Any

import pytest
from django.test import Client
from lxml import etree

from integrations.inbound.workflow_service import contract, service
from integrations.inbound.workflow_service.mapping import OPERATIONS
from tests.integrations.inbound.conftest import Desk
from tests.integrations.inbound.workflow_service.soap import ACKNOWLEDGE, UPDATE

SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
SOAP12 = "{http://schemas.xmlsoap.org/wsdl/soap12/}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"


def test_the_wsdl_names_the_configured_address_and_namespace_whoever_asks(client: Client, settings: Any):
    settings.PORTAL_URL = "https://desk.example.org/portal?a=1&b=2"
    settings.WORKFLOW_SERVICE_NAMESPACE = "urn:example:workflow"
    response = client.get(contract.PATH + "?wsdl", headers={"Host": "localhost"})
    root = etree.fromstring(response.content)
    assert root.get("targetNamespace") == "urn:example:workflow"
    addresses = {element.get("location") for tag in (SOAP, SOAP12) for element in root.iter(f"{tag}address")}
    assert addresses == {"https://desk.example.org/portal?a=1&b=2" + contract.PATH}
    actions = {element.get("soapAction") for element in root.iter(f"{SOAP}operation")}
    assert f"urn:example:workflow/{ACKNOWLEDGE}" in actions
    assert b"ADDRESS" not in response.content.replace(b"ADDRESS are filled", b"")


def test_both_bindings_describe_the_same_document_literal_operations():
    root = etree.fromstring(contract.wsdl().encode())
    bindings = {element.get("name"): element for element in root.iter(f"{WSDL}binding")}
    for name, tag in (("WorkflowServiceSoap", SOAP), ("WorkflowServiceSoap12", SOAP12)):
        operations = list(bindings[name].iter(f"{WSDL}operation"))
        assert [operation.get("name") for operation in operations] == list(OPERATIONS)
        assert {element.get("use") for element in bindings[name].iter(f"{tag}body")} == {"literal"}


@pytest.mark.parametrize("method", OPERATIONS)
def test_the_service_takes_the_elements_of_the_wsdl_in_its_order(method: str):
    application = service._servers(contract.namespace())[0].app
    descriptor = application.interface.service_method_map[f"{{{contract.namespace()}}}{method}"][0]
    assert list(descriptor.in_message._type_info) == [name for name, _required in contract.parameters_of(method)]


def test_another_namespace_is_served_without_a_restart_of_the_tests(northwind: Desk, settings: Any):
    settings.WORKFLOW_SERVICE_NAMESPACE = "urn:example:workflow"
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{UPDATE} xmlns="urn:example:workflow"><taskNumber>1</taskNumber><text>x</text></{UPDATE}>'
        "</s:Body></s:Envelope>"
    )
    response = northwind.client.generic(
        "POST", contract.PATH, body, content_type="text/xml", headers={"Authorization": northwind.basic()}
    )
    assert b"urn:example:workflow" in response.content
    assert b"not_found" in response.content


@pytest.mark.parametrize("method", OPERATIONS)
def test_each_operation_has_a_page_with_a_sample(client: Client, method: str):
    page = client.get(contract.PATH, {"op": method}).content.decode()
    assert f"&lt;{method} xmlns=" in page
    assert "&lt;taskNumber&gt;" in page


def test_without_a_question_the_operations_are_listed_and_an_unknown_one_is_not_found(client: Client):
    page = client.get(contract.PATH)
    assert all(method in page.content.decode() for method in OPERATIONS)
    unknown = client.get(contract.PATH, {"op": "<script>"})
    assert unknown.status_code == 404
    assert b"<script>" not in unknown.content
