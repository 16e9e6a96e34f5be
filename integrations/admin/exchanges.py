"""The exchange log in the admin: for reading. What has happened is neither edited nor deleted."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations.admin.confirm import to_page
from integrations.admin.exchange_list import ExchangeList
from integrations.admin.exchange_page import exchange_page, raw_body
from integrations.admin.replays import replay_page
from integrations.models import Exchange


@admin.register(Exchange)
class ExchangeAdmin(ExchangeList):
    """Every message in both directions. Who decides about runs also decides about messages without effect."""

    actions = ["map_again", "apply_anyway"]

    class Media:
        js = ["js/exchange.js"]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("replay/<slug:name>/", view(self.replay_view), name="integrations_exchange_replay"),
            path("<int:pk>/raw/<slug:side>/", view(self.raw_view), name="integrations_exchange_raw"),
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages are exchanged, not added."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Exchange | None = None) -> bool:
        """A log that can be edited is none."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Exchange | None = None) -> bool:
        """Old bodies are removed by themselves."""
        return False

    def has_decide_permission(self, request: HttpRequest, obj: Exchange | None = None) -> bool:
        """Whether this person decides about runs and messages."""
        return self.has_view_permission(request) and request.user.has_perm("integrations.change_processrun")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        exchange = self.row_for(request, object_id, "view")
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return exchange_page(self, request, exchange)

    def raw_view(self, request: HttpRequest, pk: int, side: str) -> HttpResponse:
        """A body as a file."""
        return raw_body(self.row_for(request, str(pk), "view"), side)

    def replay_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Say what a replay will do, then do it."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        return replay_page(self, request, name, self.get_queryset(request))

    @action(description=_("Map again …"), permissions=["decide"])
    def map_again(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> HttpResponse:
        """Ask whether the refused ones among them shall be mapped again."""
        return to_page(reverse("admin:integrations_exchange_replay", args=["map-again"]), queryset)

    @action(description=_("Apply anyway …"), permissions=["decide"])
    def apply_anyway(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> HttpResponse:
        """Ask whether the held back ones among them shall be applied."""
        return to_page(reverse("admin:integrations_exchange_replay", args=["apply-anyway"]), queryset)
