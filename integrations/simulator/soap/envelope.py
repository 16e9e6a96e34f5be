"""SOAP 1.1 and 1.2 envelopes: reading requests, writing answers and faults."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext as _
from lxml import etree

from integrations.simulator.authentication import password_is_right
from integrations.simulator.desk import Refused
from integrations.simulator.soap.contract import NAMESPACE, parse

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# What the fault calls whom: our status -> is it the caller's doing?
OUR_FAULT = (429, 500)


@dataclass(frozen=True)
class Request:
    """One request: its version's namespace, its header entries, and the one element of its body."""

    version: str
    header: list[etree._Element]
    message: etree._Element


def read(body: bytes) -> Request:
    """Read a request. Raises `Refused`."""
    envelope = parse(body)
    name = etree.QName(envelope)
    if name.localname != "Envelope" or name.namespace not in (SOAP11, SOAP12):
        raise Refused(_("The message is not a SOAP envelope."))
    version = name.namespace
    header = envelope.find(f"{{{version}}}Header")
    content = envelope.find(f"{{{version}}}Body")
    messages = [] if content is None else [child for child in content if isinstance(child.tag, str)]
    if len(messages) != 1:
        raise Refused(_("The body must hold exactly one element."))
    entries = [] if header is None else [child for child in header if isinstance(child.tag, str)]
    for entry in entries:
        must = entry.get(f"{{{version}}}mustUnderstand") in ("1", "true")
        if must and etree.QName(entry).namespace != SECURITY:
            raise NotUnderstood(_("Header %(name)s is not understood.") % {"name": entry.tag})
    return Request(version, entries, messages[0])


def user_token(request: Request) -> bool | None:
    """Whether the WS-Security UsernameToken (PasswordText) is right; None when there is none."""
    for entry in request.header:
        if entry.tag == f"{{{SECURITY}}}Security":
            user = entry.findtext(f"{{{SECURITY}}}UsernameToken/{{{SECURITY}}}Username", "")
            password = entry.findtext(f"{{{SECURITY}}}UsernameToken/{{{SECURITY}}}Password", "")
            return password_is_right(user, password)
    return None


class NotUnderstood(Refused):
    """A header that must be understood, and is not."""

    code = "must_understand"


class SoapForm:
    """Answers and faults in one version of SOAP."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.protocol = "SOAP 1.2" if version == SOAP12 else "SOAP 1.1"

    def answer(self, message: etree._Element, *, status: int = 200) -> HttpResponse:
        """The message in an envelope."""
        envelope = etree.Element(f"{{{self.version}}}Envelope", nsmap={"soap": self.version})
        etree.SubElement(envelope, f"{{{self.version}}}Body").append(message)
        text = etree.tostring(envelope, xml_declaration=True, encoding="utf-8", pretty_print=True)
        kind = "application/soap+xml" if self.version == SOAP12 else "text/xml"
        return HttpResponse(text, status=status, content_type=f"{kind}; charset=utf-8")

    def problem(
        self, *, status: int, code: str, message: str, fields: dict[str, list[str]] | None = None
    ) -> HttpResponse:
        """A fault; 401, 413 and 429 keep their status, others have the one that SOAP's HTTP binding says."""
        ours = status in OUR_FAULT
        detail = etree.Element(f"{{{NAMESPACE}}}Problem", nsmap={"t": NAMESPACE})
        etree.SubElement(detail, f"{{{NAMESPACE}}}Code").text = code
        etree.SubElement(detail, f"{{{NAMESPACE}}}Text").text = message
        if self.version == SOAP12:
            fault = self._fault12("Receiver" if ours else "Sender", code, message, detail)
            usual = 500 if ours else 400
        else:
            fault = self._fault11("Server" if ours else "Client", code, message, detail)
            usual = 500
        return self.answer(fault, status=status if status in (401, 413, 429) else usual)

    def error_in_success(self, *, operation: str, message: str) -> HttpResponse:
        """A normal answer whose result says that it failed."""
        name = MESSAGES.get(operation, "GetTicket")
        return self.answer(response(name, error_code="failed", error_text=message))

    def _fault11(self, who: str, code: str, text: str, detail: etree._Element) -> etree._Element:
        fault = etree.Element(f"{{{SOAP11}}}Fault", nsmap={"soap": SOAP11})
        name = "MustUnderstand" if code == NotUnderstood.code else who
        etree.SubElement(fault, "faultcode").text = f"soap:{name}"
        etree.SubElement(fault, "faultstring").text = text
        etree.SubElement(fault, "detail").append(detail)
        return fault

    def _fault12(self, who: str, code: str, text: str, detail: etree._Element) -> etree._Element:
        fault = etree.Element(f"{{{SOAP12}}}Fault", nsmap={"soap": SOAP12})
        name = "MustUnderstand" if code == NotUnderstood.code else who
        value = etree.SubElement(etree.SubElement(fault, f"{{{SOAP12}}}Code"), f"{{{SOAP12}}}Value")
        value.text = f"soap:{name}"
        reason = etree.SubElement(etree.SubElement(fault, f"{{{SOAP12}}}Reason"), f"{{{SOAP12}}}Text")
        reason.set(XML_LANG, "en")
        reason.text = text
        etree.SubElement(fault, f"{{{SOAP12}}}Detail").append(detail)
        return fault


# Our operations and what they are called here.
MESSAGES = {
    "create": "CreateTicket",
    "update": "UpdateTicket",
    "note": "AddNote",
    "attachment": "AddAttachment",
    "close": "CloseTicket",
    "reopen": "ReopenTicket",
    "find": "FindTicket",
    "get": "GetTicket",
}


def response(name: str, *, error_code: str = "", error_text: str = "") -> etree._Element:
    """The response element of an operation with its result, to which the caller adds the rest."""
    message = etree.Element(f"{{{NAMESPACE}}}{name}Response", nsmap={"t": NAMESPACE})
    result = etree.SubElement(message, f"{{{NAMESPACE}}}Result")
    etree.SubElement(result, f"{{{NAMESPACE}}}Success").text = "false" if error_code else "true"
    if error_code:
        etree.SubElement(result, f"{{{NAMESPACE}}}ErrorCode").text = error_code
        etree.SubElement(result, f"{{{NAMESPACE}}}ErrorText").text = error_text
    return message
