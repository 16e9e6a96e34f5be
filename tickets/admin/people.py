"""Organisations and contacts."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from tickets.models import Contact, Organisation


@admin.register(Organisation)
class OrganisationAdmin(ModelAdmin):
    """Whom contacts belong to."""

    list_display = ["name"]
    search_fields = ["name"]


@admin.register(Contact)
class ContactAdmin(ModelAdmin):
    """The people for whom tickets are raised."""

    list_display = ["name", "email", "phone", "organisation", "user"]
    list_display_links = ["name", "email"]
    list_select_related = ["organisation", "user"]
    list_filter = ["organisation"]
    list_filter_submit = True
    search_fields = ["name", "email", "phone", "organisation__name"]
    autocomplete_fields = ["organisation", "user"]
    fieldsets = [
        (None, {"fields": ["name", "email", "phone", "organisation"]}),
        (_("Sign-in"), {"fields": ["user"]}),
    ]
