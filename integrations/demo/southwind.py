"""Southwind, which speaks Case Exchange: every operation is an entity, brought by POST to the same address."""

from collections.abc import Mapping
from typing import Any, Final

from integrations.demo.building import Steps, operation
from integrations.models import Authentication, ExternalSystem, OperationTemplate, Repeat, StepKind

CODE: Final = "southwind"
TENANT: Final = "practice"
CES: Final = f"/rest/{TENANT}/ces"
AUTHENTICATION: Final[dict[str, Any]] = {"auth_kind": Authentication.LOGIN, "auth_name": "Cookie"}
# Refusals come with their status, but also in an answer that begins as a success.
DONE: Final = 'response.status < 300 and response.json.meta.completion_status == "OK"'

URGENCY: Final = (
    "{% if ticket.priority.rank <= 1 %}TotalLossOfService{% elif ticket.priority.rank == 2 %}SevereDisruption"
    "{% elif ticket.priority.rank == 3 %}SlightDisruption{% else %}NoDisruption{% endif %}"
)
COMPLETION_CODE: Final = (
    '{% if task.completion_code == "fulfilled" %}CompletionCodeFulfilled'
    '{% elif task.completion_code == "withdrawn_by_user" %}CompletionCodeWithdrawnByUser'
    '{% elif task.completion_code == "request_rejected" %}CompletionCodeRequestRejected'
    '{% elif task.completion_code == "abandoned_by_user" %}CompletionCodeAbandonedByUser'
    "{% else %}{{ task.completion_code }}{% endif %}"
)
# The desk knows a comment again by its text and its time, which is the event's and thus the same at each try. Where a
# solution is accepted, the event's text is the solution, which has a property of its own.
COMMENT: Final = """{% if event.text and event.text != task.solution %}
        {"CreatedTime": {{ event.at | milliseconds }}, "IsSystem": false, "Body": "{{ event.text }}",
         "PrivacyType": "{% if event.visibility == "public" %}PUBLIC{% else %}PRIVATE{% endif %}",
         "Author": "{{ event.author }}"}{% endif %}"""
EARLIER_COMMENTS: Final = """{% for note in ticket.notes %}
        {"CreatedTime": {{ note.at | milliseconds }}, "IsSystem": false, "Body": "{{ note.text }}",
         "PrivacyType": "PUBLIC", "Author": "{{ note.author }}"}{% if not loop.last %},{% endif %}{% endfor %}"""
# Properties by name; the templates of those that are texts stand in quotation marks.
NUMBER: Final = {"Id": '"{{ task.external_reference }}"'}
SOLUTION: Final = {"Solution": '"{{ task.solution }}"'}
EXPECTED: Final = {"ExpectedResolutionTime": "{{ task.expected_resolution_at | milliseconds }}"}
SOLVED: Final = NUMBER | SOLUTION | {"CompletionCode": f'"{COMPLETION_CODE}"'}
NEW: Final = {
    "DisplayLabel": '"{{ ticket.title }}"',
    "Description": '"{{ task.description }}"',
    "Urgency": f'"{URGENCY}"',
    "ContactName": '"{{ ticket.contact.name }}"',
    "ContactEmail": '"{{ ticket.contact.email }}"',
}
ENTITY: Final = """{
  "entities": [
    {
      "entity_type": "Incident",
      "properties": {
        PROPERTIES
      },
      "Comments": [COMMENTS],
      "ext_properties": {
        "ExternalSystem": "deskbridge",
        "Operation": "OPERATION",
        "ExternalId": "{{ task.number }}",
        "ExternalEntityType": "Incident",
        "ExternalStatus": "{{ ticket.status.name }}"
      }
    }
  ]
}"""

