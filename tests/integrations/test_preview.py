"""The preview: what a process would do, shown without doing it."""

import json
from typing import Any

import pytest

from integrations.models import (
    Exchange,
    ExternalReference,
    OperationTemplate,
    ProcessRun,
    ProcessVersion,
    Step,
    StepRun,
    Stream,
)
from integrations.preview import Occurrence, StepPreview, preview
from tests.cast import Desk, Partner
from tickets import actions
from tickets.models import History, Note, Task

ASSIGN = Occurrence(request_type="Submit Request", operation="assign", direction="Out")
UPDATE = Occurrence(request_type="Update", operation="update", direction="Out", text='He said "now"\n& left')


@pytest.fixture
def task(desk: Desk) -> Task:
    return desk.task()


def show(desk: Desk, partner: Partner, task: Task, occurrence: Occurrence) -> dict[str, StepPreview]:
    steps = preview(partner.process, task=task, system=partner.system, occurrence=occurrence, actor=desk.by_agent)
    return {step.name: step for step in steps}


def test_the_request_is_shown_as_it_would_be_sent(desk: Desk, partner: Partner, task: Task) -> None:
    step = show(desk, partner, task, ASSIGN)["create_ticket"]
    assert step.runs
    assert step.request_line == f"POST {partner.system.base_url}/tickets"
    assert f'"caller": "{task.number}"' in step.body
    assert step.headers["Content-Type"].startswith("application/json")
    assert step.problems == []


def test_a_key_that_was_written_into_a_template_is_not_shown(desk: Desk, partner: Partner, task: Task) -> None:
    OperationTemplate.objects.filter(pk=partner.create.pk).update(
        path="/tickets?api_key=L1teralA&n={{ task.number }}",
        headers="Authorization: Bearer L1teralB\nX-Key: {{ auth.password }}\nX-Other: plain",
        body='{"password": "L1teralC", "title": "{{ ticket.title }}"}',
    )
    step = show(desk, partner, task, ASSIGN)["create_ticket"]
    assert "L1teral" not in f"{step.request_line} {step.headers} {step.body}"
    assert (step.headers["X-Key"], step.headers["X-Other"]) == ("[auth.password]", "plain")
    assert step.request_line.endswith(f"&n={task.number}")
    assert "The printer is on fire" in step.body


def test_each_value_says_where_it_comes_from(desk: Desk, partner: Partner, task: Task) -> None:
    sources = show(desk, partner, task, ASSIGN)["create_ticket"].sources
    found = [(source.part, source.placeholder, source.path, source.value) for source in sources]
    assert ("body", "{{ task.number }}", "task.number", task.number) in found
    assert ("body", "{{ ticket.title }}", "ticket.title", task.ticket.title) in found


def test_a_condition_that_does_not_hold_is_shown_with_its_values(desk: Desk, partner: Partner, task: Task) -> None:
    step = show(desk, partner, task, ASSIGN)["add_note"]
    assert not step.runs
    assert step.why == "Its condition does not hold."
    assert step.problems == []
    assert ("event.request_type", "Submit Request") in [(source.path, source.value) for source in step.sources]


def test_a_missing_reference_is_a_problem_unless_one_is_assumed(desk: Desk, partner: Partner, task: Task) -> None:
    assert "number of the other desk" in show(desk, partner, task, UPDATE)["add_note"].problems[0]
    assumed = Occurrence("Update", "update", "Out", text=UPDATE.text, reference="A-7")
    step = show(desk, partner, task, assumed)["add_note"]
    assert step.problems == []
    assert step.request_line.endswith("/tickets/A-7/notes")
    assert '"He said \\"now\\"\\n& left"' in step.body


def test_a_known_ticket_is_not_created_again(desk: Desk, partner: Partner, task: Task) -> None:
    ExternalReference.objects.create(task=task, system=partner.system, value="A-1")
    partner.process.steps.filter(name="create_ticket").update(condition="")
    step = show(desk, partner, task, ASSIGN)["create_ticket"]
    assert (step.runs, step.why) == (False, 'Not created again: the task is known there as "A-1".')


def test_an_incoming_event_does_not_call_the_desk_that_caused_it(desk: Desk, partner: Partner, task: Task) -> None:
    step = show(desk, partner, task, Occurrence("Update", "update", "In", text="x", reference="A-1"))["add_note"]
    assert (step.runs, step.why) == (False, "It would call the desk that caused this event.")


