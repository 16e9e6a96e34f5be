"""Processes and the groups' integrations of a document into the database."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from integrations.catalogue import rows
from integrations.catalogue.exporting import BOUND
from integrations.catalogue.reader import Reader
from integrations.catalogue.saving import save_changed
from integrations.models import ExternalSystem, GroupBinding, OperationTemplate, Process, Step, WsdlDocument
from tickets.models import AssignmentGroup

CALLED: Mapping[str, Any] = {"operation": OperationTemplate, "probe": OperationTemplate, "wsdl": WsdlDocument}


def apply_processes(
    reader: Reader,
    system: ExternalSystem | None,
    documents: Mapping[str, dict[str, Any]],
    place: str,
    *,
    former: str = "",
) -> dict[str, Process]:
    """Processes with their steps; their rows by key. `former` is the system's name until now: they follow it."""
    found = {}
    for key, document in documents.items():
        at = f"{place}/{key}"
        reader.only_known(document, at, {"name", "description", "steps"})
        prefixed = f"{system.name}: {key}" if system else key
        name = reader.text(document["name"], f"{at}/name") if "name" in document else prefixed
        process = Process.objects.filter(name=name).first()
        if process is None and system and former and "name" not in document:
            process = Process.objects.filter(name=f"{former}: {key}").first()
        values = {"name": name, "description": reader.text(document.get("description", ""), f"{at}/description")}
        process = process or Process()
        save_changed(reader, process, values, at)
        if process.pk:
            found[key] = process
            _steps(reader, system, process, reader.rows(document.get("steps"), f"{at}/steps"), f"{at}/steps")
    return found


def apply_groups(
    reader: Reader,
    system: ExternalSystem,
    documents: Mapping[str, dict[str, Any]],
    place: str,
    processes: Mapping[str, Process],
) -> None:
    """The groups that stand for the system. A group that does not exist is made; one that does keeps its name."""
    for code, document in documents.items():
        at = f"{place}/{code}"
        values = rows.read(reader, GroupBinding, document, at, further={"name", *BOUND})
        values["system"] = system
        for key, field in BOUND.items():
            values[field] = _process(reader, processes, document.get(key), f"{at}/{key}")
        group = AssignmentGroup.objects.filter(code=code).select_related("binding").first()
        if group is None:
            group = AssignmentGroup(code=code, name=reader.text(document.get("name", code), f"{at}/name"))
            if not reader.valid(group, at):
                continue
            group.save()
        save_changed(reader, getattr(group, "binding", None) or GroupBinding(group=group), values, at)


def _process(reader: Reader, processes: Mapping[str, Process], name: Any, place: str) -> Process | None:
    """A process by its key in the document, or by its whole name."""
    if name is None:
        return None
    text = reader.text(name, place)
    found = processes.get(text) or Process.objects.filter(name=text).first()
    if found is None:
        reader.wrong(place, _('there is no "%(name)s".') % {"name": text})
    return found


def _steps(
    reader: Reader, system: ExternalSystem | None, process: Process, documents: list[dict[str, Any]], place: str
) -> None:
    existing = {step.name: step for step in process.steps.select_related("operation", "wsdl", "probe", "system")}
    names = [reader.text(row.get("name"), f"{place}/{number}/name") for number, row in enumerate(documents, start=1)]
    for name in {name for name in names if names.count(name) > 1}:
        reader.wrong(place, _('"%(name)s" is given twice.') % {"name": name})
        return
    for name, step in existing.items():
        if name not in names:
            step.delete()
    # Steps that stand in the right order keep their positions, whatever these are.
    in_order = [name for name in existing if name in names] == names
    for position, (name, document) in enumerate(zip(names, documents, strict=True), start=1):
        at = f"{place}/{position}"
        values = rows.read(reader, Step, document, at, further={"name", "system", *CALLED})
        for field, model in CALLED.items():
            values[field] = _called(reader, system, model, document.get(field), f"{at}/{field}")
        values["system"] = _system(reader, document.get("system"), f"{at}/system")
        if not in_order:
            values["position"] = position
        save_changed(reader, existing.get(name) or Step(process=process, name=name), values, at)


def _called(reader: Reader, system: ExternalSystem | None, model: Any, name: Any, place: str) -> Any:
    """A row of the system by its name, or one of another system as its code/name."""
    if name is None:
        return None
    text = reader.text(name, place)
    code, _slash, theirs = text.partition("/")
    found = model.objects.filter(system=system, name=text).first() if system else None
    found = found or model.objects.filter(system__code=code, name=theirs).first()
    if found is None:
        reader.wrong(place, _('there is no "%(name)s".') % {"name": text})
    return found


def _system(reader: Reader, code: Any, place: str) -> ExternalSystem | None:
    if code is None:
        return None
    text = reader.text(code, place)
    found = ExternalSystem.objects.filter(code=text).first()
    if found is None:
        reader.wrong(place, _('there is no "%(name)s".') % {"name": text})
    return found
