"""What all configuration screens share: a history of who changed what, and pages of their own inside the admin."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin

from integrations.admin.history_words import Differences


class Page(ModelAdmin):
    """A model admin with further pages: each is about one row, and says which permission it needs."""

    def row_for(self, request: HttpRequest, object_id: str, permission: str) -> Any:
        """The row that a page is about. 404 if there is none, 403 without `permission` (view, change ...)."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not getattr(self, f"has_{permission}_permission")(request, row):
            raise PermissionDenied
        return row

    def page(self, request: HttpRequest, template: str, row: Model, **context: Any) -> TemplateResponse:
        """A page about one row in the admin's frame; it leads back to that row."""
        request.current_app = self.admin_site.name
        opts = row._meta
        shared = {
            **self.admin_site.each_context(request),
            "opts": opts,
            "media": self.media,
            "original": row,
            "subtitle": str(row),
            "back": reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(row.pk,)),
        }
        return TemplateResponse(request, f"admin/integrations/{template}", {**shared, **context})


class ConfigurationAdmin(SimpleHistoryAdmin, Page):
    """Configuration whose every change stays readable: who, when, what, from, to."""

    object_history_list_template = "admin/integrations/history_list.html"
    list_per_page = 50

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """History is for reading: going back would bring back neither secrets nor the rows that belong to it."""
        return True

    def get_historical_record_context_helper(self, request: HttpRequest, historical_record: Any) -> Differences:
        """Values in words."""
        return Differences(self.model, historical_record)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An old version is no form: saving it would undo later changes without a check."""
        raise Http404
