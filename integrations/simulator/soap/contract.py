"""The published contract: the WSDL with our address, and checking messages against its schema."""

from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from lxml import etree

from integrations.simulator.desk import Refused

WSDL = Path(__file__).with_name("tickets.wsdl")
NAMESPACE = "urn:northwind-support:tickets:v1"
_SCHEMA = "{http://schemas.xmlsoap.org/wsdl/}types/{http://www.w3.org/2001/XMLSchema}schema"


def published_wsdl(address: str) -> str:
    """The WSDL that names this address for both versions."""
    return _wsdl().replace('location="ADDRESS"', f'location="{escape(address, {chr(34): "&quot;"})}"')


def parse(body: bytes) -> etree._Element:
    """The document element of a message from outside: no DTD, no entities, UTF-8 only. Raises `Refused`."""
    # Entities can only be declared in a DTD, and the parser is held to UTF-8, so this look cannot be deceived.
    if b"<!DOCTYPE" in body:
        raise Refused(_("The message may not have a document type."))
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise Refused(_("The message is not XML: %(problem)s") % {"problem": problem}) from problem


def check(message: etree._Element) -> None:
    """Hold a message against the schema. Raises `Refused` with the first thing that is wrong."""
    # A compiled schema keeps the errors of its last use, so that threads cannot share one.
    [schema] = etree.fromstring(_wsdl().encode()).findall(_SCHEMA)
    try:
        etree.XMLSchema(schema).assertValid(message)
    except etree.DocumentInvalid as problem:
        raise Refused(str(problem).replace(f"{{{NAMESPACE}}}", "")) from problem


def xml_text(text: str) -> str:
    """The text without the control characters that XML cannot carry (and REST or a form may have brought)."""
    return "".join(character for character in text if character >= " " or character in "\t\n\r")


@cache
def _wsdl() -> str:
    return WSDL.read_text(encoding="utf-8")