def test_what_an_earlier_step_captures_is_a_marked_sample(desk: Desk, partner: Partner, task: Task) -> None:
    Step.objects.create(
        process=partner.process,
        position=9,
        name="tell",
        kind="note",
        text="Known as {{ steps.create_ticket.reference }}",
    )
    shown = show(desk, partner, task, ASSIGN)["tell"]
    assert shown.body == "Known as SAMPLE-reference"
    assert [source.sample for source in shown.sources] == [True]
    not_created = show(desk, partner, task, UPDATE)["tell"]
    assert "steps.create_ticket.reference" in not_created.problems[0]


def test_every_other_kind_of_step_is_shown(desk: Desk, partner: Partner, task: Task) -> None:
    values: list[dict[str, Any]] = [
        {"kind": "mail", "mail_to": "{{ ticket.contact.email }}", "mail_subject": "Hi", "text": "Dear"},
        {"kind": "set_field", "field": "ticket.title", "value": "{{ ticket.title | upper }}"},
        {"kind": "wait"},
        {"kind": "stop", "text": "Enough"},
        {"kind": "note", "text": "never", "visibility": "public"},
    ]
    for position, fields in enumerate(values, start=10):
        Step.objects.create(process=partner.process, position=position, name=f"step_{fields['kind']}", **fields)
    shown = show(desk, partner, task, ASSIGN)
    assert shown["step_mail"].facts == [("To", "emil@customer.test"), ("Subject", "Hi")]
    assert shown["step_set_field"].facts == [("Ticket: title", task.ticket.title.upper())]
    assert shown["step_wait"].facts == [("Waits for", "all other tasks of the ticket")]
    assert shown["step_stop"].facts == [("Says", "Enough")]
    assert (shown["step_note"].runs, shown["step_note"].why) == (
        False,
        'Not reached: the step "step_stop" stops the process.',
    )


def test_what_would_be_published_is_shown(desk: Desk, partner: Partner, task: Task) -> None:
    Step.objects.create(process=partner.process, position=9, name="publish", kind="feed")
    step = show(desk, partner, task, ASSIGN)["publish"]
    assert (step.runs, step.problems) == (True, [])
    entity = json.loads(step.body)
    assert entity["properties"]["Id"] == task.number
    assert entity["ext_properties"]["Operation"] == "Assign"
    content = actions.FileContent("a.txt", b"hello")
    attachment = actions.attach(actor=desk.by_agent, ticket=task.ticket, content=content)
    with_file = show(desk, partner, task, Occurrence("Update", "update", "Out", attachment=attachment))["publish"]
    assert "SAMPLE-guid" in json.loads(with_file.body)["properties"]["IncidentAttachments"]
    incoming = show(desk, partner, task, Occurrence("Update", "update", "In", text="x"))["publish"]
    assert (incoming.runs, incoming.why) == (False, "It would tell the desk that caused this event.")


def test_a_condition_that_fails_is_a_problem(desk: Desk, partner: Partner, task: Task) -> None:
    partner.process.steps.filter(name="add_note").update(condition="task.number + 1 == 2")
    step = show(desk, partner, task, UPDATE)["add_note"]
    assert not step.runs
    assert step.problems[0].startswith("The condition fails:")


def test_nothing_is_sent_and_nothing_is_written(
    desk: Desk, partner: Partner, task: Task, httpserver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("the preview used the network")

    monkeypatch.setattr("integrations.engine.sending.send", refuse)
    monkeypatch.setattr("integrations.transports.http.send", refuse)
    monkeypatch.setattr("integrations.transports.mail.send_mail", refuse)
    tables = (Exchange, ProcessRun, StepRun, Stream, ProcessVersion, ExternalReference, Note, History)
    before = [model.objects.count() for model in tables]
    for occurrence in (ASSIGN, UPDATE):
        show(desk, partner, task, occurrence)
    assert [model.objects.count() for model in tables] == before
    assert httpserver.log == []


def test_secrets_of_the_system_are_not_in_it(desk: Desk, partner: Partner, task: Task) -> None:
    partner.system.auth_kind, partner.system.auth_secret = "bearer", "s3cret-t0ken-value"
    partner.system.save()
    assert "s3cret" not in str(show(desk, partner, task, ASSIGN))


def test_the_queries_do_not_grow_with_the_steps(
    desk: Desk, partner: Partner, task: Task, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    show(desk, partner, task, ASSIGN)
    with CaptureQueriesContext(connection) as few:
        show(desk, partner, task, ASSIGN)
    operation = OperationTemplate.objects.get(name="create_ticket")
    for number in range(10):
        Step.objects.create(
            process=partner.process, position=20 + number, name=f"s{number}", kind="operation", operation=operation
        )
    with django_assert_num_queries(len(few)):
        show(desk, partner, task, ASSIGN)
