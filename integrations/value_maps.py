"""Value maps: our codes in the other desk's words, and theirs in ours. What has no translation is an error."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.models import ExternalSystem, ValueKind, ValueMapping, ValueWay
from integrations.templating import TemplateFailed
from tickets.lifecycle import CompletionCode
from tickets.models import AssignmentGroup, Category, OwnCompletionCode, Priority, Queue

THEIRS = "theirs"
# What of ours may be deleted while a map still has it.
CODED: Final[Mapping[str, Any]] = {
    ValueKind.PRIORITY: Priority,
    ValueKind.CATEGORY: Category,
    ValueKind.QUEUE: Queue,
    ValueKind.GROUP: AssignmentGroup,
    ValueKind.COMPLETION_CODE: OwnCompletionCode,
}
# These operations say more of the task's end than its phase does.
ENDINGS = {"cancel": "cancelled", "reject": "rejected"}


class Untranslated(Exception):
    """A value has no translation; `str()` names the value, the map and the desk."""


def theirs_for(system: ExternalSystem, context: dict[str, Any]) -> dict[str, str]:
    """What is `theirs.<kind>` in templates: the desk's values for ours in this context, where there is one."""
    rows = ValueMapping.objects.filter(system=system, way__in=[ValueWay.BOTH, ValueWay.OUT])
    table = {(row.kind, row.ours): row.theirs for row in rows}
    found = {}
    for kind in ValueKind.values:
        known = next((table[kind, ours] for ours in ours_in(kind, context) if (kind, ours) in table), None)
        if known is not None:
            found[kind] = known
    return found


def ours_in(kind: str, context: dict[str, Any]) -> list[str]:
    """Our values of this kind in a template's context, that which says most first; empty where there is none."""
    task, ticket = context.get("task", {}), context.get("ticket", {})
    match kind:
        case ValueKind.STATUS:
            ending = ENDINGS.get(context.get("event", {}).get("operation", ""))
            values = [ending, task.get("phase")]
        case ValueKind.GROUP:
            values = [(task.get("group") or {}).get("code")]
        case ValueKind.COMPLETION_CODE:
            values = [task.get("completion_code")]
        case _:
            values = [(ticket.get(kind) or {}).get("code")]
    return [value for value in values if value]


def explained(problem: TemplateFailed, *, system: ExternalSystem, context: dict[str, Any]) -> TemplateFailed:
    """The problem in the words of the value map, where a template has asked for a missing translation."""
    root, _dot, kind = (problem.name or "").partition(".")
    if root != THEIRS or kind not in ValueKind.values:
        return problem
    values = ours_in(kind, context)
    return TemplateFailed(
        _('%(system)s has no translation for the %(kind)s "%(value)s". Add it to its value map.')
        % {"system": system, "kind": ValueKind(kind).label, "value": values[0] if values else ""},
        name=problem.name,
        line=problem.line,
    )


def ours_for(system: ExternalSystem, kind: str, theirs: str) -> str:
    """Our value for one of theirs; "" where theirs is to have no effect. Raises `Untranslated`."""
    row = ValueMapping.objects.filter(
        system=system, kind=kind, theirs=theirs.strip(), way__in=[ValueWay.BOTH, ValueWay.IN]
    ).first()
    said = {"value": theirs, "system": system, "kind": ValueKind(kind).label}
    if row is None:
        raise Untranslated(_('"%(value)s" of %(system)s has no translation in its value map: %(kind)s.') % said)
    if row.ours and not _is_ours(kind, row.ours):
        text = _('"%(value)s" of %(system)s is "%(ours)s" by its value map, which is not ours any more: %(kind)s.')
        raise Untranslated(text % (said | {"ours": row.ours}))
    return row.ours


def _is_ours(kind: str, code: str) -> bool:
    if kind == ValueKind.STATUS or (kind == ValueKind.COMPLETION_CODE and code in CompletionCode.values):
        return True
    return CODED[kind].objects.filter(code=code).exists()
