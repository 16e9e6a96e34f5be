"""A configuration from a file into the database, as a whole or not at all, with the difference that it makes."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from integrations.catalogue.applying import Applied
from integrations.catalogue.applying_processes import apply_processes
from integrations.catalogue.checking import broken_elsewhere, check_processes, check_system
from integrations.catalogue.difference import Change, compare
from integrations.catalogue.exporting import VERSION, configuration_of
from integrations.catalogue.mailboxes import apply_mailboxes
from integrations.catalogue.reader import DocumentProblem, Reader
from integrations.catalogue.yaml_text import YamlProblem, load
from integrations.models import ExternalSystem, Process, WsdlDocument


@dataclass
class Imported:
    """What an import has changed, or would change; `notes` are sentences about what a person has to do then."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    to_fetch: list[WsdlDocument] = field(default_factory=list)


def import_configuration(text: str, *, only: Collection[str] = (), dry_run: bool = False) -> Imported:
    """Make the configuration as the text says. Raises `DocumentProblem`; then, and in a dry run, nothing has changed.

    `only` are codes of systems: others of the file, their mailboxes, and processes that serve several, are left out.
    What the file does not name at all stays: systems, processes, mailboxes, integrations of groups. Of a system that
    it names, operations, WSDLs, steps and translations that are not in it are removed.
    """
    document = _read(text)
    try:
        with transaction.atomic():
            before = configuration_of()
            reader = Reader()
            notes = _carry_out(reader, document, frozenset(only))
            words = _("a secret, which is not shown")
            unseen = [Change(place, "changed", (words,)) for place in reader.unseen]
            result = Imported([*compare(before, configuration_of()), *unseen], notes)
            fetched_later = WsdlDocument.objects.filter(system__code__in=document["systems"], fetched_at=None)
            result.to_fetch = list(fetched_later.select_related("system"))
            if dry_run:
                transaction.set_rollback(True)
    except (IntegrityError, OperationalError) as error:
        # Each row was checked before it was saved, so somebody else wrote the same rows meanwhile.
        problem = _("Somebody else changed the configuration at the same moment. Nothing was changed; try again.")
        raise DocumentProblem([problem]) from error
    return result


def _read(text: str) -> dict[str, Any]:
    """The document with its two parts. Raises `DocumentProblem`."""
    try:
        data = load(text)
    except YamlProblem as problem:
        raise DocumentProblem([str(problem)]) from problem
    reader = Reader()
    document = reader.mapping(data, "")
    if not reader.problems and document.get("deskbridge_configuration") != VERSION:
        words = _("This is no configuration of Deskbridge: deskbridge_configuration: %(version)d is missing.")
        reader.wrong("", words % {"version": VERSION})
    reader.finish()
    reader.only_known(document, "", ("deskbridge_configuration", "systems", "processes", "mailboxes"))
    systems, processes = reader.part(document, "systems"), reader.part(document, "processes")
    found = {
        "systems": {code: reader.mapping(system, f"systems/{code}") for code, system in systems.items()},
        "processes": {name: reader.mapping(process, f"processes/{name}") for name, process in processes.items()},
        "mailboxes": reader.part(document, "mailboxes"),
    }
    reader.finish()
    return found


def _carry_out(reader: Reader, document: dict[str, Any], only: Collection[str]) -> list[str]:
    """Write it all. Raises `DocumentProblem`, which takes everything back."""
    for code in only:
        if code not in document["systems"]:
            reader.wrong("systems", _('there is no "%(name)s".') % {"name": code})
    made: list[tuple[Applied, ExternalSystem]] = []
    for code, part in document["systems"].items():
        if only and code not in only:
            continue
        applied = Applied(reader, code, part, f"systems/{code}")
        system = applied.system_and_operations()
        if system is not None:
            made.append((applied, system))
    processes: dict[str, Process] = {}
    if not only:
        shared = apply_processes(reader, None, document["processes"], "processes")
        processes |= {f"processes/{name}": process for name, process in shared.items()}
    for applied, system in made:
        applied.processes(system)
        processes |= {applied.at("processes", key): process for key, process in applied.rows.items()}
    of_mailboxes = apply_mailboxes(reader, document["mailboxes"], only=only)
    for step in (Applied.groups, Applied.remove):
        for applied, system in made:
            step(applied, system)
    # Only what was read without fault can be checked.
    reader.finish()
    for applied, system in made:
        check_system(reader, system, applied.place)
    check_processes(reader, processes)
    reader.finish()
    broken = [text for _applied, system in made for text in broken_elsewhere(system, processes)]
    return [*(note for applied, _system in made for note in applied.notes), *of_mailboxes, *reader.notes, *broken]
