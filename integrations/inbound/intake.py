"""One way in for every dialect: recorded, recognised, done once, answered.

A dialect authenticates its caller, calls `arrived` (which commits the exchange, so that a refused call is in the log
too), maps the body to a `Message`, calls `deliver`, writes the answer in its own form, and calls `finished`.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.inbound import case_operations, dedupe, operations, people
from integrations.inbound.bodies import redacted, storable, without_files
from integrations.inbound.messages import (
    Acknowledgement,
    Cancellation,
    CaseChange,
    CaseCreation,
    CaseMessage,
    CaseUpdate,
    Closure,
    Deed,
    Files,
    LocalAssignment,
    Message,
    NewTicket,
    Reassignment,
    Receipt,
    Rejection,
    Reopening,
    ReportedStatus,
    Resolution,
    TaskMessage,
    Update,
)
from integrations.inbound.problems import Disagrees, NotFound, Refused, from_action
from integrations.inbound.receiving import receipt as receipt_of
from integrations.inbound.receiving import rejected_before
from integrations.models import Exchange, ExternalReference, ExternalSystem, Outcome, Way
from integrations.secrets import redact_headers, redact_url
from integrations.visibility import tasks_visible_to
from tickets.errors import ActionRefused
from tickets.models import Task

# Of what strangers send, only so much is kept.
UNAUTHENTICATED_CHARACTERS = 2000


@dataclass
class Arrived:
    """A call that is being worked on: its exchange, and what became of it so far.

    `settled` is an outcome that follows from no receipt; `noted` is for our log alone, in the place of what the
    caller is told.
    """

    exchange: Exchange
    system: ExternalSystem | None
    started: float = field(default_factory=time.monotonic)
    receipt: Receipt | None = None
    repeated: bool = False
    settled: Outcome | None = None
    noted: str = ""


def arrived(
    *,
    dialect: str,
    operation: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str,
    system: ExternalSystem | None,
    replay_of: Exchange | None = None,
    secret_names: Collection[str] = (),
) -> Arrived:
    """Record the call, free of secrets, before anything is done with it. Without a system: a call that is refused.

    `secret_names` are headers and parameters that hold secrets besides those of the system.
    """
    names = system.secret_name_list if system else ()
    outside = [*names, *secret_names]
    if system is None:
        body, url = body[:UNAUTHENTICATED_CHARACTERS], url[:UNAUTHENTICATED_CHARACTERS]
        headers = {name: value[:200] for name, value in list(headers.items())[:30]}
    clean = {storable(name): storable(value) for name, value in redact_headers(headers, names=outside).items()}
    exchange = Exchange.objects.create(
        way=Way.IN,
        system=system,
        dialect=dialect,
        operation=storable(operation)[:80],
        method=method[:10],
        url=storable(redact_url(url, names=outside)),
        request_headers=clean,
        request_body=storable(redacted(body, headers.get("Content-Type", ""), names)),
        replay_of=replay_of,
    )
    return Arrived(exchange=exchange, system=system)


def deliver(
    call: Arrived,
    message: Message,
    *,
    idempotency_key: str = "",
    hold_echo: bool = True,
) -> Receipt:
    """Do what the message asks, once. Raises `Refused`; then nothing was changed.

    With `hold_echo` false a message is applied that was held back: it is a repetition, and wanted.
    """
    assert call.system is not None  # noqa: S101 - a dialect delivers only what it has authenticated
    call.exchange.message_id = message.message_id
    dialect = call.exchange.dialect
    keys = []
    if hold_echo:
        keys = dedupe.keys_of(call.system, message, dialect=dialect, idempotency_key=idempotency_key)
    claim = dedupe.claim(system=call.system, message=message, keys=keys)
    if isinstance(claim, Receipt):
        call.receipt, call.repeated = claim, True
        call.exchange.task_id = Task.objects.filter(number=claim.task).values_list("pk", flat=True).first()
        return claim
    try:
        with transaction.atomic():
            call.receipt = perform(call, message, hold_echo=hold_echo)
            _keep_internal_id(call, message)
            dedupe.finish(claim, call.receipt)
    except ActionRefused as error:
        dedupe.release(claim)
        raise from_action(error) from error
    except Exception:
        # Broad on purpose: whatever it was is raised again for the dialect, which answers in the caller's form. The
        # claim must not stay behind: a repetition would wait for it.
        call.receipt = None
        dedupe.release(claim)
        raise
    return call.receipt


def _keep_internal_id(call: Arrived, message: Message) -> None:
    """Beside their number, which the message brought, by what their addresses name the ticket. Raises `Disagrees`."""
    if not isinstance(message, Acknowledgement | NewTicket) or not message.external_id:
        return
    known = ExternalReference.objects.filter(system=call.system, external_id=message.external_id)
    if known.exclude(task=call.exchange.task_id).exists():
        raise Disagrees(_('The internal id "%(id)s" belongs to another task already.') % {"id": message.external_id})
    reference = ExternalReference.objects.filter(system=call.system, task=call.exchange.task_id, external_id="")
    reference.update(external_id=message.external_id)


def perform(call: Arrived, message: Message, *, hold_echo: bool) -> Receipt:
    """The one call of `operations` that the message stands for."""
    system = call.system
    assert system is not None  # noqa: S101 - see `deliver`
    if isinstance(message, NewTicket):
        related = TaskMessage(task_number=message.task_number)
        receipt = operations.create(
            system=system,
            reference=message.external_reference,
            external_id=message.external_id,
            task=find_task(system, related) if message.task_number else None,
            title=message.title,
            description=message.description,
            contact_email=message.contact_email,
            contact_name=message.contact_name,
            priority=message.priority,
            category=message.category,
            queue=message.queue,
            comments=message.comments,
            files=message.files,
            author=message.author,
            hold_echo=hold_echo,
        )
        call.exchange.task_id = Task.objects.values_list("pk", flat=True).get(number=receipt.task)
        return receipt
    match message:
        case people.NewContact():
            return people.create(system, message)
        case people.ContactChange():
            return people.change(system, message)
        case people.ContactRemoval():
            return people.remove(system, message)
    if isinstance(message, CaseCreation | CaseMessage):
        return _perform_case(call, system, message, hold_echo=hold_echo)
    assert isinstance(message, TaskMessage)  # noqa: S101 - there are no others
    if (rejected := _rejected_again(system, message)) is not None:
        call.exchange.task = rejected
        text = _("The task was taken back already.")
        return receipt_of(message.operation, system, rejected, text, changed=False)
    task = find_task(system, message)
    call.exchange.task = task
    by: dict[str, Any] = {"system": system, "task": task, "author": message.author}
    said = False
    if isinstance(message, Deed) and not isinstance(message, Update):
        # What was said with it comes first: afterwards the task may not be theirs any more.
        said = any(operations.converse(**by, comments=message.comments, files=message.files, hold_echo=hold_echo))
    receipt = _perform_on_task(message, by, hold_echo=hold_echo)
    # An operation that was known already may bring words that were not.
    return replace(receipt, changed=receipt.changed or said)


def _perform_on_task(message: TaskMessage, by: dict[str, Any], *, hold_echo: bool) -> Receipt:
    match message:
        case Acknowledgement():
            return operations.acknowledge(**by, reference=message.external_reference)
        case Update():
            return operations.update(
                **by,
                text=message.text,
                visibility=message.visibility,
                comments=message.comments,
                files=message.files,
                expected_resolution_at=message.expected_resolution_at,
                solution=message.solution,
                title=message.title,
                description=message.description,
                priority=message.priority,
                category=message.category,
                may_be_empty=message.may_be_empty,
                message_id=message.message_id,
                written_at=message.written_at,
                group=message.group,
                synchronised=message.synchronised,
                note_id=message.note_id,
                theirs=message.theirs,
                hold_echo=hold_echo,
            )
        case Files():
            return operations.attach(**by, files=message.files, visibility=message.visibility)
        case Reassignment():
            return operations.reassign(
                **by,
                solution=message.solution,
                completion_code=message.completion_code,
                status=message.status,
            )
        case Closure():
            return operations.close(**by, solution=message.solution, completion_code=message.completion_code)
        case Resolution():
            return operations.resolve(**by, solution=message.solution, completion_code=message.completion_code)
        case Reopening():
            return operations.reopen(**by, reason=message.reason)
        case LocalAssignment():
            return operations.assign(**by)
        case Rejection():
            return operations.reject(**by, reason=message.reason)
        case Cancellation():
            return operations.cancel(**by)
    raise TypeError(f"no operation for {type(message)}")


def _perform_case(
    call: Arrived, system: ExternalSystem, message: CaseCreation | CaseMessage, *, hold_echo: bool
) -> Receipt:
    if isinstance(message, CaseCreation):
        receipt = case_operations.create(
            system=system, reference=message.external_reference, values=message.values, author=message.author
        )
        call.exchange.task_id = Task.objects.values_list("pk", flat=True).get(number=receipt.task)
        return receipt
    ticket, tasks = case_operations.find(system, message.case)
    call.exchange.task = task = case_operations.spoken_of(tasks)
    match message:
        case CaseChange():
            return case_operations.change(
                system=system,
                ticket=ticket,
                tasks=tasks,
                values=message.values,
                reference=message.external_reference,
                author=message.author,
            )
        case CaseUpdate():
            return operations.update(
                system=system,
                task=task,
                text=message.text,
                visibility=message.visibility,
                files=message.files,
                author=message.author,
                message_id=message.message_id,
                hold_echo=hold_echo,
            )
    raise TypeError(f"no operation for {type(message)}")


def _rejected_again(system: ExternalSystem, message: TaskMessage) -> Task | None:
    """The task, where this is the repetition of a rejection, which took the task from their sight."""
    rejects = isinstance(message, Rejection) or (
        isinstance(message, Reassignment) and message.status == ReportedStatus.REJECTED
    )
    return rejected_before(system, message.task_number) if rejects and message.task_number else None


def find_task(system: ExternalSystem, message: TaskMessage) -> Task:
    """The task by our number, else by their reference. `NotFound` also where it exists but is not theirs.

    A message that names both must not mean two different tasks.
    """
    tasks = tasks_visible_to(system).select_related("ticket")
    if message.task_number:
        task = tasks.filter(number=message.task_number[:30]).first()
    else:
        task = tasks.filter(
            external_references__system=system, external_references__value=message.external_reference
        ).first()
    if task is None or (message.task_number and task.number != message.task_number):
        name = message.task_number or message.external_reference
        raise NotFound(_('There is no task "%(name)s" for you.') % {"name": name[:100]})
    if isinstance(message, Acknowledgement) or not message.external_reference:
        return task
    known = task.external_references.filter(system=system).values_list("value", flat=True).first()
    if known is not None and known != message.external_reference:
        raise Disagrees(
            _("%(task)s has the reference %(known)s, not %(given)s.")
            % {"task": task.number, "known": known, "given": message.external_reference}
        )
    return task


def finished(
    call: Arrived,
    *,
    status: int,
    headers: Mapping[str, str],
    body: str,
    problem: Refused | None = None,
) -> None:
    """Complete the exchange with the answer that was given."""
    exchange = call.exchange
    exchange.status = status
    exchange.response_headers = dict(headers)
    exchange.response_body = storable(body)
    exchange.duration_ms = round((time.monotonic() - call.started) * 1000)
    if problem is not None:
        exchange.outcome = Outcome.RETRYABLE if problem.status >= 500 else Outcome.REFUSED
        exchange.error = storable(call.noted or problem.detail)
    elif call.settled is not None:
        exchange.outcome, exchange.error = call.settled, storable(call.noted)
    elif call.repeated:
        exchange.outcome = Outcome.REPEATED
    elif call.receipt is not None and call.receipt.held_back:
        exchange.outcome = Outcome.HELD_BACK
    else:
        exchange.outcome = Outcome.SUCCEEDED
    fields = ["status", "response_headers", "response_body", "duration_ms", "outcome", "error", "task", "message_id"]
    fields.append("operation")
    # What was refused, held back or without effect is kept whole, so that it can be mapped again.
    if exchange.outcome in (Outcome.SUCCEEDED, Outcome.REPEATED):
        slim = without_files(exchange.request_body)
        if slim != exchange.request_body:
            exchange.request_body = slim
            fields.append("request_body")
    exchange.save(update_fields=fields)
