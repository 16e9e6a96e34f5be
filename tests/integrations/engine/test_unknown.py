"""Outcome unknown: what may have arrived is not blindly repeated; the template says what repeating means."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine import sending
from integrations.models import (
    Exchange,
    ExternalReference,
    OperationTemplate,
    Outcome,
    ProcessRun,
    Repeat,
    RunState,
    StepRun,
    StepState,
    Stream,
)
from integrations.transports.errors import OutcomeUnknown
from tests.integrations.engine.conftest import only_run, pass_time, respond, work_everything

pytestmark = pytest.mark.django_db(transaction=True)

FOUND = (200, {"tickets": [{"number": "A-7"}]})
NOT_FOUND = (200, {"tickets": []})


@pytest.fixture
def lost_answer(monkeypatch):
    """The first create arrives, but its answer does not come back: as by a time-out after sending."""
    real = sending.send
    lost = []

    def send(request, policy):
        answer = real(request, policy)
        if request.method == "POST" and not lost:
            lost.append(answer)
            raise OutcomeUnknown("no answer in time")
        return answer

    monkeypatch.setattr(sending, "send", send)
    return lost


def create_step() -> StepRun:
    return StepRun.objects.get(name="create_ticket")


def test_a_time_out_after_sending_is_unknown_and_a_refused_connection_is_not(desk, partner, other_desk):
    partner.system.read_timeout = 1
    partner.system.save()

    def stall(request):
        time.sleep(1.5)
        return respond(201, {"number": "A-7"})

    other_desk.answers("/tickets", stall)
    desk.task(partner.group)
    work_everything()
    assert (create_step().state, Exchange.objects.get().outcome) == (StepState.UNKNOWN, Outcome.UNKNOWN)
    partner.system.base_url = "http://127.0.0.1:9"
    partner.system.save()
    another = desk.task(partner.group)
    work_everything()
    run = ProcessRun.objects.get(stream__task=another)
    assert (run.state, run.steps.get().state) == (RunState.RETRYING, StepState.FAILED)
    assert run.exchanges.get().outcome == Outcome.RETRYABLE


def test_safe_is_repeated_with_the_same_bytes_and_key(desk, partner, other_desk, lost_answer):
    OperationTemplate.objects.update(repeat=Repeat.SAFE)
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    desk.task(partner.group)
    work_everything()
    assert (only_run().state, other_desk.count("POST /tickets")) == (RunState.RETRYING, 1)
    pass_time()
    first, second = other_desk.sent
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert other_desk.bodies[0] == other_desk.bodies[1]
    assert only_run().state == RunState.DONE


def test_a_probe_that_finds_it_takes_its_number_and_sends_nothing_again(desk, partner, other_desk, lost_answer):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", FOUND, method="GET")
    task = desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /tickets"]
    pass_time()
    assert other_desk.paths == ["POST /tickets", "GET /tickets"]
    assert other_desk.sent[1].args["caller"] == task.number
    assert ExternalReference.objects.get().value == "A-7"
    assert only_run().state == RunState.DONE


def test_it_is_looked_for_only_after_the_settle_delay(desk, partner, other_desk, lost_answer):
    OperationTemplate.objects.update(settle_seconds=600)
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    desk.task(partner.group)
    work_everything()
    assert only_run().due_at > timezone.now() + timedelta(seconds=590)


def test_what_is_found_on_the_second_look_only_is_not_sent_again(desk, partner, other_desk, lost_answer):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", NOT_FOUND, FOUND, method="GET")
    desk.task(partner.group)
    work_everything()
    pass_time()
    assert (only_run().state, create_step().state) == (RunState.RETRYING, StepState.UNKNOWN)
    assert only_run().due_at > timezone.now() - timedelta(seconds=1)
    pass_time()
    assert other_desk.paths == ["POST /tickets", "GET /tickets", "GET /tickets"]
    assert only_run().state == RunState.DONE


def test_what_is_never_found_is_sent_again_once(desk, partner, other_desk, lost_answer):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", NOT_FOUND, method="GET")
    desk.task(partner.group)
    for _ in range(6):
        pass_time()
    assert other_desk.paths == ["POST /tickets", "GET /tickets", "GET /tickets", "POST /tickets"]
    assert only_run().state == RunState.DONE


@pytest.mark.parametrize("status", [500, 502, 504, 408])
def test_a_probed_create_answered_by_a_failing_server_is_looked_for_before_it_is_sent_again(
    desk, partner, other_desk, status
):
    other_desk.answers("/tickets", (status, "broken"))
    other_desk.answers("/tickets", FOUND, method="GET")
    desk.task(partner.group)
    for _ in range(3):
        pass_time()
    assert other_desk.paths == ["POST /tickets", "GET /tickets"]
    assert (only_run().state, ExternalReference.objects.get().value) == (RunState.DONE, "A-7")


def test_looking_that_fails_for_a_while_is_tried_again_and_nothing_is_sent(desk, partner, other_desk, lost_answer):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", (503, ""), (500, ""), FOUND, method="GET")
    desk.task(partner.group)
    for _ in range(4):
        pass_time()
    assert other_desk.paths == ["POST /tickets", "GET /tickets", "GET /tickets", "GET /tickets"]
    assert only_run().state == RunState.DONE


@pytest.mark.parametrize("answers", [[(404, "")], [(403, "")], [(503, "")]])
def test_looking_that_does_not_succeed_at_all_asks_a_person_and_sends_nothing(
    desk, partner, other_desk, lost_answer, answers
):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", *answers, method="GET")
    desk.task(partner.group)
    for _ in range(8):
        pass_time()
    assert other_desk.count("POST /tickets") == 1
    assert (only_run().state, create_step().state) == (RunState.ATTENTION, StepState.UNKNOWN)


def test_a_probe_that_cannot_be_judged_asks_a_person(desk, partner, other_desk, lost_answer):
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", (200, {"unexpected": 1}), method="GET")
    desk.task(partner.group)
    for _ in range(3):
        pass_time()
    assert other_desk.count("POST /tickets") == 1
    assert only_run().state == RunState.ATTENTION
    assert "could not be looked up" in only_run().reason


def test_ask_is_left_to_a_person_and_never_repeated(desk, partner, other_desk, lost_answer):
    OperationTemplate.objects.update(repeat=Repeat.ASK)
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    desk.task(partner.group)
    for _ in range(4):
        pass_time()
    assert other_desk.paths == ["POST /tickets"]
    assert (only_run().state, create_step().state) == (RunState.ATTENTION, StepState.UNKNOWN)
    assert "no answer in time" in only_run().reason


@pytest.mark.parametrize(
    ("repeat", "state", "step_state"),
    [
        (Repeat.SAFE, RunState.RETRYING, StepState.FAILED),
        (Repeat.PROBE, RunState.RETRYING, StepState.UNKNOWN),
        (Repeat.ASK, RunState.ATTENTION, StepState.UNKNOWN),
    ],
)
def test_what_a_killed_worker_was_sending_is_unknown(
    desk, partner, other_desk, repeat, state, step_state, monkeypatch
):
    OperationTemplate.objects.update(repeat=repeat)

    class Killed(BaseException):
        """Nothing of ours runs after it."""

    def die(request, policy):
        raise Killed

    desk.task(partner.group)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(sending, "send", die)
        work_everything()
    assert create_step().state == StepState.SENDING
    assert Exchange.objects.get().outcome == Outcome.SENDING
    Stream.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work_everything()
    assert other_desk.paths == []
    assert (only_run().state, create_step().state) == (state, step_state)
    assert Exchange.objects.get().outcome == Outcome.UNKNOWN


def test_after_the_last_try_of_a_doubtful_create_a_retry_looks_first(desk, partner, other_desk):
    """The server failed each time; it may have created the ticket in the last of them."""
    from integrations.engine.decisions import retry_now

    partner.system.retry_schedule = "1 s"
    partner.system.save()
    other_desk.answers("/tickets", (500, ""))
    other_desk.answers("/tickets", NOT_FOUND, NOT_FOUND, FOUND, method="GET")
    desk.task(partner.group)
    for _ in range(4):
        pass_time()
    assert (only_run().state, create_step().state) == (RunState.ATTENTION, StepState.UNKNOWN)
    sent = other_desk.count("POST /tickets")
    retry_now(only_run(), by=desk.by_agent)
    work_everything()
    assert other_desk.count("POST /tickets") == sent
    assert only_run().state == RunState.DONE


def test_a_page_for_signing_in_does_not_say_that_it_has_not_arrived(desk, partner, other_desk, lost_answer):
    find = OperationTemplate.objects.get(name="find_ticket")
    find.captures = ""
    find.save()
    OperationTemplate.objects.filter(name="create_ticket").update(
        probe_found="(response.json.tickets | default([])) | length > 0"
    )
    other_desk.answers("/tickets", (201, {"number": "A-7"}))
    other_desk.answers("/tickets", (200, "<!doctype html><form>Sign in</form>"), method="GET")
    desk.task(partner.group)
    for _ in range(6):
        pass_time()
    assert other_desk.count("POST /tickets") == 1
    assert only_run().state == RunState.ATTENTION
    assert "page in HTML" in only_run().reason
