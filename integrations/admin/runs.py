"""Process runs in the admin: for reading and deciding. The engine alone writes them."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations.admin.confirm import to_page
from integrations.admin.decide import decide_page, replay_page
from integrations.admin.run_list import RunList
from integrations.admin.run_page import run_page
from integrations.models import ProcessRun, StepRun


@admin.register(ProcessRun)
class ProcessRunAdmin(RunList):
    """Executions of processes. Who may change them may decide; nobody edits a row by hand."""

    actions = ["retry_runs", "hold_runs", "cancel_runs"]

    class Media:
        js = ["js/exchange.js"]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("decide/<slug:decision>/", view(self.decide_view), name="integrations_processrun_decide"),
            path(
                "<int:pk>/replay/<int:index>/<slug:how>/",
                view(self.replay_view),
                name="integrations_processrun_replay",
            ),
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs come from events."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProcessRun | None = None) -> bool:
        """A run is cancelled, not deleted."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self.row_for(request, object_id, "view")
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return run_page(self, request, run)

    def decide_view(self, request: HttpRequest, decision: str) -> HttpResponse:
        """Say what a decision will do, then take it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return decide_page(self, request, decision, self.get_queryset(request))

    def replay_view(self, request: HttpRequest, pk: int, index: int, how: str) -> HttpResponse:
        """Say what replaying a step will do, then do it."""
        run = self.row_for(request, str(pk), "change")
        step = get_object_or_404(StepRun, run=run, index=index)
        step.run = run
        return replay_page(self, request, step, how)

    @action(description=_("Retry now …"), permissions=["change"])
    def retry_runs(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> HttpResponse:
        """Ask whether they shall be tried at once."""
        return to_page(reverse("admin:integrations_processrun_decide", args=["retry"]), queryset)

    @action(description=_("Hold …"), permissions=["change"])
    def hold_runs(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> HttpResponse:
        """Ask whether they shall be held."""
        return to_page(reverse("admin:integrations_processrun_decide", args=["hold"]), queryset)

    @action(description=_("Cancel …"), permissions=["change"])
    def cancel_runs(self, request: HttpRequest, queryset: QuerySet[ProcessRun]) -> HttpResponse:
        """Ask whether they shall be cancelled."""
        return to_page(reverse("admin:integrations_processrun_decide", args=["cancel"]), queryset)
