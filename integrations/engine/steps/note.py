"""The step that adds a note to the task. What the portal itself notes down goes to no desk."""

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.steps.base import Execution
from integrations.engine.steps.local import change
from integrations.templating import Escape, render
from tickets.actions import add_note


def execute(execution: Execution) -> None:
    """Render the text and add it."""

    def action() -> results.Result:
        body = render(execution.definition["text"], execution.context, escape=Escape.TEXT, fields=placeholders())
        task = execution.run.stream.task
        add_note(
            actor=execution.actor,
            ticket=task.ticket,
            task=task,
            body=body,
            visibility=execution.definition["visibility"],
        )
        return results.done()

    change(execution, action)
