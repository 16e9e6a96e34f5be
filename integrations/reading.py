"""What an operation that reads finds in an answer: records by the names that its lines give."""

from typing import Any

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.definition import describe_request
from integrations.engine.outcome import response_context, storable
from integrations.models import OperationTemplate
from integrations.templating import TemplateFailed, evaluate
from integrations.transports.http import Response


def records_of(
    template: OperationTemplate, response: Response, context: dict[str, Any], *, broken: list[str] | None = None
) -> list[dict[str, Any]]:
    """The records in the order of the answer, each with the values of the template's `reads`.

    Without `items`, the answer is one record. A single item where a list was expected counts as a list of one: XML
    does not tell them apart. Raises `TemplateFailed`; with `broken`, items of a list that cannot be read are left
    out, and what is wrong with each is told there.
    """
    request = describe_request(template, with_probe=False)
    answer = {**context, "response": response_context(response, request)}
    items: Any = [None]
    if template.items.strip():
        items = evaluate(template.items.strip(), answer, fields=placeholders())
        items = [] if items is None or items == "" else items if isinstance(items, list) else [items]
    records = []
    for item in items:
        try:
            records.append(_record(template, answer, item))
        except TemplateFailed as problem:
            if broken is None or not template.items.strip():
                raise
            broken.append(str(problem))
    return records


def _record(template: OperationTemplate, answer: dict[str, Any], item: Any) -> dict[str, Any]:
    context = answer if item is None else {**answer, "item": item}
    record = {}
    for line in template.reads.splitlines():
        name, equals, expression = line.partition("=")
        if not equals:
            continue
        try:
            record[name.strip()] = storable(evaluate(expression.strip(), context, fields=placeholders()))
        except ValueError as problem:
            raise TemplateFailed(
                _("%(name)s: %(problem)s") % {"name": name.strip(), "problem": problem}, name=name.strip()
            ) from problem
    return record
