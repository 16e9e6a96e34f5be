"""SOAP messages, written and read offline; `http.send` carries them."""

import base64
import datetime
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import zeep.exceptions
from django.utils.translation import gettext as _
from lxml import etree
from zeep.wsdl.bindings.soap import Soap12Binding, SoapOperation
from zeep.xsd import ComplexType
from zeep.xsd.valueobjects import CompoundValue

from integrations.transports.safe_xml import XmlRefused, element_to_data, local_name, parse, xml_to_data
from integrations.transports.soap_arguments import Argument, ArgumentProblem, call_arguments
from integrations.transports.wsdl import (
    OperationInfo,
    WsdlBundle,
    WsdlProblem,
    fetch_wsdl,
    operations,
    soap_operations,
)

__all__ = [
    "AnswerProblem",
    "Argument",
    "ArgumentProblem",
    "Fault",
    "OperationInfo",
    "WsdlBundle",
    "WsdlProblem",
    "XmlRefused",
    "add_username_token",
    "build_envelope",
    "fault",
    "fetch_wsdl",
    "operations",
    "parse_answer",
    "xml_to_data",
]

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
TEXT_TYPE, DIGEST_TYPE = f"{PROFILE}#PasswordText", f"{PROFILE}#PasswordDigest"
BASE64_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"


class AnswerProblem(ValueError):
    """The answer is no SOAP message, or not one of this operation."""


@dataclass(frozen=True)
class Fault:
    """A SOAP fault of either version. Codes are without prefix; `detail` is text, or XML where it has parts."""

    code: str
    subcode: str
    text: str
    detail: str

    @property
    def is_client(self) -> bool:
        """Whether the other desk blames the message, so that sending it again cannot help."""
        blamed = ("Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown")
        return self.code.partition(".")[0] in blamed


def build_envelope(
    bundle: WsdlBundle,
    operation: str,
    arguments: Mapping[str, str],
    *,
    version: str = "1.1",
    port: str = "",
    soap_headers: Sequence[str] = (),
    username_token: tuple[str, str] | None = None,
) -> tuple[bytes, dict[str, str]]:
    """The message for an operation, and the HTTP headers that belong to it.

    `arguments` map paths (see `soap_arguments`) to text. `version` is "1.1" or "1.2"; `port` chooses between ports
    that share an operation's name. `soap_headers` are XML elements. `username_token` is (user, password): leave it
    out of what is stored and use `add_username_token` when sending. Raises `ArgumentProblem`, `WsdlProblem`.
    """
    found = _find(bundle, operation, version, port)
    body = found.input.body if found.input is not None else None
    positional, named = call_arguments(body, arguments)
    try:
        envelope = found.create(*positional, **named).content
    except zeep.exceptions.ValidationError as error:
        path = ".".join(str(step) for step in error.path[1:] if step) or str(operation)
        raise ArgumentProblem(path, error.message) from error
    except (TypeError, ValueError) as error:
        raise ArgumentProblem(str(operation), str(error)) from error
    namespace = SOAP_12 if version == "1.2" else SOAP_11
    for text in soap_headers:
        _header(envelope, namespace).append(_header_element(text))
    message = etree.tostring(envelope, encoding="utf-8", xml_declaration=True)
    if username_token is not None:
        message = add_username_token(message, *username_token)
    return message, _http_headers(version, found.soapaction or "")


def add_username_token(message: bytes, username: str, password: str, *, digest: bool = False) -> bytes:
    """The SOAP message with a WS-Security UsernameToken in its header; raises `AnswerProblem`.

    The password stands in it as text, or with `digest` as UsernameToken Profile 1.0 has it: Base64(SHA-1(nonce,
    time, password)). Nonce and time are good once, so each sending needs a token of its own.
    """
    envelope = _envelope(message)
    header = _header(envelope, etree.QName(envelope).namespace or SOAP_11)
    security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"wsse": WSSE})
    token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = username
    if digest:
        nonce, created = (
            secrets.token_bytes(16),
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        )
        # SHA-1 is what the profile prescribes.
        hashed = hashlib.sha1(nonce + f"{created}{password}".encode(), usedforsecurity=False).digest()
        password = base64.b64encode(hashed).decode()
    etree.SubElement(token, f"{{{WSSE}}}Password", Type=DIGEST_TYPE if digest else TEXT_TYPE).text = password
    if digest:
        etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=BASE64_TYPE).text = base64.b64encode(nonce).decode()
        etree.SubElement(token, f"{{{WSU}}}Created", nsmap={"wsu": WSU}).text = created
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def parse_answer(bundle: WsdlBundle, operation: str, body: bytes, *, port: str = "") -> dict[str, Any]:
    """The result elements of an answer, by name, as JSON-able data (dates in ISO form, binary as base64).

    An answer that the schema does not describe is given as `xml_to_data` sees it, so that a desk with a sloppy
    schema still works. Raises `AnswerProblem` for a fault or anything else that is no answer.
    """
    envelope = _envelope(body)
    found_fault = fault(body)
    if found_fault is not None:
        raise AnswerProblem(_("The answer is a fault: %(text)s") % {"text": found_fault.text})
    version = "1.2" if etree.QName(envelope).namespace == SOAP_12 else "1.1"
    found = _find(bundle, operation, version, port)
    content = _body(envelope)
    if found.output is None or content is None or not len(content):
        return {}
    try:
        return _as_dict(found.output, found.process_reply(envelope))
    except (zeep.exceptions.Error, etree.LxmlError, ValueError, TypeError, LookupError, AttributeError):
        data = element_to_data(content[0])
        return data if isinstance(data, dict) else {local_name(content[0]): data}


