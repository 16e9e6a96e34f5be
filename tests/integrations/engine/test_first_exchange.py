"""The way of a change out: an action, a run in the outbox, one request, one reference."""

import json

import pytest

from integrations.engine.runner import work_off
from integrations.models import Exchange, ExternalReference, Outcome, ProcessRun, RunState, Stream
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)


def work_everything() -> None:
    for stream in Stream.objects.order_by("pk"):
        work_off(stream.pk)


def test_a_task_given_to_an_integrated_group_is_created_at_the_other_desk(desk, partner, httpserver):
    httpserver.expect_ordered_request("/tickets", method="POST").respond_with_json({"number": "A-1"}, status=201)
    task = desk.task(partner.group)
    assert ProcessRun.objects.get().state == RunState.QUEUED
    work_everything()
    run = ProcessRun.objects.get()
    assert run.state == RunState.DONE, run.reason
    sent, _answer = httpserver.log[0]
    assert json.loads(sent.data) == {"caller": task.number, "title": "The printer is on fire"}
    assert sent.headers["Idempotency-Key"] == str(run.steps.get(name="create_ticket").idempotency_key)
    assert ExternalReference.objects.get(task=task).value == "A-1"
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.status, exchange.operation) == (Outcome.SUCCEEDED, 201, "create_ticket")
    httpserver.check_assertions()


def test_update_decline_and_close_follow_in_order(desk, partner, httpserver):
    httpserver.expect_request("/tickets", method="POST").respond_with_json({"number": "A-1"}, status=201)
    httpserver.expect_request("/tickets/A-1/notes", method="POST").respond_with_json({})
    httpserver.expect_request("/tickets/A-1/close", method="POST").respond_with_json({})
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="It still burns")
    actions.close_task(actor=desk.by_agent, task=task, solution="Water")
    work_everything()
    assert [request.path for request, _ in httpserver.log] == ["/tickets", "/tickets/A-1/notes", "/tickets/A-1/close"]
    assert set(ProcessRun.objects.values_list("state", flat=True)) == {RunState.DONE}
