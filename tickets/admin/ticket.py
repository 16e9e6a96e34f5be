"""Tickets in the admin: the list, the page of one, a new one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from tickets.actors import Actor
from tickets.admin import bulk
from tickets.admin.merge_page import merge_page
from tickets.admin.ticket_forms import CreateTicketForm
from tickets.admin.ticket_list import TicketList
from tickets.admin.ticket_page import ticket_or_404, ticket_page
from tickets.errors import ActionRefused
from tickets.models import Attachment, Ticket
from tickets.views.attachment import download
from tickets.views.once import once

CREATE_TEMPLATE = "admin/tickets/ticket/new.html"


@admin.register(Ticket)
class TicketAdmin(TicketList):
    """An agent's tickets. Nothing here saves a ticket: every change is one of `tickets.actions`."""

    actions = ["close_tickets", "sort_tickets", "set_status_of_tickets", "assign_tickets", "tag_tickets"]

    def has_delete_permission(self, request: HttpRequest, obj: Ticket | None = None) -> bool:
        """Tickets are closed, not deleted."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Files are downloaded from their ticket; merging has a page of its own."""
        download = path(
            "<int:ticket_id>/files/<int:attachment_id>/",
            self.admin_site.admin_view(self.download),
            name="tickets_ticket_file",
        )
        merge = path("<int:ticket_id>/merge/", self.admin_site.admin_view(self.merge), name="tickets_ticket_merge")
        return [download, merge, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The ticket's page."""
        return ticket_page(self, request, ticket_or_404(self, request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history is a tab of the page."""
        ticket = ticket_or_404(self, request, object_id)
        return HttpResponseRedirect(reverse("admin:tickets_ticket_change", args=[ticket.pk]) + "?tab=history")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new ticket."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CreateTicketForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid() and (address := self._created(request, form)):
            return HttpResponseRedirect(address)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("New ticket"),
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, CREATE_TEMPLATE, context, status=422 if form.errors else 200)

    def _created(self, request: HttpRequest, form: CreateTicketForm) -> str:
        """The new ticket's address; empty if the action refused, with the reason in the form."""
        created: list[Ticket] = []

        def create() -> str:
            created.append(form.create(Actor.of_request(request)))
            return reverse("admin:tickets_ticket_change", args=[created[0].pk])

        try:
            address, is_first = once(request, create)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
            return ""
        if is_first:
            messages.success(request, _t("Ticket %(number)s is created.") % {"number": created[0].number})
        return address

    def merge(self, request: HttpRequest, ticket_id: int) -> HttpResponse:
        """Merge the ticket into another."""
        return merge_page(self, request, str(ticket_id))

    def download(self, request: HttpRequest, ticket_id: int, attachment_id: int) -> FileResponse:
        """A file of the ticket, public or internal, always as a download."""
        ticket = ticket_or_404(self, request, str(ticket_id))
        return download(get_object_or_404(Attachment, ticket=ticket, pk=attachment_id))

    @action(description=_("Close…"), permissions=["change"])
    def close_tickets(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Close several tickets, after saying what that does."""
        return bulk.bulk_page(self, request, queryset, bulk.CloseManyForm)

    @action(description=_("Change queue or priority…"), permissions=["change"])
    def sort_tickets(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Sort several tickets, after saying what that does."""
        return bulk.bulk_page(self, request, queryset, bulk.SortManyForm)

    @action(description=_("Set status…"), permissions=["change"])
    def set_status_of_tickets(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Set the status of several tickets, after saying what that does."""
        return bulk.bulk_page(self, request, queryset, bulk.StatusManyForm)

    @action(description=_("Assign…"), permissions=["change"])
    def assign_tickets(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Say who looks after several tickets."""
        return bulk.bulk_page(self, request, queryset, bulk.AssignManyForm)

    @action(description=_("Add tags…"), permissions=["change"])
    def tag_tickets(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Tag several tickets."""
        return bulk.bulk_page(self, request, queryset, bulk.TagManyForm)
