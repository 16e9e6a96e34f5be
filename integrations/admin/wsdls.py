"""WSDLs: fetched once by a button, then read from what was stored."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Field
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from integrations.admin.base import Page
from integrations.admin.catalogue.notice import setup_context
from integrations.connection import fetch_for
from integrations.models import SetupStep, WsdlDocument
from integrations.transports.wsdl import WsdlProblem
from integrations.wsdls import operations_of

_ = gettext_lazy


@admin.register(WsdlDocument)
class WsdlDocumentAdmin(Page):
    """Where a WSDL comes from, when it was fetched and which operations it has."""

    list_display = ["name", "system", "url", "fetched_at"]
    list_filter = ["system"]
    search_fields = ["name", "url", "system__name"]
    list_select_related = ["system"]
    fieldsets = [
        (None, {"fields": ["system", "name", "url"]}),
        (_("What was fetched"), {"fields": ["fetched_at", "documents_list", "operations_list"]}),
    ]
    change_form_outer_before_template = "admin/integrations/wsdl_fetch.html"

    class Media:
        css = {"all": ["css/configuration.css"]}

    def get_readonly_fields(self, request: HttpRequest, obj: WsdlDocument | None = None) -> list[str]:
        readonly = ["fetched_at", "documents_list", "operations_list"]
        return [*readonly, "system"] if obj else readonly

    def get_fieldsets(self, request: HttpRequest, obj: WsdlDocument | None = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:1]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        system_id = request.GET.get("system", "")
        found = WsdlDocument.objects.filter(pk=object_id if object_id and object_id.isdecimal() else 0)
        asked = int(system_id) if system_id.isdecimal() else None
        context = setup_context(found.values_list("system_id", flat=True).first() or asked, SetupStep.TEST)
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def get_custom_urls(self) -> Any:
        return (("<path:object_id>/fetch/", "integrations_wsdldocument_fetch", self.fetch),)

    def save_model(self, request: HttpRequest, obj: WsdlDocument, form: Any, change: bool) -> None:
        if change and "url" in form.changed_data:
            # The stored documents are found by the address that they came from.
            obj.documents, obj.fetched_at = {}, None
            messages.warning(request, gettext("The address has changed: press Fetch to load the WSDL from there."))
        super().save_model(request, obj, form, change)

    def fetch(self, request: HttpRequest, object_id: str, model_admin: Any = None) -> HttpResponse:
        """Load the WSDL and what it imports, once, and keep them."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        wsdl = self.row_for(request, object_id, "change")
        result = fetch_for(wsdl)
        if result.problem:
            messages.error(request, gettext("The WSDL was not fetched. %(problem)s") % {"problem": result.problem})
        else:
            wsdl.documents, wsdl.fetched_at = result.documents, timezone.now()
            wsdl.save(update_fields=["documents", "fetched_at"])
            counts = {"documents": len(result.documents), "operations": result.operations}
            text = gettext("Fetched: %(documents)d documents with %(operations)d operations.") % counts
            self.log_change(request, wsdl, text)
            messages.success(request, text)
        return redirect("admin:integrations_wsdldocument_change", wsdl.pk)

    @display(description=_("documents"))
    def documents_list(self, obj: WsdlDocument) -> SafeString | str:
        """The addresses of what was stored."""
        if not obj.documents:
            return gettext("Nothing yet. Press Fetch.")
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((url,) for url in obj.documents)))

    @display(description=_("operations"))
    def operations_list(self, obj: WsdlDocument) -> SafeString | str:
        """The operations, each leading to a new template for it."""
        try:
            infos = operations_of(obj)
        except WsdlProblem as problem:
            return str(problem)
        add = reverse("admin:integrations_operationtemplate_add")
        link = "{}?system={}&protocol=soap&wsdl={}&soap_operation={}&soap_version={}"
        rows = (
            (
                format_html(link, add, obj.system_id, obj.pk, info.name, info.version),
                info.name,
                info.version,
                ", ".join(f"{a.path}*" if a.required else a.path for a in info.arguments) or "-",
            )
            for info in infos
        )
        cells = '<tr><td><a class="config-link" href="{}">{}</a></td><td>{}</td><td>{}</td></tr>'
        head = (gettext("Operation (press to make a template)"), "SOAP", gettext("Arguments (* needed)"))
        body = format_html_join("", cells, rows)
        return format_html(
            '<div class="config-table"><table><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead>'
            "<tbody>{}</tbody></table></div>",
            *head,
            body,
        )
