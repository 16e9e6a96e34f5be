"""External systems: everything about one desk on one page."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.connection import connection_page
from integrations.admin.keys import keys_context, new_key_page, revoke_key_page
from integrations.admin.polling import PollingInline, poll_now
from integrations.admin.system_form import SystemForm, is_stored
from integrations.admin.system_inlines import OperationInline, WsdlInline
from integrations.models import ExternalSystem

AUTHENTICATION = ["auth_kind", "auth_username", "secret", "remove_secret", "auth_name", "auth_login"]


@admin.register(ExternalSystem)
class ExternalSystemAdmin(ConfigurationAdmin):
    """Another party's service desk."""

    form = SystemForm
    list_display = ["name", "code", "state", "base_url", "auth_kind", "operation_count", "key_count"]
    list_filter = ["active", "auth_kind"]
    search_fields = ["name", "code", "base_url"]
    inlines = [OperationInline, WsdlInline, PollingInline]
    change_form_outer_after_template = "admin/integrations/system_after.html"
    actions_detail = [
        "test_connection",
        {"title": _("Add"), "icon": "add", "items": ["new_operation", "new_wsdl", "new_key"]},
    ]
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js"]

    def get_fieldsets(self, request: HttpRequest, obj: ExternalSystem | None = None) -> Any:
        authentication = AUTHENTICATION
        if obj is None:
            authentication = [name for name in AUTHENTICATION if name not in ("remove_secret", "auth_login")]
        elif not is_stored(obj.auth_secret):
            authentication = [name for name in AUTHENTICATION if name != "remove_secret"]
        if obj is not None and not self.has_change_permission(request, obj):
            authentication = ["auth_kind", "auth_username", "auth_name", "auth_login"]
        return [
            (_("The other desk"), {"fields": ["name", "code", "active"]}),
            (_("Where it is"), {"fields": ["base_url", "allowed_hosts", "allow_private", "verify_tls"]}),
            (_("How we sign in there"), {"fields": authentication}),
            (
                _("How it writes to us"),
                {"classes": ["collapse"], "fields": ["missing_fields_wipe", "may_name_anybody"]},
            ),
            (
                _("Time-outs and limits"),
                {
                    "classes": ["collapse"],
                    "fields": [
                        "connect_timeout",
                        "read_timeout",
                        "deadline",
                        "max_response_bytes",
                        "retry_schedule",
                        "acknowledgement_hours",
                        "bounce_limit",
                        "secret_names",
                    ],
                },
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ExternalSystem | None = None) -> list[str]:
        """The code is the user name with which the desk calls us, and part of addresses."""
        return ["code"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: ExternalSystem | None) -> Any:
        return self.inlines if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExternalSystem]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                operations_in_all=Count("operations", distinct=True),
                keys_in_use=Count("keys", filter=Q(keys__revoked=False), distinct=True),
            )
        )

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        keys = "integrations_externalsystem_key"
        return [
            path("<path:object_id>/keys/new/", wrap(self.keys_new), name=f"{keys}_new"),
            path("<path:object_id>/keys/<str:prefix>/revoke/", wrap(self.keys_revoke), name=f"{keys}_revoke"),
            path("<path:object_id>/poll-now/", wrap(self.poll_now), name="integrations_externalsystem_poll_now"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        keys = keys_context(self, request, object_id)
        return super().changeform_view(request, object_id, form_url, {**keys, **(extra_context or {})})

    @display(description=_("state"), label={"active": "success", "off": "warning"})
    def state(self, obj: ExternalSystem) -> tuple[str, Any]:
        """Whether it is exchanged with."""
        return ("active", _("Active")) if obj.active else ("off", _("Switched off"))

    @display(description=_("operations"), ordering="operations_in_all")
    def operation_count(self, obj: Any) -> int:
        """How many operation templates it has."""
        return obj.operations_in_all

    @display(description=_("keys"), ordering="keys_in_use")
    def key_count(self, obj: Any) -> int:
        """How many keys for calling us are in use."""
        return obj.keys_in_use

    @action(description=_("Test connection"), icon="cable", permissions=["change"])
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """See whether it can be reached."""
        return connection_page(self, request, self.row_for(request, object_id, "change"))

    @action(description=_("Operation template"), icon="description", permissions=["add_operation"])
    def new_operation(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin an operation template of this system."""
        return redirect(f"{reverse('admin:integrations_operationtemplate_add')}?system={object_id}")

    @action(description=_("WSDL"), icon="schema", permissions=["add_wsdl"])
    def new_wsdl(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a WSDL of this system."""
        return redirect(f"{reverse('admin:integrations_wsdldocument_add')}?system={object_id}")

    @action(description=_("API key"), icon="key", permissions=["add_key"])
    def new_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a key for calling us."""
        return redirect("admin:integrations_externalsystem_key_new", object_id)

    def has_add_operation_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may add operation templates."""
        return request.user.has_perm("integrations.add_operationtemplate")

    def has_add_wsdl_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may add WSDLs."""
        return request.user.has_perm("integrations.add_wsdldocument")

    def has_add_key_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make keys."""
        return self.has_view_permission(request) and request.user.has_perm("integrations.add_systemkey")

    def has_revoke_key_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may revoke keys."""
        return self.has_view_permission(request) and request.user.has_perm("integrations.change_systemkey")

    def keys_new(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page on which a key is made."""
        return new_key_page(self, request, self.row_for(request, object_id, "add_key"))

    def keys_revoke(self, request: HttpRequest, object_id: str, prefix: str) -> HttpResponse:
        """The page on which a key is revoked."""
        return revoke_key_page(self, request, self.row_for(request, object_id, "revoke_key"), prefix)

    def poll_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button on the page of a desk that is polled."""
        return poll_now(self, request, self.row_for(request, object_id, "change"))
