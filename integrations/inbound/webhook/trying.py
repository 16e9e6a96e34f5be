"""Rules tried on a recorded call: what each finds and would do, without doing it. And what there is to find."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from integrations.inbound.bodies import without_files
from integrations.inbound.intake import find_task
from integrations.inbound.messages import Message, NewTicket, TaskMessage
from integrations.inbound.problems import NotFound, Refused
from integrations.inbound.rest.problems import as_refused
from integrations.inbound.webhook.mapping import message_of
from integrations.inbound.webhook.reading import context_of
from integrations.inbound.webhook.rules import OF_A_FILE, field_lines, holds, value_of, values_of
from integrations.models import Exchange, ExternalReference, Hook, HookOperation, HookRule, UnknownTickets
from tickets.errors import ActionRefused

# As many as a person looks through; of a list, the first few are like the others.
MOST_PATHS: Final = 400
MOST_ITEMS: Final = 3
DEEPEST: Final = 12
SHOWN: Final = 200
# What `without_files` leaves of a file.
NOT_KEPT: Final = re.compile(r"\[\d{6,12} characters\]")


@dataclass(frozen=True)
class FieldTrial:
    """One line of a rule's fields: its value as it reads, or why there is none."""

    name: str
    expression: str
    value: str = ""
    problem: str = ""


@dataclass
class Trial:
    """One rule on one call. `holds`: its condition; `counts`: it is the first active one; `would`: what it does."""

    rule: HookRule
    holds: bool = False
    counts: bool = False
    why: str = ""
    values: list[FieldTrial] = field(default_factory=list)
    would: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Found:
    """A value of a call, and the expression that gives it."""

    path: str
    value: str


def try_rules(hook: Hook, rules: Iterable[HookRule], context: Mapping[str, Any]) -> list[Trial]:
    """Every rule, also those that do not count, in their order."""
    trials = []
    decided = False
    for rule in rules:
        trial = try_rule(hook, rule, context)
        # A condition that fails stops the call: no later rule is looked at.
        stops = bool(trial.problem) and not trial.holds
        if rule.active and not decided and (trial.holds or stops):
            trial.counts = decided = True
        trials.append(trial)
    return trials


def try_rule(hook: Hook, rule: HookRule, context: Mapping[str, Any]) -> Trial:
    """One rule. Its fields are shown also where its condition does not hold."""
    trial = Trial(rule)
    try:
        trial.holds, trial.why = holds(rule, context)
    except Refused as failed:
        trial.problem = failed.detail
    for line in field_lines(rule):
        if line.name.startswith(OF_A_FILE):
            continue
        try:
            value = shown(value_of(rule, line, context))
            trial.values.append(FieldTrial(line.name, line.value, value=value))
        except Refused as failed:
            why = " ".join(failed.fields.get(line.name, [failed.detail]))
            trial.values.append(FieldTrial(line.name, line.value, problem=why))
    if trial.holds:
        try:
            trial.would = _would(hook, rule, context)
        except (Refused, ActionRefused, ValidationError) as error:
            refused = as_refused(error)
            if isinstance(refused, NotFound) and hook.unknown_tickets == UnknownTickets.IGNORE:
                trial.would = _("The call is accepted and changes nothing: %(why)s") % {"why": refused.detail}
            else:
                trial.problem = refused.detail
    return trial


def context_to_try(exchange: Exchange) -> dict[str, Any]:
    """A recorded call as rules see it. Files that were not kept are empty. Raises `Malformed`."""
    return context_of(
        method=exchange.method,
        url=exchange.url,
        headers=exchange.request_headers,
        text=NOT_KEPT.sub("", exchange.request_body),
    )


def found_in(context: Mapping[str, Any]) -> list[Found]:
    """The single values of a call, each with the expression that gives it, for picking."""
    found: list[Found] = []
    for root in ("body", "query", "headers"):
        for path, value in _walk(root, context[root], DEEPEST):
            if len(found) == MOST_PATHS:
                return found
            found.append(Found(path, shown(value)))
    return found


def shown(value: Any) -> str:
    """A value on one line, cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(without_files(text[: SHOWN * 1000]).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _walk(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if depth and isinstance(value, dict) and value:
        for name, inner in value.items():
            if not name.startswith("__"):
                yield from _walk(f"{path}{_step(name)}", inner, depth - 1)
    elif depth and isinstance(value, list) and value:
        for index, inner in enumerate(value[:MOST_ITEMS]):
            yield from _walk(f"{path}[{index}]", inner, depth - 1)
    elif path not in ("body", "query", "headers"):
        yield path, value


def _step(name: str) -> str:
    if name.isidentifier() and name.isascii():
        return f".{name}"
    quoted = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"['{quoted}']"


def _would(hook: Hook, rule: HookRule, context: Mapping[str, Any]) -> str:
    """In a sentence. Raises as the real thing does."""
    if rule.operation == HookOperation.IGNORE:
        return _("The call is accepted and changes nothing.")
    given = values_of(rule, context)
    if rule.operation == HookOperation.FETCH:
        name = given.get("reference") or given.get("external_id")
        if not name:
            return _("It would be refused: neither reference nor external_id has a value.")
        return _("Their ticket %(name)s is looked at as soon as a worker is free.") % {"name": name}
    message = message_of(hook.system, rule.operation, given)
    if message is None:
        return _("Nothing follows from this status.")
    return _sentence(hook, message)


def _sentence(hook: Hook, message: Message) -> str:
    if isinstance(message, NewTicket):
        known = ExternalReference.objects.filter(system=hook.system, value=message.external_reference)
        task = known.select_related("task").first()
        if task is not None:
            return _("%(reference)s is known as %(task)s: only what is new is added there.") % {
                "reference": message.external_reference,
                "task": task.task.number,
            }
        return _('The ticket "%(title)s" is created for %(contact)s.') % {
            "title": message.title,
            "contact": message.contact_email,
        }
    assert isinstance(message, TaskMessage)  # noqa: S101 - there are no others
    task_meant = find_task(hook.system, message)
    operation = str(HookOperation(message.operation).label).partition(":")[0]
    return _("%(operation)s: task %(task)s.") % {"operation": operation, "task": task_meant.number}
