"""Raise a ticket."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets.actions import attach, create_ticket, set_properties
from tickets.actors import Actor
from tickets.errors import ActionRefused
from tickets.forms import NewTicketForm
from tickets.views.access import contact_page, person
from tickets.views.once import once


@require_http_methods(["GET", "HEAD", "POST"])
@contact_page
def new_ticket(request: HttpRequest) -> HttpResponse:
    """The form, and the ticket that comes of it."""
    if request.method != "POST":
        return render(request, "tickets/new.html", {"form": NewTicketForm()})
    form = NewTicketForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            address, is_first = once(request, lambda: _raise(request, form))
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            if is_first:
                messages.success(request, _("Your ticket was raised. Answers will appear on this page."))
            return redirect(address)
    return render(request, "tickets/new.html", {"form": form}, status=422)


def _raise(request: HttpRequest, form: NewTicketForm) -> str:
    actor = Actor.of_request(request)
    ticket = create_ticket(
        actor=actor,
        contact=person(request).contact,
        title=form.cleaned_data["title"],
        description=form.cleaned_data["description"],
        category=form.cleaned_data["category"],
        priority=form.cleaned_data["priority"],
    )
    if properties := form.properties():
        set_properties(actor=actor, ticket=ticket, values=properties)
    for content in form.file_contents():
        attach(actor=actor, ticket=ticket, content=content)
    return reverse("tickets:detail", args=[ticket.number])
