"""A second system of the same kind, with processes of its own; without secrets, keys, groups, outgoing webhooks."""

from django.db import transaction

from integrations.catalogue.applying import Applied
from integrations.catalogue.checking import check_processes, check_system
from integrations.catalogue.exporting import Owners, system_document
from integrations.catalogue.reader import DocumentProblem, Reader
from integrations.models import ExternalSystem, PresetOrigin, Setup, WsdlDocument


@transaction.atomic
def clone(system: ExternalSystem, *, name: str, code: str) -> ExternalSystem:
    """The second system, switched off, at the guided form's first step. Raises `DocumentProblem`.

    Its processes are copies that call its own operations: those of the first would go on to call the first. Processes
    that serve several systems are not copied.
    """
    document = system_document(system, Owners())
    document["name"] = name
    # Outgoing webhooks lead to the first desk.
    document["groups"] = document["webhooks"] = {}
    for process in document["processes"].values():
        process.pop("name", None)
        for step in process["steps"]:
            if step.get("system") == system.code:
                step["system"] = code
    reader = Reader()
    applied = Applied(reader, code, document, "", begins={"active": False})
    made = applied.system_and_operations()
    if made is None:
        raise DocumentProblem(reader.problems)
    _copy_documents(system, made)
    applied.processes(made)
    reader.finish()
    check_system(reader, made, "")
    check_processes(reader, {f"processes/{key}": row for key, row in applied.rows.items()})
    reader.finish()
    origin = PresetOrigin.objects.filter(system=system).first()
    if origin is not None:
        PresetOrigin.objects.create(
            system=made, preset=origin.preset, version=origin.version, objects_then=origin.objects_then
        )
    Setup.objects.create(system=made)
    return made


def _copy_documents(system: ExternalSystem, made: ExternalSystem) -> None:
    """What was fetched of the WSDLs: it is the same until somebody changes the address."""
    fetched = {wsdl.name: wsdl for wsdl in system.wsdls.exclude(fetched_at=None)}
    copies = []
    for wsdl in WsdlDocument.objects.filter(system=made, name__in=fetched):
        wsdl.documents, wsdl.fetched_at = fetched[wsdl.name].documents, fetched[wsdl.name].fetched_at
        copies.append(wsdl)
    WsdlDocument.objects.bulk_update(copies, ["documents", "fetched_at"])
