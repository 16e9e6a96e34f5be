"""What a process would do for a task: every step rendered, nothing sent, nothing written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from integrations.app_fields import placeholders
from integrations.configuration import capture_names, header_lines
from integrations.definition import build_definition
from integrations.engine.rendering import needs_reference, render_request
from integrations.engine.steps.mail import render_mail
from integrations.inbound.case_exchange import entities
from integrations.models import Direction, ExternalSystem, Process, SettableField, StepKind
from integrations.snapshot import current_reference, snapshot
from integrations.templating import Escape, TemplateFailed, evaluate, origins, render, used_paths
from integrations.transports.errors import TransportError
from integrations.transports.safe_xml import XmlRefused, parse
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem
from tickets.actors import Actor
from tickets.models import Attachment, Task

SAMPLE_MARK = "SAMPLE-"
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Occurrence:
    """The event for which a process is previewed. `reference` is assumed where the task has none."""

    request_type: str
    operation: str
    direction: str
    text: str = ""
    reference: str = ""
    attachment: Attachment | None = None


@dataclass(frozen=True)
class Source:
    """Where a value came from: in which part of the step, as written, its path, the value; `sample` if made up."""

    part: str
    placeholder: str
    path: str
    value: str
    sample: bool


@dataclass
class StepPreview:
    """One step: whether it would run and why (not), what it would send or do, and where each value comes from."""

    name: str
    kind: str
    condition: str
    runs: bool = True
    why: str = ""
    request_line: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def preview(
    process: Process, *, task: Task, system: ExternalSystem, occurrence: Occurrence, actor: Actor
) -> list[StepPreview]:
    """Each step of the process as it would be executed for this task and event."""
    definition = build_definition(process)
    context = _context(process, task, system, occurrence, actor)
    steps: list[StepPreview] = []
    stopped = ""
    for described in definition["steps"]:
        shown = StepPreview(
            name=described["name"],
            kind=str(StepKind(described["kind"]).label),
            condition=described["condition"].strip(),
        )
        steps.append(shown)
        if stopped:
            shown.runs, shown.why = False, stopped
            continue
        _decide(shown, described, system, occurrence, context)
        _show(shown, described, system, context)
        if described["kind"] == StepKind.STOP and shown.runs:
            stopped = _('Not reached: the step "%(name)s" stops the process.') % {"name": shown.name}
        if described["request"] is not None and shown.runs:
            names = capture_names(described["request"]["captures"])
            context["steps"][described["name"]] = {name: f"{SAMPLE_MARK}{name}" for name in names}
    return steps


def _context(
    process: Process, task: Task, system: ExternalSystem, occurrence: Occurrence, actor: Actor
) -> dict[str, Any]:
    context = snapshot(
        task=task,
        system=system,
        request_type=occurrence.request_type,
        direction=occurrence.direction,
        operation=occurrence.operation,
        actor=actor,
        text=occurrence.text,
        attachment=occurrence.attachment,
    )
    if occurrence.text and occurrence.attachment is None:
        context["event"]["message_id"] = f"{SAMPLE_MARK}message"
    context["task"]["external_reference"] = current_reference(task.pk, system.pk) or occurrence.reference
    context["process"] = {"id": 0, "name": process.name}
    context["steps"] = {}
    return context


def _decide(
    shown: StepPreview,
    described: dict[str, Any],
    system: ExternalSystem,
    occurrence: Occurrence,
    context: dict[str, Any],
) -> None:
    """Whether the step would run: its condition, and the engine's own rules."""
    if shown.condition:
        try:
            shown.runs = bool(evaluate(shown.condition, context, fields=placeholders()))
        except TemplateFailed as problem:
            shown.runs = False
            shown.problems.append(_("The condition fails: %(problem)s") % {"problem": problem})
        shown.sources += _sources(_("condition"), f"{{{{ {shown.condition} }}}}", context)
        if not shown.runs:
            shown.why = _("Its condition does not hold.")
            return
    if described["kind"] == StepKind.FEED and occurrence.direction == Direction.IN:
        shown.runs, shown.why = False, _("It would tell the desk that caused this event.")
    request = described["request"]
    if request is None or request["system_id"] not in (None, system.pk):
        return
    reference = context["task"]["external_reference"]
    if occurrence.direction == Direction.IN:
        shown.runs, shown.why = False, _("It would call the desk that caused this event.")
    elif described["creates"] and reference:
        shown.runs = False
        shown.why = _('Not created again: the task is known there as "%(reference)s".') % {"reference": reference}
    elif not described["creates"] and not reference and needs_reference(request):
        shown.problems.append(
            _("This needs the number of the other desk, and the task has none there. Enter one above to assume it.")
        )


