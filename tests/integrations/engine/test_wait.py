"""A run at a wait step is parked: it gives up the head, later runs go ahead, and it rejoins at the tail."""

import threading

import pytest

from integrations.engine.decisions import cancel_run, skip_step
from integrations.engine.references import store_reference
from integrations.engine.steps import wait
from integrations.models import ExternalSystem, GroupBinding, ProcessRun, RunState
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

    def close():
        return actions.close_task(actor=desk.by_agent, task=other).phase

    def close_meanwhile(run, definition):
        over = real(run, definition)
        if not closing:
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


@pytest.fixture
def ordering(desk, partner, other_desk):
    """A task whose ticket at the other desk is created when the other task is done, and that other task."""
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    for action in ("notes", "close"):
        other_desk.answers(f"/tickets/A-1/{action}", (200, {}))
    known = "task.external_reference and "
    only_steps(
        partner,
        {"kind": "wait", "condition": IS_ASSIGN},
        {"name": "order", "operation": partner.create, "condition": IS_ASSIGN},
        {"name": "add_note", "operation": partner.note, "condition": known + IS_UPDATE},
        {"name": "close", "operation": partner.close, "condition": known + 'event.request_type == "Closed"'},
    )
    ticket = desk.ticket()
    other = desk.task(ticket=ticket)
    task = desk.task(partner.group, ticket)
    work_everything()
    return task, other


def test_what_is_said_before_the_ticket_is_created_there_follows_it(desk, ordering, other_desk):
    task, other = ordering
    note(desk, task)
    note(desk, task)
    work_everything()
    assert run_states() == [RunState.PARKED] * 3
    assert f"Waits until a task is done: {other.number}." in ProcessRun.objects.latest("pk").reason
    actions.close_task(actor=desk.by_agent, task=other)
    # Said after the wait was over, and before anybody has gone on.
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Last")
    actions.close_task(actor=desk.by_agent, task=task)
    work_everything()
    assert run_states() == [RunState.DONE] * 5
    assert other_desk.paths == ["POST /tickets", *["POST /tickets/A-1/notes"] * 3, "POST /tickets/A-1/close"]
    assert [b"Last" in body for body in other_desk.bodies[1:4]] == [False, False, True]


def test_where_a_person_skips_the_wait_it_follows_too(desk, ordering, other_desk):
    task, _other = ordering
    note(desk, task)
    work_everything()
    skip_step(ProcessRun.objects.earliest("pk"), by=desk.by_agent)
    work_everything()
    assert other_desk.paths == ["POST /tickets", "POST /tickets/A-1/notes"]


def test_where_a_person_cancels_the_order_nothing_is_left_waiting(desk, ordering, other_desk):
    task, _other = ordering
    note(desk, task)
    work_everything()
    cancel_run(ProcessRun.objects.earliest("pk"), by=desk.by_agent)
    work_everything()
    assert (run_states(), other_desk.paths) == ([RunState.CANCELLED, RunState.DONE], [])


def test_a_system_that_was_switched_off_meanwhile_goes_on_when_it_is_on_again(desk, partner, ordering, other_desk):
    _task, other = ordering
    ExternalSystem.objects.filter(pk=partner.system.pk).update(active=False)
    actions.close_task(actor=desk.by_agent, task=other)
    work_everything()
    assert other_desk.paths == []
    ExternalSystem.objects.filter(pk=partner.system.pk).update(active=True)
    work_everything()
    assert other_desk.paths == ["POST /tickets"]


def test_nothing_is_created_for_a_group_that_is_no_longer_integrated(desk, partner, ordering, other_desk):
    _task, other = ordering
    GroupBinding.objects.filter(group=partner.group).update(integrated=False)
    actions.close_task(actor=desk.by_agent, task=other)
    work_everything()
    assert (run_states(), other_desk.paths) == ([RunState.DONE], [])


def test_with_a_number_that_a_person_enters_it_does_not_wait(desk, partner, ordering, other_desk):
    task, _other = ordering
    note(desk, task)
    work_everything()
    store_reference(task=task, system=partner.system, value="A-1")
    work_everything()
    assert (run_states(), other_desk.paths) == ([RunState.PARKED, RunState.DONE], ["POST /tickets/A-1/notes"])
