"""The admin's sidebar."""

from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The catalogue is a page below the list of external systems, and is seen by whoever sees these.
CATALOGUE: Final = "catalogue"

# group -> (title, icon, model (or the catalogue), query string)
GROUPS: list[tuple[Promise, list[tuple[Promise, str, str, str]]]] = [
    (
        _("Service desk"),
        [
            (_("Tickets"), "confirmation_number", "tickets.Ticket", ""),
            (_("Assigned to me"), "person_check", "tickets.Ticket", "mine=1"),
            (_("Tasks"), "task_alt", "tickets.Task", ""),
        ],
    ),
    (
        _("Exchange"),
        [
            (_("Exchange log"), "swap_horiz", "integrations.Exchange", ""),
            (_("Mail"), "mail", "integrations.IncomingMail", ""),
            (_("Unclear mail"), "unknown_document", "integrations.IncomingMail", "state=unclear"),
            (_("Process runs"), "play_circle", "integrations.ProcessRun", ""),
            (_("Streams"), "low_priority", "integrations.Stream", ""),
            (_("Feed entries"), "rss_feed", "integrations.FeedEntry", ""),
            (_("External references"), "tag", "integrations.ExternalReference", ""),
        ],
    ),
    (
        _("Integrations"),
        [
            (_("Catalogue of desks"), "library_add", CATALOGUE, ""),
            (_("External systems"), "hub", "integrations.ExternalSystem", ""),
            (_("Mailboxes"), "inbox", "integrations.Mailbox", ""),
            (_("Operation templates"), "data_object", "integrations.OperationTemplate", ""),
            (_("WSDL documents"), "description", "integrations.WsdlDocument", ""),
            (_("Webhooks"), "webhook", "integrations.Hook", ""),
            (_("Outgoing webhooks"), "send", "integrations.WebhookSubscription", ""),
            (_("Processes"), "account_tree", "integrations.Process", ""),
            (_("App fields"), "list_alt", "integrations.AppField", ""),
        ],
    ),
    (
        _("People"),
        [
            (_("Contacts"), "contacts", "tickets.Contact", ""),
            (_("Organisations"), "domain", "tickets.Organisation", ""),
            (_("Assignment groups"), "groups", "tickets.AssignmentGroup", ""),
        ],
    ),
    (
        _("Our own lists"),
        [
            (_("Queues"), "inbox", "tickets.Queue", ""),
            (_("Categories"), "category", "tickets.Category", ""),
            (_("Priorities"), "flag", "tickets.Priority", ""),
            (_("Statuses"), "rule", "tickets.OwnStatus", ""),
            (_("Completion codes"), "done_all", "tickets.OwnCompletionCode", ""),
            (_("Tags"), "sell", "tickets.Tag", ""),
            (_("Properties"), "tune", "tickets.PropertyDefinition", ""),
        ],
    ),
    (
        _("Access"),
        [
            (_("Users"), "person", "auth.User", ""),
            (_("Permission groups"), "shield_person", "auth.Group", ""),
        ],
    ),
]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's groups and links: what the signed-in person may see, and no link that leads nowhere."""
    home = reverse("admin:index")
    overview = {"title": _("Overview"), "icon": "monitoring", "link": home, "active": request.path == home}
    groups: list[dict[str, Any]] = [{"title": "", "items": [overview]}]
    for title, entries in GROUPS:
        items = [item for entry in entries if (item := _item(request, *entry))]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(request: HttpRequest, title: Promise, icon: str, label: str, query: str) -> dict[str, Any] | None:
    model = apps.get_model("integrations.ExternalSystem" if label == CATALOGUE else label)
    if not admin.site.is_registered(model):
        return None
    model_admin = admin.site.get_model_admin(model)
    if not model_admin.has_view_or_change_permission(request):
        return None
    options = model._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    catalogue = reverse("admin:integrations_catalogue")
    if label == CATALOGUE:
        address, here = catalogue, request.path.startswith(catalogue)
    else:
        here = request.path.startswith(address) and not request.path.startswith(catalogue)
    # Two entries may lead to the same list: the one with a query is shown as chosen only while that query is.
    asked = "mine" in request.GET or request.GET.get("state") == "unclear"
    return {
        "title": title,
        "icon": icon,
        "link": f"{address}?{query}" if query else address,
        "active": here and asked == bool(query),
    }
