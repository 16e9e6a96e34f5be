"""What a preset's parts are as objects of a system's document, so that a system can be compared with its original."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Model

from integrations.catalogue import rows
from integrations.catalogue.applying import Applied
from integrations.catalogue.building import absolute, document_of
from integrations.catalogue.checking import check_processes, check_system
from integrations.catalogue.difference import Change, change_of, objects_of_system
from integrations.catalogue.exporting import Owners, system_document
from integrations.catalogue.preset import Preset, load
from integrations.catalogue.reader import Reader
from integrations.models import (
    ExternalSystem,
    Hook,
    HookRule,
    OperationTemplate,
    Polling,
    PresetOrigin,
    Step,
    ValueMapping,
    WsdlDocument,
)
from tickets.models import Priority

# Fields of a system that are its own and never its preset's: where it is, and as whom we sign in.
ITS_OWN: Final = frozenset(
    {
        "base_url",
        "allowed_hosts",
        "allow_private",
        "verify_tls",
        "ca_bundle",
        "client_certificate",
        "auth_username",
        "oauth_token_url",
        "mail_to",
        "mail_senders",
        "mail_from",
    }
)
OF_ROWS: Final[Mapping[str, type[Model]]] = {"wsdls": WsdlDocument, "operations": OperationTemplate}


class Compared:
    """One part of a system: as it is, as it was when it came from its preset, as the preset of today has it."""

    def __init__(self, place: str, ours: Any, then: Any, now: Any) -> None:
        self.place, self.ours, self.then, self.now = place, ours, then, now

    @property
    def here(self) -> Change | None:
        """What was changed here since."""
        return change_of(self.place, self.then, self.ours) if self.then != self.ours else None

    @property
    def there(self) -> Change | None:
        """What the preset's newer version changed, where it is not so here already."""
        return change_of(self.place, self.then, self.now) if self.now not in (self.then, self.ours) else None

    @property
    def to_original(self) -> Change | None:
        """What taking over the original of today would do."""
        return change_of(self.place, self.ours, self.now) if self.now != self.ours else None


def remember(system: ExternalSystem, preset: Preset) -> PresetOrigin:
    """Keep the preset as it is today as what the system was made from."""
    origin, _created = PresetOrigin.objects.update_or_create(
        system=system,
        defaults={"preset": preset.code, "version": preset.version, "objects_then": original_objects(preset, system)},
    )
    return origin


def compare_with_original(system: ExternalSystem) -> list[Compared]:
    """All parts that differ from the original in any way. Raises `PresetProblem` where the catalogue lacks it."""
    origin = PresetOrigin.objects.filter(system=system).first()
    now = original_objects(load(system.preset), system)
    then = origin.objects_then if origin else now
    ours = current_objects(system)
    places = list(dict.fromkeys([*now, *then, *ours]))
    found = [Compared(place, ours.get(place), then.get(place), now.get(place)) for place in places]
    return [part for part in found if part.here or part.there or part.to_original]


def current_objects(system: ExternalSystem) -> dict[str, Any]:
    """The parts of a system that a preset may have."""
    document = system_document(system, Owners())
    del document["name"], document["settings"]
    document["groups"] = document["webhooks"] = {}
    for process in document["processes"].values():
        process.pop("name", None)
    for wsdl in document["wsdls"].values():
        wsdl["url"] = _relative(wsdl["url"], system.base_url)
    found = objects_of_system(document)
    return {**found, "system": {"system": _not_its_own(document["system"])}}


def original_objects(preset: Preset, system: ExternalSystem) -> dict[str, Any]:
    """The parts of a preset as the same objects, so that equal ones are equal; with the system's settings."""
    document = document_of(preset, name="", settings=system.settings)
    found: dict[str, Any] = {"system": {"system": _not_its_own(_fields(ExternalSystem, document["system"]))}}
    for part, model in OF_ROWS.items():
        found |= {f"{part}/{key}": _fields(model, row) for key, row in document.get(part, {}).items()}
    for kind, mappings in document.get("value_maps", {}).items():
        if rows_of_kind := _mappings(mappings):
            found[f"value_maps/{kind}"] = rows_of_kind
    for key, process in document.get("processes", {}).items():
        described = _text(process.get("description", ""))
        steps = [{"name": step["name"], **_fields(Step, step)} for step in process["steps"]]
        found[f"processes/{key}"] = {**({"description": described} if described else {}), "steps": steps}
    if document.get("polling"):
        found["polling"] = _fields(Polling, document["polling"])
    if document.get("hooks"):
        found["hooks"] = _hook(document["hooks"])
    return found


