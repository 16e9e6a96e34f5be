"""The kinds of step, one file each: kind -> the function that executes it and records what came of it."""

from collections.abc import Callable
from typing import Final

from integrations.engine.steps import feed, mail, note, request, set_field, stop, wait, webhook
from integrations.engine.steps.base import Execution
from integrations.models import StepKind

KINDS: Final[dict[StepKind, Callable[[Execution], None]]] = {
    StepKind.OPERATION: request.execute,
    StepKind.REQUEST: request.execute,
    StepKind.MAIL: mail.execute,
    StepKind.FEED: feed.execute,
    StepKind.SET_FIELD: set_field.execute,
    StepKind.NOTE: note.execute,
    StepKind.WAIT: wait.execute,
    StepKind.STOP: stop.execute,
    StepKind.WEBHOOK: webhook.execute,
}
