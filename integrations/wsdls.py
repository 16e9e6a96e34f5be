"""The operations that a stored WSDL offers, for choosing one and filling in its arguments."""

from functools import lru_cache

from integrations.models import WsdlDocument
from integrations.transports.wsdl import OperationInfo, WsdlBundle, operations


def operations_of(wsdl: WsdlDocument) -> tuple[OperationInfo, ...]:
    """Every operation with its arguments, in the WSDL's order; empty until it was fetched. Raises `WsdlProblem`."""
    return _operations(WsdlBundle(main_url=wsdl.url, documents=wsdl.documents)) if wsdl.documents else ()


def find_operation(wsdl: WsdlDocument, *, name: str, version: str) -> OperationInfo | None:
    """The operation of this name for this SOAP version; None if there is none. Raises `WsdlProblem`."""
    return next((info for info in operations_of(wsdl) if (info.name, info.version) == (name, version)), None)


@lru_cache(maxsize=32)
def _operations(bundle: WsdlBundle) -> tuple[OperationInfo, ...]:
    return tuple(operations(bundle))
