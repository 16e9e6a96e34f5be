"""What callers may write, checked the same for REST and SOAP; and the forms of the pages."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.simulator import faults
from integrations.simulator.models import Channel, DeskSettings, OutgoingMessage, Ticket


class StrictBooleanField(forms.Field):
    """True or false as JSON, XML and form data write it; anything else is an error, not a guess."""

    values = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "on": True}

    def to_python(self, value: Any) -> bool:
        """The boolean. Raises ValidationError."""
        if value in (None, ""):
            return False
        known = value.strip() if isinstance(value, str) else value
        if not isinstance(known, bool | str) or known not in self.values:
            raise forms.ValidationError(_("Write true or false."))
        return self.values[known]


class TextField(forms.CharField):
    """Text as it was written: blanks are kept, and a JSON object or number is an error."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, **options})

    def to_python(self, value: Any) -> str:
        """The text. Raises ValidationError."""
        if value is not None and not isinstance(value, str):
            raise forms.ValidationError(_("Write a text."))
        text = super().to_python(value) or ""
        try:
            text.encode()
        except UnicodeEncodeError as problem:
            # JSON can write half of a surrogate pair, which is no character.
            raise forms.ValidationError(_("The text holds something that is no character.")) from problem
        return text


class TicketForm(forms.Form):
    """A new ticket."""

    caller_reference = TextField(max_length=200, required=False)
    title = TextField(max_length=300)
    description = TextField(required=False)
    priority = forms.ChoiceField(choices=Ticket.Priority.choices, required=False)
    contact_name = TextField(max_length=200, required=False)
    contact_email = forms.EmailField(required=False)
    requested_by = TextField(max_length=200, required=False)

    def clean_priority(self) -> str:
        """Normal when the caller gives none."""
        return self.cleaned_data["priority"] or Ticket.Priority.NORMAL


class TicketChangeForm(forms.Form):
    """A change; what is missing stays as it is."""

    title = TextField(max_length=300, required=False)
    description = TextField(required=False)
    priority = forms.ChoiceField(choices=Ticket.Priority.choices, required=False)
    state = forms.ChoiceField(choices=Ticket.State.choices, required=False)


class NoteForm(forms.Form):
    """A note."""

    text = TextField()
    author = TextField(max_length=200, required=False)
    message_id = TextField(max_length=200, required=False)
    public = StrictBooleanField(required=False)


class AttachmentForm(forms.Form):
    """What is told about a file; its content is checked where it is decoded."""

    name = TextField(max_length=255)
    content_type = TextField(max_length=200, required=False)
    message_id = TextField(max_length=200, required=False)


class ClosingForm(forms.Form):
    """Closing or opening again."""

    reason = TextField(required=False)
    solution = TextField(required=False)
    completion_code = TextField(max_length=100, required=False)


Kind = OutgoingMessage.Kind