# A file has steps of its own: it is put into the file list, then an update names it. The name goes along with both:
# many servers drop headers with an underscore.
NO_FILE: Final = "not attachment.name"
FILE: Final = "attachment.name and task.external_reference"
FILES: Final = f"/rest/{TENANT}/frs/file-list"
NAMED: Final = {
    "IncidentAttachments": (
        r'"{\"complexTypeProperties\": [{\"properties\": {\"id\": {{ steps.upload.guid | json }}, '
        r'\"file_name\": {{ attachment.name | json }}, \"mime_type\": {{ attachment.content_type | json }} }}]}"'
    )
}
KNOWN_THERE: Final = "task.external_reference"


def sign_in(system: ExternalSystem) -> OperationTemplate:
    """The request whose answer is the session's token, which calls carry as a cookie."""
    return operation(
        system,
        "login",
        path=f"/auth/authentication-endpoint/authenticate/login?TENANTID={TENANT}",
        body='{"login": "{{ auth.username }}", "password": "{{ auth.password }}"}',
        captures=f'session = "LWSSO_COOKIE_KEY=" ~ response.text ~ "; TENANTID={TENANT}"',
        repeat=Repeat.SAFE,
    )


def steps(system: ExternalSystem) -> Steps:
    """One step for each operation, called when the event is that operation."""
    create = _entity(
        system,
        "create_ticket",
        "Create",
        NEW,
        comments=EARLIER_COMMENTS,
        captures="reference = response.json.entities[0].entity.properties.Id",
        creates=True,
    )
    assign = _entity(system, "assign_ticket", "Assign", NUMBER)
    return {
        "create": (create, _when("assign", f"not {KNOWN_THERE}")),
        "assign": (assign, _when("assign", KNOWN_THERE)),
        "accept": (_entity(system, "accept_ticket", "Accept", NUMBER), _when("accept")),
        "update": (
            _entity(system, "update_ticket", "Update", NUMBER | SOLUTION | EXPECTED),
            _when("update", NO_FILE),
        ),
        "resolve": (_entity(system, "resolve_ticket", "Resolve", SOLVED), _when("resolve", NO_FILE)),
        "reject": (_entity(system, "reject_ticket", "Reject", SOLVED), _when("reject", NO_FILE)),
        "cancel": (_entity(system, "cancel_ticket", "Cancel", SOLVED), _when("cancel", NO_FILE)),
        "reopen": (_entity(system, "reopen_ticket", "Reopen", NUMBER), _when("reopen", NO_FILE)),
        "close": (_entity(system, "close_ticket", "Close", SOLVED), _when("close", NO_FILE)),
        "upload": {
            **_own_request(system, FILES, "response.status < 300"),
            "headers": "fs_filename: {{ attachment.name | urlencode }}",
            "sends_file": True,
            "captures": "guid = response.json.guid",
        },
        "name_file": {**_own_request(system, CES, DONE), "body": _body("Update", NUMBER | NAMED, COMMENT)},
    }


def _own_request(system: ExternalSystem, path: str, success: str) -> dict[str, Any]:
    """What the two steps for a file have in common: an operation would not know what the step before has captured."""
    shared = {"kind": StepKind.REQUEST, "condition": FILE, "repeat": Repeat.SAFE}
    return {**shared, "system": system, "path": path, "success": success}


def _when(name: str, *further: str) -> str:
    return " and ".join((f'event.operation == "{name}"', *further))


def _entity(
    system: ExternalSystem,
    name: str,
    exchanged: str,
    properties: Mapping[str, str],
    *,
    comments: str = COMMENT,
    **values: Any,
) -> OperationTemplate:
    """The operation that brings this entity. The desk knows each one again, so that it may be repeated."""
    body = _body(exchanged, properties, comments)
    return operation(system, name, path=CES, body=body, success=DONE, repeat=Repeat.SAFE, **values)


def _body(exchanged: str, properties: Mapping[str, str], comments: str) -> str:
    written = ",\n        ".join(f'"{property}": {value}' for property, value in properties.items())
    return ENTITY.replace("PROPERTIES", written).replace("COMMENTS", comments).replace("OPERATION", exchanged)
