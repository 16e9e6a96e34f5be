"""Organisations and contacts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from tickets.models import Contact, Organisation
from tickets.panels import contact_panels


@admin.register(Organisation)
class OrganisationAdmin(ModelAdmin):
    """Whom contacts belong to."""

    list_display = ["name"]
    search_fields = ["name"]


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    """The people for whom tickets are raised."""

    list_display = ["name", "email", "login", "phone", "organisation", "user"]
    list_display_links = ["name", "email"]
    list_select_related = ["organisation", "user"]
    list_filter = ["organisation"]
    list_filter_submit = True
    search_fields = ["name", "email", "login", "phone", "organisation__name"]
    autocomplete_fields = ["organisation", "user"]
    fieldsets = [
        (None, {"fields": ["name", "email", "login", "phone", "organisation"]}),
        (_("Sign-in"), {"fields": ["user"]}),
    ]
    change_form_outer_after_template = "admin/tickets/contact/after.html"

    class Media:
        css = {"all": ["css/configuration.css"]}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        contact = self.get_object(request, object_id) if object_id else None
        further: dict[str, Any] = {}
        if contact is not None and self.has_view_permission(request, contact):
            further["contact_panels"] = contact_panels(request, contact)
        return super().changeform_view(request, object_id, form_url, {**further, **(extra_context or {})})
