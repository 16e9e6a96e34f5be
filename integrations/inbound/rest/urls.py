"""`/api/v1/`. Each address answers with and without the slash at its end: no POST is lost in a redirect."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from integrations.inbound.rest import contact_views, schema, task_views, ticket_views  # noqa: F401 - schema registers itself

app_name = "api"


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The address in both spellings; the name is that of the one with the slash."""
    return [path(f"{route}/", view, name=name), path(route, view)]


urlpatterns = [
    *both("tasks", task_views.Tasks.as_view(), "tasks"),
    *both("tasks/<str:number>", task_views.TaskPage.as_view(), "task"),
    *both("tasks/<str:number>/acknowledge", task_views.Acknowledge.as_view(), "acknowledge"),
    *both("tasks/<str:number>/updates", task_views.Updates.as_view(), "updates"),
    *both("tasks/<str:number>/reassign", task_views.Reassign.as_view(), "reassign"),
    *both("tasks/<str:number>/operations", task_views.Operations.as_view(), "operations"),
    *both("tasks/<str:number>/attachments", task_views.Attachments.as_view(), "attachments"),
    *both("tasks/<str:number>/attachments/<int:attachment_id>", task_views.AttachmentFile.as_view(), "attachment"),
    *both("tickets", ticket_views.Tickets.as_view(), "tickets"),
    *both("tickets/<str:number>", ticket_views.TicketPage.as_view(), "ticket"),
    *both("contacts", contact_views.Contacts.as_view(), "contacts"),
    *both("contacts/<int:contact_id>", contact_views.ContactPage.as_view(), "contact"),
    *both("values", ticket_views.Values.as_view(), "values"),
    *both("exchanges", ticket_views.Exchanges.as_view(), "exchanges"),
    *both("schema", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]), "schema"),
    *both(
        "docs",
        SpectacularSwaggerSplitView.as_view(
            url_name="api:schema", authentication_classes=[], permission_classes=[], title="Deskbridge"
        ),
        "docs",
    ),
    # Line ends too, which a dot does not match.
    re_path(r"^[\s\S]*$", ticket_views.Nothing.as_view(), name="nothing"),
]
