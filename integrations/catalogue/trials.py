"""By which operation the connection to a system is tested, if nobody says otherwise."""

from typing import Final

from integrations.catalogue.preset import PresetProblem, load
from integrations.connection import harmless_operations
from integrations.models import ExternalSystem, OperationTemplate

# Where no preset says it: what most desks have comes first.
PREFERRED: Final = ("find_ticket", "fetch_modified_since", "fetch_priorities", "fetch_statuses", "find_contact")


def trials(system: ExternalSystem) -> list[OperationTemplate]:
    """The operations with which the system can be tested, the best one first: what its preset names."""
    offered = harmless_operations(system)
    order = [_of_preset(system), *PREFERRED]
    return sorted(offered, key=lambda row: order.index(row.name) if row.name in order else len(order))


def _of_preset(system: ExternalSystem) -> str:
    try:
        return load(system.preset).test if system.preset else ""
    except PresetProblem:
        # It is in the catalogue no more: then as with any other system.
        return ""
