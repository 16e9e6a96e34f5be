"""The configuration as it is, as documents: natural keys, nothing secret, always in the same order."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from integrations.catalogue.hiding import hidden
from integrations.catalogue.mailboxes import mailboxes_document
from integrations.catalogue.rows import secret_names, written
from integrations.catalogue.sections import SECTIONS
from integrations.models import ExternalSystem, GroupBinding, OperationTemplate, Process, Step

VERSION: Final = 1
# Key in a document -> the field of a binding that holds the process.
BOUND: Final[Mapping[str, str]] = {
    "assignment": "assignment_process",
    "update": "update_process",
    "closure": "closure_process",
    "rejection": "rejection_process",
    "incoming": "incoming_process",
}


class Owners:
    """To which system each process belongs, and by which key it stands in that system's document.

    That of a system is named after it ("Acme: exchange"), or has to do with no other system. What serves several
    systems belongs to none.
    """

    def __init__(self) -> None:
        # Sorted here, as everything below: databases do not agree on the order of texts.
        processes = Process.objects.prefetch_related(
            "steps__operation__system", "steps__system", "steps__wsdl__system", "steps__probe__system"
        )
        self.processes = sorted(processes, key=lambda process: process.name)
        bindings = GroupBinding.objects.select_related("group", "system", *BOUND.values())
        self.bindings = sorted(bindings, key=lambda binding: binding.group.code)
        self.keys: dict[int, str] = {}
        self.systems: dict[int, int | None] = {}
        named = {system.name: system.pk for system in ExternalSystem.objects.all()}
        touched = self._touched()
        taken: set[tuple[int, str]] = set()
        for process in self.processes:
            name, system = _prefix(process.name, named)
            key = process.name.removeprefix(f"{name}: ") if system else process.name
            if system is None and len(touched[process.pk]) == 1:
                (system,) = touched[process.pk]
            while system is not None and (system, key) in taken:
                key += "'"
            if system is not None:
                taken.add((system, key))
            self.systems[process.pk], self.keys[process.pk] = system, key

    def of(self, system: ExternalSystem | None) -> list[Process]:
        """The processes of a system, or those of none, by name."""
        pk = system.pk if system else None
        return [process for process in self.processes if self.systems[process.pk] == pk]

    def name_for(self, process: Process, system: ExternalSystem) -> str:
        """What the document of a system calls a process: its key, or the whole name of one that is another's."""
        return self.keys[process.pk] if self.systems[process.pk] == system.pk else process.name

    def _touched(self) -> dict[int, set[int]]:
        """The systems that each process has to do with: those that it calls, and those whose groups it serves."""
        found: dict[int, set[int]] = {process.pk: set() for process in self.processes}
        for process in self.processes:
            for step in process.steps.all():
                called = step.operation.system_id if step.operation else None
                found[process.pk] |= {pk for pk in (called, step.system_id) if pk}
        for binding in self.bindings:
            for field in BOUND.values():
                pk = getattr(binding, f"{field}_id")
                if pk and binding.system_id:
                    found[pk].add(binding.system_id)
        return found


def configuration_of(systems: Iterable[ExternalSystem] | None = None) -> dict[str, Any]:
    """The whole configuration, or that of some systems with their mailboxes and the processes that their groups need,
    as a document."""
    owners = Owners()
    chosen = sorted(ExternalSystem.objects.all() if systems is None else systems, key=lambda system: system.code)
    shared = owners.of(None)
    if systems is not None:
        needed = {pk for system in chosen for pk in _bound_to(owners, system)}
        shared = [process for process in shared if process.pk in needed]
    return {
        "deskbridge_configuration": VERSION,
        "systems": {system.code: system_document(system, owners) for system in chosen},
        "processes": {process.name: process_document(process, None) for process in shared},
        "mailboxes": mailboxes_document(None if systems is None else chosen),
    }


