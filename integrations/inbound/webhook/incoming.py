"""The values that a rule's field expressions gave, checked and in the kinds that messages have."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from integrations.inbound.messages import MAX_AUTHOR, MAX_MESSAGE_ID, MAX_REFERENCE
from integrations.inbound.rest.incoming import (
    MAX_FILES,
    MAX_TEXT,
    AttachmentContent,
    CompletionCodeField,
    StrictSerializer,
    Text,
    TolerantChoiceField,
)
from integrations.templating.plain import as_text
from tickets.models import Visibility


class Words(Text):
    """A single value as text: other desks write numbers as numbers. A list or an object is refused."""

    default_error_messages = {"whole": _("This is a list or an object: take one of its values.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, default="", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(as_text(data))
        except TypeError:
            self.fail("whole")


class Values(StrictSerializer):
    """Every field that a rule may give; which ones an operation takes is in `integrations.configuration.hooks`."""

    task = Words(max_length=30)
    reference = Words(max_length=MAX_REFERENCE)
    external_id = Words(max_length=200)
    message_id = Words(max_length=MAX_MESSAGE_ID)
    note_id = Words(max_length=200)
    author = Words(max_length=MAX_AUTHOR)
    text = Words(max_length=MAX_TEXT, trim_whitespace=False)
    visibility = TolerantChoiceField(choices=Visibility.choices, required=False, default=Visibility.PUBLIC)
    written_at = serializers.DateTimeField(required=False, default=None)
    solution = Words(max_length=MAX_TEXT, trim_whitespace=False)
    completion_code = CompletionCodeField(required=False, default="")
    title = Words(max_length=250)
    description = Words(max_length=MAX_TEXT, trim_whitespace=False)
    priority = Words(max_length=50)
    category = Words(max_length=50)
    queue = Words(max_length=50)
    contact_email = serializers.EmailField(max_length=254, required=False, default="")
    contact_name = Words(max_length=200)
    expected_resolution_at = serializers.DateTimeField(required=False, default=None)
    attachments: serializers.ListSerializer = serializers.ListSerializer(
        child=AttachmentContent(), required=False, default=list, max_length=MAX_FILES
    )
