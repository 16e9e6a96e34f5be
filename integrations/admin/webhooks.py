"""Outgoing webhooks: each subscription on a page of its own, its secret shown once and replaced without a gap."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from integrations.admin.base import ConfigurationAdmin
from integrations.admin.look import NOTHING, Look, chip, to_the_second
from integrations.connection import try_webhook
from integrations.models import WebhookSubscription
from integrations.webhooks import end, new_secret, reactivate, rotate_secret
from tickets.events import EventName

_ = gettext_lazy
CHANGE = "admin:integrations_webhooksubscription_change"
EVENTS: Mapping[EventName, Any] = {
    EventName.TICKET_CREATED: _("a ticket was raised"),
    EventName.TICKET_CHANGED: _("fields of the ticket changed"),
    EventName.TICKET_CLOSED: _("the ticket was closed"),
    EventName.TICKET_REOPENED: _("the ticket was opened again"),
    EventName.STATUS_CHANGED: _("the ticket's status changed"),
    EventName.MEMBERS_CHANGED: _("who looks after or follows the ticket changed"),
    EventName.LINKS_CHANGED: _("the ticket was linked to another"),
    EventName.TAGS_CHANGED: _("its tags changed"),
    EventName.PROPERTIES_CHANGED: _("its properties changed"),
    EventName.TICKET_MERGED: _("the ticket was merged"),
    EventName.TASK_CREATED: _("a task was made"),
    EventName.TASK_ASSIGNED: _("a task was given to a group or person"),
    EventName.TASK_CHANGED: _("fields of a task changed"),
    EventName.TASK_CLOSED: _("a task was closed"),
    EventName.TASK_REOPENED: _("a task was opened again"),
    EventName.NOTE_ADDED: _("a note was added"),
    EventName.ATTACHMENT_ADDED: _("a file was attached"),
    EventName.SOLUTION_PROPOSED: _("a solution was proposed"),
    EventName.SOLUTION_ACCEPTED: _("a solution was accepted"),
    EventName.SOLUTION_DECLINED: _("a solution was declined"),
}
KEEP = {
    "24": _("24 hours"),
    "1": _("1 hour"),
    "168": _("7 days"),
    "0": _("not at all: it has become known to others"),
}


class WebhookForm(forms.ModelForm):
    """The events to choose from, each with what it means."""

    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name.value, f"{name.value}: {words}") for name, words in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "event-choices"}),
        help_text=_("The desk is told as far as it may see the task, and never of what it has caused itself."),
    )

    class Meta:
        model = WebhookSubscription
        fields = ["system", "name", "url", "events"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "events" in self.fields:
            shown = "<code>{}</code> <span>{}</span>"
            events: Any = self.fields["events"]
            events.choices = [(name.value, format_html(shown, name, words)) for name, words in EVENTS.items()]


class RotationForm(forms.Form):
    """How long the old secret goes on signing. One that was promised to until a later time is not ended unasked."""

    keep = forms.ChoiceField(
        label=_("The old secret signs, too, for"), choices=list(KEEP.items()), widget=UnfoldAdminSelectWidget
    )
    end_promised = forms.BooleanField(
        label=_("End the former secret now"),
        widget=UnfoldBooleanSwitchWidget,
        error_messages={"required": _("Nothing was replaced: confirm that the former secret ends now.")},
    )

    def __init__(self, *args: Any, promised: datetime | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if promised is None:
            del self.fields["end_promised"]
        else:
            words = _(
                "The secret was replaced before, and the former one is to sign until %(when)s. Only two can sign."
            )
            self.fields["end_promised"].help_text = words % {"when": to_the_second(promised)}


@admin.register(WebhookSubscription)
class WebhookAdmin(ConfigurationAdmin):
    """An address of another desk that is told of events."""

    form = WebhookForm
    list_display = ["name", "system", "url", "state"]
    list_filter = ["system"]
    search_fields = ["name", "url", "system__name"]
    list_select_related = ["system"]
    readonly_fields = ["state", "secret_state", "last_success_at", "last_failure"]
    actions_detail = ["send_test", "rotate", "end_or_begin"]

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js"]

    def get_fieldsets(self, request: HttpRequest, obj: WebhookSubscription | None = None) -> Any:
        asked = (None, {"fields": ["system", "name", "url", "events"]})
        told = (_("How it goes"), {"fields": ["state", "secret_state", "last_success_at", "last_failure"]})
        return [told, asked] if obj else [asked]

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookSubscription | None = None) -> Any:
        return [*self.readonly_fields, "system"] if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: WebhookSubscription | None = None) -> bool:
        """What was delivered stays in the log with its webhook; one that was never used may go."""
        used = obj is not None and obj.streams.exists()
        return super().has_delete_permission(request, obj) and not used

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "integrations_webhooksubscription"
        return [
            path("<path:object_id>/rotate/", wrap(self.rotate_page), name=f"{name}_rotate"),
            path("<path:object_id>/test/", wrap(self.test_page), name=f"{name}_test"),
            path("<path:object_id>/state/", wrap(self.state_page), name=f"{name}_state"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: WebhookSubscription, form: Any, change: bool) -> None:
        if not change:
            obj.secret = new_secret()
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: WebhookSubscription, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, this once."""
        return self._secret_page(request, obj, obj.secret)

    @display(description=_("state"))
    def state(self, obj: WebhookSubscription) -> SafeString | str:
        """Whether it is delivered, and how that goes."""
        if not obj.is_active:
            words = gettext("%(when)s: %(reason)s") % {
                "when": to_the_second(obj.ended_at) if obj.ended_at else "",
                "reason": obj.ended_reason,
            }
            return format_html("{} {}", chip(gettext("Ended"), Look("bad", "block")), words)
        if obj.failures:
            words = gettext("%(count)d failures in a row") % {"count": obj.failures}
            return format_html("{} {}", chip(gettext("Fails"), Look("bad", "error")), words)
        if obj.last_success_at is None:
            return chip(gettext("Nothing delivered yet"), Look("", "schedule"))
        return chip(gettext("OK"), Look("good", "check"))

    @display(description=_("last failure"))
    def last_failure(self, obj: WebhookSubscription) -> str:
        """Why the latest delivery has failed; a desk that ends its webhook refuses a delivery, too."""
        return (obj.ended_reason if obj.ended_by_desk else "") or obj.last_error

    @display(description=_("secret"))
    def secret_state(self, obj: WebhookSubscription) -> str:
        """That there is one, and whether another one signs beside it."""
        if obj.previous_until is not None and obj.previous_until > timezone.now():
            until = to_the_second(obj.previous_until)
            return gettext("Stored, encrypted. The one before it signs, too, until %(when)s.") % {"when": until}
        return gettext("Stored, encrypted, and never shown again.")

    @action(description=_("Send test"), icon="send", permissions=["change"])
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page that delivers a test event."""
        return redirect("admin:integrations_webhooksubscription_test", object_id)

    @action(description=_("Replace the secret"), icon="key", permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page that replaces the secret."""
        return redirect("admin:integrations_webhooksubscription_rotate", object_id)

    @action(description=_("End or begin again"), icon="power_settings_new", permissions=["change"])
    def end_or_begin(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page that ends it, or lets it go on."""
        return redirect("admin:integrations_webhooksubscription_state", object_id)

    def rotate_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the old secret is to sign, then show the new one, this once."""
        row = self.row_for(request, object_id, "change")
        promised = row.previous_until if row.previous_until and row.previous_until > timezone.now() else None
        form = RotationForm(request.POST if request.method == "POST" else None, promised=promised)
        if request.method == "POST" and form.is_valid():
            secret = rotate_secret(row, keep=timedelta(hours=int(form.cleaned_data["keep"])))
            self.log_change(request, row, gettext("The secret was replaced."))
            return self._secret_page(request, row, secret)
        return self.page(request, "webhook_secret.html", row, title=gettext("Replace the secret"), form=form)

    def test_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Deliver a test event, and say in words what came of it."""
        row = self.row_for(request, object_id, "change")
        trial = try_webhook(row) if request.method == "POST" else None
        title = gettext("Send a test event")
        return self.page(request, "webhook_test.html", row, title=title, subscription=row, trial=trial)

    def state_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the webhook, or let it go on; both say first what that means."""
        row = self.row_for(request, object_id, "change")
        if request.method == "POST":
            if row.is_active:
                reason = gettext("Ended by %(person)s.") % {"person": request.user.get_username()}
                end(row, reason)
                self.log_change(request, row, reason)
            else:
                reactivate(row)
                self.log_change(request, row, gettext("Begun again."))
            words = gettext("Ended.") if row.is_active else gettext("New events are delivered from now on.")
            messages.success(request, words)
            return redirect(CHANGE, row.pk)
        due = row.streams.filter(due_at__isnull=False).count()
        title = gettext("End the webhook") if row.is_active else gettext("Let the webhook begin again")
        return self.page(request, "webhook_state.html", row, title=title, subscription=row, due=due)

    def _secret_page(self, request: HttpRequest, row: WebhookSubscription, secret: str) -> HttpResponse:
        answer = self.page(
            request,
            "webhook_secret.html",
            row,
            title=gettext("Secret of the webhook"),
            secret=secret,
        )
        answer["Cache-Control"] = "no-store"
        return answer


def state_words(row: WebhookSubscription) -> str:
    """For a list: how a webhook stands."""
    if not row.is_active:
        return gettext("ended")
    return gettext("fails") if row.failures else gettext("active")


def events_words(row: WebhookSubscription) -> str:
    """For a list: the first events, and how many more."""
    shown = ", ".join(row.events[:3])
    return f"{shown} +{len(row.events) - 3}" if len(row.events) > 3 else shown or NOTHING


def add_url(system_id: str) -> str:
    """Where a webhook of this system is made."""
    return f"{reverse('admin:integrations_webhooksubscription_add')}?system={system_id}"
