"""A process as plain data, operations included: what a run is pinned to."""

import hashlib
import json
from typing import Any

from django.db import transaction

from integrations.models import Process, ProcessVersion, RequestTemplate, Step, StepKind

REQUEST_FIELDS = tuple(
    field.name for field in RequestTemplate._meta.get_fields() if field.name not in ("wsdl", "probe")
)


def build_definition(process: Process) -> dict[str, Any]:
    """The process with its steps in order, each with everything that is needed to run it."""
    steps = process.steps.select_related("operation__probe", "operation__system", "probe", "system")
    return {"process": {"id": process.pk, "name": process.name}, "steps": [describe_step(step) for step in steps]}


def describe_step(step: Step) -> dict[str, Any]:
    """One step as plain data."""
    described: dict[str, Any] = {
        "name": step.name,
        "kind": step.kind,
        "condition": step.condition,
        "creates": step.creates,
        "mail": {"to": step.mail_to, "subject": step.mail_subject},
        "text": step.text,
        "field": step.field,
        "value": step.value,
        "visibility": step.visibility,
        "wait_for": step.wait_for,
        "request": None,
    }
    if step.kind == StepKind.OPERATION and step.operation is not None:
        described["request"] = describe_request(step.operation)
        described["request"]["system_id"] = step.operation.system_id
        described["request"]["operation"] = step.operation.name
        described["request"]["captures"] = f"{step.operation.captures}\n{step.captures}".strip()
        described["creates"] = step.operation.creates
    elif step.kind == StepKind.REQUEST:
        described["request"] = describe_request(step)
        described["request"]["system_id"] = step.system_id
        described["request"]["operation"] = step.name
    return described


def describe_request(template: RequestTemplate, *, with_probe: bool = True) -> dict[str, Any]:
    """A request template as plain data; `probe` is the whole template that looks whether it arrived."""
    described = {name: getattr(template, name) for name in REQUEST_FIELDS}
    described["wsdl_id"] = template.wsdl_id
    described["probe"] = None
    if with_probe and template.probe is not None:
        described["probe"] = describe_request(template.probe, with_probe=False)
        described["probe"]["operation"] = template.probe.name
        described["probe"]["system_id"] = template.probe.system_id
    return described


@transaction.atomic
def current_version(process: Process) -> ProcessVersion:
    """The version that stands for the process as it is now; made when the process was changed since the last one."""
    definition = build_definition(process)
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    found = ProcessVersion.objects.filter(process=process, digest=digest).first()
    if found is not None:
        return found
    Process.objects.select_for_update(no_key=True).get(pk=process.pk)
    last = ProcessVersion.objects.filter(process=process).order_by("-number").first()
    version, _created = ProcessVersion.objects.get_or_create(
        process=process,
        digest=digest,
        defaults={"definition": definition, "number": (last.number if last else 0) + 1},
    )
    return version
