"""What callers may write, checked the same for REST and SOAP; and the forms of the pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.simulator.models import Ticket


class StrictBooleanField(forms.Field):
    """True or false as JSON, XML and form data write it; anything else is an error, not a guess."""

    values = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "on": True}

    def to_python(self, value: Any) -> bool:
        """The boolean. Raises ValidationError."""
        if value in (None, ""):
            return False
        if not isinstance(value, bool | str) or value not in self.values:
            raise forms.ValidationError(_("Write true or false."))
        return self.values[value]


class TextField(forms.CharField):
    """Text as it was written: blanks are kept, and a JSON object or number is an error."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, **options})

    def to_python(self, value: Any) -> str:
        """The text. Raises ValidationError."""
        if value is not None and not isinstance(value, str):
            raise forms.ValidationError(_("Write a text."))
        return super().to_python(value) or ""


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
