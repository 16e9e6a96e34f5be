"""External systems: everything about one desk on one page."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin import catalogue
from integrations.admin.base import ConfigurationAdmin
from integrations.admin.catalogue.actions import ON_LIST, ON_PAGE, CatalogueActions
from integrations.admin.catalogue.notice import setup_context
from integrations.admin.connection import connection_page
from integrations.admin.credentials_form import CERTIFICATE_FIELDS
from integrations.admin.keys import keys_context, new_key_page, revoke_key_page
from integrations.admin.people import PERMISSION as ASKS_PEOPLE
from integrations.admin.people import people_page
from integrations.admin.polling import PollingInline, poll_now
from integrations.admin.proving import proving_page
from integrations.admin.system_form import OAUTH_FIELDS, SystemForm, is_stored
from integrations.admin.system_inlines import ListInline, OperationInline, WebhookInline, WsdlInline
from integrations.admin.their_tickets import look_now
from integrations.admin.value_maps import value_map_page
from integrations.admin.webhooks import add_url
from integrations.levels import missing_functions
from integrations.models import ContactPermissions, ExternalSystem, Hook, ValueKind
from integrations.proofs import matrix

PERMISSIONS = [field.name for field in ContactPermissions._meta.get_fields()]
AUTHENTICATION = [
    "auth_kind",
    "auth_username",
    "secret",
    "remove_secret",
    "auth_name",
    "auth_login",
    *OAUTH_FIELDS,
    "refresh_token",
]
# What is a field of the form alone, because it is never shown.
ENTERED = ("secret", "remove_secret", "refresh_token", "client_key_pem", "client_key_passphrase")


@admin.register(ExternalSystem)
class ExternalSystemAdmin(CatalogueActions, ConfigurationAdmin):
    """Another party's service desk."""

    form = SystemForm
    list_display = ["name", "code", "state", "level", "base_url", "auth_kind", "operation_count", "key_count"]
    list_filter = ["active", "level", "auth_kind"]
    search_fields = ["name", "code", "base_url"]
    inlines = [OperationInline, WsdlInline, PollingInline, WebhookInline]
    change_form_outer_before_template = "admin/integrations/setup_notice.html"
    change_form_outer_after_template = "admin/integrations/system_after.html"
    actions_list = ON_LIST
    actions_detail = [
        "test_connection",
        {"title": _("Values and people"), "icon": "translate", "items": ["value_maps", "people_there"]},
        {"title": _("Add"), "icon": "add", "items": ["new_operation", "new_wsdl", "new_key", "new_webhook"]},
        ON_PAGE,
    ]
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css", "css/catalogue.css"]}
        js = ["js/configuration.js"]

    def get_fieldsets(self, request: HttpRequest, obj: ExternalSystem | None = None) -> Any:
        authentication = AUTHENTICATION
        if obj is None:
            authentication = [name for name in AUTHENTICATION if name not in ("remove_secret", "auth_login")]
        elif not is_stored(obj.auth_secret):
            authentication = [name for name in AUTHENTICATION if name != "remove_secret"]
        certificates = CERTIFICATE_FIELDS
        if obj is not None and not self.has_change_permission(request, obj):
            authentication = [name for name in authentication if name not in ENTERED]
            certificates = [name for name in certificates if name not in ENTERED]
        return [
            (_("The other desk"), {"fields": ["name", "code", "active", *(["level"] if obj else [])]}),
            (_("Where it is"), {"fields": ["base_url", "allowed_hosts", "allow_private", "verify_tls"]}),
            (
                _("Mail"),
                {"classes": ["collapse"], "fields": ["mail_to", "mail_senders", "mail_from"]},
            ),
            (_("How we sign in there"), {"fields": authentication}),
            (_("Certificates"), {"classes": ["collapse"], "fields": certificates}),
            (_("Settings for its templates"), {"fields": ["settings"]}),
            (
                _("What is shared, and who wins"),
                {"classes": ["collapse"], "fields": [*PERMISSIONS, "updates_contacts", "conflict_rule"]},
            ),
            (
                _("How it writes to us"),
                {"classes": ["collapse"], "fields": ["sends_back", "missing_fields_wipe", "may_name_anybody"]},
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
        """What is only listed is left out where there is none: its place to add it is the menu."""
        found: list[Any] = self.inlines if obj else []
        return [
            one
            for one in found
            if not issubclass(one, ListInline) or one.model._default_manager.filter(system=obj).exists()
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExternalSystem]:
        return (
            super()
            .get_queryset(request)
            .select_related("setup")
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
            path(
                "<path:object_id>/values/<slug:kind>/", wrap(self.values), name="integrations_externalsystem_values"
            ),
            path("<path:object_id>/people/", wrap(self.people), name="integrations_externalsystem_people"),
            path("<path:object_id>/prove/<slug:name>/", wrap(self.prove), name="integrations_externalsystem_prove"),
            path("<path:object_id>/poll-now/", wrap(self.poll_now), name="integrations_externalsystem_poll_now"),
            *catalogue.addresses(self),
            path(
                "<path:object_id>/look/<int:reference_id>/", wrap(self.look), name="integrations_externalsystem_look"
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        further = {
            **keys_context(self, request, object_id),
            **self._levels(request, object_id),
            **(setup_context(int(object_id)) if object_id and object_id.isdecimal() else {}),
        }
        return super().changeform_view(request, object_id, form_url, {**further, **(extra_context or {})})

    def _levels(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """The matrix of the levels for the page, from the row as it is saved."""
        system = self.get_object(request, object_id) if object_id else None
        if system is None or not self.has_view_permission(request, system):
            return {}
        return {
            "matrix": matrix(system),
            "lacking": len(missing_functions(system, system.level)),
            "may_add_operation": self.has_add_operation_permission(request),
        }

    @display(description=_("state"), label={"active": "success", "off": "warning", "setup": "info"})
    def state(self, obj: ExternalSystem) -> tuple[str, Any]:
        """Whether it is exchanged with."""
        if not obj.active and hasattr(obj, "setup"):
            return "setup", _("Being set up")
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

    @action(description=_("Webhook"), icon="webhook", permissions=["open_hook"])
    def open_hook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What it posts to us in a form of its own, and the rules for that; begun if there is none yet."""
        hook = Hook.objects.filter(system=self.row_for(request, object_id, "view")).first()
        if hook is None:
            return redirect(f"{reverse('admin:integrations_hook_add')}?system={object_id}")
        return redirect("admin:integrations_hook_change", hook.pk)

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

    @action(description=_("Outgoing webhook"), icon="webhook", permissions=["add_webhook"])
    def new_webhook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a webhook to this system."""
        return redirect(add_url(object_id))

    def has_add_webhook_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make webhooks."""
        return request.user.has_perm("integrations.add_webhooksubscription")

    def has_open_hook_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see webhooks."""
        return request.user.has_perm("integrations.view_hook") or request.user.has_perm("integrations.change_hook")

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

    @action(description=_("Value maps"), icon="translate", permissions=["change"])
    def value_maps(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The first of its value maps."""
        return redirect("admin:integrations_externalsystem_values", object_id, ValueKind.PRIORITY)

    def values(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        """The page of one of its value maps."""
        return value_map_page(self, request, self.row_for(request, object_id, "change"), kind)

    @action(description=_("People there"), icon="group", permissions=["ask_people"])
    def people_there(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Search its people."""
        return redirect("admin:integrations_externalsystem_people", object_id)

    def has_ask_people_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may ask it for people."""
        return self.has_view_permission(request) and request.user.has_perm(ASKS_PEOPLE)

    def people(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page on which its people are searched."""
        return people_page(self, request, self.row_for(request, object_id, "ask_people"))

    def prove(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """The page on which one of its operations is tried."""
        return proving_page(self, request, self.row_for(request, object_id, "change"), name)

    def look(self, request: HttpRequest, object_id: str, reference_id: int) -> HttpResponse:
        """The button on a ticket's page that looks at it over there."""
        return look_now(request, self.row_for(request, object_id, "change"), reference_id)

    def poll_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button on the page of a desk that is polled."""
        return poll_now(self, request, self.row_for(request, object_id, "change"))
