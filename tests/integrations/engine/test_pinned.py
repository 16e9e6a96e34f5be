"""A run is pinned: retries send the same bytes under the same key, and a finished step is not repeated."""

import json
import logging

import pytest
from django.db import connection

from integrations.engine import sending
from integrations.engine.decisions import retry_now, retry_rerendered
from integrations.models import Exchange, Outcome, ProcessRun, RunState, StepRun, StepState
from integrations.transports.http import Response
from tests.integrations.engine.conftest import in_threads, only_run, only_steps, pass_time, respond, work_everything
from tickets import actions
from tickets.errors import ActionRefused

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_retry_sends_the_same_bytes_under_the_same_key_although_everything_changed(desk, partner, other_desk):
    other_desk.answers("/tickets", (503, ""), (201, {"number": "A-1"}))
    task = desk.task(partner.group)
    work_everything()
    partner.create.path, partner.create.body = "/elsewhere", '{"other": "body"}'
    partner.create.save()
    partner.process.steps.all().delete()
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, title="Renamed")
    pass_time()
    first, second = other_desk.bodies
    assert first == second == json.dumps({"caller": task.number, "title": "The printer is on fire"}).encode()
    keys = {request.headers["Idempotency-Key"] for request in other_desk.sent}
    assert keys == {str(StepRun.objects.get(name="create_ticket").idempotency_key)}
    assert only_run().state == RunState.DONE


def test_a_run_keeps_the_event_and_the_process_as_they_were(desk, partner, friendly):
    task = desk.task(partner.group)
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, title="Renamed before it was sent")
    partner.create.body = '{"other": "body"}'
    partner.create.save()
    work_everything()
    assert json.loads(friendly.bodies[0])["title"] == "The printer is on fire"


def test_each_step_has_a_key_of_its_own(desk, exchanged_task, friendly):
    for _ in range(2):
        actions.add_note(actor=desk.by_agent, ticket=exchanged_task.ticket, task=exchanged_task, body="same")
    work_everything()
    assert len({request.headers["Idempotency-Key"] for request in friendly.sent}) == 3


def test_a_template_may_name_the_key_itself_and_reading_has_none(desk, partner, other_desk):
    other_desk.answers("/named", (200, {}))
    other_desk.answers("/read", (200, {}), method="GET")
    only_steps(
        partner,
        {"kind": "request", "path": "/named", "headers": "idempotency-key: {{ event.operation }}"},
        {"kind": "request", "path": "/read", "method": "GET"},
    )
    desk.task(partner.group)
    work_everything()
    assert other_desk.sent[0].headers.getlist("Idempotency-Key") == ["assign"]
    assert "Idempotency-Key" not in other_desk.sent[1].headers


def test_a_finished_step_is_not_repeated_when_a_later_one_is_retried(desk, partner, other_desk):
    other_desk.answers("/one", (200, {"id": 7}))
    other_desk.answers("/two", (503, ""), (503, ""), (200, {}))
    only_steps(
        partner,
        {"kind": "request", "path": "/one", "captures": "id = response.json.id", "name": "one"},
        {"kind": "request", "path": "/two", "body": '{"id": {{ steps.one.id }}}', "repeat": "safe"},
    )
    desk.task(partner.group)
    for _ in range(3):
        pass_time()
    assert (other_desk.count("POST /one"), other_desk.count("POST /two")) == (1, 3)
    assert other_desk.bodies[-1] == b'{"id": 7}'
    assert only_run().state == RunState.DONE


def test_only_a_person_renders_anew_and_that_is_a_new_request(desk, partner, other_desk):
    other_desk.answers("/tickets", (400, "bad title"), (201, {"number": "A-1"}))
    desk.task(partner.group)
    work_everything()
    partner.create.body = '{"mended": "{{ task.number }}"}'
    partner.create.save()
    retry_now(only_run(), by=desk.by_agent)
    assert only_run().state == RunState.QUEUED
    retry_rerendered(only_run(), by=desk.by_agent)
    work_everything()
    assert b"mended" in other_desk.bodies[-1]
    keys = [request.headers["Idempotency-Key"] for request in other_desk.sent]
    assert len(keys) == len(set(keys)) == 2
    assert Exchange.objects.count() == 2


