"""What other desks read, field by field."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from integrations.models import Exchange
from tickets.models import AssignmentGroup, Attachment, Contact, Note, Task, Ticket


class Group(serializers.ModelSerializer[AssignmentGroup]):
    """An assignment group."""

    class Meta:
        model = AssignmentGroup
        fields = ["code", "name"]


class Coded(serializers.Serializer[Any]):
    """A record of the catalogue."""

    code = serializers.CharField()
    name = serializers.CharField()


class ValuesInfo(serializers.Serializer[Any]):
    """The codes that a ticket may have."""

    priorities = Coded(many=True, help_text=_("The most urgent first."))
    categories = Coded(many=True)
    queues = Coded(many=True)
    completion_codes = Coded(many=True)


class TicketContact(serializers.ModelSerializer[Contact]):
    """The person for whom the ticket was raised."""

    class Meta:
        model = Contact
        fields = ["name", "email"]


class ContactInfo(serializers.ModelSerializer[Contact]):
    """A person, with your own number of them."""

    organisation = serializers.CharField(source="organisation.name", allow_null=True, default=None)
    external_id = serializers.SerializerMethodField(help_text=_("Your own number of the person; empty: none known."))

    class Meta:
        model = Contact
        fields = ["id", "name", "email", "login", "phone", "organisation", "external_id"]

    def get_external_id(self, contact: Contact) -> str:
        """The caller's, loaded with the contact."""
        return next((reference.value for reference in contact.references_here), "")  # type: ignore[attr-defined]  # prefetched


class TicketSummary(serializers.ModelSerializer[Ticket]):
    """A ticket; codes are those of the catalogue."""

    status = serializers.CharField(source="get_status_display", help_text=_("In words."))
    priority = serializers.CharField(source="priority.code")
    category = serializers.CharField(source="category.code", allow_null=True, default=None)
    queue = serializers.CharField(source="queue.code", allow_null=True, default=None)
    contact = TicketContact(allow_null=True)
    own_status = serializers.CharField(source="own_status.code", help_text=_("Our own status' code."))
    tags = serializers.SlugRelatedField("name", many=True, read_only=True)  # type: ignore[var-annotated]  # taken by `many`, which the stubs do not know
    properties = serializers.SerializerMethodField(help_text=_("By their codes; those that the ticket has."))

    class Meta:
        model = Ticket
        fields = [
            "number",
            "title",
            "description",
            "status",
            "own_status",
            "priority",
            "category",
            "queue",
            "contact",
            "tags",
            "properties",
            "deadline_at",
            "created_at",
            "closed_at",
        ]

    @extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}})
    def get_properties(self, ticket: Ticket) -> dict[str, Any]:
        """Text, number, true or false, as JSON knows it; loaded with the ticket."""
        values = [value for value in ticket.property_values.all() if value.definition.active]
        return {value.definition.code: value.definition.typed(value.value) for value in values}


class TaskSummary(serializers.ModelSerializer[Task]):
    """A task, as one of its ticket."""

    group = Group(allow_null=True)
    external_reference = serializers.SerializerMethodField(help_text=_("Your number; empty: none yet."))
    modified_at = serializers.DateTimeField(help_text=_("The last change of the task or its ticket."))

    class Meta:
        model = Task
        fields = [
            "number",
            "title",
            "description",
            "phase",
            "group",
            "external_reference",
            "solution",
            "completion_code",
            "expected_resolution_at",
            "created_at",
            "modified_at",
            "closed_at",
        ]

    def get_external_reference(self, task: Task) -> str:
        """The caller's reference, loaded with the task."""
        return next((reference.value for reference in task.references_here), "")  # type: ignore[attr-defined]  # prefetched


class TaskDetail(TaskSummary):
    """A task with its ticket."""

    ticket = TicketSummary()

    class Meta(TaskSummary.Meta):
        fields = [*TaskSummary.Meta.fields, "ticket"]


class TicketDetail(TicketSummary):
    """A ticket with those of its tasks that the caller may see."""

    tasks = TaskSummary(many=True, source="tasks_here")

    class Meta(TicketSummary.Meta):
        fields = [*TicketSummary.Meta.fields, "tasks"]


class AttachmentInfo(serializers.ModelSerializer[Attachment]):
    """A file, without its content."""

    author = serializers.CharField(source="author_name")
    url = serializers.SerializerMethodField(help_text=_("Where its content is."))

    class Meta:
        model = Attachment
        fields = ["id", "name", "content_type", "size", "sha256", "visibility", "author", "created_at", "url"]

    def get_url(self, attachment: Attachment) -> str:
        """Below the task that was asked for."""
        number = self.context["view"].kwargs["number"]
        url: str = reverse(
            "api:attachment",
            kwargs={"number": number, "attachment_id": attachment.pk},
            request=self.context["request"],
        )
        return url


class UpdateInfo(serializers.ModelSerializer[Note]):
    """A message of the conversation."""

    text = serializers.CharField(source="body")
    author = serializers.CharField(source="author_name")
    yours = serializers.SerializerMethodField(help_text=_("Whether it came from you."))
    attachments = AttachmentInfo(many=True, source="attachments_here")

    class Meta:
        model = Note
        fields = ["id", "text", "visibility", "author", "yours", "written_at", "created_at", "attachments"]

    def get_yours(self, note: Note) -> bool:
        """Written by the caller."""
        key: str = self.context["request"].user.system.actor_key
        return note.actor_key == key


class ExchangeInfo(serializers.ModelSerializer[Exchange]):
    """A message between you and us."""

    direction = serializers.ChoiceField(
        source="way", choices=["in", "out"], help_text=_("in: you called us; out: we called you.")
    )
    task = serializers.CharField(source="task.number", allow_null=True, default=None)

    class Meta:
        model = Exchange
        fields = [
            "id",
            "direction",
            "dialect",
            "operation",
            "task",
            "message_id",
            "outcome",
            "status",
            "error",
            "started_at",
            "duration_ms",
        ]


class ReceiptInfo(serializers.Serializer[Any]):
    """The answer to every accepted message."""

    operation = serializers.CharField()
    ticket = serializers.CharField(help_text=_("Our ticket's number."))
    task = serializers.CharField(help_text=_("Our task's number."))
    external_reference = serializers.CharField(allow_blank=True, help_text=_("Your number; empty: none yet."))
    message = serializers.CharField(help_text=_("What was done, in words."))
    changed = serializers.BooleanField(help_text=_("False: there was nothing to do."))
    held_back = serializers.BooleanField(help_text=_("True: an echo of our own text, not added again."))
    note = serializers.IntegerField(allow_null=True, help_text=_("The id of the note that was made."))
    attachments = serializers.ListField(
        child=serializers.IntegerField(), help_text=_("The ids of the files that were added.")
    )


class Problem(serializers.Serializer[Any]):
    """RFC 9457, with a stable code."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text=_("Stable: for programs."))
    detail = serializers.CharField(help_text=_("For people: what to do."))
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of that name
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text=_("What is wrong with which field."),
    )
