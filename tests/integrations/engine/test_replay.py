"""An outgoing step can be run again: with the same bytes, or rendered anew."""

import pytest

from integrations.engine.decisions import replay_step, skip_step
from integrations.models import ProcessRun, RunState, StepRun
from tests.integrations.engine.conftest import only_run, only_steps, work_everything
from tickets import actions
from tickets.errors import ActionRefused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(desk, partner, other_desk):
    """Two steps that were sent; the second uses what the first captured, in its condition as well."""
    other_desk.answers("/one", (200, {"id": 7}))
    other_desk.answers("/two", (200, {}))
    only_steps(
        partner,
        {"kind": "request", "name": "one", "path": "/one", "captures": "id = response.json.id"},
        {
            "kind": "request",
            "name": "two",
            "path": "/two",
            "body": '{"id": {{ steps.one.id }}, "title": "{{ ticket.title }}"}',
            "condition": "steps.one.id == 7 and not task.external_reference",
        },
    )
    desk.task(partner.group)
    work_everything()
    assert only_run().state == RunState.DONE, only_run().reason
    return StepRun.objects.get(name="two")


def test_the_same_bytes_under_the_same_key(desk, partner, sent, other_desk):
    partner.process.steps.update(body='{"changed": true}')
    run = replay_step(sent, by=desk.by_agent, same_bytes=True)
    work_everything()
    run.refresh_from_db()
    assert other_desk.paths == ["POST /one", "POST /two", "POST /two"]
    assert other_desk.bodies[1] == other_desk.bodies[2]
    assert other_desk.sent[1].headers["Idempotency-Key"] == other_desk.sent[2].headers["Idempotency-Key"]
    assert (run.state, run.replay_of) == (RunState.DONE, sent.run)
    assert run.steps.count() == 1


def test_rendered_anew_with_what_the_first_run_captured(desk, partner, sent, other_desk):
    partner.process.steps.filter(name="two").update(body='{"mended": {{ steps.one.id }}}')
    run = replay_step(sent, by=desk.by_agent, same_bytes=False)
    work_everything()
    run.refresh_from_db()
    assert (run.state, other_desk.bodies[-1]) == (RunState.DONE, b'{"mended": 7}'), run.reason
    assert other_desk.sent[1].headers["Idempotency-Key"] != other_desk.sent[2].headers["Idempotency-Key"]


def test_a_replay_can_be_replayed(desk, sent, other_desk):
    again = replay_step(sent, by=desk.by_agent, same_bytes=False)
    work_everything()
    third = replay_step(again.steps.get(), by=desk.by_agent, same_bytes=False)
    work_everything()
    third.refresh_from_db()
    assert (third.state, other_desk.bodies[-1]) == (RunState.DONE, other_desk.bodies[1]), third.reason


def test_the_same_bytes_go_out_whatever_the_condition_says_by_now(desk, partner, sent, other_desk):
    from integrations.engine.references import store_reference

    store_reference(task=sent.run.stream.task, system=partner.system, value="A-1")
    replay_step(sent, by=desk.by_agent, same_bytes=True)
    work_everything()
    assert other_desk.count("POST /two") == 2


def test_rendered_anew_it_looks_at_the_reference_of_now(desk, partner, sent, other_desk):
    from integrations.engine.references import store_reference

    store_reference(task=sent.run.stream.task, system=partner.system, value="A-1")
    run = replay_step(sent, by=desk.by_agent, same_bytes=False)
    work_everything()
    assert run.steps.get().state == "skipped"
    assert other_desk.count("POST /two") == 1


def test_a_replay_takes_its_turn_at_the_tail(desk, partner, sent, other_desk):
    task = sent.run.stream.task
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="first")
    replay = replay_step(sent, by=desk.by_agent, same_bytes=True)
    assert ProcessRun.objects.order_by("position").last() == replay
    remarks = task.ticket.history.filter(event="remark").values_list("text", flat=True)
    assert any("replayed" in text for text in remarks)


def test_a_create_is_not_replayed_for_a_task_that_has_a_number(desk, exchanged_task, friendly):
    for same_bytes in (True, False):
        replay_step(StepRun.objects.get(run__replay_of=None, index=0), by=desk.by_agent, same_bytes=same_bytes)
    work_everything()
    assert friendly.count("POST /tickets") == 1


def test_skipping_a_replay_skips_its_one_step(desk, sent, other_desk):
    run = replay_step(sent, by=desk.by_agent, same_bytes=True)
    skip_step(run, by=desk.by_agent)
    work_everything()
    run.refresh_from_db()
    assert (run.state, other_desk.count("POST /two")) == (RunState.DONE, 1)


def test_what_is_still_under_way_is_not_replayed(desk, partner, other_desk):
    other_desk.answers("/tickets", (400, ""))
    desk.task(partner.group)
    work_everything()
    with pytest.raises(ActionRefused, match="still under way"):
        replay_step(StepRun.objects.get(), by=desk.by_agent, same_bytes=True)


def test_without_bytes_there_is_nothing_to_repeat(desk, partner):
    only_steps(partner, {"kind": "note", "text": "Hello"})
    desk.task(partner.group)
    work_everything()
    with pytest.raises(ActionRefused, match="no bytes"):
        replay_step(StepRun.objects.get(), by=desk.by_agent, same_bytes=True)


def test_a_step_that_the_process_no_longer_has_cannot_be_rendered_anew(desk, partner, sent):
    partner.process.steps.filter(name="two").delete()
    with pytest.raises(ActionRefused, match="no step"):
        replay_step(sent, by=desk.by_agent, same_bytes=False)
