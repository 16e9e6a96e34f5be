"""The bodies that other desks send, field by field. What is not named here is refused and named."""

import base64
import binascii
import hashlib
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from integrations.inbound.messages import MAX_AUTHOR, MAX_MESSAGE_ID, MAX_REFERENCE, ReportedStatus
from integrations.their_messages import LONGEST
from tickets.lifecycle import CompletionCode
from tickets.models import OwnCompletionCode, Visibility

MAX_TEXT = 200_000
MAX_FILES = 20
MAX_MESSAGES = 200


class Text(serializers.CharField):
    """A string. A number is refused: what of it would be lost in writing it as text, only the sender knows."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Base64Field(Text):
    """Bytes in base64; line breaks and blanks in it do not matter."""

    default_error_messages = {"base64": _("This is not base64.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """An empty file is a file, blanks or none; `CharField` would answer with an empty string."""
        return super().run_validation(data) or b""

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]  # bytes, not text
        text = super().to_internal_value(data)
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            self.fail("base64")


class TolerantChoiceField(serializers.ChoiceField):
    """A choice by its value or its English name, whatever the case: `withdrawn_by_user`, `Withdrawn by user`.

    An empty one, which a form sends for what was not chosen, is the default.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(serializers.empty if data == "" else data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            data = "_".join(data.lower().replace("-", " ").replace("_", " ").split())
        return super().to_internal_value(data)


class CompletionCodeField(Text):
    """One of the four fixed codes, as `TolerantChoiceField` takes them, or one of the administrators' own.

    An empty one, which a form sends for what was not chosen, is the default.
    """

    default_error_messages = {"unknown": _('"{code}" is not a completion code. Known: {known}.')}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=50, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(serializers.empty if data == "" else data)

    def to_internal_value(self, data: Any) -> Any:
        code = super().to_internal_value(data)
        fixed = "_".join(code.lower().replace("-", " ").replace("_", " ").split())
        if fixed in CompletionCode.values:
            return fixed
        known = [*CompletionCode.values, *OwnCompletionCode.objects.values_list("code", flat=True)]
        if code not in known:
            self.fail("unknown", code=code, known=", ".join(known))
        return code


class StrictSerializer(serializers.Serializer[Any]):
    """A field that is not known is an error: a misspelt name would otherwise lose what it carries."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name[:100]: [_("There is no such field.")] for name in unknown[:20]}
                )
        return super().to_internal_value(data)


class AttachmentContent(StrictSerializer):
    """One file."""

    name = Text(max_length=1000, help_text=_("The file's name."))
    content_type = Text(max_length=200, required=False, allow_blank=True, default="", help_text=_("Its media type."))
    content = Base64Field(allow_blank=True, help_text=_("The file itself, in base64."))
    sha256 = Text(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Its SHA-256 in hexadecimal digits: a file of which it is another is refused."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What came is what was sent."""
        given = attrs.pop("sha256").strip().lower()
        if given and given != hashlib.sha256(attrs["content"]).hexdigest():
            raise serializers.ValidationError({"sha256": [_("The content has another SHA-256: it came incomplete.")]})
        return attrs


class MessageBody(StrictSerializer):
    """What every message may carry."""

    message_id = Text(
        max_length=MAX_MESSAGE_ID,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Your own id of this message. The same id again changes nothing and gets the first answer."),
    )
    author = Text(
        max_length=MAX_AUTHOR,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Who wrote it at your desk; empty: your desk's name."),
    )


class Acknowledgement(MessageBody):
    """Your number for our task."""

    external_reference = Text(max_length=MAX_REFERENCE, help_text=_("Your number for the task."))


class Update(MessageBody):
    """A message: a text, files, the time at which you expect to be done; at least one of them."""

    text = Text(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default="")
    visibility = TolerantChoiceField(
        choices=Visibility.choices,
        required=False,
        default=Visibility.PUBLIC,
        help_text=_("public: the end user reads it; internal: only agents do."),
    )
    attachments = AttachmentContent(many=True, required=False, default=list, max_length=MAX_FILES)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
    expected_resolution_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text=_("When you expect to be done (ISO 8601).")
    )
    title = Text(
        max_length=250,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("What the ticket says, where you have raised it; so are the next three."),
    )
    description = Text(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default="")
    priority = Text(max_length=50, required=False, allow_blank=True, default="", help_text=_("A priority's code."))
    category = Text(max_length=50, required=False, allow_blank=True, default="", help_text=_("A category's code."))
    written_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text=_("When it was written at your desk (ISO 8601); empty: now. Conversations are in this order."),
    )
    note_id = Text(
        max_length=LONGEST,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("By which id your desk lists this text of yours, should we ask it for its notes."),
    )


