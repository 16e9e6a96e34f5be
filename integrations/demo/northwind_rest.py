"""Northwind over REST."""

from typing import Any, Final

from integrations.demo.building import Steps, operation
from integrations.models import ExternalSystem, OperationTemplate, Repeat

NOT_KNOWN_THERE: Final = 'event.request_type == "Submit Request" and not task.external_reference'
WORK_AGAIN: Final = (
    'event.request_type == "Resolution Rejection" or (event.request_type == "Submit Request" and '
    "task.external_reference)"
)
IS_NOTE: Final = "event.message_id and not attachment.name"
IS_FILE: Final = "attachment.name"
IS_CLOSED: Final = 'event.request_type == "Closed" and not event.message_id'


def rest_steps(system: ExternalSystem) -> Steps:
    """The operations over REST, and when each is called."""

    def rest(name: str, **values: Any) -> OperationTemplate:
        # Some desks answer 200 with an error in it.
        rule = "response.status < 300 and response.json.error is not defined"
        return operation(system, name, success=rule, **values)

    ticket = "/api/tickets/{{ task.external_reference }}"
    find = rest(
        "find_ticket",
        method="GET",
        path="/api/tickets?caller_reference={{ task.number }}",
        captures="reference = response.json.tickets[0].number",
        repeat=Repeat.SAFE,
    )
    find_note = rest(
        "find_note",
        method="GET",
        path=f"{ticket}/notes?message_id={{{{ event.message_id }}}}",
        repeat=Repeat.SAFE,
    )
    find_file = rest(
        "find_attachment",
        method="GET",
        path=f"{ticket}/attachments?message_id={{{{ event.message_id }}}}",
        repeat=Repeat.SAFE,
    )
    create = rest(
        "create_ticket",
        path="/api/tickets",
        body="""{
  "caller_reference": "{{ task.number }}",
  "title": "{{ ticket.title }}",
  "description": "{{ task.description }}
    {%- for note in ticket.notes %}\\n\\n{{ note.author }}: {{ note.text }}{% endfor %}",
  "priority": "{{ ticket.priority.code }}",
  "contact": {"name": "{{ ticket.contact.name }}", "email": "{{ ticket.contact.email }}"},
  "requested_by": "{{ event.actor }}"
}""",
        captures="reference = response.json.number",
        creates=True,
        repeat=Repeat.PROBE,
        probe=find,
        probe_found="response.json.count > 0",
    )
    note = rest(
        "add_note",
        path=f"{ticket}/notes",
        body="""{
  "text": "{{ event.text }}",
  "author": "{{ event.author }}",
  "message_id": "{{ event.message_id }}",
  "public": {{ event.visibility == "public" }}
}""",
        captures="message_id = response.json.id",
        repeat=Repeat.PROBE,
        probe=find_note,
        probe_found="response.json.count > 0",
    )
    file = rest(
        "upload_attachment",
        path=f"{ticket}/attachments",
        body="""{
  "name": "{{ attachment.name }}",
  "content_type": "{{ attachment.content_type }}",
  "message_id": "{{ event.message_id }}",
  "content": "{{ attachment.content_base64 }}"
}""",
        repeat=Repeat.PROBE,
        probe=find_file,
        probe_found="response.json.count > 0",
    )
    reopen = rest("reopen_ticket", path=f"{ticket}/reopen", body='{"reason": "{{ event.text }}"}', repeat=Repeat.SAFE)
    close = rest(
        "close_ticket",
        path=f"{ticket}/close",
        body='{"solution": "{{ task.solution }}", "completion_code": "{{ task.completion_code }}"}',
        repeat=Repeat.SAFE,
    )
    return {
        "create": (create, NOT_KNOWN_THERE),
        "reopen": (reopen, WORK_AGAIN),
        "note": (note, IS_NOTE),
        "file": (file, IS_FILE),
        "close": (close, IS_CLOSED),
    }
