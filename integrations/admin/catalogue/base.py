"""What the catalogue's screens share: who may see them, and their frame."""

from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse

from integrations.models import ExternalSystem

# Whoever makes or changes whole systems makes and changes everything that belongs to them.
MODELS: Final = ("externalsystem", "operationtemplate", "wsdldocument", "process", "step", "valuemapping")
CONFIGURES: Final = (
    *(f"integrations.{what}_{model}" for model in MODELS for what in ("add", "change")),
    "integrations.add_groupbinding",
    "integrations.change_groupbinding",
    "tickets.add_assignmentgroup",
)
READS: Final = ("integrations.view_externalsystem",)


def may_configure(request: HttpRequest) -> bool:
    """Whether the user may make and change whole systems."""
    return request.user.has_perms(CONFIGURES)


class Screen:
    """One screen: `get` shows, `post` acts. Without every permission of `needs` it does not exist for the user."""

    needs: tuple[str, ...] = CONFIGURES

    def __init__(self, model_admin: Any) -> None:
        self.model_admin = model_admin

    def view(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Answer a request."""
        if not request.user.has_perms(self.needs):
            raise PermissionDenied
        handler: Callable[..., HttpResponse] | None = getattr(self, (request.method or "").lower(), None)
        if request.method not in ("GET", "POST") or handler is None:
            return HttpResponseNotAllowed([name.upper() for name in ("get", "post") if hasattr(self, name)])
        return handler(request, **kwargs)

    def system(self, pk: int) -> ExternalSystem:
        """The system that a screen is about. 404 if there is none."""
        system = ExternalSystem.objects.filter(pk=pk).first()
        if system is None:
            raise Http404
        return system

    def page(self, request: HttpRequest, template: str, *, title: Any, status: int = 200, **context: Any) -> Any:
        """A page in the admin's frame."""
        admin = self.model_admin
        request.current_app = admin.admin_site.name
        shared = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "media": admin.media,
            "title": title,
            "back": reverse("admin:integrations_externalsystem_changelist"),
            "may_configure": may_configure(request),
        }
        name = f"admin/integrations/catalogue/{template}"
        return TemplateResponse(request, name, {**shared, **context}, status=status)

    def page_of(self, request: HttpRequest, template: str, system: ExternalSystem, **context: Any) -> Any:
        """A page about one system; it leads back to that system's."""
        back = reverse("admin:integrations_externalsystem_change", args=(system.pk,))
        return self.page(request, template, system=system, back=back, original=system, **context)
