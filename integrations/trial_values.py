"""With what an operation is tried: a real task or contact, or values made up; only what its templates ask for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.configuration import names_for_operation, sample_context
from integrations.direct import paths_of
from integrations.models import Direction, ExternalSystem, OperationTemplate, ValueKind, ValueMapping, ValueWay
from integrations.people.context import of_contact
from integrations.snapshot import contact_there, numbers_there, snapshot
from tickets.actors import Actor
from tickets.models import Contact, Priority, Task

NOBODY: Final = {
    "name": "Deskbridge Test",
    "email": "deskbridge-test@example.com",
    "login": "deskbridge-test",
    "phone": "+49 30 5550100",
    "organisation": "Deskbridge",
    "external_id": "",
}
# What the form asks, and the names of templates for which it does.
ASKED: Final = {
    "task": ("task.", "event.", "attachment.", "ticket."),
    "contact": ("ticket.contact.",),
    "reference": ("task.external_reference", "task.external_id"),
    "number": ("ticket.contact.external_id",),
    "text": ("event.text",),
    "search": ("query.",),
    "days": ("poll.since",),
}


@dataclass(frozen=True)
class TrialValues:
    """What was chosen; the rest is made up. `reference` and `number` are the ticket's and the person's there."""

    task: Task | None = None
    contact: Contact | None = None
    reference: str = ""
    number: str = ""
    text: str = ""
    search: str = ""
    days: int = 30


def asked_by(operation: OperationTemplate) -> set[str]:
    """Which of `TrialValues` the operation's templates depend on."""
    paths = paths_of(operation) | ({"attachment.name"} if operation.sends_file else set())
    asked = {name for name, roots in ASKED.items() if any(path.startswith(roots) for path in paths)}
    if all(path.startswith(("ticket.contact.", "system.", "poll.", "query.")) for path in paths):
        asked.discard("task")
    if "task" in asked:
        asked.discard("contact")
    return asked


def context_for_trial(operation: OperationTemplate, values: TrialValues, *, actor: Actor) -> dict[str, Any]:
    """The names that the operation's templates may use, with these values."""
    system = operation.system
    context = sample_context(names_for_operation(operation.name))
    context["ticket"]["contact"] = dict(NOBODY)
    context["event"]["text"] = values.text or context["event"]["text"]
    if values.task is not None:
        context |= _of_task(operation, values, actor)
    elif values.contact is not None:
        context["ticket"]["contact"] = of_contact(values.contact, system)["ticket"]["contact"]
    else:
        context["attachment"] = {**context["attachment"], "id": None}
        _make_up(context, system)
    context["system"] = {"code": system.code, "name": system.name, "settings": system.settings}
    if values.number:
        context["ticket"]["contact"]["external_id"] = values.number
    if values.reference:
        context["task"] |= {"external_reference": values.reference, "external_id": values.reference}
    since = timezone.now() - timedelta(days=values.days)
    seconds = int(since.timestamp())
    context["poll"] = {"since": since.isoformat(), "since_seconds": seconds, "since_ms": seconds * 1000}
    context["poll"] |= {"page": 1, "offset": 0, "size": 50, "next": ""}
    context["query"] = {"text": values.search}
    if values.search:
        context["ticket"]["contact"] |= dict.fromkeys(("name", "email", "login"), values.search)
    return context


def _make_up(context: dict[str, Any], system: ExternalSystem) -> None:
    """Values of no task: people over there may read them, so they say what they are, and nobody has to hurry."""
    words = _("A test of the connection by Deskbridge. Please ignore it and close it.")
    context["ticket"] |= {
        "title": _("Test by Deskbridge, please ignore and close"),
        "description": words,
        "notes": [],
    }
    context["task"]["description"] = words
    least_urgent = list(Priority.objects.order_by("-rank"))
    if least_urgent:
        lowest = least_urgent[0]
        context["ticket"]["priority"] |= {"code": lowest.code, "name": lowest.name, "rank": lowest.rank}
    outward = ValueMapping.objects.filter(system=system, way__in=[ValueWay.BOTH, ValueWay.OUT]).order_by("-pk")
    context["theirs"] |= {row.kind: row.theirs for row in outward}
    theirs = {row.ours: row.theirs for row in outward if row.kind == ValueKind.PRIORITY}
    if known := next((theirs[row.code] for row in least_urgent if row.code in theirs), None):
        context["theirs"][ValueKind.PRIORITY] = known


def _of_task(operation: OperationTemplate, values: TrialValues, actor: Actor) -> dict[str, Any]:
    task, system = values.task, operation.system
    if task is None:
        return {}
    asks = asked_by(operation)
    sends_file = operation.sends_file or operation.name.startswith("upload_")
    file = task.ticket.attachments.order_by("-pk").first() if sends_file else None
    context = snapshot(
        task=task,
        system=system,
        request_type="Update" if "reference" in asks else "Submit Request",
        direction=Direction.OUT,
        operation="update" if "reference" in asks else "assign",
        actor=actor,
        text=values.text,
        attachment=file,
    )
    context["task"] |= numbers_there(task.pk, system.pk)
    context["ticket"]["contact"]["external_id"] = contact_there(task.ticket.contact_id, system.pk)
    # `theirs` is added when it is rendered, with errors that name what is not translated.
    return {**context, "process": {"id": 0, "name": operation.name}}
