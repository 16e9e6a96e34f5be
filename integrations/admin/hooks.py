"""Webhooks: how another desk's calls are known to be its own, its rules, and its recorded calls."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, ForeignKey, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.credentials_form import is_stored
from integrations.admin.hook_calls import calls_page
from integrations.admin.hook_form import HookForm, secret_fields
from integrations.admin.system_inlines import ListInline
from integrations.admin.widgets import SourceWidget
from integrations.configuration.hooks import doubts_about
from integrations.models import Exchange, Hook, HookAuthentication, HookRule, Outcome
from integrations.overview import DAY

EXPRESSIONS = ("message_id", "answer")


class RuleInline(ListInline):
    """The rules, in their order, each a click away."""

    model = HookRule
    fields = ["position", "rule", "operation", "shown_condition", "active"]
    verbose_name_plural = _("rules")

    @display(description=_("name"))
    def rule(self, obj: HookRule) -> SafeString:
        """Its name, leading to its page."""
        url = reverse("admin:integrations_hookrule_change", args=(obj.pk,))
        return format_html('<a class="config-link" href="{}">{}</a>', url, obj.name)

    @display(description=_("condition"))
    def shown_condition(self, obj: HookRule) -> SafeString | str:
        """When it counts."""
        return format_html("<code>{}</code>", obj.condition) if obj.condition else str(_("always"))


@admin.register(Hook)
class HookAdmin(ConfigurationAdmin):
    """The webhook of one external system."""

    form = HookForm
    list_display = ["system", "shown_path", "authentication", "mode", "rule_count", "without_rule"]
    list_filter = ["active", "recording_only", "authentication"]
    search_fields = ["system__name", "system__code"]
    list_select_related = ["system"]
    inlines = [RuleInline]
    actions_detail = ["open_calls", "new_rule"]
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Hook | None = None) -> Any:
        may_change = obj is None or self.has_change_permission(request, obj)
        secrets = secret_fields(obj) if may_change else []
        return [
            (None, {"fields": ["system", *(["address"] if obj else []), "active", "recording_only"]}),
            (
                _("How it proves that a call is its own"),
                {
                    "fields": [
                        "authentication",
                        "username",
                        *secrets,
                        "header",
                        "prefix",
                        "algorithm",
                        "encoding",
                        "signed",
                        "timestamp_header",
                        "tolerance_seconds",
                    ]
                },
            ),
            (_("What its calls mean"), {"fields": ["message_id", "unknown_tickets"]}),
            (_("Handshake"), {"classes": ["collapse"], "fields": ["answer", "answers_strangers"]}),
        ]

    def save_model(self, request: HttpRequest, obj: Hook, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for doubt in doubts_about(vars(obj)):
            messages.warning(request, doubt)

    def get_readonly_fields(self, request: HttpRequest, obj: Hook | None = None) -> list[str]:
        """The address belongs to the system, so a webhook stays with its own."""
        return ["system", "address"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Hook | None) -> Any:
        return self.inlines if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hook]:
        lost = Exchange.objects.filter(
            system=OuterRef("system"), outcome=Outcome.NO_RULE, started_at__gte=timezone.now() - DAY
        )
        number = lost.order_by().values("system").annotate(number=Count("pk")).values("number")
        rows = super().get_queryset(request).select_related("system").annotate(rules_in_all=Count("rules"))
        return rows.annotate(calls_without_rule=Coalesce(Subquery(number), 0))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in EXPRESSIONS:
            kwargs["widget"] = SourceWidget("expression", rows=1)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "system":
            kwargs["queryset"] = db_field.related_model._default_manager.filter(hook=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.calls)
        return [path("<path:object_id>/calls/", view, name="integrations_hook_calls"), *super().get_urls()]

    @display(description=_("address"))
    def shown_path(self, obj: Hook) -> SafeString:
        """Where the desk calls, below the portal's address."""
        return format_html("<code>{}</code>", reverse("hook", args=(obj.system.code,)))

    @display(description=_("address"))
    def address(self, obj: Hook) -> SafeString:
        """Where the desk calls: to be handed to it."""
        url = f"{settings.PORTAL_URL}{reverse('hook', args=(obj.system.code,))}"
        copy = '<button type="button" class="copy-text" data-copy="{0}" title="{1}"><code>{0}</code></button>'
        return format_html(copy, url, _("Copy"))

    @display(
        description=_("state"), label={"on": "success", "off": "warning", "refuses": "danger", "records": "info"}
    )
    def mode(self, obj: Hook) -> tuple[str, Any]:
        """What becomes of calls."""
        if not obj.active:
            return "off", _("Switched off")
        if not obj.system.active:
            return "off", _("Its system is switched off")
        if obj.authentication != HookAuthentication.API_KEY and not is_stored(obj.secret):
            return "refuses", _("Refuses all: no secret")
        return ("records", _("Only records")) if obj.recording_only else ("on", _("Active"))

    @display(description=_("rules"), ordering="rules_in_all")
    def rule_count(self, obj: Any) -> int:
        """How many rules it has."""
        return obj.rules_in_all

    @display(description=_("without a rule (24 h)"), ordering="calls_without_rule")
    def without_rule(self, obj: Any) -> SafeString | int:
        """How many calls were accepted and meant nothing, leading to them."""
        if not obj.calls_without_rule:
            return 0
        url = reverse("admin:integrations_hook_calls", args=(obj.pk,))
        return format_html('<a class="config-link" href="{}">{}</a>', url, obj.calls_without_rule)

    @action(description=_("Rules and recorded calls"), icon="fact_check", permissions=["see_calls"])
    def open_calls(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try the rules on what has arrived."""
        return redirect("admin:integrations_hook_calls", object_id)

    @action(description=_("Add rule"), icon="add", permissions=["add_rule"])
    def new_rule(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a rule of this webhook."""
        return redirect(f"{reverse('admin:integrations_hookrule_add')}?hook={object_id}")

    def has_see_calls_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What other desks have sent is for those who may read the exchange log."""
        return self.has_view_permission(request) and request.user.has_perm("integrations.view_exchange")

    def has_add_rule_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may write rules."""
        return request.user.has_perm("integrations.add_hookrule")

    def calls(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of the recorded calls."""
        return calls_page(self, request, self.row_for(request, object_id, "see_calls"))
