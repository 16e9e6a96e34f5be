"""Merge a ticket into another: choose it, read what moves, confirm."""

from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.actions import merge_tickets
from tickets.actors import Actor
from tickets.admin.desk_form import DeskForm, Words, ticket_field
from tickets.admin.ticket_page import carried_out, ticket_or_404
from tickets.merging import MergePlan, merge_plan
from tickets.models import Ticket
from tickets.panels import badges_of

TEMPLATE = "admin/tickets/ticket/merge.html"


class ChooseTargetForm(forms.Form):
    """Which ticket goes on."""

    into = ticket_field(
        _("Merge into"), help_text=_("The ticket that goes on: type its number, or words of its title.")
    )


class MergeForm(DeskForm):
    """Merge, as the page has told."""

    name = "merge"
    title = _("Merge")
    submit = _("Merge")
    permission = "tickets.change_ticket"
    destructive = True

    into = forms.ModelChoiceField(Ticket.objects.all(), widget=forms.HiddenInput)

    def act(self, actor: Actor) -> Words:
        """Merge."""
        data = self.cleaned_data
        merge_tickets(actor=actor, source=self.ticket, target=data["into"], expected_version=data["version"])
        return _t("%(source)s is merged into this ticket.") % {"source": self.ticket.number}


def merge_page(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """First the choice, then the preview; a POST merges and goes to the ticket that goes on."""
    ticket = ticket_or_404(model_admin, request, object_id)
    if not MergeForm.allowed(request):
        raise PermissionDenied
    form, plan = None, None
    choice = ChooseTargetForm(request.GET or None)
    if request.method == "POST":
        form = MergeForm(request.POST, request=request, ticket=ticket)
        if form.is_valid():
            target = form.cleaned_data["into"]
            goes_on = reverse("admin:tickets_ticket_change", args=[target.pk])
            if address := carried_out(request, form, lambda: goes_on):
                return HttpResponseRedirect(address)
            plan = merge_plan(ticket, target)
    elif choice.is_valid():
        plan = merge_plan(ticket, choice.cleaned_data["into"])
        form = MergeForm(request=request, ticket=ticket, initial={"into": plan.target.pk})
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": ticket,
        "title": _t("Merge %(number)s") % {"number": ticket.number},
        "ticket": ticket,
        "address": reverse("admin:tickets_ticket_change", args=[ticket.pk]),
        "choice": choice,
        "form": form,
        "plan": plan,
        "tasks": _tasks(plan),
        "media": model_admin.media + choice.media,
    }
    return TemplateResponse(request, TEMPLATE, context, status=422 if form is not None and form.errors else 200)


def _tasks(plan: MergePlan | None) -> list[tuple[Any, list[Any]]]:
    """Each task with what other packages say about it: the other desk, its number there."""
    if plan is None:
        return []
    badges = badges_of(plan.tasks)
    return [(task, badges[task.pk]) for task in plan.tasks]
