"""Operation templates: what another desk can be asked to do, written and checked in the browser."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.catalogue.notice import setup_context
from integrations.admin.picker import picker_context
from integrations.admin.request_fields import REQUEST_FIELDSETS, Offered, RequestFieldsMixin, RequestForm
from integrations.admin.request_words import request_words
from integrations.admin.soap_arguments import soap_arguments_view
from integrations.admin.widgets import by_argument
from integrations.configuration import (
    doubts_about_request,
    names_for_operation,
    problems_in_order,
    problems_of_request,
)
from integrations.configuration.names import READING
from integrations.configuration.rows import step_values
from integrations.levels import needed_by_level
from integrations.models import OperationTemplate, Process, SetupStep

_ = gettext_lazy
READS = ["items", "reads"]


class OperationForm(RequestForm):
    """An operation template with its check."""

    doubts: dict[str, list[str]]

    class Meta:
        model = OperationTemplate
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.tidy(cleaned)
        system = cleaned.get("system") or (self.instance.system if self.instance.pk else None)
        values = {**self.request_values(cleaned), "system_id": system.pk if system else None}
        values |= {name: cleaned.get(name) or "" for name in ("items", "reads")}
        names = names_for_operation(cleaned.get("name") or "")
        problems = problems_of_request(values, names=names)
        self.doubts = {} if problems else doubts_about_request(values, names=names)
        self.soap_widget.problems = by_argument(problems.get("soap_arguments", []))
        for field, found in problems.items():
            self.add_error(field, found)
        return cleaned


@admin.register(OperationTemplate)
class OperationTemplateAdmin(RequestFieldsMixin, ConfigurationAdmin):
    """All operations of all systems; mostly reached from their system's page."""

    form = OperationForm
    list_display = ["name", "system_name", "request_line", "repeat_label", "description"]
    list_display_links = ["name"]
    list_filter = ["system", "protocol", "repeat"]
    search_fields = ["name", "description", "system__name", "path", "body", "soap_operation"]
    list_select_related = ["system"]
    fieldsets = [
        (None, {"fields": ["system", "name", "description"]}),
        *REQUEST_FIELDSETS,
        (_("What it reads"), {"classes": ["collapse"], "fields": READS}),
    ]
    change_form_outer_before_template = "admin/integrations/setup_notice.html"
    change_form_outer_after_template = "admin/integrations/field_picker.html"
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js", "js/field-picker.js"]

    def get_fieldsets(self, request: HttpRequest, obj: OperationTemplate | None = None) -> Any:
        """What an operation reads is open where it reads something, or where its name says that it will."""
        name = obj.name if obj else request.GET.get("name", "")
        if not name.startswith(READING) and not (obj and (obj.items or obj.reads)):
            return self.fieldsets
        *others, (title, _options) = self.fieldsets
        return [*others, (title, {"fields": READS})]

    @display(description=_("external system"), ordering="system__name")
    def system_name(self, obj: OperationTemplate) -> str:
        """Whose operation it is."""
        return obj.system.name

    @display(description=_("request"))
    def request_line(self, obj: OperationTemplate) -> str:
        """What is called."""
        return request_words(obj)

    @display(description=_("repeating"), label={"safe": "success", "probe": "info", "ask": "warning"})
    def repeat_label(self, obj: OperationTemplate) -> tuple[str, str]:
        """What repeating means."""
        return obj.repeat, {"safe": gettext("Safe"), "probe": gettext("Probe"), "ask": gettext("Ask")}[obj.repeat]

    def get_readonly_fields(self, request: HttpRequest, obj: OperationTemplate | None = None) -> list[str]:
        """Steps and probes point to the operations of a system, so an operation stays with its own."""
        return ["system"] if obj else []

    def get_form(self, request: HttpRequest, obj: OperationTemplate | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.offered = Offered(obj.system_id if obj else _number(request.GET.get("system")))
        return form

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(soap_arguments_view(self))
        return [path("soap-arguments/", view, name="integrations_soap_arguments"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**picker_context(), **self._setup(request, object_id), **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def response_post_save_add(self, request: HttpRequest, obj: OperationTemplate) -> HttpResponse:
        return self._back_to_setup(obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: OperationTemplate) -> HttpResponse:
        return self._back_to_setup(obj) or super().response_post_save_change(request, obj)

    def _setup(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """The guided form of the system whose operation this is, or shall be."""
        system_id = _number(request.GET.get("system"))
        if object_id is not None:
            rows = OperationTemplate.objects.filter(pk=_number(object_id) or 0)
            system_id = rows.values_list("system_id", flat=True).first()
        return setup_context(system_id, SetupStep.LEVEL)

    def _back_to_setup(self, obj: OperationTemplate) -> HttpResponse | None:
        context = setup_context(obj.system_id, SetupStep.LEVEL)
        return redirect(context["setup_url"]) if context else None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """An active system keeps what its level needs: such an operation is listed as protected."""
        deleted, counts, permissions, protected = super().get_deleted_objects(objs, request)
        for operation in objs:
            if function := needed_by_level(operation.system, operation.name):
                words = gettext("%(operation)s: the level of the system, which is active, needs it: %(function)s")
                protected = [*protected, words % {"operation": operation, "function": function.label}]
        return deleted, counts, permissions, protected

    def save_model(self, request: HttpRequest, obj: OperationTemplate, form: OperationForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for found in form.doubts.values():
            for doubt in found:
                messages.warning(request, doubt)
        for text in broken_steps(obj):
            messages.warning(request, text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperationTemplate]:
        return super().get_queryset(request).select_related("system")

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("wsdl", "probe"):
            # What is offered comes from `Offered`, loaded once; the queryset only checks what was sent.
            kwargs["queryset"] = db_field.related_model._default_manager.select_related("system")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def broken_steps(operation: OperationTemplate) -> list[str]:
    """Steps of processes that used a capture which this operation no longer has: sentences."""
    found = []
    for process in Process.objects.filter(steps__operation=operation).distinct():
        rows = process.steps.select_related("operation", "wsdl", "probe")
        for step, problems in problems_in_order([step_values(row) for row in rows]):
            for messages_of_field in problems.values():
                for message in messages_of_field:
                    words = {"process": process.name, "step": step["name"], "message": message}
                    found.append(gettext('Process "%(process)s", step "%(step)s": %(message)s') % words)
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
