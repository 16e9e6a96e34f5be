"""The form of an external system: its secret goes in and never comes out."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from integrations.configuration import LOGIN_PREFIX, capture_names
from integrations.engine.authentication import origin_of
from integrations.models import Authentication, ExternalSystem
from integrations.secrets import UnreadableSecret

_ = gettext_lazy
NEEDS_SECRET = (Authentication.BEARER, Authentication.KEY_HEADER, Authentication.KEY_QUERY)
SHOWN_WHEN = {
    "auth_username": "auth_kind=basic|ws_security|login",
    "secret": "auth_kind!=none",
    "auth_name": "auth_kind=key_header|key_query|login",
    "auth_login": "auth_kind=login",
}


class SystemForm(forms.ModelForm):
    """`auth_secret` is no field of this form, so that nothing can write the stored value into a page."""

    secret = forms.CharField(
        label=_("Password, token or key"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    remove_secret = forms.BooleanField(
        label=_("Remove the stored secret"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = ExternalSystem
        exclude = ["auth_secret"]  # noqa: DJ006 - everything but the secret

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.auth_secret
        self.fields["secret"].help_text = _secret_help(stored)
        login: Any = self.fields.get("auth_login")
        if login is not None:
            login.queryset = self.instance.operations.filter(name__startswith=LOGIN_PREFIX)
        for name in ("allowed_hosts", "secret_names"):
            if name in self.fields:
                self.fields[name].widget.attrs["rows"] = 3
        for name, when in SHOWN_WHEN.items():
            if name in self.fields:
                widget: Any = self.fields[name].widget
                getattr(widget, "widget", widget).attrs["data-show-when"] = when

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        secret, remove = cleaned.get("secret"), cleaned.get("remove_secret")
        stored = is_stored(self.instance.auth_secret)
        if secret and remove:
            self.add_error("remove_secret", gettext("Either enter a new secret or remove the stored one."))
        if cleaned.get("auth_kind") in NEEDS_SECRET and not secret and (remove or not stored):
            self.add_error("secret", gettext("This kind of authentication needs a token or key."))
        if stored and not secret and not remove and self._leads_elsewhere(cleaned.get("base_url") or ""):
            # Otherwise whoever may change the address could have the secret sent to a host of their own.
            self.add_error("secret", gettext("The address leads to another host now. Enter the secret for it, too."))
        login = cleaned.get("auth_login")
        if login is not None and "session" not in capture_names(login.captures):
            self.add_error(
                "auth_login", gettext("This operation has no capture named session: add one that takes the value.")
            )
        return cleaned

    def save(self, commit: bool = True) -> ExternalSystem:
        """With the new secret, without the removed one, or with the one that is stored."""
        if self.cleaned_data.get("secret"):
            self.instance.auth_secret = self.cleaned_data["secret"]
        elif self.cleaned_data.get("remove_secret"):
            self.instance.auth_secret = ""
        return super().save(commit)

    def _leads_elsewhere(self, base_url: str) -> bool:
        try:
            return origin_of(base_url) != origin_of(str(self.initial.get("base_url", "")))
        except ValueError:
            return True


def is_stored(secret: str) -> bool:
    """Whether there is a secret in the row, readable or not."""
    return bool(secret) or isinstance(secret, UnreadableSecret)


def _secret_help(stored: str) -> str:
    if isinstance(stored, UnreadableSecret):
        return gettext("The stored secret cannot be decrypted with the configured keys. Enter it again.")
    if stored:
        return gettext("One is stored, encrypted, and never shown. Leave this empty to keep it.")
    return gettext("None is stored. It is kept encrypted and never shown again.")
