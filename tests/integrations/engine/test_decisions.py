"""What a person may decide about a run in each state, and what follows; everything else is refused."""

import pytest

from integrations.engine import decisions
from integrations.engine.claim import take
from integrations.engine.decisions import ALLOWED, allowed_decisions
from integrations.engine.runner import head
from integrations.models import (
    ExternalReference,
    OperationTemplate,
    ProcessRun,
    Repeat,
    RunState,
    StepRun,
    StepState,
    Stream,
)
from tests.integrations.engine.conftest import only_run, only_steps, pass_time, run_states, work_everything
from tickets import actions
from tickets.errors import ActionRefused, InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)

DO = {
    "retry": decisions.retry_now,
    "rerender": decisions.retry_rerendered,
    "skip": decisions.skip_step,
    "hold": decisions.hold_run,
    "release": decisions.release_run,
    "cancel": decisions.cancel_run,
    "arrived": decisions.it_arrived,
    "send_again": decisions.send_again,
}


@pytest.fixture
def run(desk, partner):
    desk.task(partner.group)
    return only_run()


def in_state(run, state, step_state=None, repeat=Repeat.SAFE):
    if step_state:
        OperationTemplate.objects.update(repeat=repeat)
        StepRun.objects.create(run=run, index=0, name="create_ticket", kind="operation", state=step_state)
        definition = run.version.definition
        definition["steps"][0]["request"]["repeat"] = repeat
        run.version.save()
    ProcessRun.objects.update(state=state)
    return only_run()


def test_every_decision_has_a_label_and_a_function():
    assert set(ALLOWED) == set(decisions.LABELS) == set(DO)


@pytest.mark.parametrize(("decision", "state"), [(name, state) for name in ALLOWED for state in ALLOWED[name]])
def test_a_decision_is_taken_in_its_states(desk, run, decision, state):
    fresh = in_state(run, state, step_state_for(decision))
    assert decision in allowed_decisions(fresh)
    DO[decision](fresh, by=desk.by_agent, **({"reference": "A-1"} if decision == "arrived" else {}))
    assert str(decisions.LABELS[decision]) in desk_history(fresh)
    assert Stream.objects.get().wake > 1


def step_state_for(decision):
    return StepState.UNKNOWN if decision in ("arrived", "send_again") else StepState.FAILED


@pytest.mark.parametrize("decision", list(ALLOWED))
def test_a_decision_is_refused_in_all_other_states_and_changes_nothing(desk, run, decision):
    in_state(run, RunState.DONE, step_state_for(decision))
    for state in set(RunState) - set(ALLOWED[decision]):
        ProcessRun.objects.update(state=state)
        fresh = only_run()
        options = {"reference": "A-1"} if decision == "arrived" else {}
        assert decision not in allowed_decisions(fresh)
        with pytest.raises(ActionRefused, match="is not possible"):
            DO[decision](fresh, by=desk.by_agent, **options)
        assert only_run().state == state
        assert Stream.objects.get().wake == 1
        assert str(decisions.LABELS[decision]) not in desk_history(fresh)


def desk_history(run):
    return "\n".join(run.stream.task.ticket.history.filter(event="remark").values_list("text", flat=True))


@pytest.mark.parametrize(("repeat", "retry"), [(Repeat.SAFE, True), (Repeat.PROBE, True), (Repeat.ASK, False)])
def test_while_the_outcome_is_unknown_nothing_is_offered_that_sends_blindly(run, repeat, retry):
    allowed = allowed_decisions(in_state(run, RunState.ATTENTION, StepState.UNKNOWN, repeat))
    assert ("retry" in allowed, "rerender" in allowed) == (retry, False)
    assert {"arrived", "send_again", "skip", "cancel"} <= set(allowed)


def test_it_arrived_is_no_question_where_nothing_is_unknown(run):
    allowed = allowed_decisions(in_state(run, RunState.ATTENTION, StepState.FAILED))
    assert not {"arrived", "send_again"} & set(allowed)


