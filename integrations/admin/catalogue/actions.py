"""The buttons that lead from external systems to the catalogue's screens."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations.admin.catalogue.base import CONFIGURES

ON_LIST: Final = ["open_catalogue", "export_all", "import_file"]
# Few buttons, so that the system's name has its place beside them.
ON_PAGE: Final = {
    "title": _("More"),
    "icon": "more_horiz",
    "items": ["open_hook", "compare", "clone", "export", "export_preset"],
}


class CatalogueActions:
    """For the model admin of external systems."""

    @action(description=_("Add from the catalogue"), icon="library_add", permissions=["configure"])
    def open_catalogue(self, request: HttpRequest) -> HttpResponse:
        """Choose a desk from the catalogue."""
        return redirect("admin:integrations_catalogue")

    @action(description=_("Export all"), icon="download")
    def export_all(self, request: HttpRequest) -> HttpResponse:
        """The whole configuration as a file."""
        return redirect("admin:integrations_export_all")

    @action(description=_("Import"), icon="upload", permissions=["configure"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        """A configuration from a file."""
        return redirect("admin:integrations_import")

    @action(description=_("Compare with the original"), icon="difference", permissions=["configure"])
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """See what differs from the preset in the catalogue."""
        return redirect("admin:integrations_compare", object_id)

    @action(description=_("Clone"), icon="content_copy", permissions=["configure"])
    def clone(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a second system of this kind."""
        return redirect("admin:integrations_clone", object_id)

    @action(description=_("Export"), icon="download")
    def export(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This system as a file."""
        return redirect("admin:integrations_export", object_id)

    @action(description=_("Export as a preset"), icon="library_books")
    def export_preset(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """This system as an entry for a catalogue."""
        return redirect("admin:integrations_export_preset", object_id)

    def has_configure_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make and change whole systems."""
        return request.user.has_perms(CONFIGURES)