def system_document(system: ExternalSystem, owners: Owners) -> dict[str, Any]:
    """One configured system. Its parts are those of a preset; `groups` are those that stand for it."""
    operations = sorted(system.operations.select_related("probe", "wsdl"), key=lambda row: row.name)
    document: dict[str, Any] = {"name": system.name}
    if system.preset:
        document["preset"] = system.preset
    document["settings"] = hidden("settings", system.settings, secret_names(system))
    document["system"] = _system_fields(system)
    document["wsdls"] = {wsdl.name: written(wsdl) for wsdl in sorted(system.wsdls.all(), key=lambda row: row.name)}
    document["operations"] = {operation.name: operation_document(operation) for operation in operations}
    document["value_maps"] = value_maps_document(system)
    for section in SECTIONS:
        document[section.key] = section.export(system)
    document["processes"] = {
        owners.keys[process.pk]: process_document(process, system) for process in owners.of(system)
    }
    document["groups"] = {
        binding.group.code: _binding(binding, owners, system)
        for binding in owners.bindings
        if binding.system_id == system.pk
    }
    return document


def operation_document(operation: OperationTemplate) -> dict[str, Any]:
    """One operation template of a system."""
    document = written(operation)
    if operation.wsdl:
        document["wsdl"] = operation.wsdl.name
    if operation.probe:
        document["probe"] = operation.probe.name
    return document


def value_maps_document(system: ExternalSystem) -> dict[str, Any]:
    """The translations of a system by their kind, in an order that does not depend on how they were entered."""
    maps: dict[str, list[dict[str, Any]]] = {}
    # Sorted here: databases do not agree on the order of texts.
    for row in sorted(system.value_mappings.all(), key=lambda row: (row.kind, row.ours, row.theirs, row.way)):
        document = written(row)
        maps.setdefault(row.kind, []).append({"ours": row.ours, **document})
    return maps


def process_document(process: Process, system: ExternalSystem | None) -> dict[str, Any]:
    """A process with its steps. What is another system's is named with that system's code: acme/create_ticket."""
    document: dict[str, Any] = {}
    if system is not None and not process.name.startswith(f"{system.name}: "):
        document["name"] = process.name
    return {**document, **written_process(process), "steps": [_step(step, system) for step in process.steps.all()]}


def written_process(process: Process) -> dict[str, Any]:
    """The fields of a process but its name, which is its key."""
    return {"description": process.description} if process.description else {}


def _step(step: Step, system: ExternalSystem | None) -> dict[str, Any]:
    document: dict[str, Any] = {"name": step.name, **written(step)}
    for name in ("operation", "wsdl", "probe"):
        row = getattr(step, name)
        if row is not None:
            document[name] = row.name if system and row.system_id == system.pk else f"{row.system.code}/{row.name}"
    if step.system:
        document["system"] = step.system.code
    return document


def _system_fields(system: ExternalSystem) -> dict[str, Any]:
    fields = written(system)
    if system.auth_login:
        fields["auth_login"] = system.auth_login.name
    return fields


def _binding(binding: GroupBinding, owners: Owners, system: ExternalSystem) -> dict[str, Any]:
    document: dict[str, Any] = {"name": binding.group.name, **written(binding)}
    for key, field in BOUND.items():
        process = getattr(binding, field)
        if process is not None:
            document[key] = owners.name_for(process, system)
    return document


def _bound_to(owners: Owners, system: ExternalSystem) -> set[int]:
    rows = [binding for binding in owners.bindings if binding.system_id == system.pk]
    return {getattr(row, f"{field}_id") for row in rows for field in BOUND.values()}


def _prefix(name: str, systems: Mapping[str, int]) -> tuple[str, int | None]:
    """The system after which a process is named: that with the longest name that fits."""
    fitting = [other for other in systems if name.startswith(f"{other}: ")]
    best = max(fitting, key=len, default="")
    return best, systems.get(best)
