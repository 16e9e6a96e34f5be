"""The bodies that ITX callers send, with the document's names. What is not named here is refused and named.

A caller reads a case, changes it and writes it back whole: so what is ours alone to say (times, logs, names beside
ids) is taken and passed over.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from integrations.inbound.messages import MAX_AUTHOR, MAX_REFERENCE
from integrations.inbound.rest.incoming import (
    MAX_FILES,
    MAX_TEXT,
    AttachmentContent,
    StrictSerializer,
    Text,
    TolerantChoiceField,
)
from integrations.inbound.rest.lists import moment_of
from tickets.lifecycle import TicketStatus
from tickets.models import Category, Contact, MemberRole, OwnStatus, Priority, Queue, Visibility

CASE_TYPE: Final = 15
CORPORATION: Final = 1
# Constants of the document: what statuses and files belong to.
STATUS_TYPE: Final = 35013
CASE_TABLE: Final = 35007
CASE_FILE: Final = 3
LARGEST_ID: Final = 2**63 - 1
MILLISECONDS: Final = re.compile(r"-?[0-9]{1,19}")


class Id(serializers.IntegerField):
    """A primary key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **options)


class Known(Id):
    """The primary key of a record that there is."""

    default_error_messages = {"unknown": _("There is none with this number.")}

    def __init__(self, rows: Callable[[], models.QuerySet[Any]], **options: Any) -> None:
        self.rows = rows
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> int:
        """The key."""
        key = super().to_internal_value(data)
        if not 1 <= key <= LARGEST_ID or not self.rows().filter(pk=key).exists():
            self.fail("unknown")
        return key


class Moment(serializers.Field[Any, Any, Any, Any]):
    """ISO 8601, or milliseconds since 1970."""

    default_error_messages = {"moment": _("Give a moment like 2026-01-31T12:00:00Z, or milliseconds since 1970.")}

    def to_internal_value(self, data: Any) -> dt.datetime:
        """The moment in UTC."""
        # In a query all is text. Eight digits are a day.
        if isinstance(data, str) and MILLISECONDS.fullmatch(data) and len(data) != len("20260131"):
            data = int(data)
        try:
            if isinstance(data, int) and not isinstance(data, bool):
                return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=data)
            return moment_of(data)
        except (ValueError, TypeError, AttributeError, OverflowError):
            self.fail("moment")


class Ours(serializers.Field[Any, Any, Any, Any]):
    """What is ours alone to say: passed over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        """As it is; nobody looks at it."""
        return data


class OurRows(Ours):
    """Rows that were read and come back. A new one would be lost: it is refused, and told where it belongs."""

    default_error_messages = {"new": _("New ones are not taken here. Texts: POST activitytexts; files: corefile.")}

    def to_internal_value(self, data: Any) -> Any:
        """As they are."""
        if not isinstance(data, list) or not all(isinstance(row, dict) and row.get("id") for row in data):
            self.fail("new")
        return data


class AnyValue(Ours):
    """The value of a property; the property's definition checks it."""


class Named(StrictSerializer):
    """A record by its key; its name may come along."""

    name = Ours()


class CorporationBody(Named):
    """This portal is the corporation 1."""

    corpId = serializers.ChoiceField(choices=[CORPORATION], error_messages={"invalid_choice": _("There is only 1.")})


class ContactBody(Named):
    """A contact."""

    eeexId = Known(Contact.objects.all)
    email = Ours()


class CategoryBody(Named):
    """A category."""

    ctnoId = Known(Category.objects.all)


class QueueBody(Named):
    """A queue."""

    ucquId = Known(Queue.objects.all)


class StatusBody(Named):
    """An own status."""

    emstId = Known(OwnStatus.objects.all)
    internalStatus = Ours()


