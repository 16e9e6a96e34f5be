"""The addresses that the ITX document names, each with and without the slash at its end."""

from django.urls import re_path

from integrations.inbound.itx import views
from integrations.inbound.rest.urls import both

urlpatterns = [
    *both("rest/itxems/case", views.Case.as_view(), "itx-case"),
    *both("rest/itxems/cases", views.Cases.as_view(), "itx-cases"),
    *both("rest/itxems/cases/search", views.Search.as_view(), "itx-search"),
    *both("rest/itxems/categories", views.Categories.as_view(), "itx-categories"),
    *both("rest/itxems/statuses", views.Statuses.as_view(), "itx-statuses"),
    *both("rest/itxems/priorities", views.Priorities.as_view(), "itx-priorities"),
    *both("rest/itxpbx/queue", views.Queues.as_view(), "itx-queue"),
    *both("rest/itxems/activitytexts", views.ActivityTexts.as_view(), "itx-activitytexts"),
    *both("rest/core/corefile", views.CoreFile.as_view(), "itx-corefile"),
    *both("rest/api/state", views.State.as_view(), "itx-state"),
    # Line ends too, which a dot does not match.
    re_path(r"^rest/(?:itxems|itxpbx)/[\s\S]*$", views.Nothing.as_view(), name="itx-nothing"),
]
