"""Rules of webhooks: written beside a recorded call whose values are picked, and tried on it unsaved, too."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.hook_calls import chosen_call, picker, read_call
from integrations.admin.widgets import SourceWidget
from integrations.configuration.hooks import TAKES, problems_of_rule
from integrations.inbound.webhook.trying import try_rule
from integrations.models import Hook, HookOperation, HookRule

_ = gettext_lazy
EXPRESSIONS = {"condition": 2, "fields": 6}
TRIED = ("condition", "operation", "fields")


class HookRuleForm(forms.ModelForm):
    """A rule with its check."""

    class Meta:
        model = HookRule
        fields = ["hook", "name", "position", "active", "condition", "operation", "fields"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        values = {name: cleaned.get(name) or "" for name in TRIED}
        if cleaned.get("operation") == HookOperation.IGNORE:
            # Nothing is done with them, so nothing lingers unseen.
            cleaned["fields"] = values["fields"] = ""
        for field, found in problems_of_rule(values).items():
            self.add_error(field, found)
        return cleaned


@admin.register(HookRule)
class HookRuleAdmin(ConfigurationAdmin):
    """The rules of all webhooks; mostly reached from their webhook's page."""

    form = HookRuleForm
    list_display = ["name", "system_name", "position", "operation", "active"]
    list_filter = ["hook", "operation", "active"]
    search_fields = ["name", "condition", "fields", "hook__system__name"]
    fieldsets = [
        (None, {"fields": ["hook", "name", "position", "active"]}),
        (_("When it counts"), {"fields": ["condition"]}),
        (_("What the call means"), {"fields": ["operation", "fields"]}),
    ]
    change_form_outer_after_template = "admin/integrations/hook_picker.html"
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js", "js/field-picker.js", "js/hook-rule.js"]

    @display(description=_("external system"), ordering="hook__system__name")
    def system_name(self, obj: HookRule) -> str:
        """Whose calls it is for."""
        return obj.hook.system.name

    def get_queryset(self, request: HttpRequest) -> QuerySet[HookRule]:
        return super().get_queryset(request).select_related("hook__system")

    def get_readonly_fields(self, request: HttpRequest, obj: HookRule | None = None) -> list[str]:
        """A rule stays with its webhook."""
        return ["hook"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Behind the rules that there are."""
        initial = super().get_changeform_initial_data(request)
        hook = self._hook(None, request)
        return {"position": hook.rules.count() + 1 if hook else 1, **initial}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in EXPRESSIONS:
            kwargs["widget"] = SourceWidget("expression", rows=EXPRESSIONS[db_field.name])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "hook":
            kwargs["queryset"] = Hook.objects.select_related("system")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/<int:hook_id>/", view, name="integrations_hookrule_try"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        hook = self._hook(object_id, request)
        takes = [(HookOperation(name).label, ", ".join(fields) or gettext("none")) for name, fields in TAKES.items()]
        context: dict[str, Any] = {"takes": takes, "hook": hook}
        if hook is not None and self.may_see_calls(request):
            context |= {"may_see_calls": True, **picker(hook, request.GET.get("call"))}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def response_change(self, request: HttpRequest, obj: HookRule) -> HttpResponse:
        return self._keeping_the_call(request, super().response_change(request, obj))

    def response_add(self, request: HttpRequest, obj: HookRule, post_url_continue: Any = None) -> HttpResponse:
        return self._keeping_the_call(request, super().response_add(request, obj, post_url_continue))

    def may_see_calls(self, request: HttpRequest) -> bool:
        """What other desks have sent is for those who may read the exchange log."""
        return bool(request.user.has_perm("integrations.view_exchange"))

    def try_view(self, request: HttpRequest, hook_id: int) -> HttpResponse:
        """Try the rule as it stands in the form, saved or not, on a recorded call: a part of a page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.may_see_calls(request) and self.has_view_permission(request)):
            raise PermissionDenied
        hook = Hook.objects.select_related("system").filter(pk=hook_id).first()
        exchange = chosen_call(hook, request.POST.get("call")) if hook is not None else None
        if hook is None or exchange is None:
            raise Http404
        values = {name: request.POST.get(name, "").replace("\r\n", "\n") for name in TRIED}
        context, problem = read_call(exchange)
        trial = None
        problems = [text for texts in problems_of_rule(values).values() for text in texts]
        if values["operation"] not in HookOperation.values:
            problems.insert(0, gettext("Choose an operation."))
        if context is not None and not problems:
            trial = try_rule(hook, HookRule(hook=hook, name=gettext("This rule"), **values), context)
        shown = {"trial": trial, "problem": problem, "problems": problems, "call": exchange}
        return TemplateResponse(request, "admin/integrations/hook_trial.html", shown)

    def _hook(self, rule_id: str | None, request: HttpRequest) -> Hook | None:
        rows = Hook.objects.select_related("system")
        if rule_id is not None:
            return rows.filter(rules__pk=rule_id).first() if rule_id.isdecimal() else None
        wanted = request.GET.get("hook") or request.POST.get("hook") or ""
        return rows.filter(pk=int(wanted)).first() if wanted.isdecimal() and len(wanted) < 19 else None

    def _keeping_the_call(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Who goes on editing goes on with the call that was chosen."""
        call = request.GET.get("call", "")
        if "_continue" in request.POST and call.isdecimal() and "Location" in response:
            response["Location"] += f"{'&' if '?' in response['Location'] else '?'}call={call}"
        return response
