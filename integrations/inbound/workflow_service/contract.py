"""The published contract: the WSDL with the configured namespace and address, and its schema."""

from functools import cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from django.conf import settings
from lxml import etree

PATH: Final = "/Workflow/WebService/WorkflowService.asmx"
WSDL: Final = Path(__file__).with_name("workflow_service.wsdl")
XML_SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"


def namespace() -> str:
    """The namespace of every element of the service."""
    name: str = settings.WORKFLOW_SERVICE_NAMESPACE
    return name


def address() -> str:
    """Where the service is, as callers know it."""
    return f"{settings.PORTAL_URL}{PATH}"


def soap_action(method: str) -> str:
    """What clients send as SOAPAction, as ASP.NET forms it. Nothing depends on it."""
    return f"{namespace().rstrip('/')}/{method}"


def wsdl() -> str:
    """The WSDL as it is published."""
    return _published(namespace(), address())


def parameters_of(method: str) -> list[tuple[str, bool]]:
    """The names of a method's elements in their order, with whether each is required."""
    element = _schema(namespace()).find(f"{{{XML_SCHEMA}}}element[@name='{method}']")
    assert element is not None  # noqa: S101 - callers know the methods
    return [
        (str(child.get("name")), child.get("minOccurs") != "0")
        for child in element.iter(f"{{{XML_SCHEMA}}}element")
        if child is not element
    ]


def schema() -> etree.XMLSchema:
    """The schema of all messages. Made anew for each caller: it keeps the errors of its last use."""
    # Apart from the WSDL, as a client that compiles it alone: namespaces declared around it are written into it.
    return etree.XMLSchema(etree.fromstring(etree.tostring(_schema(namespace()))))


@cache
def _published(namespace: str, address: str) -> str:
    text = WSDL.read_text(encoding="utf-8")
    values = {"ACTION": f"{namespace.rstrip('/')}/", "NAMESPACE": namespace, "ADDRESS": address}
    for name, value in values.items():
        text = text.replace(f'"{name}', f'"{escape(value, {chr(34): "&quot;"})}')
    return text


def _schema(namespace: str) -> etree._Element:
    root = etree.fromstring(_published(namespace, address()).encode())
    found = root.find(f".//{{{XML_SCHEMA}}}schema")
    assert found is not None  # noqa: S101 - it is part of our WSDL
    return found
