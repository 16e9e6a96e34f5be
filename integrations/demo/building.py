"""Making operations, processes and bound groups of a demo; what is there already stays as it is."""

from collections.abc import Mapping
from typing import Any

from integrations.models import ExternalSystem, GroupBinding, OperationTemplate, Process, Step, StepKind
from tickets.models import AssignmentGroup

# Step name -> the operation that it calls, and when; or the fields of a step of another kind.
Steps = Mapping[str, tuple[OperationTemplate, str] | Mapping[str, Any]]


def operation(system: ExternalSystem, name: str, **values: Any) -> OperationTemplate:
    """An operation template of the system."""
    found, _created = OperationTemplate.objects.get_or_create(system=system, name=name, defaults=values)
    return found


def process(name: str, steps: Steps) -> Process:
    """A process with these steps, in their order."""
    found, created = Process.objects.get_or_create(
        name=name, defaults={"description": "Serves every event; the conditions of its steps tell them apart."}
    )
    if created:
        for position, (step, values) in enumerate(steps.items(), start=1):
            if isinstance(values, tuple):
                called, condition = values
                values = {"kind": StepKind.OPERATION, "operation": called, "condition": condition}
            Step.objects.create(process=found, position=position, name=step, **values)
    return found


def bound_group(code: str, name: str, system: ExternalSystem, bound: Process) -> None:
    """A group whose tasks go to that system, by that process whatever happens."""
    group, _created = AssignmentGroup.objects.get_or_create(code=code, defaults={"name": name})
    GroupBinding.objects.get_or_create(
        group=group,
        defaults={
            "integrated": True,
            "system": system,
            "assignment_process": bound,
            "update_process": bound,
            "closure_process": bound,
        },
    )
