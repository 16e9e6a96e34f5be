"""A ticket is merged while a worker has a run of its task: the run goes on in the other ticket."""

import pytest

from integrations.engine import runner
from integrations.engine.references import store_reference
from integrations.models import ProcessRun, RunState
from tests.integrations.engine.conftest import only_steps, run_states, work_everything
from tickets import actions
from tickets.models import Note, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merge_when_taken_up(monkeypatch, desk):
    """Merge this ticket into a new one as soon as a worker has read the run and the task."""
    begin = runner.context_for

    def merge_before(run):
        if run.stream.task.ticket.status == 1:
            actions.merge_tickets(actor=desk.by_agent, source=run.stream.task.ticket, target=desk.ticket("Target"))
        monkeypatch.setattr(runner, "context_for", begin)
        return begin(run)

    monkeypatch.setattr(runner, "context_for", merge_before)


def test_it_still_waits_for_the_other_tasks(desk, partner, merge_when_taken_up):
    only_steps(partner, {"kind": "wait"})
    ticket = desk.ticket()
    other = desk.task(ticket=ticket)
    desk.task(partner.group, ticket)
    work_everything()
    assert run_states() == [RunState.PARKED]
    other.refresh_from_db()
    actions.close_task(actor=desk.by_agent, task=other)
    work_everything()
    assert run_states() == [RunState.DONE]


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "note", "text": "Given away", "visibility": "internal"},
        {"kind": "set_field", "field": "ticket.title", "value": "New title"},
    ],
    ids=["note", "set_field"],
)
def test_what_a_step_changes_it_changes_there(desk, partner, merge_when_taken_up, step):
    only_steps(partner, step)
    desk.task(partner.group)
    work_everything()
    run = ProcessRun.objects.get()
    assert (run.state, run.reason) == (RunState.DONE, "")
    target = Ticket.objects.latest("pk")
    assert target.title == "New title" or Note.objects.get().ticket == target


def test_a_number_that_arrives_after_the_merge_stands_in_the_history_of_the_other_ticket(desk, partner):
    source, target = desk.ticket(), desk.ticket()
    task = desk.task(partner.group, source)
    assert task.ticket == source
    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)
    store_reference(task=task, system=partner.system, value="A-1")
    assert target.history.filter(task=task, text="External reference: A-1").exists()
