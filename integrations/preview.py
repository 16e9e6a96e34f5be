"""What a process would do for a task: every step rendered, nothing sent, nothing written."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from integrations.app_fields import placeholders
from integrations.configuration import capture_lines, header_lines
from integrations.definition import build_definition
from integrations.engine.letters import body_of, render_mail, tags_of
from integrations.engine.rendering import Prepared, needs_reference, render_request, sources_of
from integrations.engine.stand_ins import stand_ins_for
from integrations.inbound.case_exchange import entities
from integrations.models import Direction, ExternalSystem, Process, SettableField, StepKind
from integrations.redaction import redact_body, redact_headers, redact_url
from integrations.snapshot import contact_there, numbers_there, snapshot
from integrations.templating import Escape, TemplateFailed, evaluate, origins, render, used_paths
from integrations.transports.errors import TransportError
from integrations.transports.safe_xml import XmlRefused, parse
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem
from integrations.triggers import CLOSED, UPDATE
from integrations.value_maps import theirs_for
from tickets.actors import Actor
from tickets.lifecycle import CompletionCode
from tickets.models import Attachment, Task

SAMPLE_MARK = "SAMPLE-"
# The number of a ticket or contact there: often a whole number, which templates may ask for.
SAMPLE_NUMBER = "900000001"
# How a task that is not at its end yet would have ended, by the operation; else it is fulfilled.
ENDS_WITH = {"cancel": CompletionCode.WITHDRAWN, "reject": CompletionCode.REJECTED}
# What a step captures under these names is the task's number and id there from then on.
CAPTURED_NUMBERS = {"reference": "external_reference", "external_id": "external_id"}
WHOLE_RECORD = re.compile(r"response\.json(\[\d+\])?")
LONGEST_VALUE = 300
# How what a template names of the credentials begins to be shown.
CREDENTIAL = "[auth."


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
    # Conditions look at the number as it was when the run began; requests have what a step before has brought.
    pinned = context["task"]["external_reference"]
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
        _decide(shown, described, system, occurrence, context, pinned=pinned)
        _show(shown, described, system, context)
        if described["kind"] == StepKind.STOP and shown.runs:
            stopped = _('Not reached: the step "%(name)s" stops the process.') % {"name": shown.name}
        if described["request"] is not None and shown.runs:
            names = _captured(described["request"]["captures"])
            context["steps"][described["name"]] = names
            for captured, number in CAPTURED_NUMBERS.items():
                if captured in names and not context["task"][number]:
                    context["task"][number] = SAMPLE_NUMBER
            contact = context["ticket"]["contact"]
            if "contact" in names and not contact["external_id"]:
                contact["external_id"] = SAMPLE_NUMBER
    return steps


def _captured(captures: str) -> dict[str, Any]:
    """Samples of what a step would capture; a record as a whole where the answer, or one of its list, is captured."""
    found: dict[str, Any] = {}
    for line in capture_lines(captures):
        whole = WHOLE_RECORD.fullmatch(line.value.strip())
        found[line.name] = {f"{SAMPLE_MARK}record": _("as it came")} if whole else f"{SAMPLE_MARK}{line.name}"
    return found


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
    if occurrence.text and occurrence.attachment is None and occurrence.request_type in (UPDATE, CLOSED):
        # The text of any other event is its reason, and no message.
        context["event"]["message_id"] = f"{SAMPLE_MARK}message"
    numbers = numbers_there(task.pk, system.pk)
    context["task"] |= {name: value or occurrence.reference for name, value in numbers.items()}
    if occurrence.request_type == CLOSED or occurrence.operation == "resolve":
        code = ENDS_WITH.get(occurrence.operation, CompletionCode.FULFILLED)
        ended = {"completion_code": str(code), "solution": _("The solution, as it would be written here.")}
        context["task"] |= {name: context["task"][name] or value for name, value in ended.items()}
    context["ticket"]["contact"]["external_id"] = contact_there(task.ticket.contact_id, system.pk)
    context["theirs"] = theirs_for(system, context)
    context["process"] = {"id": 0, "name": process.name}
    context["steps"] = {}
    return context


def _decide(
    shown: StepPreview,
    described: dict[str, Any],
    system: ExternalSystem,
    occurrence: Occurrence,
    context: dict[str, Any],
    *,
    pinned: str,
) -> None:
    """Whether the step would run: its condition, and the engine's own rules."""
    if shown.condition:
        known = {**context, "task": {**context["task"], "external_reference": pinned}}
        try:
            shown.runs = bool(evaluate(shown.condition, known, fields=placeholders()))
        except TemplateFailed as problem:
            shown.runs = False
            shown.problems.append(_("The condition fails: %(problem)s") % {"problem": problem})
        shown.sources += _sources(_("condition"), f"{{{{ {shown.condition} }}}}", known)
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
            mail = render_mail(described, context, system=system)
            shown.facts = [(_("To"), ", ".join(mail["to"])), (_("Subject"), mail["subject"])]
            shown.body = body_of({**mail, "tags": tags_of(context) if mail["to_desk"] else {}})
            if context["attachment"]["name"]:
                shown.facts.append((_("Attached"), context["attachment"]["name"]))
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
    credentials = {name: f"{CREDENTIAL}{name}]" for name in stand_ins_for(sources_of(request))}
    for part, source in _sources_of_request(request):
        shown.sources += _sources(part, source, {**context, "auth": credentials})
    if request.get("sends_file") or request.get("file_part"):
        value = _short(context["attachment"]["name"])
        shown.sources.append(
            Source(request.get("file_part") or _("body"), _("the attached file"), "attachment", value, sample=False)
        )
    prepared = render_request(request, system=called, context=context, credentials=credentials)
    _show_without_secrets(shown, prepared, called.secret_name_list)


def _show_without_secrets(shown: StepPreview, prepared: Prepared, names: list[str]) -> None:
    """The request as it is sent. What stands in for credentials stays; a key written into a template is removed."""
    url = prepared.url if CREDENTIAL in prepared.url else redact_url(prepared.url, names=names)
    shown.request_line = f"{prepared.method} {url}"
    safe = redact_headers(prepared.headers, names=names)
    shown.headers = {name: value if CREDENTIAL in value else safe[name] for name, value in prepared.headers.items()}
    if prepared.shown_as:
        shown.body = prepared.shown_as
        return
    body = prepared.body.decode("utf-8", errors="replace")
    if CREDENTIAL not in body:
        body = redact_body(body, prepared.headers.get("Content-Type", ""), names=names)
    shown.body = pretty(body)


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
            sample=origin.path.startswith("steps.") or str(origin.value).startswith((SAMPLE_MARK, SAMPLE_NUMBER)),
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
