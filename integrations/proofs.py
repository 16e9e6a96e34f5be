"""Test calls by which a function of a level is proved: called once against the real desk, and it worked.

A proof counts for the template and the address as they were: whatever is changed in them makes it void.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from integrations.configuration.names import READING
from integrations.definition import describe_request
from integrations.direct import Called, call
from integrations.engine.references import store_contact
from integrations.levels import ALL, FUNCTIONS, Function
from integrations.models import ExternalSystem, OperationProof, OperationTemplate
from integrations.people.calls import CREATE, DELETE, FIND, forget, number_in
from tickets.errors import ActionRefused
from tickets.models import Contact


@dataclass(frozen=True)
class MatrixRow:
    """A function of the matrix at one system: its operation (None: missing), and its proof, `void` if out of date."""

    function: Function
    operation: OperationTemplate | None
    proof: OperationProof | None
    void: bool
    needed: bool

    @property
    def must(self) -> list[bool]:
        """Whether it must be there, level by level."""
        return [level in self.function.must for level in ALL]

    @property
    def missing(self) -> bool:
        """Whether the system's level needs it, and it is not there."""
        return self.needed and self.operation is None


def matrix(system: ExternalSystem) -> list[MatrixRow]:
    """The functions in the order of the matrix: one query."""
    rows = system.operations.select_related("system", "probe__system", "proof__exchange")
    operations = {row.name: row for row in rows}
    found = []
    for function in FUNCTIONS:
        operation = next((operations[name] for name in function.operations if name in operations), None)
        proof = getattr(operation, "proof", None)
        void = proof is not None and operation is not None and proof.digest != digest_of(operation)
        found.append(MatrixRow(function, operation, proof, void, system.level in function.must))
    return found


def only_reads(operation: OperationTemplate) -> bool:
    """Whether the operation changes nothing at the other desk, as its name says."""
    return operation.name.startswith(READING)


def digest_of(operation: OperationTemplate) -> str:
    """What a proof is valid for: the whole template, its probe, and where it is sent."""
    described = describe_request(operation)
    described |= {"items": operation.items, "reads": operation.reads, "address": operation.system.base_url}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def prove(
    operation: OperationTemplate, context: dict[str, Any], *, by: str, contact: Contact | None = None
) -> Called:
    """Call the operation once and keep the proof, if it did what it is for. No transaction may be open.

    An answer in which nothing could be read proves nothing. What the desk tells about a real contact is kept.
    """
    digest = digest_of(operation)
    called = call(operation, context)
    problem = called.problem or _proves_nothing(operation, called)
    if not called.problem and contact is not None:
        problem = _keep(operation, called, contact) or problem
    if problem:
        return Called(problem, called.retryable, called.exchange, called.captures, called.records)
    OperationProof.objects.update_or_create(
        operation=operation, defaults={"digest": digest, "proved_by": by[:150], "exchange": called.exchange}
    )
    return called


def _proves_nothing(operation: OperationTemplate, called: Called) -> str:
    nothing = not called.records and not any(value not in (None, "") for value in called.captures.values())
    if (only_reads(operation) or operation.name == CREATE) and nothing:
        return _("It answered, but there was nothing to read in the answer. Try values that find something.")
    return ""


def _keep(operation: OperationTemplate, called: Called, contact: Contact) -> str:
    try:
        if operation.name in (FIND, CREATE) and (number := number_in(called)):
            store_contact(contact=contact, system=operation.system, value=number)
        elif operation.name == DELETE:
            forget(contact, operation.system)
    except ActionRefused as problem:
        return str(problem)
    return ""
