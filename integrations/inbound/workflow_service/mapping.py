"""The service's element names to those of the messages, and a recorded call read again."""

from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from integrations.inbound import messages
from integrations.inbound.problems import Invalid, Malformed, Refused
from integrations.inbound.rest.mapping import message_of
from integrations.inbound.rest.problems import flattened
from integrations.inbound.workflow_service import envelope
from integrations.models import Exchange

OPERATIONS: Final = {
    "ProcessInstanceTaskExternalAcknowledgement": "acknowledge",
    "ProcessInstanceTaskExternalUpdateMessage": "update",
    "ProcessInstanceTaskExternalReassignment": "reassign",
}
NAMES: Final = {
    "externalReference": "external_reference",
    "messageId": "message_id",
    "author": "author",
    "text": "text",
    "visibility": "visibility",
    "attachments": "attachments",
    "solution": "solution",
    "completionCode": "completion_code",
    "status": "status",
}
OWN_NAMES: Final = {common: own for own, common in NAMES.items()} | {"content_type": "contentType"}
TEXTS: Final = ("text", "solution")


def soap_message(method: str, values: dict[str, Any]) -> messages.TaskMessage:
    """The message that a call stands for; what is missing, nil or empty takes its default. Raises `Invalid`."""
    operation = OPERATIONS[method]
    number, reference = _line(values.pop("taskNumber", None)), _line(values.get("externalReference"))
    data = {
        NAMES[name]: value if name in (*TEXTS, "attachments") else _line(value)
        for name, value in values.items()
        if value is not None and (not isinstance(value, str) or value.strip())
    }
    if operation != "acknowledge":
        data.pop("external_reference", None)
        if not number and not reference:
            raise Invalid(_("Name the task: give taskNumber or externalReference."))
    try:
        message = message_of(operation, data, task_number=number)
    except ValidationError as error:
        raise _with_own_names(error) from error
    assert isinstance(message, messages.TaskMessage)  # noqa: S101 - all three are about a task
    if operation != "acknowledge":
        # Here it only names the task.
        return replace(message, external_reference=reference)
    return message


def read_again(exchange: Exchange) -> messages.Message:
    """The message of a recorded call. Raises `Refused`."""
    from integrations.inbound.workflow_service.service import message_in

    read = envelope.read(envelope.DECLARATION.sub("", exchange.request_body, count=1))
    if read.method not in OPERATIONS:
        raise Malformed(_("This call is not a message that could be read again."))
    return message_in(read)


def _line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _with_own_names(error: ValidationError) -> Refused:
    fields = {
        ".".join(OWN_NAMES.get(part, part) for part in path.split(".")): texts
        for path, texts in flattened(error.detail)
    }
    return Invalid(" ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items()), fields=fields)