class Reassignment(MessageBody):
    """Your work on the task has ended."""

    solution = Text(
        max_length=MAX_TEXT,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        default="",
        help_text=_("What was done; for a rejection: why you do not do it."),
    )
    completion_code = CompletionCodeField(required=False, default=CompletionCode.FULFILLED)
    status = TolerantChoiceField(choices=ReportedStatus.choices, required=False, default=ReportedStatus.READY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An empty message is a mistake, not the end of the work."""
        if not attrs["solution"].strip() and not self.initial_data.get("status"):
            raise serializers.ValidationError({"solution": [_("Say what was done, or give at least a status.")]})
        return attrs


class Operation(MessageBody):
    """What you did with the task. Solution and code are for resolve and close, the reason for reopen and reject."""

    OPERATIONS = ("resolve", "close", "reopen", "assign", "reject", "cancel")

    operation = TolerantChoiceField(choices=OPERATIONS)
    solution = Text(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default="")
    completion_code = CompletionCodeField(
        required=False, default="", help_text=_("Empty: what the task has, else fulfilled.")
    )
    reason = Text(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What the operation does not take would be lost."""
        takes: dict[str, tuple[str, ...]] = {
            "resolve": ("solution", "completion_code"),
            "close": ("solution", "completion_code"),
        }
        takes |= {"reopen": ("reason",), "reject": ("reason",)}
        lost = [
            name
            for name in ("solution", "completion_code", "reason")
            if attrs[name] and name not in takes.get(attrs["operation"], ())
        ]
        if lost:
            raise serializers.ValidationError({name: [_("This operation does not take it.")] for name in lost})
        return attrs


class Files(MessageBody):
    """Files without a text."""

    attachments = AttachmentContent(many=True, max_length=MAX_FILES, allow_empty=False)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
    visibility = TolerantChoiceField(choices=Visibility.choices, required=False, default=Visibility.PUBLIC)


class Person(MessageBody):
    """Somebody for whom you raise tickets."""

    email = serializers.EmailField(max_length=254)
    name = Text(max_length=200, required=False, allow_blank=True, default="")
    login = Text(max_length=100, required=False, allow_blank=True, default="", help_text=_("The directory login."))
    phone = Text(max_length=50, required=False, allow_blank=True, default="")
    external_id = Text(
        max_length=MAX_REFERENCE,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Your own number of the person."),
    )


class PersonChange(MessageBody):
    """What changes of a person; what is left out stays."""

    email = serializers.EmailField(max_length=254, required=False)
    name = Text(max_length=200, required=False)
    login = Text(max_length=100, required=False, allow_blank=True)
    phone = Text(max_length=50, required=False, allow_blank=True)
    external_id = Text(max_length=MAX_REFERENCE, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A change of nothing is a mistake."""
        if not set(attrs) - {"message_id", "author"}:
            raise serializers.ValidationError(_("Say what changes."))
        return attrs


class NoBody(MessageBody):
    """Nothing is said."""


class ContactBody(StrictSerializer):
    """The person for whom a ticket is raised."""

    email = serializers.EmailField(max_length=254)
    name = Text(max_length=200, required=False, allow_blank=True, default="")


class EarlierMessage(StrictSerializer):
    """What was said on the ticket before you raised it with us."""

    text = Text(max_length=MAX_TEXT, trim_whitespace=False)
    author = Text(max_length=MAX_AUTHOR, required=False, allow_blank=True, default="")
    written_at = serializers.DateTimeField(help_text=_("When it was written (ISO 8601)."))
    visibility = TolerantChoiceField(choices=Visibility.choices, required=False, default=Visibility.PUBLIC)
    note_id = Text(max_length=LONGEST, required=False, allow_blank=True, default="")


class NewTicket(MessageBody):
    """A ticket that you raise with us."""

    external_reference = Text(
        max_length=MAX_REFERENCE, help_text=_("Your number for it. A number that is known gets the ticket there is.")
    )
    title = Text(max_length=250)
    description = Text(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False, default="")
    contact = ContactBody(required=False, allow_null=True, default=None, help_text=_("None: nobody is told of it."))
    priority = Text(max_length=50, required=False, allow_blank=True, default="", help_text=_("A priority's code."))
    category = Text(max_length=50, required=False, allow_blank=True, default="", help_text=_("A category's code."))
    queue = Text(max_length=50, required=False, allow_blank=True, default="", help_text=_("A queue's code."))
    messages = EarlierMessage(  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
        many=True, required=False, default=list, max_length=MAX_MESSAGES, help_text=_("The conversation so far.")
    )
    attachments = AttachmentContent(many=True, required=False, default=list, max_length=MAX_FILES)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
