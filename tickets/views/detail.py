"""A ticket's page, and the news of it that the page asks for every few seconds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from tickets.forms import OnceForm
from tickets.views.access import contact_page, ticket_or_404
from tickets.views.regions import ticket_regions

POLL_SECONDS = 4


def ticket_page(
    request: HttpRequest, number: str, answered: OnceForm | None = None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    """The page, with this form shown again; `problem` is said at its top.

    What was typed into a form that the page no longer offers is shown as text: nobody types it twice.
    """
    ticket = ticket_or_404(request, number)
    regions = ticket_regions(request, ticket, *([answered] if answered else []))
    is_gone = answered is not None and answered.name not in regions.forms
    if is_gone and not problem:
        problem = _("This cannot be done any more. Read below what happened.")
    context = {
        "ticket": ticket,
        "regions": regions,
        "has_error": bool(problem) or bool(answered and answered.errors),
        "problem": problem,
        "unsent": answered.typed if answered and is_gone else "",
        "poll_seconds": POLL_SECONDS,
    }
    return render(request, "tickets/detail.html", context, status=status)


@require_GET
@contact_page
def ticket_detail(request: HttpRequest, number: str) -> HttpResponse:
    """What the contact may read and do."""
    return ticket_page(request, number)


@require_GET
@contact_page
def ticket_updates(request: HttpRequest, number: str) -> HttpResponse:
    """The parts of the page that changed since; 204 if none did, which leaves the page as it is."""
    ticket = ticket_or_404(request, number)
    regions = ticket_regions(request, ticket)
    changed = regions.changed(request.GET.dict())
    if not changed:
        return HttpResponse(status=204)
    names = {region.name for region in changed}
    context = {"ticket": ticket, "changed": changed, "words": regions.words, "said": names & {"status", "timeline"}}
    context["latest"] = regions.latest if "timeline" in names else ""
    return render(request, "tickets/updates.html", context)
