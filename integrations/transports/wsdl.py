"""A service's description: fetched once through the guarded door, then read offline for ever."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import zeep
import zeep.exceptions
from django.utils.translation import gettext as _
from lxml import etree
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding, SoapOperation

from integrations.transports.http import Policy, Request, send
from integrations.transports.safe_xml import XmlRefused, parse
from integrations.transports.soap_arguments import Argument, flatten
from integrations.transports.well_known_schemas import WELL_KNOWN_SCHEMAS

MAX_DOCUMENTS = 50
MAX_TOTAL_BYTES = 20 * 1024 * 1024
WSDL_NAMESPACE = "http://schemas.xmlsoap.org/wsdl/"
SCHEMA_NAMESPACE = "http://www.w3.org/2001/XMLSchema"
REFERENCES = {
    f"{{{WSDL_NAMESPACE}}}import": "location",
    f"{{{SCHEMA_NAMESPACE}}}import": "schemaLocation",
    f"{{{SCHEMA_NAMESPACE}}}include": "schemaLocation",
    f"{{{SCHEMA_NAMESPACE}}}redefine": "schemaLocation",
}


class WsdlProblem(ValueError):
    """The description cannot be used: not XML, too large, incomplete, or of a kind that is not understood."""


@dataclass(frozen=True)
class WsdlBundle:
    """A WSDL with everything that it imports. `documents` maps absolute addresses to XML text, ready to be stored."""

    main_url: str
    documents: Mapping[str, str]

    def __hash__(self) -> int:
        return hash((self.main_url, frozenset(self.documents.items())))


@dataclass(frozen=True)
class OperationInfo:
    """One operation of one port. `version` is the SOAP version of its binding, `address` where the WSDL sends it."""

    service: str
    port: str
    name: str
    soap_action: str
    style: str
    version: str
    address: str
    arguments: list[Argument] = field(default_factory=list)


def fetch_wsdl(url: str, policy: Policy, *, headers: Mapping[str, str] | None = None) -> WsdlBundle:
    """Fetch a WSDL with its imports and includes, each under the policy.

    `headers` (authentication, for example) go only to the host and port that the WSDL itself comes from. Schemas
    that everybody knows are not fetched. Raises `TransportError`, or `WsdlProblem` when an answer is no description.
    """
    origin = urlsplit(url)[:2]
    documents: dict[str, str] = {}
    waiting = [url]
    total = 0
    while waiting:
        address = waiting.pop(0)
        if address in documents or address in WELL_KNOWN_SCHEMAS:
            continue
        if len(documents) >= MAX_DOCUMENTS:
            raise WsdlProblem(_("The WSDL imports more than %(count)s documents.") % {"count": MAX_DOCUMENTS})
        root, size = _fetch_one(address, policy, headers if urlsplit(address)[:2] == origin else None)
        total += size
        if total > MAX_TOTAL_BYTES:
            raise WsdlProblem(
                _("The WSDL and its imports are larger than %(size)s bytes.") % {"size": MAX_TOTAL_BYTES}
            )
        documents[address] = etree.tostring(root, encoding="unicode")
        waiting.extend(_references(root, address))
    return WsdlBundle(main_url=url, documents=documents)


def operations(bundle: WsdlBundle) -> list[OperationInfo]:
    """Every SOAP operation, in the WSDL's order, with its arguments as dotted paths; raises `WsdlProblem`."""
    notes = _Notes(bundle)
    found = []
    for service, port, binding, operation in soap_operations(bundle):
        body = operation.input.body if operation.input is not None else None
        found.append(
            OperationInfo(
                service=service,
                port=port.name,
                name=operation.name,
                soap_action=operation.soapaction or "",
                style=operation.style or "document",
                version="1.2" if isinstance(binding, Soap12Binding) else "1.1",
                address=port.binding_options.get("address") or "",
                arguments=flatten(body, documentation=notes.documentation, choices=notes.choices),
            )
        )
    return found