def test_it_arrived_with_its_number_ends_the_step_without_sending(desk, partner, other_desk):
    other_desk.answers("/tickets", (400, ""))
    desk.task(partner.group)
    work_everything()
    StepRun.objects.update(state=StepState.UNKNOWN)
    fresh = only_run()
    with pytest.raises(InvalidInput, match="Enter the number"):
        decisions.it_arrived(fresh, by=desk.by_agent)
    decisions.it_arrived(fresh, by=desk.by_agent, reference=" A-1 ")
    work_everything()
    assert (other_desk.paths, run_states()) == (["POST /tickets"], [RunState.DONE])
    assert ExternalReference.objects.get().value == "A-1"


def test_send_again_sends_the_same_bytes_again(desk, partner, other_desk):
    OperationTemplate.objects.update(repeat=Repeat.ASK)
    other_desk.answers("/tickets", (400, ""), (201, {"number": "A-1"}))
    desk.task(partner.group)
    work_everything()
    StepRun.objects.update(state=StepState.UNKNOWN)
    decisions.send_again(only_run(), by=desk.by_agent)
    work_everything()
    assert other_desk.bodies[0] == other_desk.bodies[1]
    assert run_states() == [RunState.DONE]


def test_a_held_run_holds_what_is_behind_it_until_it_is_released(desk, partner, run, friendly):
    task = run.stream.task
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="behind")
    decisions.hold_run(run, by=desk.by_agent)
    pass_time()
    assert (friendly.paths, run_states()) == ([], [RunState.HELD, RunState.QUEUED])
    decisions.release_run(run, by=desk.by_agent)
    work_everything()
    assert run_states() == [RunState.DONE, RunState.DONE]


def test_skipping_goes_on_with_the_next_step(desk, partner, other_desk):
    other_desk.answers("/one", (400, ""))
    other_desk.answers("/two", (200, {}))
    only_steps(partner, {"kind": "request", "path": "/one"}, {"kind": "request", "path": "/two"})
    desk.task(partner.group)
    work_everything()
    decisions.skip_step(only_run(), by=desk.by_agent)
    work_everything()
    assert other_desk.paths == ["POST /one", "POST /two"]
    assert run_states() == [RunState.DONE]
    assert "Skipped by Ada" in only_run().steps.get(index=0).reason


def test_skipping_a_wait_puts_the_run_at_the_tail(desk, partner, other_desk):
    other_desk.answers("/after", (200, {}))
    only_steps(partner, {"kind": "wait"}, {"kind": "request", "path": "/after"})
    ticket = desk.ticket()
    desk.task(ticket=ticket)
    task = desk.task(partner.group, ticket)
    work_everything()
    actions.add_note(actor=desk.by_agent, ticket=ticket, task=task, body="behind")
    decisions.skip_step(ProcessRun.objects.earliest("pk"), by=desk.by_agent)
    assert ProcessRun.objects.order_by("position").last() == ProcessRun.objects.earliest("pk")
    work_everything()
    assert ProcessRun.objects.earliest("pk").state == RunState.DONE


def test_cancelling_ends_the_run_and_frees_the_stream(desk, partner, other_desk):
    other_desk.answers("/tickets", (400, ""))
    other_desk.answers("/by-us", (200, {}))
    partner.note.path = "/by-us"
    partner.note.save()
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="behind")
    work_everything()
    decisions.cancel_run(ProcessRun.objects.earliest("pk"), by=desk.by_agent)
    work_everything()
    assert run_states() == [RunState.CANCELLED, RunState.DONE]
    assert ProcessRun.objects.earliest("pk").finished_at is not None


def test_a_run_that_a_worker_is_executing_cannot_be_decided_about(desk, run):
    head(take(run.stream_id))
    assert allowed_decisions(only_run()) == []
    with pytest.raises(ActionRefused):
        decisions.cancel_run(run, by=desk.by_agent)


def test_what_has_ended_cannot_be_decided_about(desk, exchanged_task):
    assert allowed_decisions(only_run()) == []
