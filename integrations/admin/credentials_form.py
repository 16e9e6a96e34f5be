"""What of a system's credentials is entered and never shown: keys of certificates, and refresh tokens."""

from typing import Any

from django import forms
from django.db.models import F
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from integrations.configuration.certificates import describe_certificate, problems_of_certificates
from integrations.models import Authentication, OAuthToken
from integrations.secrets import UnreadableSecret
from integrations.transports.tls import PemProblem, read_key

_ = gettext_lazy
CERTIFICATE_FIELDS = ["ca_bundle", "client_certificate", "client_key_pem", "client_key_passphrase"]


class CredentialsForm(forms.ModelForm):
    """The part of a system's form for a client certificate and for OAuth's refresh token."""

    refresh_token = forms.CharField(
        label=_("Refresh token"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    client_key_pem = forms.CharField(
        label=_("Key of our certificate"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )
    client_key_passphrase = forms.CharField(
        label=_("Passphrase of the key"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("Only if the key has one. It is used once, now, and not kept."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_token = (
            OAuthToken.objects.filter(system_id=self.instance.pk).first() if self.instance.pk else None
        )
        self.fields["refresh_token"].help_text = secret_help(
            self.stored_token.refresh_token if self.stored_token else ""
        )
        self.fields["client_key_pem"].help_text = secret_help(self.instance.client_key)
        certificate = self.fields.get("client_certificate")
        if certificate is not None:
            own = describe_certificate(self.instance.client_certificate)
            certificate.help_text = f"{certificate.help_text} {own}".strip()
        for name in ("ca_bundle", "client_certificate", "oauth_parameters"):
            if name in self.fields:
                self.fields[name].widget.attrs["rows"] = 3

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._read_key(cleaned)
        if cleaned.get("auth_kind") == Authentication.OAUTH_REFRESH and not cleaned.get("refresh_token"):
            kept = self.stored_token.refresh_token if self.stored_token else ""
            if not is_stored(kept):
                self.add_error("refresh_token", gettext("This kind of authentication needs a refresh token."))
        return cleaned

    def _read_key(self, cleaned: dict[str, Any]) -> None:
        """Take the passphrase off, and see whether certificate and key belong together."""
        if "client_certificate" not in self.fields:
            return
        certificate = cleaned.get("client_certificate") or ""
        key = self.instance.client_key if certificate.strip() else ""
        entered = cleaned.pop("client_key_pem", "")
        passphrase = cleaned.pop("client_key_passphrase", "")
        try:
            key = read_key(entered, passphrase) if entered else key
        except PemProblem as problem:
            self.add_error("client_key_pem", str(problem))
            return
        problems = problems_of_certificates(
            ca_bundle=cleaned.get("ca_bundle") or "", certificate=certificate, key=key
        )
        for field, found in problems.items():
            self.add_error("client_key_pem" if field == "client_key" else field, found)
        self.instance.client_key = key

    def _save_m2m(self) -> None:
        """Whoever is asking for a token right now got it for the old refresh token: `turn` makes that void."""
        super()._save_m2m()  # type: ignore[misc]  # Django's own, which its stubs leave out
        if self.cleaned_data.get("refresh_token"):
            row = OAuthToken.objects.get_or_create(system=self.instance)[0]
            OAuthToken.objects.filter(pk=row.pk).update(
                refresh_token=self.cleaned_data["refresh_token"],
                access_token="",
                use_until=None,
                lease_until=None,
                turn=F("turn") + 1,
            )


def is_stored(secret: str) -> bool:
    """Whether there is a secret in the row, readable or not."""
    return bool(secret) or isinstance(secret, UnreadableSecret)


def secret_help(stored: str) -> str:
    """What is said beside the field into which a secret is entered."""
    if isinstance(stored, UnreadableSecret):
        return gettext("The stored secret cannot be decrypted with the configured keys. Enter it again.")
    if stored:
        return gettext("One is stored, encrypted, and never shown. Leave this empty to keep it.")
    return gettext("None is stored. It is kept encrypted and never shown again.")
