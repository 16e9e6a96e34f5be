"""The form for address, credentials and what the preset asks, for a system that is to be made, or is being set up."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.catalogue import Preset
from integrations.catalogue.building import fill_polling
from integrations.models import ExternalSystem


class SettingsForm(forms.Form):
    """What the preset asks: one text each, kept as system.settings.<name>."""

    prefix = "setting"

    def __init__(self, data: Any, *, asked: Mapping[str, Mapping[str, Any]], kept: Mapping[str, str]) -> None:
        super().__init__(data)
        for name in {**asked, **dict.fromkeys(kept, None)}:
            words: Mapping[str, Any] = asked.get(name) or {}
            self.fields[name] = forms.CharField(
                label=str(words.get("label", name)),
                required=bool(words.get("required", False)),
                initial=kept.get(name, str(words.get("default", ""))),
                help_text=str(words.get("help", "")),
                max_length=1000,
                widget=UnfoldAdminTextInputWidget,
            )


class ConnectionForms:
    """Both forms of the step, sent and checked together."""

    def __init__(
        self, model_admin: Any, request: HttpRequest, *, preset: Preset | None, system: ExternalSystem | None = None
    ) -> None:
        self.preset = preset
        self.data = request.POST if request.method == "POST" else None
        names = _fields(model_admin, request, system, _asked(preset))
        self.form_class = model_admin.get_form(request, system, change=system is not None, fields=names)
        instance = system or _beginning(preset)
        self.names = names
        self.form = self._form(instance)
        asked = preset.settings if preset else {}
        kept = system.settings if system else {}
        self.settings = SettingsForm(self.data, asked=asked, kept=kept)

    def _form(self, instance: ExternalSystem) -> Any:
        """The form of the system's page, without what that page does not show here either."""
        form = self.form_class(self.data, instance=instance)
        for name in [name for name in form.fields if name not in self.names]:
            del form.fields[name]
        if "base_url" in form.fields and "allowed_hosts" not in form.fields:
            # Reached by mail alone. The field stays, as what is said of a system without any address is said there.
            form.fields["base_url"].widget = forms.HiddenInput()
            form.fields["mail_to"].required = True
        elif "base_url" in form.fields and "mail_to" not in form.fields:
            # Without a mail address it can only be called.
            form.fields["base_url"].required = True
            form.fields["base_url"].help_text = _address_help(self.preset)
        if "code" in form.fields:
            form.fields["code"].help_text += " " + _("It does not change later.")
        return form

    def are_valid(self) -> bool:
        """Whether both are; each shows its own errors."""
        valid = [self.form.is_valid(), self.settings.is_valid()]
        if not all(valid):
            self._ask_again()
        return all(valid)

    def _ask_again(self) -> None:
        """Secrets that were entered are not on the page that comes back: say so, as nobody would miss them."""
        for name, field in self.form.fields.items():
            hides = isinstance(field.widget, forms.PasswordInput) and not field.widget.render_value
            if hides and self.form.data.get(name) and name not in self.form.errors:
                words = _("Enter it again: it is never shown, so this page does not have it any more.")
                self.form.add_error(name, words)

    def save(self) -> ExternalSystem:
        """Into the system that exists."""
        self.form.instance.settings = dict(self.settings.cleaned_data)
        saved: ExternalSystem = self.form.save()
        if self.preset is not None:
            fill_polling(saved, self.preset)
        return saved

    def save_into(self, system: ExternalSystem) -> bool:
        """Into a system that was just made of the preset; false where the form now finds something wrong."""
        self.form = self._form(system)
        if not self.form.is_valid():
            return False
        self.form.save()
        return True


def _asked(preset: Preset | None) -> tuple[str, ...]:
    """By a field of each, the parts of the system's page that are asked for."""
    calls = preset is None or preset.calls or not preset.mails
    mails = preset is not None and preset.mails
    return (*(("base_url", "auth_kind") if calls else ()), *(("mail_to",) if mails else ()))


def _fields(
    model_admin: Any, request: HttpRequest, system: ExternalSystem | None, asked: tuple[str, ...]
) -> list[str]:
    """Name and code, and these parts of the system's page."""
    names = ["name", "code", "base_url"]
    for _title, options in model_admin.get_fieldsets(request, system):
        part = [name for row in options["fields"] for name in ([row] if isinstance(row, str) else row)]
        if any(name in part for name in asked):
            names += [name for name in part if name not in names]
    return names


def _beginning(preset: Preset | None) -> ExternalSystem:
    """An unsaved system with what the preset says of signing in."""
    system = ExternalSystem(active=False, base_url="")
    for name, value in (preset.system if preset else {}).items():
        if name not in ("auth_login", "base_url"):
            setattr(system, name, value)
    return system


def _address_help(preset: Preset | None) -> str:
    """How such an address looks: the preset's own is an example."""
    address = str(preset.system.get("base_url", "")) if preset else ""
    words = _("Where its interface begins, for example %(address)s. The paths of its operations are appended.")
    return words % {"address": address or "https://desk.example.com/api"}
