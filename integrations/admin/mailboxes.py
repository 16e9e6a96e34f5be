"""Mailboxes: how each is read, how that goes, and a button that tries it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from integrations.admin.awaited import MARK, awaiting, is_under_way
from integrations.admin.base import ConfigurationAdmin
from integrations.admin.look import NOTHING, Look, chip, relative, to_the_second
from integrations.admin.system_form import is_stored
from integrations.fetching.account import may_get_token, opened
from integrations.fetching.claim import fetch_now
from integrations.models import Mailbox
from integrations.secrets import SecretUnreadable, UnreadableSecret
from integrations.transports.errors import TransportError

_ = gettext_lazy


class MailboxForm(forms.ModelForm):
    """The stored password goes in and never comes out."""

    new_secret = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Mailbox
        exclude = ["secret"]  # noqa: DJ006 - everything but the secret

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_secret" in self.fields:
            self.fields["new_secret"].help_text = self._about_secret()
            self.fields["new_secret"].widget.attrs["data-show-when"] = "token_system="
        if "number_formats" in self.fields:
            self.fields["number_formats"].widget.attrs["rows"] = 3

    def clean(self) -> dict[str, Any]:
        """Where the password goes from now on, it is entered anew."""
        cleaned = super().clean() or self.cleaned_data
        system = cleaned.get("token_system")
        if system is not None:
            if cleaned.get("host") and not may_get_token(system, cleaned["host"]):
                words = {"system": system, "host": cleaned["host"]}
                self.add_error(
                    "token_system",
                    gettext("The address of %(system)s is not on %(host)s, so that gets no token of it.") % words,
                )
            return cleaned
        leads_elsewhere = {"host", "port", "security", "verify_tls"} & set(self.changed_data)
        stored = is_stored(self.instance.secret)
        if cleaned.get("host") and not cleaned.get("new_secret") and (not stored or leads_elsewhere):
            self.add_error("new_secret", gettext("Enter the password for this server."))
        return cleaned

    def save(self, commit: bool = True) -> Mailbox:
        """With the new password, or with the one that is stored."""
        if self.cleaned_data.get("new_secret"):
            self.instance.secret = self.cleaned_data["new_secret"]
        saved: Mailbox = super().save(commit)
        return saved

    def _about_secret(self) -> str:
        if isinstance(self.instance.secret, UnreadableSecret):
            return gettext("The stored password cannot be decrypted with the configured keys. Enter it again.")
        if self.instance.secret:
            return gettext("One is stored, encrypted, and never shown. Leave this empty to keep it.")
        return gettext("It is kept encrypted and never shown again.")


@dataclass(frozen=True)
class MailTrial:
    """What a try came to: how many mails wait there, or why it cannot be read."""

    succeeded: bool
    headline: str
    detail: str = ""


@admin.register(Mailbox)
class MailboxAdmin(ConfigurationAdmin):
    """Where mail comes in."""

    form = MailboxForm
    list_display = ["name", "address", "state", "system", "last_success", "problem"]
    list_filter = ["active"]
    list_select_related = ["system"]
    search_fields = ["name", "address", "host"]
    readonly_fields = ["standing"]
    autocomplete_fields = ["failover_contact"]
    actions_detail = ["test_mailbox", "read_now"]
    empty_value_display = NOTHING
    warn_unsaved_form = True

    class Media:
        css = {"all": ["css/configuration.css"]}
        js = ["js/configuration.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Mailbox | None = None) -> Any:
        secret = ["new_secret"] if obj is None or self.has_change_permission(request, obj) else []
        return [
            (_("The mailbox"), {"fields": [*(["standing"] if obj else []), "name", "address", "active", "system"]}),
            (
                _("The server"),
                {
                    "fields": [
                        *("host", "port", "security", "verify_tls", "allow_private", "token_system", "username"),
                        *secret,
                        *("folder", "done_folder", "waiting", "interval_seconds"),
                    ]
                },
            ),
            (
                _("What becomes of its mail"),
                {"fields": ["number_formats", "failover_contact", "queue", "category", "plus_addresses"]},
            ),
            (_("What is believed"), {"fields": ["authserv_id", "hourly_limit"]}),
        ]

    @display(description=_("state"))
    def state(self, mailbox: Mailbox) -> SafeString:
        """How it goes, as a word."""
        return chip(*_standing(mailbox))

    @display(description=_("last success"), ordering="last_success_at")
    def last_success(self, mailbox: Mailbox) -> str:
        """When it was read last."""
        return relative(mailbox.last_success_at) if mailbox.last_success_at else NOTHING

    @display(description=_("problem"))
    def problem(self, mailbox: Mailbox) -> str:
        """Why it cannot be read."""
        return mailbox.last_error[:200] if mailbox.failures else ""

    @display(description=_("state"))
    def standing(self, mailbox: Mailbox) -> SafeString:
        """How it goes, in words."""
        facts: list[str] = [chip(*_standing(mailbox))]
        if mailbox.last_success_at is not None:
            facts.append(gettext("last success %(when)s") % {"when": to_the_second(mailbox.last_success_at)})
        if mailbox.failing_since is not None:
            words = {"when": to_the_second(mailbox.failing_since), "count": mailbox.failures}
            facts.append(gettext("failing since %(when)s, %(count)d times") % words)
        if mailbox.is_visited and is_under_way(mailbox.due_at, mailbox.lease_until):
            facts.append(format_html("{}{}", gettext("is read as soon as a worker is free"), MARK))
        elif mailbox.is_visited and mailbox.due_at is not None:
            facts.append(gettext("next look %(when)s") % {"when": relative(mailbox.due_at)})
        shown = format_html("{}", facts[0])
        for fact in facts[1:]:
            shown = format_html("{} · {}", shown, fact)
        if mailbox.last_error:
            shown = format_html('{}<br><span class="state-bad">{}</span>', shown, mailbox.last_error)
        return shown

    @action(description=_("Test connection"), icon="cable", permissions=["change"])
    def test_mailbox(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sign in and look, without taking anything over."""
        mailbox: Mailbox = self.row_for(request, object_id, "change")
        trial = _try(mailbox) if request.method == "POST" else None
        return self.page(
            request, "mailbox_test.html", mailbox, title=gettext("Test connection"), mailbox=mailbox, trial=trial
        )

    @action(description=_("Read now"), icon="mark_email_unread", permissions=["change"])
    def read_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have it read as soon as a worker is free."""
        mailbox: Mailbox = self.row_for(request, object_id, "change")
        if not mailbox.is_visited:
            messages.error(request, gettext("It is switched off, or has no server to read from."))
        elif mailbox.lease_until is not None and mailbox.lease_until > timezone.now():
            messages.info(request, gettext("It is being read at this moment."))
        else:
            fetch_now(mailbox)
            messages.success(request, gettext("It is read as soon as a worker is free. It is shown here then."))
        return redirect(awaiting(reverse("admin:integrations_mailbox_change", args=(mailbox.pk,)), "content"))


def _try(mailbox: Mailbox) -> MailTrial:
    if not mailbox.host:
        return MailTrial(False, gettext("It has no server to read from: its mail is handed over (receive_mail)."))
    try:
        with opened(mailbox) as reader:
            count = len(reader.waiting())
            told = reader.can_wait
    except (TransportError, SecretUnreadable) as problem:
        return MailTrial(False, gettext("It cannot be read"), str(problem))
    detail = ngettext(
        "%(count)d mail waits to be taken over; nothing was changed.",
        "%(count)d mails wait to be taken over; nothing was changed.",
        count,
    ) % {"count": count}
    if mailbox.waiting == "idle" and not told:
        detail += " " + gettext("This server does not tell of new mail by itself: it is looked at in intervals.")
    return MailTrial(True, gettext("It can be read"), detail)


def _standing(mailbox: Mailbox) -> tuple[str, Look]:
    if not mailbox.active:
        return gettext("Switched off"), Look("", "power_settings_new")
    if not mailbox.host:
        return gettext("Mail is handed over"), Look("", "input")
    if mailbox.lease_until is not None and mailbox.lease_until > timezone.now():
        return gettext("Is being read"), Look("wait", "hourglass_top")
    if mailbox.failures:
        return gettext("Fails"), Look("bad", "error")
    if mailbox.last_success_at is None:
        return gettext("Not read yet"), Look("", "schedule")
    return gettext("OK"), Look("good", "check")