@transaction.atomic
def take_over(system: ExternalSystem, places: list[str]) -> list[str]:
    """Make these parts as the preset of today has them; those that it lacks are removed. Sentences about what to do
    then. Raises `PresetProblem` and `DocumentProblem`, and then nothing has changed."""
    reader = Reader(strips=True)
    applied = Applied(reader, system.code, _taken_over(system, places), "")
    applied.system_and_operations()
    applied.processes(system)
    applied.remove(system)
    reader.finish()
    check_system(reader, system, "")
    check_processes(reader, {f"processes/{key}": row for key, row in applied.rows.items()})
    reader.finish()
    _remember_parts(system, places)
    return applied.notes


def _taken_over(system: ExternalSystem, places: list[str]) -> dict[str, Any]:
    """The system's document with these parts as in the preset."""
    now = original_objects(load(system.preset), system)
    document = system_document(system, Owners())
    del document["groups"], document["webhooks"]
    for place in places:
        part, _slash, key = place.partition("/")
        if part == "system":
            own = {name: value for name, value in document["system"].items() if name in ITS_OWN}
            document["system"] = {**now["system"]["system"], **own}
        elif not key:
            document[part] = now.get(part, {})
        elif place in now:
            document[part][key] = _with_name(document[part].get(key), now[place])
        else:
            document[part].pop(key, None)
    for wsdl in document["wsdls"].values():
        wsdl["url"] = absolute(wsdl["url"], system.base_url)
    return document


def _remember_parts(system: ExternalSystem, places: list[str]) -> None:
    """These parts are the preset's of today from now on; when none of an older version is left, so is the whole."""
    preset = load(system.preset)
    origin = PresetOrigin.objects.filter(system=system).first() or remember(system, preset)
    now = original_objects(preset, system)
    for place in places:
        if place in now:
            origin.objects_then[place] = now[place]
        else:
            origin.objects_then.pop(place, None)
    if origin.objects_then == now:
        origin.version = preset.version
    origin.save()


def _with_name(former: Any, now: Any) -> Any:
    """A process keeps the name that it has here."""
    if isinstance(former, dict) and isinstance(now, dict) and "steps" in now and "name" in former:
        return {"name": former["name"], **now}
    return now


def _not_its_own(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in ITS_OWN}


def _fields(model: type[Model], row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row in the model's order, without those that are as they would be by themselves."""
    plain = {field.name: field for field in rows.plain_fields(model)}
    found = {}
    for name, field in plain.items():
        if name in row:
            value = _text(row[name])
            value = str(value) if isinstance(value, int) and field.get_internal_type() in TEXTS else value
            if rows.is_needed(field) or value != field.get_default():
                found[name] = value
    relations = {name: row[name] for name in row if name not in plain and name != "name" and row[name] is not None}
    return {**found, **relations}


def _relative(url: str, base_url: str) -> str:
    """An address below the system's as a preset writes it."""
    base = base_url.rstrip("/")
    return url.removeprefix(base) if url.startswith((f"{base}/", f"{base}?")) else url


TEXTS: Final = ("CharField", "TextField", "URLField", "SlugField")


def _hook(document: Mapping[str, Any]) -> dict[str, Any]:
    """A webhook as `hook_document` writes it."""
    given = {name: value for name, value in document.items() if name != "rules"}
    fields = {"authentication": Hook._meta.get_field("authentication").get_default(), **_fields(Hook, given)}
    return {**fields, "rules": [_fields(HookRule, rule) for rule in document.get("rules") or []]}


def _mappings(mappings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for row in mappings:
        ours = row.get("ours", "")
        if isinstance(ours, dict):
            known = Priority.objects.filter(rank=int(ours["rank"])).first()
            if known is None:
                continue
            ours = known.code
        fields = _fields(ValueMapping, {**row, "ours": ours})
        found.append({"ours": str(ours), **fields})
    return sorted(found, key=lambda row: (row["ours"], row["theirs"], row.get("way", "both")))


def _text(value: Any) -> Any:
    return value.rstrip("\n") if isinstance(value, str) else value
