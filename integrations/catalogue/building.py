"""An external system with all that belongs to it, made of a preset."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.catalogue.applying import PARTS, Applied
from integrations.catalogue.checking import check_processes, check_system
from integrations.catalogue.preset import Preset, PresetProblem
from integrations.catalogue.reader import DocumentProblem, Reader
from integrations.levels import lacks_for_level
from integrations.models import ExternalSystem, Polling, PollingKind

# Changes that a desk commits late, or that its nodes date by clocks of their own, are seen within this time.
DEFAULT_OVERLAP_SECONDS = 120
SETTING: Final = re.compile(r"\{([a-z_]+)\}")


def add(
    preset: Preset,
    *,
    name: str,
    code: str,
    base_url: str,
    username: str = "",
    secret: str = "",
    settings: Mapping[str, str] | None = None,
    **fields: Any,
) -> ExternalSystem:
    """A new external system as the preset describes it, at this address, with these credentials.

    `settings` take the place of the preset's defaults; `fields` those of its fields of the system (level, active,
    allow_private ...). It is active unless `fields` say otherwise, or it lacks what its level needs. Raises
    `PresetProblem`, which names each fault of the preset, or of the values given, with its place.
    """
    document = document_of(preset, name=name, base_url=base_url, settings=settings)
    begins = {"active": True, "auth_username": username, "auth_secret": secret, **fields}
    reader = Reader(strips=True)
    try:
        with transaction.atomic():
            return _made(reader, Applied(reader, code, document, "", begins=begins))
    except DocumentProblem as problem:
        raise PresetProblem(str(problem)) from problem


def _made(reader: Reader, applied: Applied) -> ExternalSystem:
    if ExternalSystem.objects.filter(code=applied.code).exists():
        reader.wrong("code", _('"%(code)s" is taken.') % {"code": applied.code})
        reader.finish()
    system = applied.system_and_operations()
    if system is None:
        raise DocumentProblem(reader.problems)
    applied.processes(system)
    reader.finish()
    check_system(reader, system, "")
    check_processes(reader, {f"processes/{key}": row for key, row in applied.rows.items()})
    reader.finish()
    if system.active and lacks_for_level(system):
        system.active = False
        system.save(update_fields=["active"])
    return system


def document_of(
    preset: Preset, *, name: str, base_url: str = "", settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The document of a system that is made of the preset: with its name, and values for what the preset asks."""
    values = {key: str(asked.get("default", "")) for key, asked in preset.settings.items()} | dict(settings or {})
    system = {**preset.system, **({"base_url": base_url} if base_url else {})}
    wsdls = {key: {**row, "url": absolute(str(row.get("url", "")), base_url)} for key, row in preset.wsdls.items()}
    polling = {"polling": polling_of(preset, values)} if preset.polling else {}
    parts = ("operations", "value_maps", "processes", "hooks")
    return {
        "name": name,
        "preset": preset.code,
        "settings": values,
        "system": system,
        **({"wsdls": wsdls} if wsdls else {}),
        **{part: getattr(preset, part) for part in parts if getattr(preset, part) and part in PARTS},
        **polling,
    }


def polling_of(preset: Preset, settings: Mapping[str, str]) -> dict[str, Any]:
    """How the desk is asked for news: by its operations, unless the preset names another kind.

    What a preset gives in seconds is kept in milliseconds. `{tenant}` in its texts is the setting of this name;
    without one the whole text is empty.
    """
    row = {name: _filled_in(name, value, settings) for name, value in preset.polling.items()}
    values = {"kind": PollingKind.OPERATIONS.value, "overlap_ms": DEFAULT_OVERLAP_SECONDS * 1000, **row}
    if "overlap_seconds" in values:
        values["overlap_ms"] = int(values.pop("overlap_seconds")) * 1000
    return values


def _filled_in(field: str, value: Any, settings: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    needed = SETTING.findall(value)
    if not all(settings.get(name) for name in needed):
        return ""
    in_address = field == "path"
    return SETTING.sub(
        lambda found: quote(settings[found.group(1)], safe="") if in_address else settings[found.group(1)], value
    )


def fill_polling(system: ExternalSystem, preset: Preset) -> None:
    """What the polling of a system still lacks, from settings that were entered since it was made."""
    polling = Polling.objects.filter(system=system).first()
    if polling is None or not preset.polling:
        return
    for name, value in polling_of(preset, system.settings).items():
        if value and getattr(polling, name) == "":
            setattr(polling, name, value)
    polling.save()


def absolute(url: str, base_url: str) -> str:
    """The address of a WSDL; where it begins with a slash or a question mark, it is below the system's."""
    return f"{base_url.rstrip('/')}{url}" if base_url and url.startswith(("/", "?")) else url


def process_name(system: ExternalSystem, key: str) -> str:
    """What a preset's process is called: processes of all systems share one list."""
    return f"{system.name}: {key}"
