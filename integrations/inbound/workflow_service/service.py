"""The three methods, served by Spyne: one application for SOAP 1.1, one for 1.2.

Spyne reads arguments and writes results. Transactions, faults and the record of the call are not its business: it
would turn an exception into a fault of its own after half the work.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from spyne import Application, ComplexModel, MethodContext, Service, Unicode, rpc
from spyne.model.primitive import Boolean
from spyne.protocol.soap import Soap11, Soap12
from spyne.server import ServerBase

from integrations.inbound.messages import Receipt, TaskMessage
from integrations.inbound.problems import Broken, Malformed, Refused
from integrations.inbound.workflow_service.contract import namespace
from integrations.inbound.workflow_service.envelope import SOAP12, Envelope, bare
from integrations.inbound.workflow_service.mapping import soap_message


@dataclass
class Work:
    """What a call of a method does with its message; the exception, if it was refused or failed."""

    act: Callable[[TaskMessage], Receipt | None]
    message: TaskMessage | None = None
    problem: Exception | None = None
    result: dict[str, Any] = field(default_factory=dict)

    def do(self, method: str, **values: Any) -> dict[str, Any]:
        """Called by the methods; returns the result's values."""
        try:
            self.message = soap_message(method, values)
            receipt = self.act(self.message)
        except Exception as error:  # noqa: BLE001 - raised again by `call`, past Spyne
            self.problem = error
            return {}
        if receipt is not None:
            self.result = {
                "success": True,
                "taskNumber": receipt.task,
                "externalReference": receipt.external_reference,
                "message": receipt.message,
            }
        return self.result


def call(envelope: Envelope, act: Callable[[TaskMessage], Receipt | None]) -> bytes:
    """Let the envelope's message be acted upon; the response's envelope. Raises what `act` raises."""
    work = Work(act)
    server = _servers(namespace())[envelope.version == SOAP12]
    context = MethodContext(server, MethodContext.SERVER)
    context.in_string = [bare(envelope)]
    context = server.generate_contexts(context)[0]
    context.udc = work
    if context.in_error is None:
        server.get_in_object(context)
    if context.in_error is not None:
        raise Malformed(_("The arguments cannot be read: %(reason)s") % {"reason": context.in_error.faultstring})
    server.get_out_object(context)
    if work.problem is not None:
        raise work.problem
    if context.out_error is not None:
        raise Broken
    server.get_out_string(context)
    return b"".join(context.out_string)


def message_in(envelope: Envelope) -> TaskMessage:
    """The message alone, without acting upon it. Raises `Refused`."""
    found: list[TaskMessage] = []
    call(envelope, found.append)
    if not found:
        raise Refused(_("The message cannot be read."))
    return found[0]


@cache
def _servers(tns: str) -> tuple[ServerBase, ServerBase]:
    """The servers for 1.1 and 1.2. The classes are made for a namespace: Spyne ties them to the first they meet."""

    class Attachment(ComplexModel):
        __namespace__ = tns
        name = Unicode
        contentType = Unicode
        content = Unicode

    class Attachments(ComplexModel):
        __namespace__ = tns
        attachment = Attachment.customize(max_occurs="unbounded")

    class Result(ComplexModel):
        __namespace__ = tns
        _type_info = [
            ("success", Boolean),
            ("taskNumber", Unicode),
            ("externalReference", Unicode),
            ("message", Unicode),
        ]

    class WorkflowService(Service):
        @rpc(Unicode, Unicode, Unicode, _returns=Result)
        def ProcessInstanceTaskExternalAcknowledgement(ctx, taskNumber, externalReference, messageId):
            return Result(
                **ctx.udc.do(
                    ctx.descriptor.name,
                    taskNumber=taskNumber,
                    externalReference=externalReference,
                    messageId=messageId,
                )
            )

        @rpc(Unicode, Unicode, Unicode, Unicode, Unicode, Unicode, Attachments, _returns=Result)
        def ProcessInstanceTaskExternalUpdateMessage(
            ctx,
            taskNumber,
            externalReference,
            text,
            visibility,
            author,
            messageId,
            attachments,
        ):
            files = [
                {"name": file.name or "", "content_type": file.contentType or "", "content": file.content or ""}
                for file in (attachments.attachment if attachments else None) or ()
            ]
            return Result(
                **ctx.udc.do(
                    ctx.descriptor.name,
                    taskNumber=taskNumber,
                    externalReference=externalReference,
                    text=text,
                    visibility=visibility,
                    author=author,
                    messageId=messageId,
                    attachments=files,
                )
            )

        @rpc(Unicode, Unicode, Unicode, Unicode, Unicode, Unicode, Unicode, _returns=Result)
        def ProcessInstanceTaskExternalReassignment(
            ctx,
            taskNumber,
            externalReference,
            solution,
            completionCode,
            status,
            messageId,
            author,
        ):
            return Result(
                **ctx.udc.do(
                    ctx.descriptor.name,
                    taskNumber=taskNumber,
                    externalReference=externalReference,
                    solution=solution,
                    completionCode=completionCode,
                    status=status,
                    messageId=messageId,
                    author=author,
                )
            )

    def server(protocol: type[Soap11]) -> ServerBase:
        reads = protocol(huge_tree=True, parse_xsi_type=False)
        return ServerBase(Application([WorkflowService], tns, in_protocol=reads, out_protocol=protocol()))

    return server(Soap11), server(Soap12)
