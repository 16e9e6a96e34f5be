"""A ticket's page, and the news of it that the page asks for every few seconds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tickets.forms import OnceForm
from tickets.views.access import contact_page, ticket_or_404
from tickets.views.regions import ticket_regions

POLL_SECONDS = 4


def ticket_page(
    request: HttpRequest, number: str, *answered: OnceForm, problem: str = "", status: int = 200
) -> HttpResponse:
    """The page, with these forms shown again; `problem` is said at its top."""
    ticket = ticket_or_404(request, number)
    context = {
        "ticket": ticket,
        "regions": ticket_regions(request, ticket, *answered),
        "has_error": bool(problem) or any(form.errors for form in answered),
        "problem": problem,
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
