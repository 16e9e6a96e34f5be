"""Every allowed move of a task, and every other one."""

import itertools

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.errors import TransitionRefused
from tickets.lifecycle import TASK_TRANSITIONS, Phase, TaskMove, allowed_moves, phase_after
from tickets.models import History, Task

EVERY_PAIR = list(itertools.product(Phase, TaskMove))
REFUSED = [pair for pair in EVERY_PAIR if pair not in TASK_TRANSITIONS]


def task_in(desk: Desk, phase: Phase) -> Task:
    """A task that came to this phase by actions alone."""
    task = desk.task(desk.service_desk)
    match phase:
        case Phase.ESCALATE:
            return actions.escalate_task(actor=desk.by_agent, task=task)
        case Phase.REVIEW:
            return actions.propose_solution(actor=desk.by_agent, task=task, solution="Bring water")
        case Phase.CLOSE:
            return actions.close_task(actor=desk.by_agent, task=task)
    return task


def do(desk: Desk, move: TaskMove, task: Task) -> Task:
    """The action that the move stands for."""
    actor = desk.by_agent
    match move:
        case TaskMove.ASSIGN:
            return actions.assign_task(actor=actor, task=task, group=desk.service_desk)
        case TaskMove.ESCALATE:
            return actions.escalate_task(actor=actor, task=task)
        case TaskMove.PROPOSE:
            return actions.propose_solution(actor=actor, task=task, solution="Bring more water")
        case TaskMove.ACCEPT:
            return actions.accept_solution(actor=actor, task=task)
        case TaskMove.DECLINE:
            return actions.decline_solution(actor=actor, task=task, reason="It still burns")
        case TaskMove.CLOSE:
            return actions.close_task(actor=actor, task=task)
        case TaskMove.REOPEN:
            return actions.reopen_task(actor=actor, task=task)
        case TaskMove.RESUME:
            return actions.resume_task(actor=actor, task=task)


@pytest.mark.parametrize(("phase", "move"), list(TASK_TRANSITIONS))
def test_an_allowed_move_leads_to_the_phase_of_the_table(desk: Desk, phase: Phase, move: TaskMove) -> None:
    task = do(desk, move, task_in(desk, phase))

    task.refresh_from_db()
    assert task.phase == TASK_TRANSITIONS[phase, move]


@pytest.mark.parametrize(("phase", "move"), REFUSED)
def test_any_other_move_is_refused_and_changes_nothing(desk: Desk, phase: Phase, move: TaskMove) -> None:
    task = task_in(desk, phase)
    before = Task.objects.filter(pk=task.pk).values().get()
    rows = History.objects.count()

    with pytest.raises(TransitionRefused) as refusal:
        do(desk, move, task)

    assert refusal.value.code == "transition"
    for allowed in allowed_moves(phase):
        assert str(allowed.label) in str(refusal.value), "the text names what is allowed"
    assert Task.objects.filter(pk=task.pk).values().get() == before
    assert History.objects.count() == rows


def test_every_phase_can_be_left_and_every_move_can_be_made_somewhere() -> None:
    assert {phase for phase, _move in TASK_TRANSITIONS} == set(Phase)
    assert {move for _phase, move in TASK_TRANSITIONS} == set(TaskMove)


def test_allowed_moves_are_those_that_are_not_refused() -> None:
    for phase, move in EVERY_PAIR:
        if move in allowed_moves(phase):
            assert phase_after(phase, move) in Phase
        else:
            with pytest.raises(TransitionRefused):
                phase_after(phase, move)
