"""The integration of an assignment group, on the group's own page, and its history."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import display

from integrations.admin.base import ConfigurationAdmin
from integrations.models import ContactPermissions, GroupBinding, Process
from tickets.panels import register_group_inline

PROCESSES = ["assignment_process", "update_process", "closure_process", "rejection_process", "incoming_process"]
PERMISSIONS = [field.name for field in ContactPermissions._meta.get_fields()]
CHANGES = ["relay", "send_internal"]


class GroupBindingInline(StackedInline):
    """Which desk the group stands for, and by which processes."""

    model = GroupBinding
    verbose_name = _("integration")
    verbose_name_plural = _("integration")
    extra = 1
    max_num = 1
    can_delete = False
    hide_title = True
    fieldsets = [
        (None, {"fields": ["integrated", "system"]}),
        (_("Processes (the same one may serve all)"), {"fields": PROCESSES}),
        (_("What the other desk may read"), {"fields": CHANGES}),
        (_("What end users may do (the external system must allow it, too)"), {"fields": PERMISSIONS}),
        (None, {"fields": ["changes"]}),
    ]
    readonly_fields = ["changes"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The administrators' own processes."""
        if db_field.name in PROCESSES:
            kwargs["queryset"] = Process.objects.filter(built_in="")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description=_("earlier settings"))
    def changes(self, obj: GroupBinding) -> SafeString | str:
        """The way to the binding's history."""
        if obj.pk is None:
            return "-"
        url = reverse("admin:integrations_groupbinding_history", args=(obj.pk,))
        return format_html('<a class="config-link" href="{}">{}</a>', url, gettext("History of this integration"))


register_group_inline(GroupBindingInline)


@admin.register(GroupBinding)
class GroupBindingAdmin(ConfigurationAdmin):
    """Only the history of bindings: they are written on the page of their group."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("integrations.view_groupbinding")
