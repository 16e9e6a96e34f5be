"""What follows from each kind of failure, over a real socket, and answers that are odd in every way."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from integrations.engine.decisions import retry_now
from integrations.models import Exchange, OperationTemplate, Outcome, ProcessRun, Repeat, RunState, StepState
from tests.integrations.engine.conftest import HOUR, only_run, only_steps, pass_time, respond, work_everything

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def safe(partner):
    partner.create.repeat = Repeat.SAFE
    partner.create.save()


@pytest.mark.parametrize(
    ("status", "outcome", "state"),
    [
        (429, Outcome.RETRYABLE, RunState.RETRYING),
        (503, Outcome.RETRYABLE, RunState.RETRYING),
        (500, Outcome.RETRYABLE, RunState.RETRYING),
        (404, Outcome.PERMANENT, RunState.ATTENTION),
        (422, Outcome.PERMANENT, RunState.ATTENTION),
        (401, Outcome.MISCONFIGURED, RunState.ATTENTION),
        (403, Outcome.MISCONFIGURED, RunState.ATTENTION),
        (302, Outcome.MISCONFIGURED, RunState.ATTENTION),
    ],
)
def test_each_kind_of_failure_has_its_consequence(desk, partner, other_desk, safe, status, outcome, state):
    other_desk.answers("/tickets", (status, "why", {"Location": "/elsewhere"}))
    desk.task(partner.group)
    work_everything()
    exchange, run = Exchange.objects.get(), only_run()
    assert (exchange.outcome, exchange.status, run.state) == (outcome, status, state)
    assert str(status) in run.reason
    assert "why" in run.reason
    assert other_desk.paths == ["POST /tickets"]


def test_a_200_may_carry_an_error(desk, partner, other_desk, safe):
    partner.create.success = "response.json.error is not defined"
    partner.create.save()
    other_desk.answers("/tickets", (200, {"error": "no such caller"}))
    desk.task(partner.group)
    work_everything()
    assert (only_run().state, Exchange.objects.get().outcome) == (RunState.ATTENTION, Outcome.PERMANENT)
    assert "no such caller" in only_run().reason


def test_retries_follow_the_schedule_of_the_system_and_then_a_person_is_asked(desk, partner, other_desk, safe):
    partner.system.retry_schedule = "10 s, 2 min"
    partner.system.save()
    other_desk.answers("/tickets", (503, "busy"))
    desk.task(partner.group)
    waits = []
    for _ in range(2):
        pass_time()
        waits.append((only_run().due_at - timezone.now()).total_seconds())
    pass_time()
    assert 8 <= waits[0] <= 11
    assert 118 <= waits[1] <= 132
    assert (only_run().state, other_desk.count("POST /tickets")) == (RunState.ATTENTION, 3)
    assert "Tried 3 times" in only_run().reason
    pass_time(24 * HOUR)
    assert other_desk.count("POST /tickets") == 3


def test_a_person_who_retries_starts_the_schedule_anew(desk, partner, other_desk, safe):
    other_desk.answers("/tickets", (503, "busy"))
    desk.task(partner.group)
    for _ in range(4):
        pass_time()
    assert only_run().state == RunState.ATTENTION
    retry_now(only_run(), by=desk.by_agent)
    work_everything()
    assert only_run().state == RunState.RETRYING


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(desk, partner, other_desk, safe, as_date):
    moment = timezone.now() + timedelta(hours=2)
    other_desk.answers(
        "/tickets", (429, "", {"Retry-After": format_datetime(moment, usegmt=True) if as_date else "7200"})
    )
    desk.task(partner.group)
    work_everything()
    assert abs(only_run().due_at - moment) < timedelta(seconds=30)


def test_a_desk_that_cannot_be_reached_is_tried_again(desk, partner):
    partner.system.base_url = "http://127.0.0.1:9"
    partner.system.save()
    desk.task(partner.group)
    work_everything()
    assert (only_run().state, Exchange.objects.get().status) == (RunState.RETRYING, None)


def test_a_template_that_fails_sends_nothing_and_says_what_is_wrong(desk, partner, friendly):
    partner.create.body = '{"a": "{{ ticket.nonsense }}"}'
    partner.create.save()
    desk.task(partner.group)
    work_everything()
    assert (friendly.paths, only_run().state) == ([], RunState.ATTENTION)
    assert "nonsense" in only_run().reason


def test_a_condition_that_fails_sends_nothing_and_says_what_is_wrong(desk, partner, friendly):
    partner.process.steps.update(condition="ticket.nonsense == 1")
    desk.task(partner.group)
    work_everything()
    assert (friendly.paths, only_run().state) == ([], RunState.ATTENTION)
    assert "condition failed" in only_run().reason


def test_an_address_that_is_not_allowed_is_never_called(desk, partner, friendly):
    only_steps(partner, {"kind": "request", "path": "http://localhost.example:1/x"})
    desk.task(partner.group)
    work_everything()
    assert (friendly.paths, only_run().state) == ([], RunState.ATTENTION)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01\xff",
        b'{"number": "A\\u0000-1"}',
        b'{"number": "\\ud800"}',
        b'{"number": NaN}',
        b"[" * 50_000,
        b"<a>" * 500,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b"\xef\xbb\xbf\x00{",
        "Grüße\x00".encode("utf-16"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_no_odd_answer_leaves_a_run_in_the_air(desk, partner, other_desk, safe, body, status):
    partner.create.captures = "reference = response.json.number\nall = response.text\nother = response.json"
    partner.create.save()
    other_desk.answers("/tickets", (status, body, {"X-Odd": "a\tb\xff"}))
    desk.task(partner.group)
    work_everything()
    assert only_run().state in (RunState.DONE, RunState.ATTENTION, RunState.RETRYING)
    assert Exchange.objects.get().outcome != Outcome.SENDING
    assert only_run().steps.first().state != StepState.SENDING


def test_a_file_that_is_gone_asks_a_person(desk, partner, exchanged_task, other_desk):
    from tickets import actions

    partner.note.body = '{"content": "{{ attachment.content_base64 }}"}'
    partner.note.save()
    file = actions.attach(
        actor=desk.by_agent, ticket=exchanged_task.ticket, content=actions.FileContent("photo.jpg", b"JPEG")
    )
    file.file.storage.delete(file.file.name)
    work_everything()
    run = ProcessRun.objects.latest("pk")
    assert (run.state, "cannot be read" in run.reason) == (RunState.ATTENTION, True)


def test_a_system_that_was_deleted_since_asks_a_person(desk, partner, other_partner, friendly):
    only_steps(partner, {"kind": "operation", "operation": other_partner.create})
    desk.task(partner.group)
    partner.process.steps.all().delete()
    other_partner.binding.delete()
    other_partner.process.delete()
    OperationTemplate.objects.update(probe=None)
    other_partner.system.delete()
    work_everything()
    assert (only_run().state, "deleted" in only_run().reason) == (RunState.ATTENTION, True)


def test_a_second_answer_is_never_confused_with_the_first(desk, partner, other_desk, safe):
    other_desk.answers("/tickets", (503, "first"), lambda request: respond(201, {"number": "A-1"}))
    desk.task(partner.group)
    pass_time()
    pass_time()
    rows = list(Exchange.objects.order_by("pk").values_list("attempt", "status", "outcome"))
    assert rows == [(1, 503, Outcome.RETRYABLE), (2, 201, Outcome.SUCCEEDED)]
