"""Presets: reading a desk's YAML file, strictly, so that a wrong word in it is told and not ignored."""

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.catalogue.yaml_text import YamlProblem
from integrations.catalogue.yaml_text import load as load_yaml

FOLDER: Final = Path(__file__).parent / "presets"
# "untried" is what an exported one says, until somebody has tried it and writes so.
TRIED: Final = ("real", "contract", "untried")


class PresetProblem(Exception):
    """The document cannot be used; `str()` says what is wrong with it, and where."""


@dataclass(frozen=True)
class Preset:
    """A desk of the catalogue. `tried` is how far: against a real one, against its documented contract, or not.

    `settings` are asked when it is added: name -> label, default, help. `test` is the operation that tries address
    and credentials: it reads, and needs nothing to be there. The other parts are the rows of one external system by
    their natural keys, as the YAML file has them.
    """

    code: str
    name: str
    version: int
    summary: str
    source: str
    tried: str
    tried_note: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    test: str = ""
    system: dict[str, Any] = field(default_factory=dict)
    wsdls: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    value_maps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)
    bindings: dict[str, str] = field(default_factory=dict)
    polling: dict[str, Any] = field(default_factory=dict)
    hooks: dict[str, Any] = field(default_factory=dict)

    @property
    def calls(self) -> bool:
        """Whether it calls the desk at all: one that is reached by mail alone has no address."""
        return bool(self.operations)

    @property
    def mails(self) -> bool:
        """Whether its processes send mail to the desk."""
        return any(step.get("kind") == "mail" for row in self.processes.values() for step in row.get("steps", []))


def files() -> dict[str, Path]:
    """The files of the catalogue by the codes of their presets. An operator's own stands before ours of that code."""
    folders = (FOLDER, Path(settings.CATALOGUE_DIR))
    return {path.stem: path for folder in folders for path in folder.glob("*.yaml")}


def codes() -> list[str]:
    """The codes of all presets, sorted."""
    return sorted(files())


@cache
def load(code: str) -> Preset:
    """The preset with this code. Raises `PresetProblem`."""
    file = files().get(code)
    if file is None:
        raise PresetProblem(_('The catalogue has no preset "%(code)s".') % {"code": code})
    try:
        preset = read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PresetProblem(_("The file cannot be read: %(reason)s") % {"reason": error}) from error
    if preset.code != code:
        raise PresetProblem(
            _('The file of "%(code)s" says that it is "%(other)s".') % {"code": code, "other": preset.code}
        )
    return preset


def read(text: str) -> Preset:
    """A preset from its YAML text. Raises `PresetProblem`."""
    try:
        document = load_yaml(text, our_own=True)
    except YamlProblem as error:
        raise PresetProblem(str(error)) from error
    if not isinstance(document, dict):
        raise PresetProblem(_("The document is not a mapping."))
    unknown = sorted(str(key) for key in set(document) - {"preset", *(part.name for part in fields(Preset))})
    if unknown:
        raise PresetProblem(_("Not known: %(keys)s.") % {"keys": ", ".join(unknown)})
    if document.get("tried") not in TRIED:
        raise PresetProblem(_("tried is real, contract or untried."))
    try:
        given = {key: value for key, value in document.items() if value is not None and key != "preset"}
        return Preset(code=document["preset"], **given)
    except (KeyError, TypeError) as error:
        raise PresetProblem(_("Something is missing: %(reason)s") % {"reason": error}) from error
