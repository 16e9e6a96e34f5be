"""What the administrator of the story types: the operations of the practice desk over REST and over SOAP."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Operation:
    """An operation template by the labels of its form."""

    fields: Mapping[str, str | bool]
    arguments: Mapping[str, str] = field(default_factory=dict)


SAFE = "Safe: the other desk recognises a repeated request"
THERE = "/api/tickets/{{ task.external_reference }}"


def _soap(operation: str, arguments: Mapping[str, str], **fields: str | bool) -> Operation:
    return Operation(
        {
            "Protocol": "SOAP",
            "WSDL": "Northwind: Tickets",
            "SOAP operation": operation,
            "Path": "/soap",
            "Success": "response.soap.Result.Success",
            "Repeating": SAFE,
            **{name.replace("_", " "): value for name, value in fields.items()},
        },
        arguments,
    )


OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "REST": {
        "create_ticket": Operation(
            {
                "Path": "/api/tickets",
                "Body": '{"caller_reference": "{{ task.number }}", "title": "{{ ticket.title }}", "priority": '
                '"{{ ticket.priority.code }}", "requested_by": "{{ event.actor }}", "description": '
                # The document's own spelling of a placeholder, beside ours.
                '"{{ task.description }} (#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#)"}',
                "Captures": "reference = response.json.number",
                "Creates the ticket there": True,
                "Repeating": SAFE,
            }
        ),
        "add_note": Operation(
            {
                "Path": f"{THERE}/notes",
                "Body": '{"text": "{{ event.text }}", "author": "{{ event.author }}", '
                '"message_id": "{{ event.message_id }}"}',
                "Repeating": SAFE,
            }
        ),
        "reopen_ticket": Operation(
            {"Path": f"{THERE}/reopen", "Body": '{"reason": "{{ event.text }}"}', "Repeating": SAFE}
        ),
        "close_ticket": Operation(
            {"Path": f"{THERE}/close", "Body": '{"solution": "{{ task.solution }}"}', "Repeating": SAFE}
        ),
    },
    "SOAP": {
        "create_ticket": _soap(
            "CreateTicket",
            {
                "CallerReference": "{{ task.number }}",
                "Title": "{{ ticket.title }}",
                "Description": "{{ task.description }} "
                "(#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#)",
                "Priority": "{{ ticket.priority.name }}",
                "RequestedBy": "{{ event.actor }}",
            },
            Captures="reference = response.soap.Ticket.Number",
            Creates_the_ticket_there=True,
        ),
        "add_note": _soap(
            "AddNote",
            {
                "Number": "{{ task.external_reference }}",
                "Text": "{{ event.text }}",
                "Author": "{{ event.author }}",
                "MessageId": "{{ event.message_id }}",
                "Public": "true",
            },
        ),
        "reopen_ticket": _soap(
            "ReopenTicket", {"Number": "{{ task.external_reference }}", "Reason": "{{ event.text }}"}
        ),
        "close_ticket": _soap(
            "CloseTicket", {"Number": "{{ task.external_reference }}", "Solution": "{{ task.solution }}"}
        ),
    },
}

# operation -> when it is called
CONDITIONS: Mapping[str, str] = {
    "create_ticket": 'event.request_type == "Submit Request" and not task.external_reference',
    "add_note": 'event.request_type == "Update"',
    "reopen_ticket": 'event.request_type == "Resolution Rejection"',
    "close_ticket": 'event.request_type == "Closed"',
}
