"""The bodies that other desks send, property by property. What is not named here is refused and named.

A property that is null or empty counts as one that was not sent: desks that send all of an incident send many.
"""

import datetime as dt
import json
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from integrations.inbound.case_exchange.entities import ENTITY_TYPE, IMPACTS, URGENCIES
from integrations.inbound.messages import MAX_AUTHOR, MAX_REFERENCE
from integrations.inbound.rest.incoming import MAX_FILES, MAX_TEXT, StrictSerializer, Text

MAX_COMMENTS: Final = 200
# Operation, in small letters -> ours.
OPERATIONS: Final = {
    "create": "create",
    "acknowledge": "acknowledge",
    "update": "update",
    "accept": "update",
    "resolve": "resolve",
    "close": "close",
    "reopen": "reopen",
    "assign": "assign",
    "reject": "reject",
    "cancel": "cancel",
}
# The last moment of the year 9999.
LATEST: Final = 253_402_300_799_999


def text(max_length: int, **options: Any) -> Text:
    """A text that may be missing or empty."""
    return Text(max_length=max_length, required=False, allow_blank=True, default="", **options)


class Exchanged(StrictSerializer):
    """An object of which null values are passed over."""

    def to_internal_value(self, data: Any) -> Any:
        """Without them."""
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return super().to_internal_value(data)


class OneOf(Text):
    """One of these words, whatever the case; empty: none."""

    default_error_messages = {"unknown": _("This is none of: %(known)s.")}

    def __init__(self, *words: str) -> None:
        super().__init__(required=False, allow_blank=True, default="")
        self.words = {word.lower(): word for word in words}

    def to_internal_value(self, data: Any) -> Any:
        """The word as it is spelt here."""
        given = super().to_internal_value(data).lower()
        if given and given not in self.words:
            known = ", ".join(self.words.values())
            raise serializers.ValidationError(_("This is none of: %(known)s.") % {"known": known}, code="unknown")
        return self.words.get(given, "")


class Milliseconds(serializers.IntegerField):
    """A moment in milliseconds since 1970."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=LATEST, **options)

    def to_internal_value(self, data: Any) -> int:
        """A whole number: neither text nor true."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class FileProperties(Exchanged):
    """A file that was uploaded before."""

    id = Text(max_length=100)
    file_name = text(1000)
    size = serializers.IntegerField(required=False)
    mime_type = text(200)


class FileEntry(Exchanged):
    """One of the list."""

    properties = FileProperties()


class FileList(Exchanged):
    """What the text of `IncidentAttachments` holds."""

    complexTypeProperties = FileEntry(many=True, max_length=MAX_FILES * 10)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know


class Attachments(Text):
    """JSON within JSON."""

    def to_internal_value(self, data: Any) -> Any:
        """The files' properties."""
        source = super().to_internal_value(data)
        if not source:
            return []
        try:
            found = json.loads(source)
        except (ValueError, RecursionError) as error:
            raise serializers.ValidationError(
                _('Give JSON: {"complexTypeProperties": [{"properties": {"id": "<guid>", "file_name": "..."}}]}')
            ) from error
        files = FileList(data=found)
        files.is_valid(raise_exception=True)
        return [entry["properties"] for entry in files.validated_data["complexTypeProperties"]]


class Properties(Exchanged):
    """The incident. `ImpactScope` is understood and kept in the log alone."""

    Id = text(30, help_text=_("Our task's number."))
    DisplayLabel = text(250)
    Description = text(MAX_TEXT, trim_whitespace=False)
    ImpactScope = OneOf(*IMPACTS)
    Urgency = OneOf(*URGENCIES)
    Category = text(50)
    Solution = text(MAX_TEXT, trim_whitespace=False)
    CompletionCode = text(100)
    ExpectedResolutionTime = Milliseconds(required=False, default=None)
    IncidentAttachments = Attachments(required=False, allow_blank=True, default="")
    ContactEmail = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    ContactName = text(200)


class Comment(Exchanged):
    """What was said. By text and time it is known again."""

    CreatedTime = Milliseconds()
    IsSystem = serializers.BooleanField(required=False, default=False)
    Body = Text(max_length=MAX_TEXT, trim_whitespace=False)
    PrivacyType = OneOf("PUBLIC", "PRIVATE")
    Author = text(MAX_AUTHOR)


class ExtProperties(Exchanged):
    """Between you and us."""

    ExternalSystem = text(200)
    Operation = Text(max_length=40)
    ExternalId = text(MAX_REFERENCE)
    ExternalEntityType = text(100)
    ExternalStatus = text(100)


class Entity(Exchanged):
    """One incident."""

    entity_type = OneOf(ENTITY_TYPE)
    properties = Properties()
    Comments = Comment(many=True, required=False, default=list, max_length=MAX_COMMENTS)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
    ext_properties = ExtProperties()

    def to_internal_value(self, data: Any) -> Any:
        """An operation alone says enough."""
        if isinstance(data, dict) and data.get("properties") is None:
            data = {**data, "properties": {}}
        return super().to_internal_value(data)


class Body(Exchanged):
    """A request. What it does, the entity's Operation says; `operation` is understood and not needed."""

    entities = Entity(many=True, allow_empty=False)
    operation = OneOf("CREATE", "UPDATE")


def moment(milliseconds: int | None) -> dt.datetime | None:
    """The moment in UTC."""
    if milliseconds is None:
        return None
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=milliseconds)