def test_going_on_with_another_configuration_keeps_what_is_done(desk, partner, other_desk):
    other_desk.answers("/one", (200, {}))
    other_desk.answers("/two", (400, ""))
    other_desk.answers("/mended", (200, {}))
    only_steps(partner, {"kind": "request", "path": "/one"}, {"kind": "request", "path": "/two"})
    desk.task(partner.group)
    work_everything()
    partner.process.steps.filter(path="/two").update(path="/mended")
    retry_rerendered(only_run(), by=desk.by_agent)
    work_everything()
    assert other_desk.paths == ["POST /one", "POST /two", "POST /mended"]


def test_it_cannot_go_on_where_the_steps_before_have_changed(desk, partner, other_desk):
    """By its place alone the engine would take another step for the one that failed, and repeat what is done."""
    other_desk.answers("/one", (200, {}))
    other_desk.answers("/two", (400, ""))
    only_steps(partner, {"kind": "request", "path": "/one"}, {"kind": "request", "path": "/two"})
    desk.task(partner.group)
    work_everything()
    only_steps(
        partner,
        {"kind": "note", "name": "new_one", "text": "new"},
        {"kind": "request", "path": "/one", "name": "step_0"},
        {"kind": "request", "path": "/two", "name": "step_1"},
    )
    with pytest.raises(ActionRefused, match="steps before this one were changed"):
        retry_rerendered(only_run(), by=desk.by_agent)
    assert (only_run().state, only_run().step_index) == (RunState.ATTENTION, 1)


def test_the_exchange_stands_in_the_log_before_anything_is_sent(desk, partner, other_desk):
    seen = []

    def look(request):
        seen.extend(in_threads(lambda: list(Exchange.objects.values("outcome", "status", "request_body"))))
        seen.extend(in_threads(lambda: StepRun.objects.get().state))
        return respond(201, {"number": "A-1"})

    other_desk.answers("/tickets", look)
    desk.task(partner.group)
    work_everything()
    (row,), state = seen
    assert (row["outcome"], row["status"]) == (Outcome.SENDING, None)
    assert "The printer is on fire" in row["request_body"]
    assert state == StepState.SENDING
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.status) == (Outcome.SUCCEEDED, 201)
    assert exchange.duration_ms is not None


def test_no_transaction_is_open_while_something_is_sent(desk, partner, monkeypatch):
    open_while_sending = []

    def fake_send(request, policy):
        open_while_sending.append(connection.in_atomic_block)
        return Response(status=201, headers={}, body=b'{"number": "A-1"}', elapsed_ms=1)

    monkeypatch.setattr(sending, "send", fake_send)
    desk.task(partner.group)
    work_everything()
    assert open_while_sending == [False]
    assert only_run().state == RunState.DONE


def test_a_worker_that_lost_its_stream_before_sending_sends_and_records_nothing(
    desk, partner, friendly, monkeypatch, caplog
):
    from integrations.engine.steps import tries
    from integrations.models import Stream

    def lose_it(claim):
        Stream.objects.update(token=99)
        return real(claim)

    real = tries.renew
    monkeypatch.setattr(tries, "renew", lose_it)
    desk.task(partner.group)
    with caplog.at_level(logging.INFO):
        work_everything()
    assert friendly.paths == []
    assert not Exchange.objects.exists()
    assert "taken over by another worker" in caplog.text


def test_what_a_worker_that_lost_its_stream_heard_back_is_not_recorded_in_the_run(desk, partner, other_desk):
    from integrations.models import ExternalReference, Stream

    def take_over(request):
        in_threads(lambda: Stream.objects.update(token=99))
        return respond(201, {"number": "A-1"})

    other_desk.answers("/tickets", take_over)
    desk.task(partner.group)
    work_everything()
    assert StepRun.objects.get().state == StepState.SENDING
    assert ProcessRun.objects.get().step_index == 0
    assert not ExternalReference.objects.exists()
