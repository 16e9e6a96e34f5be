"""The form of an external system: its secret goes in and never comes out."""

from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from integrations.admin.credentials_form import CredentialsForm, is_stored, secret_help
from integrations.admin.system_settings import SettingsField
from integrations.configuration import LOGIN_PREFIX, capture_names
from integrations.models import Authentication, ExternalSystem
from integrations.models.systems import OAUTH
from integrations.transports.addresses import origin_of

_ = gettext_lazy
NO_CODE: Final = _("Only letters without accents, digits, hyphens and underscores.")
NEEDS_SECRET = (Authentication.BEARER, Authentication.KEY_HEADER, Authentication.KEY_QUERY)
OAUTH_FIELDS = ["oauth_token_url", "oauth_client_authentication", "oauth_scope", "oauth_parameters"]
SHOWN_WHEN = {
    "auth_username": "auth_kind=basic|template|ws_security|ws_security_digest|login|oauth|oauth_refresh",
    "secret": "auth_kind!=none",
    "auth_name": "auth_kind=key_header|key_query|login",
    "auth_login": "auth_kind=login",
    **dict.fromkeys(OAUTH_FIELDS, "auth_kind=oauth|oauth_refresh"),
    "refresh_token": "auth_kind=oauth_refresh",
}


class SystemForm(CredentialsForm):
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

    settings = SettingsField()

    class Meta:
        model = ExternalSystem
        exclude = ["auth_secret", "client_key"]
        error_messages: ClassVar = {
            "code": {"invalid": NO_CODE},
            "base_url": {
                "invalid": _("This is no address: write it as a whole, such as https://desk.example.com/api."),
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.auth_secret
        self.fields["secret"].help_text = secret_help(stored)
        login: Any = self.fields.get("auth_login")
        if login is not None:
            login.queryset = self.instance.operations.filter(name__startswith=LOGIN_PREFIX)
        for name in ("allowed_hosts", "secret_names", "mail_senders"):
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
        if stored and not secret and not remove and self._leads_elsewhere("base_url", cleaned):
            # Otherwise whoever may change the address could have the secret sent to a host of their own.
            self.add_error("secret", gettext("The address leads to another host now. Enter the secret for it, too."))
        elif self._tokens_go_elsewhere(cleaned):
            message = gettext("The token endpoint is on another host now. Enter the secrets for it, too.")
            self.add_error("secret", message)
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

    def _tokens_go_elsewhere(self, cleaned: dict[str, Any]) -> bool:
        """Whether a stored secret would be sent to another token endpoint than it was entered for."""
        if cleaned.get("auth_kind") not in OAUTH or not self._leads_elsewhere("oauth_token_url", cleaned):
            return False
        kept = is_stored(self.instance.auth_secret) and not cleaned.get("secret") and not cleaned.get("remove_secret")
        refresh = self.stored_token is not None and is_stored(self.stored_token.refresh_token)
        return kept or (refresh and not cleaned.get("refresh_token"))

    def _leads_elsewhere(self, name: str, cleaned: dict[str, Any]) -> bool:
        before = str(self.initial.get(name, ""))
        try:
            return origin_of(cleaned.get(name) or "") != origin_of(before)
        except ValueError:
            return True
