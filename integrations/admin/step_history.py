"""Who changed which step of a process, and how: the part of its history that tells most."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from integrations.admin.history_words import said
from integrations.models import Process, Step

SHOWN = 200


@dataclass(frozen=True)
class Change:
    """One field of a step, before and after."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class StepChange:
    """One saved change of one step."""

    at: datetime
    by: str
    step: str
    what: str
    changes: list[Change] = field(default_factory=list)


def step_changes(process: Process) -> list[StepChange]:
    """The latest changes of a process' steps, the newest first."""
    records = list(Step.history.filter(process_id=process.pk).select_related("history_user")[: SHOWN * 2])
    found = []
    for index, record in enumerate(records[:SHOWN]):
        older = next((other for other in records[index + 1 :] if other.id == record.id), None)
        changes = _differences(record, older) if older is not None and record.history_type == "~" else []
        found.append(
            StepChange(
                at=record.history_date,
                by=str(record.history_user or ""),
                step=record.name,
                what={"+": _("Added"), "~": _("Changed"), "-": _("Removed")}[record.history_type],
                changes=changes,
            )
        )
    return found


def _differences(record: Any, older: Any) -> list[Change]:
    fields = {field.name: field for field in Step._meta.concrete_fields}
    found = []
    for change in record.diff_against(older).changes:
        field = fields[change.field]
        found.append(Change(str(field.verbose_name), str(said(field, change.old)), str(said(field, change.new))))
    return found
