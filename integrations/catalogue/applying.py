"""A document of one external system into the database: what differs is written, what is the same is left alone.

Whoever calls this holds one transaction, and rolls it back where the reader has found anything wrong.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import ProtectedError, Q, QuerySet
from django.utils.translation import gettext as _

from integrations.catalogue import rows
from integrations.catalogue.applying_processes import apply_groups, apply_processes
from integrations.catalogue.exporting import BOUND
from integrations.catalogue.hiding import hidden, restored
from integrations.catalogue.reader import Reader
from integrations.catalogue.rows import secret_names
from integrations.catalogue.saving import save_changed
from integrations.catalogue.sections import SECTIONS
from integrations.levels import lacks_for_level
from integrations.models import (
    ExternalSystem,
    GroupBinding,
    OAuthToken,
    OperationTemplate,
    Process,
    Step,
    ValueKind,
    ValueMapping,
    WsdlDocument,
)
from integrations.transports.addresses import origin_of
from tickets.models import Priority

# Where the secrets of a system are sent to.
CARRY_SECRETS: Final = ("base_url", "oauth_token_url")
PARTS: Final = (
    "name",
    "preset",
    "settings",
    "system",
    "wsdls",
    "operations",
    "value_maps",
    *(section.key for section in SECTIONS),
    "processes",
    "groups",
)


class Applied:
    """One system while its document is carried out. `notes` are sentences for whoever started it.

    `begins` are fields of a new system that no document holds, its credentials among them; where they are given,
    whether all fields fit together is not asked: a person has to enter the rest.
    """

    def __init__(
        self,
        reader: Reader,
        code: str,
        document: Mapping[str, Any],
        place: str,
        *,
        begins: Mapping[str, Any] | None = None,
    ) -> None:
        self.reader, self.code, self.place, self.begins = reader, code, place, begins
        self.document = dict(document)
        self.notes: list[str] = []
        self.former_name = ""
        self.changed = False
        self.rows: dict[str, Process] = {}
        reader.only_known(self.document, place, PARTS)

    def at(self, *parts: str) -> str:
        """A place in the document."""
        return "/".join(part for part in (self.place, *parts) if part)

    def part(self, name: str) -> dict[str, dict[str, Any]] | None:
        """A part that is a mapping of mappings; None where the document leaves it out."""
        if self.document.get(name) is None:
            return None
        part = self.reader.mapping(self.document[name], self.at(name))
        return {key: self.reader.mapping(value, self.at(name, key)) for key, value in part.items()}

    def system_and_operations(self) -> ExternalSystem | None:
        """First of four: the system with its operations, which processes of other systems may call, too.

        None where it cannot be made at all.
        """
        system = self._system()
        if system is None:
            return None
        self._wsdls(system)
        self._operations(system)
        self._login(system)
        self._value_maps(system)
        for section in SECTIONS:
            if self.document.get(section.key) is not None:
                part = self.reader.part(self.document, section.key, self.place)
                whole = self.begins is None
                self.notes += section.apply(self.reader, system, part, self.at(section.key), whole)
        return system

    def processes(self, system: ExternalSystem) -> None:
        """Second: what is done with the operations."""
        given = self.part("processes") or {}
        place = self.at("processes")
        self.rows = apply_processes(self.reader, system, given, place, former=self.former_name)

    def groups(self, system: ExternalSystem) -> None:
        """Third: which groups stand for it, by which processes."""
        apply_groups(self.reader, system, self.part("groups") or {}, self.at("groups"), self.rows)

    def remove(self, system: ExternalSystem) -> None:
        """Last: operations and WSDLs that the document does not have, as nothing needs them any more."""
        self._remove("operations", system.operations)
        if system.active and (lacks := lacks_for_level(system)):
            self.reader.wrong(self.at("operations"), lacks)
        self._remove("wsdls", system.wsdls)

    def _system(self) -> ExternalSystem | None:
        system = ExternalSystem.objects.filter(code=self.code).first()
        is_new = system is None
        if system is None:
            system = ExternalSystem(code=self.code, active=False)
        before = copy.copy(system)
        self.former_name = system.name
        given = self.reader.part(self.document, "system", self.place)
        values = rows.read(self.reader, ExternalSystem, given, self.at("system"), further={"auth_login"})
        values["name"] = self.reader.text(self.document.get("name") or "", self.at("name"))
        values["preset"] = self.reader.text(self.document.get("preset") or "", self.at("preset"))
        values["settings"] = self.reader.texts(self.document.get("settings") or {}, self.at("settings"))
        if is_new:
            words = _("%(name)s is new. It is switched off until somebody enters its credentials and activates it.")
            self.notes.append(words % {"name": values["name"]})
        elif any(_leads_elsewhere(system, values, name) for name in CARRY_SECRETS) and _forget_secrets(system):
            # Otherwise whoever may import could have the secret sent to a host of their own.
            self.reader.moved.append(system)
            values |= {"auth_secret": "", "active": False}
            words = _("%(name)s is at another host now: its stored secrets are removed, and it is switched off.")
            self.notes.append(words % {"name": values["name"]})
        # Of a new one the login request is not there yet; whether all fits together is seen when it is.
        values |= self.begins or {}
        save_changed(self.reader, system, values, self.at("system"), whole=is_new and self.begins is None)
        self.changed = is_new or any(getattr(before, name) != value for name, value in values.items())
        return system if system.pk else None

    def _wsdls(self, system: ExternalSystem) -> None:
        existing = {wsdl.name: wsdl for wsdl in system.wsdls.all()}
        for name, given in (self.part("wsdls") or {}).items():
            place = self.at("wsdls", name)
            values = rows.read(self.reader, WsdlDocument, given, place)
            wsdl = existing.get(name) or WsdlDocument(system=system, name=name)
            if wsdl.pk and system not in self.reader.moved:
                values["url"] = restored("url", values.get("url", ""), wsdl.url, secret_names(wsdl))
            if values.get("url") != wsdl.url:
                # The stored documents are found by the address that they came from.
                values |= {"documents": {}, "fetched_at": None}
                words = _("The WSDL %(name)s of %(system)s has to be fetched: open it and press Fetch.")
                self.notes.append(words % {"name": name, "system": system.name})
            save_changed(self.reader, wsdl, values, place)

    def _operations(self, system: ExternalSystem) -> None:
        wsdls = {wsdl.name: wsdl for wsdl in system.wsdls.all()}
        existing = {operation.name: operation for operation in system.operations.select_related("probe", "wsdl")}
        given = self.part("operations") or {}
        # Those that look whether others arrived come first.
        for name in sorted(given, key=lambda name: bool(given[name].get("probe"))):
            place = self.at("operations", name)
            further = {"probe", "wsdl"}
            values = rows.read(self.reader, OperationTemplate, given[name], place, further=further)
            values["wsdl"] = self._named(wsdls, given[name].get("wsdl"), f"{place}/wsdl")
            probe = given[name].get("probe")
            if probe is not None and not isinstance(probe, str):
                self.reader.wrong(f"{place}/probe", _('there is no "%(name)s".') % {"name": probe})
                given[name]["probe"] = probe = None
            if probe is None or probe in existing or probe not in given:
                values["probe"] = self._named(existing, probe, f"{place}/probe")
            operation = existing.get(name) or OperationTemplate(system=system, name=name)
            existing[name] = save_changed(self.reader, operation, values, place)
        for name, row in given.items():
            if row.get("probe") in given:
                probe_place = self.at("operations", name, "probe")
                save_changed(self.reader, existing[name], {"probe": existing[row["probe"]]}, probe_place)

    def _login(self, system: ExternalSystem) -> None:
        given = self.reader.part(self.document, "system", self.place).get("auth_login")
        operations = {operation.name: operation for operation in system.operations.all()}
        login = self._named(operations, given, self.at("system", "auth_login"))
        save_changed(self.reader, system, {"auth_login": login}, self.at("system"), whole=self.begins is None)
        if self.changed and self.begins is None and not self.reader.problems:
            self.reader.valid(system, self.at("system"))

    def _value_maps(self, system: ExternalSystem) -> None:
        if self.document.get("value_maps") is None:
            return
        part = self.reader.part(self.document, "value_maps", self.place)
        existing = {(row.kind, row.ours, row.theirs, row.way): row for row in system.value_mappings.all()}
        wanted: dict[tuple[str, str, str, str], tuple[dict[str, Any], str]] = {}
        for kind, given in part.items():
            if kind not in ValueKind.values:
                self.reader.wrong(self.at("value_maps"), _('Not known: "%(name)s".') % {"name": kind})
            for number, row in enumerate(self.reader.rows(given, self.at("value_maps", kind)), start=1):
                place = self.at("value_maps", kind, str(number))
                ours = self._ours(row.get("ours", ""), place)
                if ours is None:
                    continue
                values = rows.read(self.reader, ValueMapping, {**row, "ours": ours}, place)
                if "theirs" in values:
                    wanted[(kind, values["ours"], values["theirs"], values["way"])] = (values, place)
        for key, mapping in existing.items():
            if key not in wanted:
                mapping.delete()
        for key, (values, place) in wanted.items():
            save_changed(self.reader, existing.get(key) or ValueMapping(system=system, kind=key[0]), values, place)

    def _ours(self, ours: Any, place: str) -> Any:
        """Our code that a translation names, or that has the rank it names; None where no priority has that rank."""
        if not isinstance(ours, dict):
            return ours
        rank = self.reader.number(ours.get("rank"), f"{place}/ours/rank")
        found = Priority.objects.filter(rank=rank).first()
        return found.code if found else None

    def _remove(self, part: str, manager: Any) -> None:
        """Rows of the system that its document does not have."""
        given = self.part(part)
        if given is None:
            return
        for row in manager.exclude(name__in=given):
            try:
                row.delete()
            except ProtectedError as error:
                users = ", ".join(sorted({str(user) for user in error.protected_objects})[:5])
                words = _('"%(name)s" cannot be removed, as it is used: %(users)s.')
                self.reader.wrong(self.at(part), words % {"name": row.name, "users": users})

    def _named(self, existing: Mapping[str, Any], name: Any, place: str) -> Any:
        if name in (None, ""):
            return None
        found = existing.get(name) if isinstance(name, str) else None
        if found is None:
            self.reader.wrong(place, _('there is no "%(name)s".') % {"name": name})
        return found if found is not None and found.pk else None


def _forget_secrets(system: ExternalSystem) -> bool:
    """Remove what is kept of secrets but for the system's own; whether there was any, that one included."""
    found = bool(system.auth_secret)
    found |= bool(OAuthToken.objects.filter(system=system).delete()[0])
    for row in (*system.operations.all(), *_steps_that_call(system), *system.wsdls.all()):
        without = {field.name: getattr(row, field.name) for field in rows.plain_fields(type(row))}
        changed = {
            name: safe for name, value in without.items() if (safe := hidden(name, value, secret_names(row))) != value
        }
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            row.save()
            found = True
    return found


def _steps_that_call(system: ExternalSystem) -> QuerySet[Step]:
    """Steps with a request of their own to the system: named there, or as that of the group that they serve."""
    bindings = GroupBinding.objects.filter(system=system).values_list(*BOUND.values())
    served = {pk for row in bindings for pk in row if pk}
    return Step.objects.filter(Q(system=system) | Q(system=None, process__in=served))


def _leads_elsewhere(system: ExternalSystem, values: Mapping[str, Any], name: str) -> bool:
    """Whether an address of the system leads to another host than it did. None at all leads nowhere."""
    former, address = getattr(system, name), values.get(name, "")
    if former == address or not address:
        return False
    try:
        return origin_of(former) != origin_of(address)
    except ValueError:
        return True
