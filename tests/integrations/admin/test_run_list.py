"""The list of runs answers what is stuck and what waits; streams and references are listed beside it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import ExternalReference, ProcessRun, RunState, Stream
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser
from tickets import actions
from tickets.models import Task


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    return desk.task(partner.group)


@pytest.fixture
def run(task: Task) -> ProcessRun:
    return ProcessRun.objects.get(stream__task=task)


def listed(page: Any) -> list[int]:
    """The rows of a list."""
    assert page.status_code == 200
    return [row.pk for row in page.context["cl"].result_list]


@pytest.mark.parametrize(
    ("state", "questions"),
    [
        (RunState.ATTENTION, {"stuck", "today"}),
        (RunState.HELD, {"stuck", "today"}),
        (RunState.QUEUED, {"waiting", "today"}),
        (RunState.RETRYING, {"waiting", "today"}),
        (RunState.AWAITING, {"waiting", "today"}),
        (RunState.PARKED, {"waiting", "today"}),
        (RunState.DONE, {"today"}),
    ],
)
def test_a_run_answers_its_questions(admin: Browser, run: ProcessRun, state: RunState, questions: set[str]) -> None:
    ProcessRun.objects.update(state=state)
    found = {show for show in ("stuck", "waiting", "today") if listed(admin.get("processrun/", show=show))}
    assert found == questions


def test_an_old_run_is_not_of_today(admin: Browser, run: ProcessRun) -> None:
    ProcessRun.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert listed(admin.get("processrun/", show="today")) == []


def test_a_queued_run_says_behind_whom_it_stands(admin: Browser, desk: Desk, task: Task, run: ProcessRun) -> None:
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hurry")
    ProcessRun.objects.filter(pk=run.pk).update(
        state=RunState.ATTENTION, reason="<i>Refused</i>", due_at=timezone.now() + timedelta(minutes=5)
    )
    text = admin.get("processrun/").content.decode()
    assert f"Stands behind run {run.pk}." in text
    assert "&lt;i&gt;Refused&lt;/i&gt;" in text
    assert "Next try: " in text


@pytest.mark.parametrize("words", ["TASK", "TICKET", "RUN", "acme-7", "refused", "assign"])
def test_a_run_is_found(
    admin: Browser, desk: Desk, partner: Partner, task: Task, run: ProcessRun, words: str
) -> None:
    other = ProcessRun.objects.get(stream__task=desk.task(partner.group))
    ProcessRun.objects.filter(pk=other.pk).update(operation="close")
    ExternalReference.objects.create(task=task, system=partner.system, value="ACME-7")
    ProcessRun.objects.filter(pk=run.pk).update(reason="It was refused")
    names = {"TASK": task.number, "TICKET": task.ticket.number, "RUN": str(run.pk)}
    assert listed(admin.get("processrun/", q=names.get(words, words))) == [run.pk]


def test_runs_are_filtered_by_system_and_ticket(
    admin: Browser, desk: Desk, other_partner: Partner, task: Task, run: ProcessRun
) -> None:
    theirs = ProcessRun.objects.get(stream__task=desk.task(other_partner.group))
    assert listed(admin.get("processrun/", system=other_partner.system.pk)) == [theirs.pk]
    assert listed(admin.get("processrun/", ticket=task.number)) == [run.pk]
    assert len(listed(admin.get("processrun/", system="x"))) == 2


def test_streams_tell_their_head_and_lead_to_their_runs(
    admin: Browser, desk: Desk, partner: Partner, task: Task, run: ProcessRun
) -> None:
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hurry")
    desk.task(partner.group)
    stream = Stream.objects.get(task=task)
    Stream.objects.filter(pk=stream.pk).update(awaiting_since=timezone.now())
    ProcessRun.objects.filter(pk=run.pk).update(state=RunState.HELD)
    for show in ("stuck", "awaiting"):
        assert listed(admin.get("stream/", show=show)) == [stream.pk]
    assert len(listed(admin.get("stream/", show="line"))) == 2
    row = admin.get("stream/", show="stuck").context["cl"].result_list[0]
    assert (row.head_id, row.in_line) == (run.pk, 2)
    leads_to = admin.get(f"stream/{stream.pk}/change/").headers["Location"]
    assert set(listed(admin.client.get(leads_to))) == set(stream.runs.values_list("pk", flat=True))


def test_references_are_listed_and_found(admin: Browser, partner: Partner, task: Task) -> None:
    reference = ExternalReference.objects.create(task=task, system=partner.system, value="ACME-7")
    for query in ("", "acme-7", task.number):
        assert listed(admin.get("externalreference/", q=query)) == [reference.pk]
    assert admin.get("externalreference/add/").status_code == 403
    assert admin.post(f"externalreference/{reference.pk}/delete/", post="yes").status_code == 403
