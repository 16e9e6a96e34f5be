"""A run at a wait step is parked: it gives up the head, later runs go ahead, and it rejoins at the tail."""

import threading

import pytest

from integrations.engine.steps import wait
from integrations.models import ProcessRun, RunState
from tests.integrations.engine.conftest import in_threads, only_steps, run_states, work_everything
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)

IS_UPDATE = 'event.request_type == "Update"'
IS_ASSIGN = 'event.request_type == "Submit Request"'


@pytest.fixture
def waiting(desk, partner, other_desk):
    """A task whose assignment waits for the other task of its ticket, and that other task."""
    for path in ("/after", "/note"):
        other_desk.answers(path, (200, {}))
    only_steps(
        partner,
        {"kind": "wait", "condition": IS_ASSIGN},
        {"kind": "request", "path": "/after", "condition": IS_ASSIGN, "body": "{{ event.text }}"},
        {"kind": "request", "path": "/note", "condition": IS_UPDATE},
    )
    ticket = desk.ticket()
    other = desk.task(ticket=ticket)
    task = desk.task(partner.group, ticket)
    work_everything()
    return task, other


def note(desk, task):
    return actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Meanwhile")


def test_later_runs_go_ahead_of_a_parked_one(desk, waiting, other_desk):
    task, _other = waiting
    assert run_states() == [RunState.PARKED]
    note(desk, task)
    work_everything()
    assert run_states() == [RunState.PARKED, RunState.DONE]
    assert other_desk.paths == ["POST /note"]


def test_it_rejoins_at_the_tail_when_the_other_task_is_closed(desk, waiting, other_desk):
    task, other = waiting
    note(desk, task)
    work_everything()
    actions.close_task(actor=desk.by_agent, task=other)
    note(desk, task)
    work_everything()
    parked = ProcessRun.objects.earliest("pk")
    assert parked.state == RunState.DONE
    assert parked.position == max(ProcessRun.objects.values_list("position", flat=True))
    assert other_desk.paths == ["POST /note", "POST /note", "POST /after"]


def test_an_accepted_solution_ends_the_wait_too(desk, waiting, other_desk):
    _task, other = waiting
    actions.propose_solution(actor=desk.by_agent, task=other, solution="Water")
    work_everything()
    assert run_states() == [RunState.PARKED]
    actions.accept_solution(actor=desk.by_end_user, task=other)
    work_everything()
    assert run_states() == [RunState.DONE]


def test_where_nothing_is_to_be_waited_for_the_run_goes_on_at_once(desk, partner, other_desk):
    other_desk.answers("/after", (200, {}))
    only_steps(partner, {"kind": "wait"}, {"kind": "request", "path": "/after"})
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /after"]


def test_it_waits_for_the_named_task_alone(desk, partner, other_desk):
    other_desk.answers("/after", (200, {}))
    only_steps(partner, {"kind": "wait", "wait_for": "{{ ticket.number }}-2"}, {"kind": "request", "path": "/after"})
    ticket = desk.ticket()
    desk.task(ticket=ticket)
    named = desk.task(ticket=ticket)
    desk.task(partner.group, ticket)
    work_everything()
    assert run_states() == [RunState.PARKED]
    actions.close_task(actor=desk.by_agent, task=named)
    work_everything()
    assert run_states() == [RunState.DONE]


def test_waiting_for_a_task_that_is_not_there_asks_a_person(desk, partner, other_desk):
    only_steps(partner, {"kind": "wait", "wait_for": "{{ ticket.number }}-9"})
    desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.ATTENTION]


def test_a_task_that_closes_at_the_very_moment_of_parking_is_not_overlooked(desk, partner, other_desk, monkeypatch):
    """The close comes between look and park; it has to wait for the ticket, and then finds the run parked."""
    other_desk.answers("/after", (200, {}))
    only_steps(partner, {"kind": "wait"}, {"kind": "request", "path": "/after"})
    ticket = desk.ticket()
    other = desk.task(ticket=ticket)
    desk.task(partner.group, ticket)
    real = wait.is_over
    closing: list[threading.Thread] = []
    outcome: list[object] = []

    def close_meanwhile(run, definition):
        over = real(run, definition)
        if not closing:
            close = lambda: actions.close_task(actor=desk.by_agent, task=other).phase  # noqa: E731
            closing.append(threading.Thread(target=lambda: outcome.extend(in_threads(close))))
            closing[0].start()
            closing[0].join(timeout=0.5)
            assert closing[0].is_alive(), "the close did not wait for the ticket"
        return over

    monkeypatch.setattr(wait, "is_over", close_meanwhile)
    work_everything()
    closing[0].join(timeout=30)
    assert outcome == ["close"]
    work_everything()
    assert run_states() == [RunState.DONE]
