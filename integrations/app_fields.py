"""The app fields: every name that a template may use, its legacy spelling and its meaning.

The six apps are those of the SSP7 document. Their fields are interchangeable: a field means the same in each app; the
message's text is listed with the apps that are about messages.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.models import AppField, ExternalSystem, ValueKind
from tickets.models import PropertyDefinition

MESSAGE_APPS: Final = ("Ticketing.TaskExternalUpdateMessage", "Ticketing.TaskUpdateMessage")
APPS: Final = (
    "Ticketing.TaskAssignment",
    "Ticketing.TaskClosure",
    "Ticketing.TaskExternalAcknowledgement",
    "Ticketing.TaskExternalReassignment",
    *MESSAGE_APPS,
)


PROPERTIES: Final = "ticket.properties."
PROPERTY_NAME: Final = "Ticket_Property_"


@dataclass(frozen=True)
class Field:
    """One value of the context: its path in `{{ ... }}`, its name in `#REPLACE-EXTAPPFIELD-...#`, its meaning."""

    path: str
    name: str
    label: str
    only_messages: bool = False


def fields() -> list[Field]:
    """Every field, in the order in which it is shown; the administrators' properties come last."""
    properties = PropertyDefinition.objects.filter(active=True)
    return [
        *fixed_fields(),
        *(Field(f"{PROPERTIES}{row.code}", f"{PROPERTY_NAME}{row.code}", row.name) for row in properties),
    ]


def fixed_fields() -> list[Field]:
    """The fields that every portal has."""
    return [
        Field("event.request_type", "Task_ExternalRequestType", _("What happened: Submit Request, Update ...")),
        Field("event.direction", "Task_ExternalRequestDirection", _("In or Out")),
        Field(
            "event.operation", "Task_ExternalOperation", _("The row of the table of operations: assign, update ...")
        ),
        Field(
            "event.moved_from",
            "Task_MovedFrom",
            _("The desk's group that has had the task so far; empty: the desk did not have it"),
        ),
        Field("event.text", "Task_UpdateMessage", _("The message's text, the reason of a rejection"), True),
        Field("event.author", "Task_UpdateMessageAuthor", _("Who wrote it"), True),
        Field("event.visibility", "Task_UpdateMessageVisibility", _("public or internal"), True),
        Field("event.message_id", "Task_UpdateMessageId", _("Our own id of the message or file"), True),
        Field("event.written_at", "Task_UpdateMessageTime", _("When the message was written (ISO 8601)"), True),
        Field("event.at", "Task_EventTime", _("When it happened (ISO 8601)")),
        Field("event.actor", "Task_EventActor", _("Who caused it")),
        Field("task.number", "Task_Number", _("The task's number")),
        Field("task.title", "Task_Title", _("The task's title")),
        Field("task.description", "Task_Description", _("The task's description")),
        Field("task.phase", "Task_Phase", _("initial_support, escalate, review or close")),
        Field("task.group.code", "Task_GroupCode", _("The assignment group's code")),
        Field("task.group.name", "Task_GroupName", _("The assignment group's name")),
        Field("task.assignee", "Task_Assignee", _("The assignee's name")),
        Field("task.solution", "Task_Solution", _("The solution")),
        Field("task.completion_code", "Task_CompletionCode", _("Why the task was ended")),
        Field("task.expected_resolution_at", "Task_ExpectedResolution", _("Expected resolution time (ISO 8601)")),
        Field("task.created_at", "Task_Created", _("When the task was created (ISO 8601)")),
        Field("task.external_reference", "Task_ExternalReference", _("The other desk's number; empty: none yet")),
        Field(
            "task.external_id",
            "Task_ExternalId",
            _("The other desk's internal id, where its addresses do not use its number"),
        ),
        Field("ticket.number", "Ticket_Number", _("The ticket's number")),
        Field("ticket.title", "Ticket_Title", _("The ticket's title")),
        Field("ticket.description", "Ticket_Description", _("The ticket's description")),
        Field("ticket.status.code", "Ticket_StatusCode", _("The status' number, 1 to 8")),
        Field("ticket.status.name", "Ticket_Status", _("The status in words")),
        Field("ticket.priority.code", "Ticket_PriorityCode", _("The priority's code")),
        Field("ticket.priority.name", "Ticket_Priority", _("The priority's name")),
        Field("ticket.priority.rank", "Ticket_PriorityRank", _("The priority's rank, 1 is the most urgent")),
        Field("ticket.category.code", "Ticket_CategoryCode", _("The category's code")),
        Field("ticket.category.name", "Ticket_Category", _("The category's name")),
        Field("ticket.queue.code", "Ticket_QueueCode", _("The queue's code")),
        Field("ticket.queue.name", "Ticket_Queue", _("The queue's name")),
        Field("ticket.contact.name", "Ticket_ContactName", _("The contact's name")),
        Field("ticket.contact.email", "Ticket_ContactEmail", _("The contact's e-mail address")),
        Field("ticket.contact.login", "Ticket_ContactLogin", _("The contact's directory login")),
        Field(
            "ticket.contact.external_id",
            "Ticket_ContactExternalId",
            _("The contact's number at the other desk; empty: not known there yet"),
        ),
        Field("ticket.contact.phone", "Ticket_ContactPhone", _("The contact's phone number")),
        Field("ticket.contact.organisation", "Ticket_ContactOrganisation", _("The contact's organisation")),
        Field("ticket.own_status.code", "Ticket_OwnStatusCode", _("The administrators' own status: its code")),
        Field("ticket.own_status.name", "Ticket_OwnStatus", _("The administrators' own status")),
        Field("ticket.assigned_user", "Ticket_AssignedUser", _("Who looks after the ticket")),
        Field("ticket.deadline_at", "Ticket_Deadline", _("The deadline (ISO 8601)")),
        Field("ticket.on_hold_until", "Ticket_OnHoldUntil", _("When the hold ends (ISO 8601)")),
        Field("ticket.tags[]", "Ticket_Tag", _("Each tag")),
        Field("ticket.created_at", "Ticket_Created", _("When the ticket was created (ISO 8601)")),
        Field("ticket.notes[].id", "Ticket_NoteId", _("Each public note so far: its number")),
        Field("ticket.notes[].text", "Ticket_NoteText", _("Each public note so far: its text")),
        Field("ticket.notes[].author", "Ticket_NoteAuthor", _("Each public note so far: its author")),
        Field("ticket.notes[].at", "Ticket_NoteTime", _("Each public note so far: when it was written")),
        Field("attachment.name", "Attachment_Name", _("The file's name; empty: the event has no file")),
        Field("attachment.content_type", "Attachment_ContentType", _("The file's content type")),
        Field("attachment.size", "Attachment_Size", _("The file's size in bytes")),
        Field("attachment.sha256", "Attachment_Sha256", _("The file's SHA-256")),
        Field("attachment.content_base64", "Attachment_Content", _("The file itself, in base64")),
        *(
            Field(f"theirs.{kind}", f"Theirs_{kind.title().replace('_', '')}", _("By the value map: %s") % kind.label)
            for kind in ValueKind
        ),
        Field("system.code", "System_Code", _("The external system's code")),
        Field("system.name", "System_Name", _("The external system's name")),
        Field("process.id", "Process_Id", _("The number of this process run")),
        Field("process.name", "Process_Name", _("The process' name")),
        Field("portal.url", "Portal_Url", _("The address of this portal")),
    ]


