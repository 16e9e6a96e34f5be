"""XML from outside, read without DTD, entities, network, or trees beyond libxml2's own limits."""

from collections.abc import Iterable
from typing import Any, Final

from django.utils.translation import gettext as _
from lxml import etree

MANY: Final = 100


class XmlRefused(ValueError):
    """The text is not XML, or XML of a kind that is not read (with a DOCTYPE)."""


def parse(body: bytes | str) -> etree._Element:
    """The root element; raises `XmlRefused`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body.encode() if isinstance(body, str) else body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefused(_("This is not readable XML: %(reason)s") % {"reason": error}) from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise XmlRefused(_("XML with a DOCTYPE is not accepted."))
    return root


def xml_to_data(body: bytes | str) -> dict[str, Any]:
    """The document as plain data, `{root: content}`, by local names.

    An element with only text is a string, an empty one is "", a repeated one is a list, attributes are `@name`, and
    text beside attributes or children is `#text`. An element with `xsi:nil="true"` is None. Raises `XmlRefused`.
    """
    root = parse(body)
    return {local_name(root): element_to_data(root)}


def element_to_data(element: etree._Element) -> Any:
    """One element's content, in the form that `xml_to_data` describes."""
    data: dict[str, Any] = {}
    for name, value in _attributes(element):
        attribute = etree.QName(name)
        if attribute.namespace == "http://www.w3.org/2001/XMLSchema-instance":
            if attribute.localname == "nil" and value in ("true", "1"):
                return None
            continue
        data[f"@{attribute.localname}"] = str(value)
    for child in element.iterchildren("*"):
        name = local_name(child)
        content = element_to_data(child)
        if name not in data:
            data[name] = content
        elif isinstance(data[name], list):
            data[name].append(content)
        else:
            data[name] = [data[name], content]
    text = "".join(part for part in (element.text, *(child.tail for child in element)) if part)
    if not data:
        return text
    if text.strip():
        data["#text"] = text.strip()
    return data


def _attributes(element: etree._Element) -> Iterable[tuple[str, str]]:
    """Name and value of each. lxml looks every value up from the first attribute on: of many, they are asked for at
    once, or an element of a few megabytes would keep a worker for minutes."""
    if len(element.attrib) < MANY:
        return [(str(name), str(value)) for name, value in element.attrib.items()]
    found: Any = element.xpath("@*")
    return [(str(value.attrname), str(value)) for value in found]


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname
