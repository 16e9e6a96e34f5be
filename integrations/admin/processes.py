"""Processes with their steps, and the way to their preview."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Field, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.views import ChangeList

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.bindings import PROCESSES
from integrations.admin.catalogue.notice import setup_of_process
from integrations.admin.picker import picker_context
from integrations.admin.preview import preview_page, suggest_tasks
from integrations.admin.step_history import step_changes
from integrations.admin.steps import StepInline
from integrations.models import GroupBinding, Process


class ProcessChangeList(ChangeList):
    """The list with the groups that each process serves, read at once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, with their groups."""
        super().get_results(request)
        names: dict[int, set[str]] = {}
        for binding in GroupBinding.objects.filter(integrated=True).select_related("group"):
            for field in PROCESSES:
                names.setdefault(getattr(binding, f"{field}_id"), set()).add(binding.group.name)
        for process in self.result_list:
            process.group_names = names.get(process.pk, set())


@admin.register(Process)
class ProcessAdmin(ConfigurationAdmin):
    """Ordered steps that run for the events of the groups to which the process is bound."""

    list_display = ["name", "description", "step_count", "used_by"]
    search_fields = ["name", "description", "steps__name"]
    fieldsets = [(None, {"fields": ["name", "description"]})]
    inlines = [StepInline]
    actions_detail = ["open_preview"]
    change_form_outer_before_template = "admin/integrations/setup_notice.html"
    change_form_outer_after_template = "admin/integrations/field_picker.html"
    object_history_template = "admin/integrations/process_history.html"
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js", "js/field-picker.js"]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "description":
            field.widget.attrs["rows"] = 2
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Process]:
        return super().get_queryset(request).filter(built_in="").annotate(steps_in_all=Count("steps"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ProcessChangeList

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(suggest_tasks)
        return [path("suggest-tasks/", view, name="integrations_suggest_tasks"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        setup = setup_of_process(object_id, request.GET.get("setup", ""))
        context = {**picker_context(), **setup, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def response_post_save_add(self, request: HttpRequest, obj: Process) -> HttpResponse:
        return self._back_to_setup(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Process) -> HttpResponse:
        return self._back_to_setup(request, obj) or super().response_post_save_change(request, obj)

    def _back_to_setup(self, request: HttpRequest, obj: Process) -> HttpResponse | None:
        """To the guided form from which it was opened, or that will bind it."""
        asked = setup_of_process(None, request.GET.get("setup", ""))
        context = asked or setup_of_process(str(obj.pk))
        return redirect(context["setup_url"]) if context else None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        process = self.row_for(request, object_id, "view")
        return super().history_view(
            request, object_id, {"step_changes": step_changes(process), **(extra_context or {})}
        )

    @display(description=_("steps"), ordering="steps_in_all")
    def step_count(self, obj: Any) -> int:
        """How many steps it has."""
        return obj.steps_in_all

    @display(description=_("used by"))
    def used_by(self, obj: Any) -> str:
        """The groups that it serves."""
        return ", ".join(sorted(obj.group_names)) or "-"

    @action(description=_("Preview"), icon="visibility", permissions=["preview"])
    def open_preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try the process on a task, without sending anything."""
        return preview_page(self, request, self.row_for(request, object_id, "view"))

    def has_preview_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may read the process and the tickets."""
        return self.has_view_permission(request) and request.user.has_perm("tickets.view_task")