def _show(shown: StepPreview, described: dict[str, Any], system: ExternalSystem, context: dict[str, Any]) -> None:
    """What the step would send or do."""
    try:
        if described["request"] is not None:
            _show_request(shown, described["request"], system, context)
        elif described["kind"] == StepKind.MAIL:
            mail = render_mail(described, context)
            shown.facts = [(_("To"), ", ".join(mail["to"])), (_("Subject"), mail["subject"])]
            shown.body = mail["body"]
            for part in ("to", "subject"):
                shown.sources += _sources(part, described["mail"][part], context)
            shown.sources += _sources(_("text"), described["text"], context)
            if not mail["to"]:
                shown.problems.append(_("The mail has no recipient."))
        elif described["kind"] == StepKind.FEED:
            shown.facts = [(_("External system"), system.name), (_("Operation"), context["event"]["operation"])]
            shown.body = pretty(json.dumps(_entity(context), ensure_ascii=False))
        else:
            _show_local(shown, described, context)
    except (TemplateFailed, TransportError, ArgumentProblem, WsdlProblem) as problem:
        # What is not executed for this event need not be possible for it.
        if shown.runs:
            shown.problems.append(str(problem))


def _show_request(
    shown: StepPreview, request: dict[str, Any], system: ExternalSystem, context: dict[str, Any]
) -> None:
    called = system
    if request["system_id"] not in (None, system.pk):
        called = ExternalSystem.objects.get(pk=request["system_id"])
    shown.facts = [(_("External system"), called.name), (_("Operation"), request["operation"])]
    for part, source in _sources_of_request(request):
        shown.sources += _sources(part, source, context)
    if request.get("sends_file"):
        value = _short(context["attachment"]["name"])
        shown.sources.append(Source(_("body"), _("the attached file"), "attachment", value, sample=False))
    prepared = render_request(request, system=called, context=context)
    shown.request_line = f"{prepared.method} {prepared.url}"
    shown.headers = prepared.headers
    shown.body = prepared.shown_as or pretty(prepared.body.decode("utf-8", errors="replace"))


def _entity(context: dict[str, Any]) -> dict[str, Any]:
    """The feed entry as it would be written; a file gets its guid only then."""
    attachment = context["attachment"]
    if attachment["id"] is None:
        return entities.of_event(context)
    file = {
        "id": f"{SAMPLE_MARK}guid",
        "file_name": attachment["name"],
        "size": attachment["size"],
        "mime_type": attachment["content_type"],
    }
    return entities.of_event(context, file=file)


def _show_local(shown: StepPreview, described: dict[str, Any], context: dict[str, Any]) -> None:
    """Steps that change our own ticket, wait or stop."""
    kind = described["kind"]
    source = {StepKind.SET_FIELD: "value", StepKind.WAIT: "wait_for"}.get(kind, "text")
    shown.sources += _sources(_("text") if source == "text" else _("value"), described[source], context)
    text = render(described[source], context, escape=Escape.TEXT, fields=placeholders())
    if kind == StepKind.SET_FIELD:
        shown.facts = [(str(SettableField(described["field"]).label), text)]
    elif kind == StepKind.WAIT:
        shown.facts = [(_("Waits for"), text.strip() or _("all other tasks of the ticket"))]
    elif kind == StepKind.NOTE:
        shown.facts = [(_("Visibility"), described["visibility"])]
        shown.body = text
    else:
        shown.facts = [(_("Says"), text or _("The process stops here."))]


def _sources_of_request(request: dict[str, Any]) -> list[tuple[str, str]]:
    named = [(_("path"), request["path"])]
    named += [(line.name, line.value) for line in header_lines(request["headers"])]
    named.append((_("body"), request["body"]))
    return [*named, *request["soap_arguments"].items()]


def _sources(part: str, source: str, context: dict[str, Any]) -> list[Source]:
    """Where the values in one template come from; what it cannot do is told when it is rendered."""
    if not source.strip():
        return []
    try:
        found = origins(source, _with_file(source, context), fields=placeholders())
    except TemplateFailed:
        return []
    return [
        Source(
            part=part,
            placeholder=origin.placeholder,
            path=origin.path,
            value=_short(origin.value),
            sample=origin.path.startswith("steps.") or SAMPLE_MARK in str(origin.value)[: len(SAMPLE_MARK)],
        )
        for origin in found
    ]


def _with_file(source: str, context: dict[str, Any]) -> dict[str, Any]:
    """Where the file itself is written, its size says enough about where it came from."""
    if "attachment.content_base64" not in used_paths(source, placeholders()):
        return context
    attachment = context["attachment"]
    size = attachment["size"]
    content = _("the file, %(size)s bytes in base64") % {"size": size} if size else None
    return {**context, "attachment": {**attachment, "content_base64": content}}


def _short(value: Any) -> str:
    if value in (None, ""):
        return _("(empty)")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def pretty(text: str) -> str:
    """JSON and XML with indents; anything else as it is."""
    start = text.lstrip()[:1]
    if start in ("{", "["):
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    if start == "<":
        try:
            root = parse(text)
        except XmlRefused:
            return text
        etree.indent(root)
        return etree.tostring(root, encoding="unicode")
    return text
