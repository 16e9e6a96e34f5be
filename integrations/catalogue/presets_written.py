"""A system as an entry for a catalogue: what is particular to one place is left out."""

from typing import Any

from integrations.catalogue.exporting import BOUND, Owners, system_document
from integrations.catalogue.originals import ITS_OWN
from integrations.catalogue.preset import Preset, PresetProblem, load
from integrations.catalogue.trials import trials
from integrations.models import ExternalSystem, GroupBinding


def preset_document(system: ExternalSystem) -> dict[str, Any]:
    """The system as a preset's file. What people wrote about its original is kept; how far it was tried is not
    known of a changed one, so that the file says so."""
    original = _original(system)
    owners = Owners()
    document = system_document(system, owners)
    fields = {name: value for name, value in document["system"].items() if name not in ITS_OWN}
    asked = original.settings if original else {}
    settings = {
        name: {**asked.get(name, {"label": name.replace("_", " ").capitalize()}), "default": value}
        for name, value in document["settings"].items()
    }
    for process in document["processes"].values():
        process.pop("name", None)
    described = {
        "preset": system.code,
        "name": original.name if original else system.name,
        "version": original.version + 1 if original else 1,
        "summary": original.summary if original else "",
        "source": original.source if original else "",
        "tried": "untried",
        "tried_note": "Exported from a running system; not tried since.",
        "settings": settings,
        **({"test": offered[0].name} if (offered := trials(system)) else {}),
        "system": fields,
    }
    left_out = {"name", "preset", "settings", "system", "groups", "webhooks"}
    parts = {name: part for name, part in document.items() if name not in left_out and part}
    bindings = _bindings(system, owners) or (original.bindings if original else {})
    return {**described, **parts, **({"bindings": bindings} if bindings else {})}


def _bindings(system: ExternalSystem, owners: Owners) -> dict[str, str]:
    """By which processes the system's first group is bound."""
    binding = GroupBinding.objects.filter(system=system).order_by("pk").first()
    if binding is None:
        return {}
    bound = {key: getattr(binding, field) for key, field in BOUND.items()}
    return {key: owners.name_for(process, system) for key, process in bound.items() if process is not None}


def _original(system: ExternalSystem) -> Preset | None:
    try:
        return load(system.preset) if system.preset else None
    except PresetProblem:
        return None
