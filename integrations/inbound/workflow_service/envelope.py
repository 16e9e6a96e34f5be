"""SOAP 1.1 and 1.2 envelopes: read with nothing expanded or fetched; faults in the words of the problem details."""

import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from lxml import etree

from integrations.inbound.bodies import decode
from integrations.inbound.problems import InProgress, Malformed, Refused
from integrations.inbound.workflow_service.contract import namespace

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
MEDIA_TYPES: Final = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

DECLARATION: Final = re.compile(r"\s*<\?xml\b[^>]{0,200}\?>")
DECLARED_CHARSET: Final = re.compile(rb"^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
# Only what stands before the first element: in the text of a message "<!DOCTYPE" is just text. Atomic: linear.
DOCTYPE: Final = re.compile(r"(?>\s|<!--(?>.*?-->)|<\?(?>.*?\?>))*+<!DOCTYPE", re.DOTALL | re.IGNORECASE)

# What may stand in no XML document, escaped or not.
NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotUnderstood(Refused):
    """A header that must be understood, and is not."""

    code = "must_understand"


class UnsupportedMediaType(Refused):
    """Not a content type of SOAP."""

    status = 415
    code = "unsupported_media_type"


@dataclass(frozen=True)
class Envelope:
    """What is in an envelope: the namespace of its version, its header entries, the one element of its body."""

    version: str
    header: list[etree._Element]
    message: etree._Element

    @property
    def method(self) -> str:
        """The local name of the body's element."""
        return etree.QName(self.message).localname

    def user_token(self) -> tuple[str, str] | None:
        """User and password of a WS-Security UsernameToken with PasswordText; None without one."""
        for entry in self.header:
            token = entry.find(f"{{{WSSE}}}UsernameToken") if entry.tag == f"{{{WSSE}}}Security" else None
            if token is not None:
                user = token.findtext(f"{{{WSSE}}}Username") or ""
                return user.strip(), (token.findtext(f"{{{WSSE}}}Password") or "").strip()
        return None


def version_of(media_type: str) -> str:
    """The version that a content type announces. Raises `UnsupportedMediaType`."""
    versions = {"text/xml": SOAP11, "application/xml": SOAP11, "": SOAP11, "application/soap+xml": SOAP12}
    version = versions.get(media_type.strip().lower())
    if version is None:
        raise UnsupportedMediaType(_("Send SOAP 1.1 as text/xml or SOAP 1.2 as application/soap+xml."))
    return version


def text_of(body: bytes, content_type: str) -> str:
    """The message as text, without its XML declaration, which spoke of the bytes."""
    declared = DECLARED_CHARSET.match(body)
    text = decode(body, content_type, declared.group(1).decode() if declared else "")
    return DECLARATION.sub("", text.lstrip("\ufeff"), count=1) if DECLARATION.match(text.lstrip("\ufeff")) else text


def read(text: str) -> Envelope:
    """Read a request. Raises `Malformed`, `NotUnderstood`."""
    if DOCTYPE.match(text):
        raise Malformed(_("The message may not have a document type."))
    # Without a document type there are no entities to expand, so the long texts of attachments may be allowed.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8", errors="strict"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(_("The message is not readable XML: %(reason)s") % {"reason": error}) from error
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in (SOAP11, SOAP12):
        raise Malformed(_("The message is not a SOAP envelope."))
    version = name.namespace
    body = root.find(f"{{{version}}}Body")
    elements = [] if body is None else list(body)
    if len(elements) != 1:
        raise Malformed(_("The body of the envelope must hold exactly one element."))
    header = root.find(f"{{{version}}}Header")
    entries = [] if header is None else list(header)
    for entry in entries:
        must = entry.get(f"{{{version}}}mustUnderstand", "") in ("1", "true")
        if must and etree.QName(entry).namespace != WSSE:
            raise NotUnderstood(_("The header %(name)s is not understood.") % {"name": entry.tag})
    return Envelope(version, entries, elements[0])


def bare(envelope: Envelope) -> bytes:
    """The envelope with its message alone, free of attributes other than xsi:nil: what is handed to Spyne."""
    root = etree.Element(f"{{{envelope.version}}}Envelope")
    etree.SubElement(root, f"{{{envelope.version}}}Body").append(envelope.message)
    for element in envelope.message.iter():
        for name in list(element.attrib):
            if name != f"{{{XSI}}}nil":
                del element.attrib[name]
    return etree.tostring(root, encoding="utf-8")


def fault(problem: Refused, version: str) -> bytes:
    """The problem as a fault; its code and text, which are those of the problem details, are in the detail, too."""
    # A message in progress may be sent again as it is: not the sender's fault, which callers never repeat.
    ours = problem.status >= 500 or isinstance(problem, InProgress)
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap={"soap": version, "w": namespace()})
    body = etree.SubElement(envelope, f"{{{version}}}Body")
    element = etree.SubElement(body, f"{{{version}}}Fault")
    must = "MustUnderstand" if isinstance(problem, NotUnderstood) else ""
    said = NOT_XML.sub("\ufffd", problem.detail)
    if version == SOAP11:
        etree.SubElement(element, "faultcode").text = f"soap:{must or ('Server' if ours else 'Client')}"
        etree.SubElement(element, "faultstring").text = said
        detail = etree.SubElement(element, "detail")
    else:
        code = etree.SubElement(element, f"{{{SOAP12}}}Code")
        etree.SubElement(code, f"{{{SOAP12}}}Value").text = f"soap:{must or ('Receiver' if ours else 'Sender')}"
        subcode = etree.SubElement(code, f"{{{SOAP12}}}Subcode")
        etree.SubElement(subcode, f"{{{SOAP12}}}Value").text = f"w:{problem.code}"
        reason = etree.SubElement(element, f"{{{SOAP12}}}Reason")
        text = etree.SubElement(reason, f"{{{SOAP12}}}Text")
        text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        text.text = said
        detail = etree.SubElement(element, f"{{{SOAP12}}}Detail")
    content = etree.SubElement(detail, f"{{{namespace()}}}problem")
    for name, value in (("status", str(problem.status)), ("code", problem.code), ("detail", said)):
        etree.SubElement(content, f"{{{namespace()}}}{name}").text = value
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def fault_status(problem: Refused, version: str) -> int:
    """The HTTP status of a fault: what went wrong before SOAP keeps its own; otherwise as each version's binding to
    HTTP says (1.1: always 500; 1.2: 400 for the sender's fault)."""
    if problem.status in (401, 405, 413, 415):
        return problem.status
    if version == SOAP11:
        return 400 if isinstance(problem, Malformed) else 500
    return 400 if problem.status < 500 and not isinstance(problem, InProgress) else 500
