"""Envelopes by hand, for what no client library would send."""

from typing import Any

from django.test import Client
from lxml import etree

from integrations.inbound.workflow_service.contract import PATH
from integrations.inbound.workflow_service.envelope import SOAP11, SOAP12, WSSE
from tests.integrations.inbound.conftest import Desk

NAMESPACE = "http://tempuri.org/"
ACKNOWLEDGE = "ProcessInstanceTaskExternalAcknowledgement"
UPDATE = "ProcessInstanceTaskExternalUpdateMessage"
REASSIGN = "ProcessInstanceTaskExternalReassignment"
MEDIA_TYPES = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}


def envelope(method: str, content: str, *, version: str = SOAP11, header: str = "", prolog: str = "") -> str:
    """A request; `content` is the XML of the arguments."""
    return (
        f'{prolog}<s:Envelope xmlns:s="{version}">{header}<s:Body><{method} xmlns="{NAMESPACE}">{content}</{method}>'
        "</s:Body></s:Envelope>"
    )


def token(user: str, password: str) -> str:
    """A WS-Security header with a UsernameToken."""
    return (
        f'<s:Header><o:Security s:mustUnderstand="1" xmlns:o="{WSSE}"><o:UsernameToken>'
        f"<o:Username>{user}</o:Username><o:Password>{password}</o:Password></o:UsernameToken></o:Security></s:Header>"
    )


def send(desk: Desk | None, body: str | bytes, *, version: str = SOAP11, path: str = PATH, **headers: str) -> Any:
    """POST it with the desk's key by HTTP Basic."""
    if desk is not None:
        headers.setdefault("Authorization", desk.basic())
    client = desk.client if desk else Client()
    data = body.encode() if isinstance(body, str) else body
    content_type = headers.pop("content_type", MEDIA_TYPES[version])
    return client.generic("POST", path, data, content_type=content_type, headers=headers)


def content_of(response: Any) -> etree._Element:
    """The element in the body of an answer."""
    root = etree.fromstring(response.content)
    return root[-1][0]


def values_of(response: Any) -> dict[str, str]:
    """The fields of a result."""
    return {etree.QName(child).localname: child.text or "" for child in content_of(response)[0]}


def problem_of(response: Any) -> dict[str, str]:
    """status, code and detail of a fault."""
    problem = next(content_of(response).iter(f"{{{NAMESPACE}}}problem"))
    return {etree.QName(child).localname: child.text or "" for child in problem}
