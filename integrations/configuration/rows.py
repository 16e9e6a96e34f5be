"""Saved rows in the form that the checks take."""

from typing import Any

from integrations.models import OperationTemplate, Step


def step_values(step: Step) -> dict[str, Any]:
    """The fields of a saved step by name."""
    return {**_values(step), "system_id": step.system_id}


def operation_values(operation: OperationTemplate) -> dict[str, Any]:
    """The fields of a saved operation template by name."""
    return {**_values(operation), "system_id": operation.system_id}


def _values(row: Any) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in row._meta.concrete_fields if field.name != "process"}
