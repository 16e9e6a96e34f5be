"""The practice desk as an external system: the same desk twice, over REST and over SOAP, each with its group."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from integrations.models import (
    Authentication,
    ExternalSystem,
    GroupBinding,
    OperationTemplate,
    Process,
    Protocol,
    Repeat,
    Step,
    StepKind,
    SystemKey,
    WsdlDocument,
)
from tickets.models import AssignmentGroup

CODE: Final = "practice-desk"
WSDL: Final = Path(__file__).resolve().parent.parent / "simulator" / "soap" / "tickets.wsdl"
NOT_KNOWN_THERE: Final = 'event.request_type == "Submit Request" and not task.external_reference'
WORK_AGAIN: Final = (
    'event.request_type == "Resolution Rejection" or (event.request_type == "Submit Request" and '
    "task.external_reference)"
)
IS_NOTE: Final = "event.message_id and not attachment.name"
IS_FILE: Final = "attachment.name"
IS_CLOSED: Final = 'event.request_type == "Closed" and not event.message_id'


def load_partner() -> ExternalSystem:
    """The system with its operations, one process for each protocol, and a group for each, bound to it."""
    system, created = ExternalSystem.objects.get_or_create(
        code=CODE,
        defaults={
            "name": "Northwind Support",
            "base_url": settings.PRACTICE_DESK_URL,
            "allow_private": True,
            "auth_kind": Authentication.BASIC,
            "auth_username": "practice",
            "auth_secret": "practice-desk-password",
            "retry_schedule": "5 s, 15 s, 30 s, 1 min, 5 min, 30 min, 2 h",
        },
    )
    if not created and system.base_url != settings.PRACTICE_DESK_URL:
        system.base_url = settings.PRACTICE_DESK_URL
        system.save(update_fields=["base_url"])
    rest = _process("Northwind over REST", _rest_operations(system))
    soap = _process("Northwind over SOAP", _soap_operations(system))
    _bound_group("northwind-rest", "Northwind (REST)", system, rest)
    _bound_group("northwind-soap", "Northwind (SOAP)", system, soap)
    return system


def new_key(system: ExternalSystem) -> str:
    """A fresh key with which the practice desk calls us; those made for earlier demos are revoked."""
    system.keys.filter(name="demo", revoked=False).update(revoked=True)
    _key, plain = SystemKey.objects.create_key(name="demo", system=system)
    return str(plain)


def _rest_operations(system: ExternalSystem) -> dict[str, tuple[OperationTemplate, str]]:
    def rest(name: str, **values: Any) -> OperationTemplate:
        # Some desks answer 200 with an error in it.
        rule = "response.status < 300 and response.json.error is not defined"
        return _operation(system, name, success=rule, **values)

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


def _soap_operations(system: ExternalSystem) -> dict[str, tuple[OperationTemplate, str]]:
    url = f"{settings.PRACTICE_DESK_URL}/soap"
    text = WSDL.read_text(encoding="utf-8").replace("ADDRESS", url)
    wsdl, _created = WsdlDocument.objects.update_or_create(
        system=system,
        name="Northwind tickets",
        defaults={"url": f"{url}?wsdl", "documents": {f"{url}?wsdl": text}, "fetched_at": timezone.now()},
    )

    def soap(name: str, operation: str, arguments: dict[str, str], **values: Any) -> OperationTemplate:
        return _operation(
            system,
            name,
            protocol=Protocol.SOAP,
            path="/soap",
            wsdl=wsdl,
            soap_operation=operation,
            soap_arguments=arguments,
            success="response.soap.Result.Success",
            **values,
        )

    number = {"Number": "{{ task.external_reference }}"}
    find = soap(
        "soap_find_ticket",
        "FindTicket",
        {"CallerReference": "{{ task.number }}"},
        captures="reference = response.soap.Ticket[0].Number",
        repeat=Repeat.SAFE,
    )
    get = soap("soap_fetch_ticket", "GetTicket", number, repeat=Repeat.SAFE)
    create = soap(
        "soap_create_ticket",
        "CreateTicket",
        {
            "CallerReference": "{{ task.number }}",
            "Title": "{{ ticket.title }}",
            "Description": (
                "{{ task.description }}"
                "{% for note in ticket.notes %}\n\n{{ note.author }}: {{ note.text }}{% endfor %}"
            ),
            "Priority": "{{ ticket.priority.name }}",
            "Contact.Name": "{{ ticket.contact.name }}",
            "Contact.Email": "{{ ticket.contact.email }}",
            "RequestedBy": "{{ event.actor }}",
        },
        captures="reference = response.soap.Ticket.Number",
        creates=True,
        repeat=Repeat.PROBE,
        probe=find,
        probe_found="response.soap.Ticket | length > 0",
    )
    note = soap(
        "soap_add_note",
        "AddNote",
        {
            **number,
            "Text": "{{ event.text }}",
            "Author": "{{ event.author }}",
            "MessageId": "{{ event.message_id }}",
            "Public": '{{ event.visibility == "public" }}',
        },
        captures="message_id = response.soap.Note.Id",
        repeat=Repeat.PROBE,
        probe=get,
        probe_found='(">" ~ event.message_id ~ "<") in response.text',
    )
    file = soap(
        "soap_upload_attachment",
        "AddAttachment",
        {
            **number,
            "Name": "{{ attachment.name }}",
            "ContentType": "{{ attachment.content_type }}",
            "Content": "{{ attachment.content_base64 }}",
            "MessageId": "{{ event.message_id }}",
        },
        repeat=Repeat.PROBE,
        probe=get,
        probe_found='(">" ~ event.message_id ~ "<") in response.text',
    )
    reopen = soap("soap_reopen_ticket", "ReopenTicket", {**number, "Reason": "{{ event.text }}"}, repeat=Repeat.SAFE)
    close = soap(
        "soap_close_ticket",
        "CloseTicket",
        {**number, "Solution": "{{ task.solution }}", "CompletionCode": "{{ task.completion_code }}"},
        repeat=Repeat.SAFE,
    )
    return {
        "create": (create, NOT_KNOWN_THERE),
        "reopen": (reopen, WORK_AGAIN),
        "note": (note, IS_NOTE),
        "file": (file, IS_FILE),
        "close": (close, IS_CLOSED),
    }


def _operation(system: ExternalSystem, name: str, **values: Any) -> OperationTemplate:
    operation, _created = OperationTemplate.objects.get_or_create(system=system, name=name, defaults=values)
    return operation


def _process(name: str, steps: dict[str, tuple[OperationTemplate, str]]) -> Process:
    process, created = Process.objects.get_or_create(
        name=name, defaults={"description": "Serves every event; the conditions of its steps tell them apart."}
    )
    if created:
        for position, (step, (operation, condition)) in enumerate(steps.items(), start=1):
            Step.objects.create(
                process=process,
                position=position,
                name=step,
                kind=StepKind.OPERATION,
                operation=operation,
                condition=condition,
            )
    return process


def _bound_group(code: str, name: str, system: ExternalSystem, process: Process) -> None:
    group, _created = AssignmentGroup.objects.get_or_create(code=code, defaults={"name": name})
    GroupBinding.objects.get_or_create(
        group=group,
        defaults={
            "integrated": True,
            "system": system,
            "assignment_process": process,
            "update_process": process,
            "closure_process": process,
        },
    )
