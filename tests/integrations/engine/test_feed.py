"""The step that publishes to the feed: one entry, with the event as it was."""

import json
from typing import Any

import pytest
from django.db import transaction

from integrations.engine import claim
from integrations.inbound import operations
from integrations.models import (
    ExternalReference,
    FeedEntry,
    ProcessRun,
    RunState,
    StepKind,
    StepRun,
    StepState,
    Stream,
)
from integrations.visibility import notes_read_by
from tests.cast import Desk, Partner
from tests.integrations.engine.conftest import only_run, only_steps, run_states, work_everything
from tickets import actions
from tickets.actors import Actor
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _publishes(partner: Partner) -> None:
    only_steps(partner, {"kind": StepKind.FEED, "name": "publish"})


def published() -> list[dict[str, Any]]:
    """What is in the feed, oldest first."""
    return [entry.content for entry in FeedEntry.objects.order_by("pk")]


def note(desk: Desk, task: Task, text: str = "Any news?") -> Any:
    return actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=text)


def test_an_assignment_is_published_with_the_incident_and_the_notes_so_far(desk: Desk, partner: Partner):
    ticket = desk.ticket()
    said = actions.add_note(actor=desk.by_end_user, ticket=ticket, body="It smokes")
    task = desk.task(partner.group, ticket)
    work_everything()
    entry = FeedEntry.objects.get()
    assert (entry.system, entry.task, entry.operation, entry.listed_at) == (partner.system, task, "assign", None)
    assert (entry.run, entry.step) == (only_run(), StepRun.objects.get())
    assert only_run().state == RunState.DONE
    properties = entry.content["properties"]
    assert properties["Id"] == task.number
    assert properties["DisplayLabel"] == "The printer is on fire"
    assert (properties["Urgency"], properties["PhaseId"]) == ("SlightDisruption", "InitialSupport")
    assert (properties["ContactEmail"], properties["CompletionCode"]) == ("emil@customer.test", "")
    assert entry.content["ext_properties"] == {
        "ExternalSystem": "acme",
        "Operation": "Assign",
        "ExternalId": "",
        "ExternalEntityType": "Incident",
    }
    (comment,) = entry.content["Comments"]
    assert (comment["Body"], comment["PrivacyType"]) == ("It smokes", "PUBLIC")
    assert comment["CreatedTime"] == int(said.written_at.timestamp() * 1000)
    assert said in notes_read_by(task, partner.system)


def test_a_published_assignment_awaits_its_acknowledgement(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    work_everything()
    assert Stream.objects.get().awaiting_since is not None
    operations.acknowledge(system=partner.system, task=task, reference="A-1")
    assert Stream.objects.get().awaiting_since is None


def test_what_comes_behind_does_not_wait_for_the_acknowledgement(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    note(desk, task)
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    work_everything()
    assert run_states() == [RunState.DONE] * ProcessRun.objects.count()
    assert [content["ext_properties"]["Operation"] for content in published()] == ["Assign", "Update", "Assign"]
    assert Stream.objects.get().awaiting_since is not None


def test_an_assignment_of_a_known_task_names_their_number_and_awaits_nothing(desk: Desk, partner: Partner):
    task = desk.task()
    ExternalReference.objects.create(task=task, system=partner.system, value="A-1")
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    work_everything()
    assert published()[-1]["ext_properties"]["ExternalId"] == "A-1"
    assert Stream.objects.get().awaiting_since is None


def test_a_note_is_a_comment_with_the_time_of_the_note(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    written = note(desk, task, "Grüße\n<b>x</b>")
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    work_everything()
    update, assign = published()[1:]
    assert update["Comments"] == assign["Comments"]
    assert update["Comments"][0]["Body"] == "Grüße\n<b>x</b>"
    assert update["Comments"][0]["CreatedTime"] == int(written.written_at.timestamp() * 1000)


def test_a_file_is_named_by_the_guid_under_which_it_is_fetched(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    content = actions.FileContent("a.txt", b"hello", "text/plain")
    attachment = actions.attach(actor=desk.by_agent, ticket=task.ticket, task=task, content=content)
    work_everything()
    named = json.loads(published()[-1]["properties"]["IncidentAttachments"])["complexTypeProperties"]
    file = partner.system.exchanged_files.get()
    expected = {"id": str(file.guid), "file_name": "a.txt", "size": 5, "mime_type": "text/plain"}
    assert named == [{"properties": expected}]
    assert file.attachments.get() == attachment


def test_what_the_desk_did_itself_is_not_published(desk: Desk, partner: Partner):
    partner.binding.incoming_process = partner.process
    partner.binding.save()
    task = desk.task(partner.group)
    work_everything()
    operations.update(system=partner.system, task=task, text="From us")
    work_everything()
    assert len(published()) == 1
    assert StepRun.objects.latest("pk").state == StepState.SKIPPED


def test_a_task_that_was_given_to_others_before_it_could_be_published_is_never_heard_of(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    work_everything()
    assert published() == []
    assert {step.state for step in StepRun.objects.all()} == {StepState.SKIPPED}


def test_a_task_that_is_taken_from_the_desk_is_accepted(desk: Desk, partner: Partner):
    task = desk.task(partner.group)
    work_everything()
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    work_everything()
    assert [content["ext_properties"]["Operation"] for content in published()] == ["Assign", "Accept"]


def test_a_condition_decides_what_is_published(desk: Desk, partner: Partner):
    partner.process.steps.update(condition='event.operation == "update"')
    task = desk.task(partner.group)
    note(desk, task)
    work_everything()
    assert [content["ext_properties"]["Operation"] for content in published()] == ["Update"]


def test_a_worker_that_lost_its_claim_publishes_nothing(
    desk: Desk, partner: Partner, monkeypatch: pytest.MonkeyPatch
):
    desk.task(partner.group)
    real = claim.hold
    monkeypatch.setattr("integrations.engine.steps.feed.hold", lambda held: real(_outdated(held)))
    work_everything()
    assert published() == []
    monkeypatch.undo()
    Stream.objects.update(lease_until=None)
    work_everything()
    assert len(published()) == 1


def test_an_entry_that_is_rolled_back_is_written_by_the_next_try(
    desk: Desk, partner: Partner, monkeypatch: pytest.MonkeyPatch
):
    desk.task(partner.group)

    def fail(*_arguments: Any, **_names: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr("integrations.engine.results.write", fail)
        work_everything()
    assert published() == []
    assert only_run().state == RunState.ATTENTION
    from integrations.engine import decisions

    decisions.retry_now(only_run(), by=Actor.of_user(desk.agent))
    work_everything()
    assert len(published()) == 1


def test_an_entry_is_unique_for_its_step(desk: Desk, partner: Partner):
    desk.task(partner.group)
    work_everything()
    entry = FeedEntry.objects.get()
    entry.pk = None
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        entry.save(force_insert=True)


def _outdated(held: claim.Claim) -> claim.Claim:
    return claim.Claim(held.stream_id, held.token - 1, held.wake)