class PriorityBody(Named):
    """A priority: the document spells its key emprId in the text and empriId in the example."""

    emprId = Known(Priority.objects.all, required=False)
    empriId = Known(Priority.objects.all, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two, or twice the same; afterwards it is `emprId`."""
        keys = {attrs[name] for name in ("emprId", "empriId") if name in attrs}
        if len(keys) != 1:
            raise serializers.ValidationError({"emprId": [_("Give the priority's number once.")]})
        return {**attrs, "emprId": keys.pop()}


def active_agents() -> models.QuerySet[User]:
    """Whom a case may be assigned to, and who may follow it."""
    return User.objects.filter(is_active=True, is_staff=True)


class UserBody(Named):
    """An agent."""

    userId = Id()


class MemberBody(StrictSerializer):
    """Somebody's part in the case. With the id that we gave it: what was read before; with endTs: it ends."""

    id = Id(required=False, allow_null=True)
    role = serializers.ChoiceField(choices=MemberRole.choices)
    user = UserBody(required=False, allow_null=True)
    contact = ContactBody(required=False, allow_null=True)
    startTs = Ours()
    endTs = Moment(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An agent is assigned, a contact is the contact, either follows."""
        user, contact = attrs.get("user"), attrs.get("contact")
        fits = {
            MemberRole.ASSIGNED: bool(user) and not contact,
            MemberRole.CONTACT: bool(contact) and not user,
            MemberRole.FOLLOWER: bool(user) != bool(contact),
        }
        if not fits[MemberRole(attrs["role"])]:
            raise serializers.ValidationError(
                {"role": [_("Role 1 is a user, role 20 a contact, role 2 one of the two.")]}
            )
        # Only who begins must be one: what was read before comes back, also when that agent has left.
        begins = attrs.get("id") is None and attrs.get("endTs") is None
        if user and begins and not active_agents().filter(pk=user["userId"]).exists():
            raise serializers.ValidationError({"user": {"userId": [Known.default_error_messages["unknown"]]}})
        return attrs


class Tag(Text):
    """A tag: its name, or an object that holds it."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The name. An empty one is refused in either form: dropped, it would empty the list of tags."""
        if isinstance(data, dict) and set(data) <= {"emtaId", "name"}:
            data = data.get("name")
        return super().run_validation(data)


class PropertyBody(StrictSerializer):
    """A user-defined property by its code or its name; null empties it."""

    code = Text(max_length=50, required=False)
    name = Text(max_length=100, required=False)
    type = Ours()
    value = AnyValue()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Which property, and what of it."""
        if not (attrs.get("code") or attrs.get("name")) or "value" not in attrs:
            raise serializers.ValidationError({"code": [_("Give the property's code or name, and a value.")]})
        return attrs


class CaseBody(StrictSerializer):
    """A case: to be created, or changed where `eactId` is given."""

    eactId = Id(required=False, allow_null=True)
    externalId = Text(max_length=MAX_REFERENCE, required=False, allow_null=True, allow_blank=True)
    corporation = CorporationBody(required=False, allow_null=True)
    activityType = serializers.ChoiceField(choices=[CASE_TYPE], required=False, allow_null=True)
    description = Text(max_length=250, required=False, allow_null=True)
    details = Text(max_length=MAX_TEXT, required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    status = serializers.ChoiceField(choices=TicketStatus.choices, required=False, allow_null=True)
    emsStatus = StatusBody(required=False, allow_null=True)
    entityExtension = ContactBody(required=False, allow_null=True)
    category = CategoryBody(required=False, allow_null=True)
    priority = PriorityBody(required=False, allow_null=True)
    queue = QueueBody(required=False, allow_null=True)
    deadlineTs = Moment(required=False, allow_null=True)
    onHoldToTs = Moment(required=False, allow_null=True)
    onHoldComment = Text(max_length=500, required=False, allow_null=True, allow_blank=True)
    # Not `many=True`: with it, each row might be null, too.
    members = serializers.ListField(child=MemberBody(), required=False, allow_null=True, max_length=100)
    emsTags = serializers.ListField(child=Tag(max_length=50), required=False, allow_null=True, max_length=50)
    propValues = serializers.ListField(child=PropertyBody(), required=False, allow_null=True, max_length=100)
    texts = OurRows()
    links = OurRows()
    logs = OurRows()
    coreFileReferences = OurRows()
    seqNo = Ours()
    creator = Ours()
    creationTs = Ours()
    updateTs = Ours()
    internalUpdateTs = Ours()
    externalUpdateTs = Ours()
    emsStatusChangeTs = Ours()
    emsStatusLastOpen = Ours()
    changedTs = Ours()


class ActivityBody(StrictSerializer):
    """The case that is meant."""

    eactId = Id()


class TextBody(StrictSerializer):
    """A text for a case."""

    text = Text(max_length=MAX_TEXT, trim_whitespace=False)
    activity = ActivityBody()
    visibility = TolerantChoiceField(choices=Visibility.choices, required=False, default=Visibility.PUBLIC)
    author = Text(max_length=MAX_AUTHOR, required=False, allow_blank=True, default="")

    def validate_text(self, text: str) -> str:
        """Blanks belong to a text, but do not make one."""
        if not text.strip():
            self.fields["text"].fail("blank")
        return text


class FilesBody(StrictSerializer):
    """The form's parts."""

    files = AttachmentContent(many=True, max_length=MAX_FILES, allow_empty=False)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know


class FilesQuery(StrictSerializer):
    """What the files belong to: two constants, and the case."""

    tblId = serializers.ChoiceField(choices=[CASE_TABLE])
    type = serializers.ChoiceField(choices=[CASE_FILE])
    id = Id()
