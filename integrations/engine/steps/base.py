"""What every kind of step is given."""

from dataclasses import dataclass
from typing import Any

from integrations.engine import results
from integrations.engine.claim import Claim, recording
from integrations.models import GroupBinding, ProcessRun, RunState, StepRun
from tickets.actors import Actor


@dataclass
class Execution:
    """One step about to be executed: its claim, its run, its row, its definition and the context of its templates."""

    claim: Claim
    run: ProcessRun
    step: StepRun
    definition: dict[str, Any]
    context: dict[str, Any]

    @property
    def actor(self) -> Actor:
        """As whom a step changes the ticket: the process, by its name."""
        return Actor.system(self.run.version.process.name)

    def given_to_others(self) -> bool:
        """Whether the task has left the desk's groups by now."""
        stream = self.run.stream
        group = stream.task.exchanged_group
        return not GroupBinding.objects.filter(group=group, integrated=True, system=stream.system).exists()

    def record(self, result: results.Result) -> None:
        """Write the result in a transaction of its own, if the claim still holds.

        Nothing is written for a run that is to wait for an acknowledgement which has arrived by now: its turn comes
        again at once, and then it is not to wait.
        """
        with recording(self.claim) as stream:
            if result.run_state == RunState.AWAITING and stream.awaiting_since is None:
                return
            results.write(self.run, self.step, result)
