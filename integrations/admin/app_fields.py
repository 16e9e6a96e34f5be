"""The app fields: what templates may refer to, in both spellings."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from integrations.admin.base import Page
from integrations.app_fields import sync_app_fields
from integrations.models import AppField

COPY = '<button type="button" class="copy-text" data-copy="{0}" title="{1}"><code>{0}</code></button>'


@admin.register(AppField)
class AppFieldAdmin(Page):
    """A list to read and copy from; the sync writes it."""

    list_display = ["name", "app", "label", "in_templates", "legacy"]
    list_display_links = None
    list_filter = ["app"]
    search_fields = ["name", "path", "label", "app"]
    list_per_page = 100
    list_before_template = "admin/integrations/app_fields_sync.html"

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def may_sync(self, request: HttpRequest) -> bool:
        """Whether this person may rebuild the list."""
        return request.user.has_perm("integrations.change_appfield")

    def get_custom_urls(self) -> Any:
        return (("sync/", "integrations_appfield_sync", self.sync),)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_sync": self.may_sync(request), **(extra_context or {})})

    def sync(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Rebuild the list of app fields and say what has changed."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may_sync(request):
            raise PermissionDenied
        counts = sync_app_fields()
        messages.success(
            request,
            gettext("The app fields are in sync: %(added)d added, %(changed)d changed, %(removed)d removed.")
            % counts,
        )
        return redirect("admin:integrations_appfield_changelist")

    @display(description=_("in templates"))
    def in_templates(self, obj: AppField) -> SafeString:
        """The spelling of templates, to copy."""
        return format_html(COPY, f"{{{{ {obj.path} }}}}", gettext("Copy"))

    @display(description=_("legacy spelling"))
    def legacy(self, obj: AppField) -> SafeString:
        """The spelling of the source document, to copy."""
        return format_html(COPY, obj.placeholder, gettext("Copy"))
