"""Chance lets agents, end users and other desks act: what no table allows is refused, and what must hold holds."""

from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.journeys.invariants import State, check, check_step
from tests.journeys.life import ACTIONS, Cast, Life
from tickets.models import Attachment, History, Note, Task, Ticket

T = TypeVar("T")


class Drawn:
    """Hypothesis decides, and shrinks what it has decided."""

    data: Any

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[self.data.draw(st.integers(0, len(choices) - 1))]


class RandomLife(RuleBasedStateMachine):
    """Each example is a world of its own, undone when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.world = transaction.atomic()
        self.world.__enter__()
        self.draw = Drawn()
        self.life = Life(Cast.make(), self.draw)

    @rule(name=st.sampled_from(sorted(ACTIONS)), data=st.data())
    def act(self, name: str, data: Any) -> None:
        """One thing is done, or refused without a trace."""
        self.draw.data = data
        before, state = traces(), State.now()
        if self.life.step(name):
            check_step(name, state, State.now())
        else:
            assert traces() == before

    @invariant()
    def holds(self) -> None:
        """Whatever was done."""
        check()

    def teardown(self) -> None:
        """The next example begins anew."""
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)


def traces() -> list[Any]:
    """What an action that was refused must not have changed."""
    return [
        list(Ticket.objects.order_by("pk").values()),
        list(Task.objects.order_by("pk").values()),
        *(model.objects.count() for model in (History, Note, Attachment)),
    ]


@pytest.mark.django_db
def test_what_is_not_in_the_tables_is_refused_and_what_must_hold_holds() -> None:
    run_state_machine_as_test(
        RandomLife,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
