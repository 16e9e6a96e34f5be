"""The form of a webhook: its secret goes in and never comes out; while it is changed, the former one stays valid."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from integrations.admin.system_form import is_stored
from integrations.configuration.hooks import problems_of_hook
from integrations.inbound.webhook.authentication import standard_secret_works
from integrations.models import Hook, HookAuthentication
from integrations.models.hooks import WITH_SECRET
from integrations.secrets import UnreadableSecret

_ = gettext_lazy
HMAC = "authentication=hmac"
SHOWN_WHEN = {
    "username": "authentication=basic",
    "header": "authentication=hmac|key_header|key_query",
    "prefix": "authentication=hmac|key_header|key_query",
    "algorithm": HMAC,
    "encoding": HMAC,
    "signed": HMAC,
    "timestamp_header": HMAC,
    "tolerance_seconds": HMAC,
    "new_secret": "authentication!=api_key",
    "keep_former": "authentication!=api_key",
    "forget_former": "authentication!=api_key",
}


class HookForm(forms.ModelForm):
    """The stored secrets are no fields of this form, so that nothing can write them into a page."""

    new_secret = forms.CharField(
        label=_("Secret, password or key"),
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    keep_former = forms.BooleanField(
        label=_("The stored one stays valid beside the new one"),
        required=False,
        initial=True,
        help_text=_("Until it is forgotten here: so the other desk can change at a time of its own."),
        widget=UnfoldBooleanSwitchWidget,
    )
    forget_former = forms.BooleanField(
        label=_("Forget the former secret"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Hook
        exclude = ["secret", "former_secret"]  # noqa: DJ006 - everything but the secrets

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_secret" in self.fields:
            self.fields["new_secret"].help_text = _secret_help(self.instance)
        for name, when in SHOWN_WHEN.items():
            if name in self.fields:
                widget: Any = self.fields[name].widget
                getattr(widget, "widget", widget).attrs["data-show-when"] = when

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        values = {field.name: cleaned.get(field.name) for field in Hook._meta.fields if field.name != "id"}
        for name in ("header", "username", "timestamp_header", "signed", "message_id", "answer"):
            values[name] = values[name] or ""
        for field, found in problems_of_hook(values).items():
            self.add_error(field, found)
        kind, new = cleaned.get("authentication"), cleaned.get("new_secret")
        stored = self.instance.secret
        if kind in WITH_SECRET and not new and not is_stored(stored):
            self.add_error("new_secret", gettext("This kind of authentication needs a secret."))
        elif kind == HookAuthentication.STANDARD and not standard_secret_works(new or stored):
            self.add_error(
                "new_secret", gettext("A secret of Standard Webhooks is base64, with or without whsec_ before it.")
            )
        return cleaned

    def save(self, commit: bool = True) -> Hook:
        """With the new secret, the former one beside it if it shall stay valid."""
        hook = self.instance
        if new := self.cleaned_data.get("new_secret"):
            keep = self.cleaned_data.get("keep_former")
            hook.former_secret = hook.secret if keep and hook.secret != new else ""
            hook.secret = new
        elif self.cleaned_data.get("forget_former"):
            hook.former_secret = ""
        return super().save(commit)


def secret_fields(hook: Hook | None) -> list[str]:
    """The fields about the secret that make sense now."""
    if hook is None or not is_stored(hook.secret):
        return ["new_secret"]
    return ["new_secret", "keep_former", *(["forget_former"] if is_stored(hook.former_secret) else [])]


def _secret_help(hook: Hook) -> str:
    if isinstance(hook.secret, UnreadableSecret):
        return gettext("The stored secret cannot be decrypted with the configured keys. Enter it again.")
    if hook.former_secret:
        return gettext("Two are valid at this time, encrypted and never shown. Leave this empty to keep them.")
    if hook.secret:
        return gettext("One is stored, encrypted, and never shown. Leave this empty to keep it.")
    return gettext("None is stored. It is kept encrypted and never shown again.")
