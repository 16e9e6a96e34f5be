"""The step that sets a field of the ticket or task."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.references import store_reference
from integrations.engine.steps.base import Execution
from integrations.engine.steps.local import change
from integrations.models import SettableField
from integrations.templating import Escape, render
from tickets.actions import change_task, change_ticket
from tickets.errors import InvalidInput
from tickets.models import Category, Priority, Queue

CODED: dict[str, type[Priority | Category | Queue]] = {
    SettableField.PRIORITY: Priority,
    SettableField.CATEGORY: Category,
    SettableField.QUEUE: Queue,
}


def execute(execution: Execution) -> None:
    """Render the value and set it through the same actions as everybody."""

    def action() -> results.Result:
        field = SettableField(execution.definition["field"])
        value = render(execution.definition["value"], execution.context, escape=Escape.TEXT, fields=placeholders())
        set_field(execution, field, value)
        return results.done()

    change(execution, action)


def set_field(execution: Execution, field: SettableField, value: str) -> None:
    """Set one field; `InvalidInput` when the value is none for it."""
    task = execution.run.stream.task
    name = field.value.partition(".")[2]
    if field == SettableField.REFERENCE:
        store_reference(task=task, system=execution.run.stream.system, value=value)
    elif field == SettableField.EXPECTED:
        change_task(actor=execution.actor, task=task, expected_resolution_at=_moment(value))
    else:
        changed: Any = _coded(CODED[field], value) if field in CODED else value
        change_ticket(actor=execution.actor, ticket=task.ticket, **{name: changed})


def _coded(model: type[Priority | Category | Queue], code: str) -> Priority | Category | Queue:
    found = model.objects.filter(code=code).first()
    if found is None:
        raise InvalidInput(
            _('There is no %(kind)s with the code "%(code)s".') % {"kind": model._meta.verbose_name, "code": code}
        )
    return found


def _moment(value: str) -> Any:
    if not value.strip():
        return None
    try:
        moment = parse_datetime(value.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidInput(_('"%(value)s" is not a time as in ISO 8601.') % {"value": value})
    return moment
