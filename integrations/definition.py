"""A process as plain data, operations included: what a run is pinned to."""

import hashlib
import json
from typing import Any

from django.db import transaction

from integrations.models import OperationTemplate, Process, ProcessVersion, Repeat, RequestTemplate, Step, StepKind

BUILT_IN_WEBHOOK = "webhook"
REQUEST_FIELDS = tuple(
    field.name for field in RequestTemplate._meta.get_fields() if field.name not in ("wsdl", "probe")
)


def build_definition(process: Process) -> dict[str, Any]:
    """The process with its steps in order, each with everything that is needed to run it."""
    if process.built_in:
        return {"process": {"id": process.pk, "name": process.name}, "steps": [_DELIVERY[process.built_in]()]}
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
        "wait_until": step.wait_until,
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


def _deliver_webhook() -> dict[str, Any]:
    """The only step of a webhook's delivery: what is sent stands in the event, and a repeat is known by its id."""
    described = describe_step(Step(name="deliver", kind=StepKind.WEBHOOK))
    request = describe_request(OperationTemplate(repeat=Repeat.SAFE), with_probe=False)
    return {**described, "request": {**request, "system_id": None, "operation": "webhook"}}


# built-in process -> its step
_DELIVERY = {BUILT_IN_WEBHOOK: _deliver_webhook}


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
