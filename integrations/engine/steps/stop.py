"""The step that ends a process before its end."""

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.steps.base import Execution
from integrations.engine.steps.local import change
from integrations.templating import Escape, render


def execute(execution: Execution) -> None:
    """End the run; the steps behind are not executed."""

    def action() -> results.Result:
        text = render(execution.definition["text"], execution.context, escape=Escape.TEXT, fields=placeholders())
        return results.done(reason=text or _("The process stops here."), stop=True)

    change(execution, action)