def fault(body: bytes | str) -> Fault | None:
    """The fault in a SOAP answer, 1.1 or 1.2; None when there is none, or when the body is no SOAP at all."""
    try:
        content = _body(_envelope(body))
    except AnswerProblem:
        return None
    if content is None:
        return None
    for element in content.iterchildren("*"):
        if local_name(element) == "Fault":
            return _fault_12(element) if etree.QName(element).namespace == SOAP_12 else _fault_11(element)
    return None


def _find(bundle: WsdlBundle, operation: str, version: str, port: str) -> SoapOperation:
    fallback = None
    for _service, candidate, binding, found in soap_operations(bundle):
        if found.name != operation or (port and port != getattr(candidate, "name", "")):
            continue
        if isinstance(binding, Soap12Binding) == (version == "1.2"):
            return found
        fallback = found
    if fallback is not None and port:
        return fallback
    raise WsdlProblem(
        _("The WSDL has no operation %(operation)s for SOAP %(version)s.")
        % {"operation": operation, "version": version}
    )


def _http_headers(version: str, action: str) -> dict[str, str]:
    if version == "1.2":
        suffix = f'; action="{action}"' if action else ""
        return {"Content-Type": f"application/soap+xml; charset=utf-8{suffix}"}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}


def body_content(body: bytes | str) -> Any:
    """What the first element in the message's body holds, as plain data; empty where there is none."""
    content = _body(_envelope(body))
    return {} if content is None or not len(content) else element_to_data(content[0])


def _envelope(message: bytes | str) -> etree._Element:
    try:
        root = parse(message)
    except XmlRefused as error:
        raise AnswerProblem(str(error)) from error
    if local_name(root) != "Envelope":
        raise AnswerProblem(_("This is not a SOAP message."))
    return root


def _body(envelope: etree._Element) -> etree._Element | None:
    return next((child for child in envelope.iterchildren("*") if local_name(child) == "Body"), None)


def _header(envelope: etree._Element, namespace: str) -> etree._Element:
    header = envelope.find(f"{{{namespace}}}Header")
    if header is None:
        header = etree.Element(f"{{{namespace}}}Header")
        envelope.insert(0, header)
    return header


def _header_element(text: str) -> etree._Element:
    try:
        return parse(text)
    except XmlRefused as error:
        raise ArgumentProblem(_("SOAP header"), str(error)) from error


def _as_dict(message: Any, result: Any) -> dict[str, Any]:
    """zeep unwraps a lone result element; its name is put back, so that captures do not depend on the schema."""
    # With headers in the schema zeep gives both parts, and unwraps nothing.
    with_header = bool(message.header is not None and message.header.type._element)
    plain = _plain(result["body"] if with_header else result)
    kind = message.body.type if message.body is not None else None
    if isinstance(kind, ComplexType) and not with_header:
        children = kind.elements
        if len(children) == 1 and not kind.attributes:
            return {str(children[0][0]): plain}
    if isinstance(plain, dict):
        return plain
    return {} if plain is None else {"result": plain}


def _plain(value: Any) -> Any:
    if isinstance(value, CompoundValue):
        return {str(key): _plain(value[key]) for key in value}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, etree._Element):
        return {local_name(value): element_to_data(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _fault_11(element: etree._Element) -> Fault:
    parts = {local_name(child): child for child in element.iterchildren("*")}
    code = (parts["faultcode"].text or "").strip() if "faultcode" in parts else ""
    text = "".join(str(part) for part in parts["faultstring"].itertext()).strip() if "faultstring" in parts else ""
    return Fault(code=code.rpartition(":")[2], subcode="", text=text, detail=_detail(parts.get("detail")))


def _fault_12(element: etree._Element) -> Fault:
    names = {"s": SOAP_12}
    code = element.findtext("s:Code/s:Value", "", names).strip()
    subcode = element.findtext("s:Code/s:Subcode/s:Value", "", names).strip()
    return Fault(
        code=code.rpartition(":")[2],
        subcode=subcode.rpartition(":")[2],
        text=element.findtext("s:Reason/s:Text", "", names).strip(),
        detail=_detail(element.find("s:Detail", names)),
    )


def _detail(element: etree._Element | None) -> str:
    if element is None:
        return ""
    if len(element) == 0:
        return (element.text or "").strip()
    return "".join(etree.tostring(child, encoding="unicode", with_tail=False) for child in element)
