"""Rules on calls: which one counts, and the values that its field expressions give."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.configuration.lines import Line, capture_lines
from integrations.inbound.problems import Refused
from integrations.models import HookRule
from integrations.templating import TemplateFailed, evaluate

# Lines that are evaluated for each file: over `item`, the entry of the list that `attachments` gives.
OF_A_FILE: Final = "attachment."
ATTACHMENTS: Final = "attachments"


class RuleFailed(Refused):
    """An expression of a rule does not work on this call. Once the rule is mended, it can be mapped again."""

    status = 422
    code = "rule_failed"


def holds(rule: HookRule, context: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the rule's condition holds for a call, and if a value is missing, which: then it does not hold.

    Raises `RuleFailed` for any other failure, as the next rule might otherwise take what was this one's.
    """
    if not rule.condition.strip():
        return True, ""
    try:
        return bool(evaluate(rule.condition, dict(context))), ""
    except TemplateFailed as error:
        if error.name:
            return False, error.message
        raise RuleFailed(_('Rule "%(rule)s", condition: %(why)s') % {"rule": rule, "why": error.message}) from error


def counting(rules: Iterable[HookRule], context: Mapping[str, Any]) -> HookRule | None:
    """The first active rule whose condition holds; None if there is none. Raises `RuleFailed`."""
    return next((rule for rule in rules if rule.active and holds(rule, context)[0]), None)


def values_of(rule: HookRule, context: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's fields with their values; what has none (null, an empty text) is left out. Raises `RuleFailed`."""
    lines = field_lines(rule)
    values = {}
    for line in lines:
        if line.name != ATTACHMENTS and not line.name.startswith(OF_A_FILE):
            values[line.name] = value_of(rule, line, context)
    for line in lines:
        if line.name == ATTACHMENTS:
            values[ATTACHMENTS] = _files(rule, lines, value_of(rule, line, context), context)
    return {name: value for name, value in values.items() if value is not None and value != ""}


def field_lines(rule: HookRule) -> list[Line]:
    """The lines that name a field."""
    return [line for line in capture_lines(rule.fields) if line.separated and line.name]


def value_of(rule: HookRule, line: Line, context: Mapping[str, Any]) -> Any:
    """The value of one line. Raises `RuleFailed`, naming the field."""
    try:
        return evaluate(line.value, dict(context))
    except TemplateFailed as error:
        raise RuleFailed(
            _('Rule "%(rule)s", field "%(field)s": %(why)s')
            % {"rule": rule, "field": line.name, "why": error.message},
            fields={line.name: [error.message]},
        ) from error


def _files(rule: HookRule, lines: list[Line], items: Any, context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files in the words of our own REST. An XML list of one entry is no list: it is taken as one."""
    if items in (None, "", {}):
        return []
    entries = items if isinstance(items, list) else [items]
    own = {line.name.removeprefix(OF_A_FILE): line for line in lines if line.name.startswith(OF_A_FILE)}
    files = []
    for item in entries:
        given = dict(item) if isinstance(item, dict) else {}
        given |= {name: value_of(rule, line, {**context, "item": item}) for name, line in own.items()}
        file = {
            "name": given.get("name"),
            "content": given.get("content_base64", given.get("content")),
            "content_type": given.get("content_type"),
        }
        files.append({name: value for name, value in file.items() if value is not None})
    return files
