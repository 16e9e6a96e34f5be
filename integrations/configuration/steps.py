"""The check of one step of a process, in the light of the steps before it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.configuration.lines import capture_names
from integrations.configuration.names import AUTH_NAMES, names_for_step
from integrations.configuration.requests import Problems, problems_of_captures, problems_of_request
from integrations.models.processes import StepKind
from integrations.templating import Escape, check_expression, check_template

# Step name -> what it captures: what later steps may use as steps.<name>.<capture>.
Captures = Mapping[str, list[str]]

NEEDED: Mapping[str, tuple[str, ...]] = {
    StepKind.OPERATION: ("operation",),
    StepKind.MAIL: ("mail_subject", "text"),
    StepKind.SET_FIELD: ("field", "value"),
    StepKind.NOTE: ("text", "visibility"),
}
TEMPLATES: Mapping[str, Mapping[str, Escape]] = {
    StepKind.MAIL: {"mail_to": Escape.HEADER, "mail_subject": Escape.HEADER, "text": Escape.MAIL},
    StepKind.SET_FIELD: {"value": Escape.TEXT},
    StepKind.NOTE: {"text": Escape.TEXT},
    StepKind.WAIT: {"wait_for": Escape.TEXT},
    StepKind.STOP: {"text": Escape.TEXT},
}


def problems_of_step(step: Mapping[str, Any], earlier: Captures) -> Problems:
    """What keeps a step from being saved: field -> sentences, empty if nothing does.

    `step` holds the fields of `Step` by name, with the rows of `operation`, `wsdl` and `probe` themselves and
    `system_id`. `earlier` is what the steps before it capture.
    """
    problems: Problems = defaultdict(list)
    names, fields = names_for_step(earlier), placeholders()
    if step["condition"].strip():
        found = check_expression(step["condition"], names=names, fields=fields)
        problems["condition"].extend(problem.message for problem in found)
    for field in NEEDED.get(step["kind"], ()):
        if not step[field]:
            problems[field].append(_("This kind of step needs a value here."))
    for field, escape in TEMPLATES.get(step["kind"], {}).items():
        found = check_template(step[field], names=names, fields=fields, escape=escape)
        problems[field].extend(problem.message for problem in found)
    if step["kind"] == StepKind.REQUEST:
        if not step["path"].strip() and step["wsdl"] is None and step["system_id"] is None:
            problems["path"].append(_("Say where the request goes: a path below the system's address."))
        for field, messages in problems_of_request(step, names=names | AUTH_NAMES).items():
            problems[field].extend(messages)
    elif step["kind"] == StepKind.OPERATION:
        problems["captures"].extend(problems_of_captures(step["captures"], names=names))
    return {field: messages for field, messages in problems.items() if messages}


def captures_of_step(step: Mapping[str, Any]) -> list[str]:
    """The names that a step captures: its own, and those of the operation that it calls."""
    if step["kind"] == StepKind.OPERATION and step["operation"] is not None:
        return [*capture_names(step["operation"].captures), *capture_names(step["captures"])]
    return capture_names(step["captures"]) if step["kind"] == StepKind.REQUEST else []


def problems_in_order(steps: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Problems]]:
    """The steps of a process, in order, each with what is wrong with it."""
    found = []
    earlier: dict[str, list[str]] = {}
    for step in steps:
        found.append((step, problems_of_step(step, earlier)))
        earlier[step["name"]] = captures_of_step(step)
    return found
