"""The catalogue in the admin: what there is, adding a desk by a guided form, comparing, cloning, files."""

from typing import Any

from django.urls import path

from integrations.admin.catalogue import adding, changing, files, pages, setup
from integrations.admin.catalogue.base import Screen

# Address below that of external systems, the name of the address, the screen.
SCREENS: tuple[tuple[str, str, type[Screen]], ...] = (
    ("catalogue/", "integrations_catalogue", pages.Catalogue),
    ("catalogue/<slug:preset>/", "integrations_catalogue_preset", pages.OfPreset),
    ("catalogue/<slug:preset>/add/", "integrations_catalogue_add", adding.Add),
    ("export/", "integrations_export_all", files.ExportAll),
    ("import/", "integrations_import", files.Import),
    ("<int:pk>/setup/", "integrations_setup", setup.Resume),
    ("<int:pk>/setup/<slug:step>/", "integrations_setup_step", setup.OneStep),
    ("<int:pk>/export/", "integrations_export", files.Export),
    ("<int:pk>/export-preset/", "integrations_export_preset", files.ExportPreset),
    ("<int:pk>/compare/", "integrations_compare", changing.Compare),
    ("<int:pk>/clone/", "integrations_clone", changing.Clone),
)


def addresses(model_admin: Any) -> list[Any]:
    """The screens as addresses of the model admin of external systems."""
    wrap = model_admin.admin_site.admin_view
    return [path(route, wrap(screen(model_admin).view), name=name) for route, name, screen in SCREENS]