def known_paths() -> set[str]:
    """Every path that a template may use, besides captures: the app fields, and the settings of external systems."""
    settings = {name for row in ExternalSystem.objects.values_list("settings", flat=True) for name in row}
    properties = PropertyDefinition.objects.filter(active=True).values_list("code", flat=True)
    settable = {f"{PROPERTIES}{code}" for code in properties} | {f"system.settings.{name}" for name in settings}
    return settable | _fixed_paths()


@cache
def _fixed_paths() -> frozenset[str]:
    """The same in each language; the check of each template asks for them."""
    return frozenset(field.path for field in fixed_fields())


class Placeholders(dict[tuple[str, str], str]):
    """(app, field) -> path, for legacy placeholders. A property's name tells its path, so that nothing is looked up
    for each rendering; whether there is such a property, the check of the path says."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, tuple) and _is_property(*key))

    def __missing__(self, key: tuple[str, str]) -> str:
        if not _is_property(*key):
            raise KeyError(key)
        return PROPERTIES + key[1].removeprefix(PROPERTY_NAME)


@cache
def placeholders() -> Placeholders:
    """Every legacy placeholder. List items have no legacy spelling. The names are the same in each language, and
    each rendering asks for them."""
    found = [field for field in fixed_fields() if "[]" not in field.path]
    return Placeholders({(app, field.name): field.path for app in APPS for field in found})


def _is_property(app: str, name: str) -> bool:
    return app in APPS and name.startswith(PROPERTY_NAME)


@transaction.atomic
def sync_app_fields() -> dict[str, int]:
    """Rebuild the list of app fields; returns how many were added, changed and removed."""
    wanted = {
        (app, field.name): field
        for app in APPS
        for field in fields()
        if "[]" not in field.path and (app in MESSAGE_APPS or not field.only_messages)
    }
    counts = {"added": 0, "changed": 0, "removed": 0}
    for row in AppField.objects.select_for_update():
        field = wanted.pop((row.app, row.name), None)
        if field is None:
            row.delete()
            counts["removed"] += 1
        elif (row.path, row.label) != (field.path, field.label):
            row.path, row.label = field.path, field.label
            row.save(update_fields=["path", "label"])
            counts["changed"] += 1
    AppField.objects.bulk_create(
        AppField(app=app, name=name, path=field.path, label=field.label) for (app, name), field in wanted.items()
    )
    counts["added"] = len(wanted)
    return counts