def soap_operations(bundle: WsdlBundle) -> Iterator[tuple[str, Any, SoapBinding, SoapOperation]]:
    """(service name, zeep port, binding, operation) for whoever builds or reads messages; raises `WsdlProblem`."""
    for service in document(bundle).services.values():
        for port in service.ports.values():
            if not isinstance(port.binding, SoapBinding):
                continue
            for operation in port.binding.all().values():
                yield service.name, port, port.binding, operation


@lru_cache(maxsize=16)
def document(bundle: WsdlBundle) -> zeep.wsdl.Document:
    """The bundle as zeep reads it, without any network; raises `WsdlProblem`."""
    # Strict, so that an answer that does not fit is not cut down to what does; the order of elements is forgiven.
    settings = zeep.Settings(
        strict=True,
        xsd_ignore_sequence_order=True,
        forbid_dtd=True,
        forbid_entities=True,
        xml_huge_tree=False,
        force_https=False,
    )
    try:
        return zeep.wsdl.Document(bundle.main_url, cast(Any, OfflineTransport(bundle)), settings=settings)
    except WsdlProblem:
        raise
    except (
        zeep.exceptions.Error,
        etree.LxmlError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
        NotImplementedError,
        RecursionError,
    ) as error:
        raise WsdlProblem(_("The WSDL cannot be understood: %(reason)s") % {"reason": error}) from error


class OfflineTransport:
    """Gives zeep the documents of a bundle, and nothing else: it has no way to the network."""

    def __init__(self, bundle: WsdlBundle) -> None:
        self._documents = bundle.documents

    def load(self, url: str) -> bytes:
        """The document at this address; raises `WsdlProblem` for one that was not fetched."""
        found = self._documents.get(url) or WELL_KNOWN_SCHEMAS.get(url)
        if found is None:
            # zeep resolves an include inside an include against the outermost document.
            name = PurePosixPath(urlsplit(url).path).name
            same_name = [text for key, text in self._documents.items() if urlsplit(key).path.endswith(f"/{name}")]
            if not name or len(same_name) != 1:
                raise WsdlProblem(
                    _("The WSDL needs %(url)s, which was not fetched with it. Fetch the WSDL again.") % {"url": url}
                )
            found = same_name[0]
        return found.encode()


def _fetch_one(url: str, policy: Policy, headers: Mapping[str, str] | None) -> tuple[etree._Element, int]:
    response = send(Request("GET", url, {"Accept": "text/xml, application/xml, */*", **(headers or {})}), policy)
    if response.status != 200:
        raise WsdlProblem(
            _("%(url)s answered with status %(status)s instead of a WSDL or schema.")
            % {"url": url, "status": response.status}
        )
    try:
        root = parse(response.body)
    except XmlRefused as error:
        raise WsdlProblem(f"{url}: {error}") from error
    if root.tag not in (f"{{{WSDL_NAMESPACE}}}definitions", f"{{{SCHEMA_NAMESPACE}}}schema"):
        raise WsdlProblem(_("%(url)s is neither a WSDL 1.1 nor a schema.") % {"url": url})
    return root, len(response.body)


def _references(root: etree._Element, base: str) -> Iterator[str]:
    for element in root.iter(*REFERENCES):
        location = element.get(REFERENCES[str(element.tag)])
        if location:
            yield urljoin(base, location)


class _Notes:
    """What the documents say about names, for people: zeep forgets annotations and enumerations."""

    def __init__(self, bundle: WsdlBundle) -> None:
        self.documentation: dict[str, str] = {}
        self.choices: dict[str, tuple[str, ...]] = {}
        schema = f"{{{SCHEMA_NAMESPACE}}}"
        for text in bundle.documents.values():
            root = parse(text)
            for element in root.iter(f"{schema}element", f"{schema}attribute"):
                words = element.findtext(f"{schema}annotation/{schema}documentation")
                if element.get("name") and words and words.strip():
                    self.documentation.setdefault(element.get("name", ""), " ".join(words.split()))
            for simple in root.iter(f"{schema}simpleType"):
                values = tuple(
                    value.get("value", "") for value in simple.iterfind(f"{schema}restriction/{schema}enumeration")
                )
                if simple.get("name") and values:
                    self.choices.setdefault(simple.get("name", ""), values)
