"""After a create without a number the stream awaits the acknowledgement, and Assign never creates again."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.engine import runner, sending
from integrations.inbound import operations
from integrations.models import ExternalReference, Repeat, RunState, StepState, Stream
from integrations.transports.errors import OutcomeUnknown
from tests.integrations.engine.conftest import in_threads, only_run, pass_time, respond, run_states, work_everything
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def accepted(desk, partner, other_desk):
    """A task whose create was accepted without a number."""
    other_desk.answers("/tickets", (202, {}))
    other_desk.answers("/tickets/A-9/notes", (200, {}))
    other_desk.answers("/tickets/A-9/reopen", (200, {}))
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.DONE]
    return task


def acknowledge(partner, task, number="A-9"):
    return operations.acknowledge(system=partner.system, task=task, reference=number)


def note(desk, task, text="Later"):
    return actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=text)


def test_a_create_without_a_number_is_done_and_awaits_the_acknowledgement(accepted):
    assert Stream.objects.get().awaiting_since is not None
    assert not ExternalReference.objects.exists()


def test_a_create_with_a_number_awaits_nothing(exchanged_task):
    assert Stream.objects.get().awaiting_since is None


def test_a_run_that_needs_the_number_waits_and_the_acknowledgement_releases_it(desk, partner, accepted, other_desk):
    note(desk, accepted)
    work_everything()
    assert run_states() == [RunState.DONE, RunState.AWAITING]
    assert other_desk.paths == ["POST /tickets"]
    acknowledge(partner, accepted)
    assert run_states() == [RunState.DONE, RunState.QUEUED]
    assert Stream.objects.get().awaiting_since is None
    work_everything()
    assert other_desk.paths == ["POST /tickets", "POST /tickets/A-9/notes"]
    assert run_states() == [RunState.DONE, RunState.DONE]


def test_the_waiting_runs_keep_their_order(desk, partner, accepted, other_desk):
    for text in ("one", "two", "three"):
        note(desk, accepted, text)
    work_everything()
    acknowledge(partner, accepted)
    work_everything()
    assert [word in body for word, body in zip([b"one", b"two", b"three"], other_desk.bodies[1:], strict=True)] == [
        True
    ] * 3


def test_assigning_again_never_creates_again(desk, partner, accepted, other_desk):
    actions.assign_task(actor=desk.by_agent, task=accepted, group=partner.group)
    work_everything()
    assert run_states() == [RunState.DONE, RunState.AWAITING]
    acknowledge(partner, accepted)
    work_everything()
    assert other_desk.paths == ["POST /tickets", "POST /tickets/A-9/reopen"]


def test_a_create_without_a_condition_is_not_sent_for_a_task_with_a_number(desk, partner, exchanged_task, friendly):
    partner.process.steps.update(condition="")
    actions.assign_task(actor=desk.by_agent, task=exchanged_task, group=partner.group)
    work_everything()
    assert friendly.count("POST /tickets") == 1


def test_a_run_that_does_not_need_the_number_goes_ahead(desk, partner, accepted, other_desk):
    partner.note.path = "/by-our-number"
    partner.note.save()
    partner.process.steps.exclude(name="add_note").delete()
    other_desk.answers("/by-our-number", (200, {}))
    note(desk, accepted)
    work_everything()
    assert other_desk.paths[-1] == "POST /by-our-number"


def test_after_the_limit_a_person_is_asked(desk, partner, accepted):
    partner.system.acknowledgement_hours = 2
    partner.system.save()
    note(desk, accepted)
    pass_time(timedelta(hours=1, minutes=50))
    assert run_states() == [RunState.DONE, RunState.AWAITING]
    pass_time(timedelta(minutes=15))
    assert run_states() == [RunState.DONE, RunState.ATTENTION]
    assert "has not acknowledged" in Stream.objects.get().runs.latest("position").reason


def test_the_stream_is_looked_at_again_when_the_limit_is_over(desk, partner, accepted):
    note(desk, accepted)
    work_everything()
    wait = Stream.objects.get().due_at - timezone.now()
    assert timedelta(hours=23, minutes=59) < wait < timedelta(hours=24, minutes=1)


def test_an_acknowledgement_that_arrives_while_the_create_is_being_sent_is_not_awaited(desk, partner, other_desk):
    task = desk.task(partner.group)

    def acknowledge_first(request):
        (receipt,) = in_threads(lambda: acknowledge(partner, task))
        assert receipt.changed, receipt
        return respond(202, {})

    other_desk.answers("/tickets", acknowledge_first)
    work_everything()
    assert Stream.objects.get().awaiting_since is None
    assert only_run().state == RunState.DONE


@pytest.mark.parametrize("answer", [(500, ""), (503, ""), (400, "known already")])
@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_create_that_was_acknowledged_is_not_sent_again_however_its_try_ended(
    desk, partner, other_desk, answer, repeat
):
    partner.create.repeat = repeat
    partner.create.save()
    task = desk.task(partner.group)

    def acknowledge_and_fail(request):
        in_threads(lambda: acknowledge(partner, task))
        return respond(*answer)

    other_desk.answers("/tickets", acknowledge_and_fail)
    for _ in range(4):
        pass_time()
    assert other_desk.paths == ["POST /tickets"]
    assert only_run().state == RunState.DONE


@pytest.mark.parametrize("repeat", [Repeat.SAFE, Repeat.PROBE])
def test_an_acknowledgement_between_two_tries_ends_the_create(desk, partner, other_desk, repeat, monkeypatch):
    partner.create.repeat = repeat
    partner.create.save()

    def lose(request, policy):
        raise OutcomeUnknown("no answer")

    task = desk.task(partner.group)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "send", lose)
        work_everything()
    assert only_run().state == RunState.RETRYING
    acknowledge(partner, task)
    pass_time()
    assert other_desk.paths == []
    assert (only_run().state, only_run().steps.get(index=0).state) == (RunState.DONE, StepState.DONE)


@pytest.mark.parametrize("place", ["begin", "send"])
def test_an_acknowledgement_between_looking_and_waiting_is_not_overlooked(
    desk, partner, accepted, other_desk, place, monkeypatch
):
    """Else the run would wait for it until the limit, a day later."""
    note(desk, accepted)
    if place == "begin":
        real = runner.uses_reference

        def acknowledged_meanwhile(definition):
            acknowledge(partner, accepted)
            return real(definition)

        monkeypatch.setattr(runner, "uses_reference", acknowledged_meanwhile)
    else:
        from integrations.engine.steps import request as request_step

        real_check = request_step.needs_reference
        monkeypatch.setattr(runner, "uses_reference", lambda definition: False)

        def acknowledged_meanwhile(request):
            acknowledge(partner, accepted)
            return real_check(request)

        monkeypatch.setattr(request_step, "needs_reference", acknowledged_meanwhile)
    work_everything()
    assert run_states() == [RunState.DONE, RunState.DONE]
    assert other_desk.paths[-1] == "POST /tickets/A-9/notes"


def test_a_number_of_another_task_is_told_and_the_own_one_awaited(desk, partner, exchanged_task, friendly):
    task = desk.task(partner.group)
    work_everything()
    step = task.streams.get().runs.get().steps.get(index=0)
    assert "belongs to another task" in step.reason
    assert task.streams.get().awaiting_since is not None
    assert not task.external_references.exists()


def test_an_acknowledgement_that_is_rolled_back_releases_nothing(desk, partner, accepted):
    note(desk, accepted)
    work_everything()
    with pytest.raises(RuntimeError), transaction.atomic():
        acknowledge(partner, accepted)
        raise RuntimeError
    assert run_states() == [RunState.DONE, RunState.AWAITING]
