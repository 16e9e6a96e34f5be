"""The catalogue: which desks there are, what each brings, how far each was tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from integrations.admin.catalogue.base import READS, Screen
from integrations.admin.history_words import said
from integrations.admin.look import Look, chip
from integrations.catalogue import Preset, PresetProblem, codes, load
from integrations.levels import FUNCTIONS, Level
from integrations.models import Authentication, Hook, Polling, ValueKind, ValueWay
from integrations.models.processes import StepKind
from integrations.their_values import our_values

LEVELS = (Level.FULL, Level.STATUS_SYNC, Level.LOG_ONLY)


@dataclass(frozen=True)
class Offer:
    """A preset as the catalogue shows it. A preset that cannot be read is shown with its `problem`."""

    code: str
    preset: Preset | None = None
    problem: str = ""

    @property
    def level(self) -> Level:
        """The highest level for which it has all operations."""
        if self.preset is None:
            return Level.NONE
        names = set(self.preset.operations)
        return next((level for level in LEVELS if not lacking(names, level)), Level.NONE)

    @property
    def level_chip(self) -> SafeString:
        """That level in a word."""
        if self.level == Level.NONE:
            return chip(_("No level by itself"), Look("", "tune"))
        return chip(Level(self.level).label, Look("good", "signal_cellular_alt"))

    @property
    def tried_chip(self) -> SafeString:
        """How far it was tried, in a word."""
        if self.preset is None:
            return chip(_("Cannot be read"), Look("bad", "error"))
        if self.preset.tried == "real":
            return chip(_("Tried against a real one"), Look("good", "verified"))
        if self.preset.tried == "untried":
            return chip(_("Not tried"), Look("doubt", "question_mark"))
        return chip(_("Tried against its documented contract"), Look("wait", "menu_book"))


def lacking(operations: set[str], level: str) -> list[Any]:
    """The functions of the matrix that these operations do not give and the level needs."""
    return [row for row in FUNCTIONS if level in row.must and not operations & set(row.operations)]


def offers() -> list[Offer]:
    """All presets of the catalogue, by name."""
    found = []
    for code in codes():
        try:
            found.append(Offer(code, load(code)))
        except PresetProblem as problem:
            found.append(Offer(code, problem=str(problem)))
    return sorted(found, key=lambda offer: (offer.preset.name if offer.preset else offer.code).casefold())


class Catalogue(Screen):
    """All desks that can be added, to be searched and filtered."""

    needs = READS

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list; q, level and tried narrow it."""
        words = request.GET.get("q", "").strip()[:100].casefold().split()
        level, tried = request.GET.get("level", ""), request.GET.get("tried", "")
        everything = offers()
        found = [offer for offer in everything if self._fits(offer, words, level, tried)]
        return self.page(
            request,
            "list.html",
            title=_("Catalogue of desks"),
            offers=found,
            in_all=len(everything),
            q=request.GET.get("q", "")[:100],
            level=level,
            tried=tried,
            levels=[(value, Level(value).label) for value in LEVELS],
        )

    def _fits(self, offer: Offer, words: list[str], level: str, tried: str) -> bool:
        if offer.preset is None:
            return not (words or level or tried)
        text = f"{offer.code} {offer.preset.name} {offer.preset.summary}".casefold()
        return (
            all(word in text for word in words)
            and (not level or offer.level == level)
            and (not tried or offer.preset.tried == tried)
        )


class OfPreset(Screen):
    """One desk of the catalogue: what adding it brings."""

    needs = READS

    def get(self, request: HttpRequest, preset: str) -> HttpResponse:
        """Everything that is in the preset, in words."""
        offer = next((offer for offer in offers() if offer.code == preset), None)
        if offer is None:
            raise Http404
        found = offer.preset
        return self.page(
            request,
            "preset.html",
            title=found.name if found else offer.code,
            offer=offer,
            preset=found,
            functions=_functions(found) if found else [],
            value_maps=_value_maps(found) if found else [],
            authentication=_authentication(found) if found else "",
            steps=_processes(found) if found else [],
            polling=_in_words(Polling, found.polling) if found else [],
            hooks=_in_words(Hook, found.hooks) if found else [],
            rules=found.hooks.get("rules", []) if found else [],
        )


def _in_words(model: type[Model], values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields of a preset as the form of that model names them."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    return [
        (capfirst(str(fields[name].verbose_name)), said(fields[name], value))
        for name, value in values.items()
        if name in fields
    ]


def _functions(preset: Preset) -> list[dict[str, Any]]:
    """The matrix of functions with the preset's operations, and its other operations below."""
    rows = []
    told = set()
    for row in FUNCTIONS:
        here = [name for name in row.operations if name in preset.operations]
        told |= set(here)
        needed = [Level(level).label for level in row.must]
        rows.append({"label": row.label, "operations": [(n, _line(preset, n)) for n in here], "needed": needed})
    others = [(name, _line(preset, name)) for name in preset.operations if name not in told]
    return [*rows, {"label": _("Further operations"), "operations": others, "needed": []}] if others else rows


def _line(preset: Preset, name: str) -> str:
    """What an operation calls."""
    row = preset.operations[name]
    if row.get("protocol") == "soap":
        return f"SOAP {row.get('soap_operation') or row.get('path', '')}"
    return f"{row.get('method', 'POST')} {row.get('path', '')}"


def _value_maps(preset: Preset) -> list[tuple[Any, list[dict[str, Any]]]]:
    found = []
    for kind, rows in preset.value_maps.items():
        shown = []
        names = dict(our_values(kind)) if kind == ValueKind.STATUS else {}
        for row in rows:
            ours = row.get("ours", "")
            if isinstance(ours, dict):
                ours = _("rank %(rank)s") % {"rank": ours.get("rank")}
            way = ValueWay(row.get("way", ValueWay.BOTH)).label
            shown.append({**row, "ours": names.get(ours, ours), "way": way})
        found.append((ValueKind(kind).label if kind in ValueKind.values else kind, shown))
    return found


def _authentication(preset: Preset) -> str:
    kind = preset.system.get("auth_kind", "none")
    return str(Authentication(kind).label) if kind in Authentication.values else str(kind)


def _processes(preset: Preset) -> list[dict[str, Any]]:
    found = []
    for key, process in preset.processes.items():
        steps = [
            {**step, "kind_label": StepKind(step["kind"]).label if step.get("kind") in StepKind.values else ""}
            for step in process.get("steps", [])
        ]
        bound = [event for event, name in preset.bindings.items() if name == key]
        found.append({"key": key, "description": process.get("description", ""), "steps": steps, "bound": bound})
    return found
