"""What belongs to a system, listed on its page: its operation templates and WSDLs, each a click away."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from integrations.admin.request_words import request_words
from integrations.admin.webhooks import events_words, state_words
from integrations.models import OperationTemplate, WebhookSubscription, WsdlDocument


class ListInline(TabularInline):
    """Rows to read and to follow; they are written on pages of their own."""

    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields


class OperationInline(ListInline):
    """What the system can be asked to do."""

    model = OperationTemplate
    fk_name = "system"
    fields = ["operation", "request", "captures", "repeat"]
    verbose_name_plural = _("operation templates")

    @display(description=_("name"))
    def operation(self, obj: OperationTemplate) -> SafeString:
        """Its name, leading to its page."""
        return format_html("{}<br>{}", _link(obj), obj.description)

    @display(description=_("request"))
    def request(self, obj: OperationTemplate) -> SafeString:
        """What is called."""
        return format_html("<code>{}</code>", request_words(obj))


class WsdlInline(ListInline):
    """The descriptions of its SOAP services."""

    model = WsdlDocument
    fields = ["wsdl", "url", "fetched_at"]
    verbose_name_plural = _("WSDLs")

    @display(description=_("name"))
    def wsdl(self, obj: WsdlDocument) -> SafeString:
        """Its name, leading to its page."""
        return _link(obj)


class WebhookInline(ListInline):
    """Where it is told of events."""

    model = WebhookSubscription
    fields = ["webhook", "url", "told_of", "state"]
    verbose_name_plural = _("outgoing webhooks")

    @display(description=_("name"))
    def webhook(self, obj: WebhookSubscription) -> SafeString:
        """Its name, leading to its page."""
        return _link(obj)

    @display(description=_("events"))
    def told_of(self, obj: WebhookSubscription) -> str:
        """Which events."""
        return events_words(obj)

    @display(description=_("state"))
    def state(self, obj: WebhookSubscription) -> str:
        """Whether it is delivered."""
        return state_words(obj)


def _link(row: OperationTemplate | WsdlDocument | WebhookSubscription) -> SafeString:
    url = reverse(f"admin:integrations_{row._meta.model_name}_change", args=(row.pk,))
    return format_html('<a class="config-link" href="{}">{}</a>', url, row.name)
