"""Northwind over SOAP, by its published WSDL."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from integrations.demo.building import Steps, operation
from integrations.demo.northwind_rest import IS_CLOSED, IS_FILE, IS_NOTE, NOT_KNOWN_THERE, WORK_AGAIN
from integrations.models import ExternalSystem, OperationTemplate, Protocol, Repeat, WsdlDocument

WSDL: Final = Path(__file__).resolve().parent.parent / "simulator" / "soap" / "tickets.wsdl"


def soap_steps(system: ExternalSystem) -> Steps:
    """The operations over SOAP, and when each is called."""
    url = f"{settings.PRACTICE_DESK_URL}/soap"
    text = WSDL.read_text(encoding="utf-8").replace("ADDRESS", url)
    wsdl, _created = WsdlDocument.objects.update_or_create(
        system=system,
        name="Northwind tickets",
        defaults={"url": f"{url}?wsdl", "documents": {f"{url}?wsdl": text}, "fetched_at": timezone.now()},
    )

    def soap(name: str, method: str, arguments: dict[str, str], **values: Any) -> OperationTemplate:
        return operation(
            system,
            name,
            protocol=Protocol.SOAP,
            path="/soap",
            wsdl=wsdl,
            soap_operation=method,
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
