"""A ticket's page: how its tasks look at other desks, as they were seen last, and the button that looks again."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.admin.look import relative
from integrations.models import ExternalReference, ExternalSystem, TheirTicket
from integrations.polling.soon import want
from tickets import panels
from tickets.models import Ticket

# By the names of what an operation reads; the status in their words where they give them.
SHOWN = ("priority", "category", "assignee", "group", "expected_resolution_at")

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
    rows = ExternalReference.objects.filter(task__ticket=ticket, system__operations__name__in=LOOKS).distinct()
    rows = rows.select_related("task", "system", "their_ticket").order_by("pk")
    found = []
    for row in rows:
        seen = getattr(row, "their_ticket", None)
        untranslated = seen.untranslated if seen else {}
        found.append(
            {
                "reference": row,
                "words": in_words(seen) if seen else "",
                "solution": seen.values.get("solution", "") if seen else "",
                "seen": relative(seen.seen_at) if seen and seen.seen_at else _("not yet"),
                "untranslated": [(name, value["theirs"]) for name, value in sorted(untranslated.items())],
                "url": reverse("admin:integrations_externalsystem_look", args=(row.system_id, row.pk)),
            }
        )
    if not found:
        if not ExternalReference.objects.filter(task__ticket=ticket).exists():
            return SafeString("")
        why = _("It is at another desk, but no operation fetches how it looks there: see fetch_ticket.")
        return format_html('<p class="db-quiet">{}</p>', why)
    context = {"rows": found, "may_look": request.user.has_perm("integrations.change_externalsystem")}
    return render_to_string("admin/integrations/their_tickets.html", context, request=request)


def look_now(request: HttpRequest, system: ExternalSystem, reference_id: int) -> HttpResponse:
    """Have one ticket looked at as soon as a worker is free, and go back to its page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = ExternalReference.objects.filter(pk=reference_id, system=system).select_related("task").first()
    if row is None:
        raise Http404
    want(row)
    messages.success(request, _("It is looked at as soon as a worker is free. Load this page again to see."))
    page = reverse("admin:tickets_ticket_change", args=(row.task.ticket_id,))
    return redirect(f"{page}?tab=their_tickets")


panels.register_ticket_panel("their_tickets", _("At other desks"), their_tickets_panel, order=20)
