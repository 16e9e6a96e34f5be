"""The values that another desk has, fetched for choosing beside ours; and what of either side has no translation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _

from integrations.configuration import names_for_operation, sample_context
from integrations.direct import call_pages
from integrations.models import Exchange, ExternalSystem, TheirValues, ValueKind, ValueMapping, ValueWay
from integrations.value_maps import ENDINGS
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Category, Priority, Queue
from tickets.selectors import completion_codes

# By which operation each kind is fetched. Completion codes are seldom a list over there; they are typed.
FETCHED_BY: Final[Mapping[str, str]] = {
    ValueKind.PRIORITY: "fetch_priorities",
    ValueKind.STATUS: "fetch_statuses",
    ValueKind.CATEGORY: "fetch_categories",
    ValueKind.QUEUE: "fetch_queues",
    ValueKind.GROUP: "fetch_groups",
    ValueKind.COMPLETION_CODE: "fetch_completion_codes",
}
MOST_VALUES: Final = 2000


@dataclass(frozen=True)
class Fetched:
    """What fetching came to: (value, label) in the order of the answer, or in words why there are none."""

    values: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Untold:
    """What has no translation: (value, label) of ours that could be sent, and of theirs that could come."""

    ours: list[tuple[str, str]]
    theirs: list[tuple[str, str]]


def can_fetch(system: ExternalSystem) -> set[str]:
    """The kinds of values that the system can be asked for."""
    names = set(system.operations.values_list("name", flat=True))
    return {kind for kind, name in FETCHED_BY.items() if name in names}


def fetch(system: ExternalSystem, kind: str) -> Fetched:
    """Ask the desk for its values of this kind, and keep them for choosing. No transaction may be open."""
    rows = system.operations.select_related("system__auth_login", "probe", "wsdl")
    operation = rows.filter(name=FETCHED_BY[kind]).first()
    if operation is None:
        return Fetched(problem=_("It has no operation %(name)s.") % {"name": FETCHED_BY[kind]})
    context = sample_context(names_for_operation(operation.name))
    context["system"] = {"code": system.code, "name": system.name, "settings": system.settings}
    called = call_pages(operation, context)
    if not called.succeeded:
        return Fetched(problem=called.problem, exchange=called.exchange)
    found: dict[str, str] = {}
    for record in called.records[:MOST_VALUES]:
        value = _text(record.get("value"))
        if value and len(value) <= 200:
            found.setdefault(value, (_text(record.get("label")) or value)[:200])
    if not found:
        problem = _("It answered, but no values could be read. Check what the operation reads: value and label.")
        return Fetched(problem=problem, exchange=called.exchange)
    values = list(found.items())
    TheirValues.objects.update_or_create(system=system, kind=kind, defaults={"values": values})
    return Fetched(values, exchange=called.exchange)


def known_values(system: ExternalSystem, kind: str) -> list[tuple[str, str]]:
    """Their values as they were fetched last: (value, label)."""
    row = TheirValues.objects.filter(system=system, kind=kind).first()
    return [(value, label) for value, label in row.values] if row else []


def our_values(kind: str) -> list[tuple[str, str]]:
    """Ours of this kind: (code, name)."""
    match kind:
        case ValueKind.PRIORITY:
            return list(Priority.objects.order_by("rank").values_list("code", "name"))
        case ValueKind.STATUS:
            endings = {"cancelled": _("Cancelled"), "rejected": _("Rejected")}
            return [
                *((phase.value, str(phase.label)) for phase in Phase),
                *((ending, endings[ending]) for ending in ENDINGS.values()),
            ]
        case ValueKind.CATEGORY:
            return list(Category.objects.order_by("name").values_list("code", "name"))
        case ValueKind.QUEUE:
            return list(Queue.objects.order_by("name").values_list("code", "name"))
        case ValueKind.GROUP:
            return list(AssignmentGroup.objects.order_by("name").values_list("code", "name"))
        case _:
            return completion_codes()


def untold(system: ExternalSystem, kind: str) -> Untold:
    """What of ours and of theirs has no translation. Of theirs only what was fetched is known."""
    rows = list(ValueMapping.objects.filter(system=system, kind=kind))
    out = {row.ours for row in rows if row.way in (ValueWay.BOTH, ValueWay.OUT)}
    come = {row.theirs for row in rows if row.way in (ValueWay.BOTH, ValueWay.IN)}
    return Untold(
        ours=[pair for pair in our_values(kind) if pair[0] not in out],
        theirs=[pair for pair in known_values(system, kind) if pair[0] not in come],
    )


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