class OutgoingForm(forms.Form):
    """A message to the portal; which fields it needs depends on its kind."""

    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.HiddenInput)
    channel = forms.ChoiceField(label=_("Send over"), choices=Channel.choices, widget=forms.RadioSelect)
    external_reference = TextField(label=_("Our number"), max_length=200, required=False)
    text = TextField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    solution = TextField(label=_("Solution"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    completion_code = TextField(label=_("Completion code"), max_length=100, required=False)
    status = forms.ChoiceField(
        label=_("Report as"), choices=[("ready", _("Ready")), ("closed", _("Closed"))], required=False
    )
    author = TextField(label=_("Author"), max_length=200, required=False)
    visibility = forms.ChoiceField(
        label=_("Visible to"),
        choices=[("public", _("Everybody (public)")), ("internal", _("Agents only (internal)"))],
        required=False,
    )
    file = forms.FileField(label=_("File"), required=False)
    message_id = TextField(max_length=100, required=False, widget=forms.HiddenInput)

    fields_of_kind: Mapping[str, tuple[str, ...]] = {
        Kind.ACKNOWLEDGEMENT: ("external_reference",),
        Kind.MESSAGE: ("text", "author", "visibility", "file"),
        Kind.SOLUTION: ("solution", "completion_code", "status", "author"),
        Kind.REJECTION: ("solution", "author"),
        Kind.ASSIGNMENT: (),
        Kind.REOPENING: ("text", "author"),
        Kind.CANCELLATION: (),
        Kind.CLOSING: ("solution", "completion_code", "author"),
    }
    # What the Workflow Service has no method for.
    not_over_soap = (Kind.ASSIGNMENT, Kind.REOPENING, Kind.CANCELLATION, Kind.CLOSING)
    needed = {Kind.MESSAGE: "text", Kind.SOLUTION: "solution", Kind.REJECTION: "solution"}

    def clean(self) -> dict[str, Any]:
        """A message needs its text, a solution and a rejection their words."""
        values = super().clean() or self.cleaned_data
        name = self.needed.get(values.get("kind", ""))
        if name and not values.get(name, "").strip():
            self.add_error(name, _("Write something; the portal needs it."))
        if values.get("kind") in self.not_over_soap and values.get("channel") == Channel.SOAP:
            self.add_error("channel", _("The portal's SOAP service has no method for this: choose another way."))
        return values

    def payload(self, ticket: Ticket) -> dict[str, Any]:
        """The fields of this kind, as `sending.send` takes them; the file is left to the caller."""
        kind = Kind(self.cleaned_data["kind"])
        names = [name for name in self.fields_of_kind[kind] if name != "file"]
        payload = {name: self.cleaned_data[name] for name in names}
        if kind == Kind.ACKNOWLEDGEMENT:
            payload["external_reference"] = payload["external_reference"] or ticket.number
        if kind == Kind.MESSAGE:
            payload["visibility"] = payload["visibility"] or "public"
        if kind == Kind.SOLUTION:
            payload["status"] = payload["status"] or "ready"
        if kind == Kind.REJECTION:
            payload["status"] = "rejected"
        return payload

    @classmethod
    def of_kind(cls, kind: Kind, data: Any = None, files: Any = None, **initial: Any) -> "OutgoingForm":
        """The form for the page: only the fields of that kind, with ids of its own."""
        form = cls(data, files, initial={"kind": kind, **initial}, auto_id=f"{kind}-%s")
        for name in set(form.fields) - {"kind", "channel", "message_id", *cls.fields_of_kind[kind]}:
            del form.fields[name]
        if needed := cls.needed.get(kind):
            form.fields[needed].required = True
        if kind == Kind.REJECTION:
            form.fields["solution"].label = _("Reason")
        if kind == Kind.REOPENING:
            form.fields["text"].label = _("Reason")
        return form


class FaultForm(forms.Form):
    """One fault on the page of faults."""

    mode = forms.ChoiceField(
        label=_("Happens"), choices=[("off", _("Not")), ("next", _("At the next …")), ("always", _("Always"))]
    )
    count = forms.IntegerField(label=_("Calls"), min_value=1, max_value=1000, initial=1)
    seconds = forms.FloatField(label=_("Seconds"), min_value=0, max_value=600)
    batch = forms.IntegerField(label=_("Messages"), min_value=2, max_value=100)
    operation = forms.ChoiceField(label=_("Where"), required=False)

    def __init__(self, kind: str, data: Any = None) -> None:
        known = faults.KINDS[kind]
        present = faults.as_json()[kind]
        remaining = int(str(present["count"]))
        super().__init__(
            data,
            prefix=kind,
            initial={
                **present,
                "mode": "off" if remaining == 0 else "next" if remaining > 0 else "always",
                "count": max(1, remaining),
            },
        )
        self.kind, self.known, self.is_on = kind, known, remaining != 0
        everywhere = known.usual == known.possible
        usual = _("Everywhere") if everywhere else _("Usual: %(where)s") % {"where": ", ".join(known.usual)}
        self.fields["operation"] = forms.ChoiceField(
            label=_("Where"),
            choices=[("", usual), *((name, name) for name in known.possible)],
            required=False,
        )
        if known.seconds is None:
            del self.fields["seconds"]
        if not known.batch:
            del self.fields["batch"]

    def save(self) -> None:
        """Switch the fault on or off as the form says."""
        values = self.cleaned_data
        count = {"off": 0, "always": faults.ALWAYS}.get(values["mode"], values["count"])
        faults.set_fault(
            kind=self.kind,
            count=count,
            seconds=values.get("seconds"),
            batch=values.get("batch", 2),
            operation=values["operation"],
        )


class SettingsForm(forms.ModelForm):
    """The settings page, as far as all ways to the portal are concerned. The API key is never shown."""

    api_key = forms.CharField(
        label=_("Our API key at the portal"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Leave empty to keep the present key."),
    )

    class Meta:
        model = DeskSettings
        fields = [
            "portal_url",
            "system_slug",
            "api_key",
            "channel",
            "soap_namespace",
            "reference_later",
            "acknowledge_after",
        ]
        help_texts = {
            "system_slug": _("The user name of the SOAP service: our code in the portal's list of external systems."),
            "acknowledge_after": _("For tickets that were taken without a number."),
        }

    def clean_api_key(self) -> str:
        """The key that was typed, else the present one."""
        return self.cleaned_data["api_key"] or DeskSettings.load().api_key


class CaseExchangeSettingsForm(forms.ModelForm):
    """The settings page, as far as Case Exchange alone is concerned. The API key is never shown."""

    case_exchange_key = forms.CharField(
        label=_("Our API key for it"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Leave empty to keep the present key."),
    )

    class Meta:
        model = DeskSettings
        fields = ["case_exchange_user", "case_exchange_key", "case_exchange_tenant", "pull_every"]
        help_texts = {
            "case_exchange_user": _("Over Case Exchange this desk is an external system of its own: its code there."),
        }

    def clean_case_exchange_key(self) -> str:
        """The key that was typed, else the present one."""
        return self.cleaned_data["case_exchange_key"] or DeskSettings.load().case_exchange_key
