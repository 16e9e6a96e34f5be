"""A ticket's page: how its tasks look at other desks, as they were seen last, and the button that looks again."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from integrations.admin.awaited import MARK, awaiting
from integrations.admin.look import relative
from integrations.models import (
    ExternalReference,
    ExternalSystem,
    TheirTicket,
    TheirValues,
    ValueKind,
    ValueMapping,
    ValueWay,
)
from integrations.polling.looks import GONE
from integrations.polling.soon import want
from integrations.their_values import our_values
from tickets import panels
from tickets.models import Ticket

# By the names of what an operation reads; the status in their words where they give them.
SHOWN = ("priority", "category", "assignee", "group", "expected_resolution_at")

# The same with what people call them; the values of some are translated by value maps.
FACTS: Final[dict[str, Any]] = {
    ValueKind.STATUS: _lazy("Status there"),
    ValueKind.PRIORITY: _lazy("Priority"),
    ValueKind.CATEGORY: _lazy("Category"),
    "assignee": _lazy("Works on it"),
    ValueKind.GROUP: _lazy("Group"),
    "expected_resolution_at": _lazy("Expected resolution"),
}

# By either of these a ticket over there can have been seen.
LOOKS = ("fetch_ticket", "fetch_modified_since")


def in_words(seen: TheirTicket) -> str:
    """What their ticket says, in one line."""
    values = seen.values
    said = [values.get("status_label") or values.get("status", ""), *(values.get(name, "") for name in SHOWN)]
    return " · ".join(value for value in said if value)


def their_tickets_panel(request: HttpRequest, ticket: Ticket) -> SafeString:
    """Each task's ticket at another desk. Empty where none is known, or for who may not see exchanges."""
    if not request.user.has_perm("integrations.view_exchange"):
        return SafeString("")
    references = ExternalReference.objects.filter(task__ticket=ticket).order_by("pk")
    rows = list(references.select_related("task", "system", "their_ticket").prefetch_related("system__operations"))
    if not rows:
        return SafeString("")
    words = Words({row.system_id for row in rows})
    context = {
        "rows": [_card(row, words) for row in rows],
        "may_look": request.user.has_perm("integrations.change_externalsystem"),
    }
    return render_to_string("admin/integrations/their_tickets.html", context, request=request)


class Words:
    """Their values as people read them, and what they mean here: for all desks of a page at once."""

    def __init__(self, systems: set[int]) -> None:
        comes = [ValueWay.BOTH, ValueWay.IN]
        mappings = ValueMapping.objects.filter(system__in=systems, way__in=comes)
        self.mappings = {(row.system_id, row.kind, row.theirs): row for row in mappings}
        fetched = TheirValues.objects.filter(system__in=systems)
        self.fetched = {(row.system_id, row.kind): dict(row.values) for row in fetched}
        self.ours: dict[str, dict[str, str]] = {}

    def of(self, system_id: int, kind: str, theirs: str, label: str = "") -> str:
        """Their name for the value; in brackets ours, where the value map has one."""
        mapping = self.mappings.get((system_id, kind, theirs))
        label = label or (mapping.label if mapping else "")
        label = label or self.fetched.get((system_id, kind), {}).get(theirs, "") or theirs
        if mapping is None or not mapping.ours:
            return label
        if kind not in self.ours:
            self.ours[kind] = dict(our_values(kind))
        ours = self.ours[kind].get(mapping.ours, mapping.ours)
        return _("%(theirs)s (here: %(ours)s)") % {"theirs": label, "ours": ours}


def _card(row: ExternalReference, words: Words) -> dict[str, Any]:
    """What the page says of one ticket over there."""
    seen: TheirTicket | None = getattr(row, "their_ticket", None)
    values = seen.values if seen else {}
    facts = []
    for name, label in FACTS.items():
        if values.get(name):
            named = values.get("status_label", "") if name == ValueKind.STATUS else ""
            facts.append((label, words.of(row.system_id, name, str(values[name]), named)))
    untranslated = seen.untranslated if seen else {}
    return {
        "reference": row,
        "facts": facts,
        "is_gone": GONE in untranslated,
        "solution": values.get("solution", ""),
        "seen": relative(seen.seen_at) if seen and seen.seen_at else _("not yet"),
        "awaited": MARK if seen and seen.wanted_at and row.system.active else "",
        "untranslated": [
            (FACTS.get(name, name), value["theirs"]) for name, value in sorted(untranslated.items()) if name != GONE
        ],
        "may_be_seen": any(operation.name in LOOKS for operation in row.system.operations.all()),
        "url": reverse("admin:integrations_externalsystem_look", args=(row.system_id, row.pk)),
    }


def look_now(request: HttpRequest, system: ExternalSystem, reference_id: int) -> HttpResponse:
    """Have one ticket looked at as soon as a worker is free, and go back to its page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = ExternalReference.objects.filter(pk=reference_id, system=system).select_related("task").first()
    if row is None:
        raise Http404
    page = f"{reverse('admin:tickets_ticket_change', args=(row.task.ticket_id,))}?tab=their_tickets"
    if not system.active:
        messages.error(request, _("%(desk)s is switched off, and is asked nothing.") % {"desk": system})
        return redirect(page)
    want(row)
    messages.success(request, _("It is looked at as soon as a worker is free. It is shown here then."))
    return redirect(awaiting(page, f"there-{row.pk}"))


panels.register_ticket_panel("their_tickets", _("At other desks"), their_tickets_panel, order=20, wide=False)
