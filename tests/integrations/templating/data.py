"""One small desk, as the templates of all tests here see it."""

from typing import Any

APP = "Ticketing.TaskAssignment"
FIELDS = {
    (APP, "Task_ExternalRequestType"): "task.request_type",
    (APP, "Task_Title"): "task.title",
    (APP, "Task_Solution"): "task.solution",
    ("Ticketing.TaskClosure", "Task_Number"): "task.number",
}
NAMES = {
    "task.number",
    "task.title",
    "task.solution",
    "task.urgent",
    "task.request_type",
    "task.created",
    "task.priority.code",
    "task.tags[]",
    "task.notes[].text",
    "task.notes[].author.name",
}
OPEN = {"response", "captures.login"}


def legacy(field: str, app: str = APP) -> str:
    return f"#REPLACE-EXTAPPFIELD-{app}-{field}#"


def context(**task: Any) -> dict[str, Any]:
    """A context with one task; the arguments replace its fields."""
    return {
        "task": {
            "number": "T-17-1",
            "title": "Printer on fire",
            "solution": None,
            "urgent": True,
            "request_type": "Submit Request",
            "created": "2026-01-31T23:30:00+00:00",
            "priority": {"code": "P1"},
            "tags": ["fire", "printer"],
            "notes": [
                {"text": "It burns", "author": {"name": "Ada"}},
                {"text": "It is out", "author": {"name": "Bob"}},
            ],
            **task,
        },
        "response": {"json": {"result": {"number": "INC1", "parent": None}}},
    }
