"""Configuration and exchange in the admin."""

from django.contrib import admin
from rest_framework_api_key.models import APIKey

from integrations.admin import (
    app_fields,
    bindings,
    exchanges,
    feed,
    hook_rules,
    hooks,
    mailboxes,
    mails,
    panels,
    people,
    processes,
    runs,
    streams,
    systems,
    templates,
    webhooks,
    wsdls,
)

# Keys belong to external systems and are made on their pages; keys of nobody would only puzzle.
admin.site.unregister(APIKey)

__all__ = [
    "app_fields",
    "bindings",
    "exchanges",
    "feed",
    "hook_rules",
    "hooks",
    "mailboxes",
    "mails",
    "panels",
    "people",
    "processes",
    "runs",
    "streams",
    "systems",
    "templates",
    "webhooks",
    "wsdls",
]
