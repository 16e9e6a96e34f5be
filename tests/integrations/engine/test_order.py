"""Runs of one stream happen in order of commit; a head that waits holds its own stream and no other."""

import pytest

from integrations.models import ExternalSystem, ProcessRun, RunState, Stream
from integrations.tasks import sweep
from tests.integrations.engine.conftest import HOUR, in_threads, pass_time, run_states, work_everything
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)


def test_changes_committed_at_the_same_time_are_sent_in_the_order_of_their_commits(desk, exchanged_task, friendly):
    ticket = exchanged_task.ticket

    def write(number):
        return actions.add_note(actor=desk.by_agent, ticket=ticket, task=exchanged_task, body=f"note {number}").pk

    notes = in_threads(*[lambda number=number: write(number) for number in range(10)])
    assert all(isinstance(note, int) for note in notes), notes
    work_everything()
    positions = list(ProcessRun.objects.order_by("pk").values_list("position", flat=True))
    assert positions == list(range(1, 12))
    sent = [body for body in friendly.bodies if b"note-" in body]
    in_commit_order = ProcessRun.objects.exclude(note=None).order_by("position")
    assert sent == [f'{{"text": "{run.note.body}", "id": "note-{run.note_id}"}}'.encode() for run in in_commit_order]
    # Positions are taken under the ticket's lock, so that they follow the numbers of the notes.
    assert [run.note_id for run in in_commit_order] == sorted(notes)


def test_a_head_that_waits_for_a_retry_holds_its_own_stream_and_no_other(desk, partner, other_partner, other_desk):
    other_desk.answers("/tickets", (503, "busy"), (201, {"number": "A-1"}))
    other_desk.answers("/tickets/A-1/notes", (200, {}))
    other_desk.answers("/other/tickets", (201, {"number": "B-1"}))
    other_desk.answers("/other/tickets/B-1/notes", (200, {}))
    ticket = desk.ticket()
    held_back = desk.task(partner.group, ticket)
    desk.task(other_partner.group, ticket)
    another_of_the_same_desk = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="For both desks")
    work_everything()
    assert other_desk.paths == [
        "POST /tickets",
        "POST /other/tickets",
        "POST /other/tickets/B-1/notes",
        "POST /tickets",
    ]
    waiting = ProcessRun.objects.filter(stream__task=held_back).order_by("position")
    assert [run.state for run in waiting] == [RunState.RETRYING, RunState.QUEUED]
    assert "503" in waiting[0].reason
    assert another_of_the_same_desk.external_references.get().value == "A-1"


def test_when_the_retry_is_over_the_rest_of_the_stream_follows_in_order(desk, partner, other_desk):
    other_desk.answers("/tickets", (503, "busy"), (500, "broken"), (201, {"number": "A-1"}))
    other_desk.answers("/tickets", (200, {"tickets": []}), method="GET")
    other_desk.answers("/tickets/A-1/notes", (200, {}))
    task = desk.task(partner.group)
    for text in ("first", "second"):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=text)
    for _ in range(6):
        pass_time()
    assert run_states() == [RunState.DONE] * 3
    assert [b"first" in other_desk.bodies[-2], b"second" in other_desk.bodies[-1]] == [True, True]


def test_a_retry_is_not_made_before_its_time(desk, partner, other_desk):
    other_desk.answers("/tickets", (503, "busy"))
    desk.task(partner.group)
    work_everything()
    work_everything()
    stream, run = Stream.objects.get(), ProcessRun.objects.get()
    assert other_desk.count("POST /tickets") == 1
    assert stream.due_at == run.due_at
    assert stream.lease_until is None
    assert sweep() == 0


def test_a_head_that_needs_attention_holds_its_stream_until_a_person_decides(desk, partner, other_desk):
    other_desk.answers("/tickets", (400, "no such priority"))
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="waits behind")
    for _ in range(3):
        pass_time(24 * HOUR)
    assert run_states() == [RunState.ATTENTION, RunState.QUEUED]
    assert other_desk.count("POST /tickets") == 1
    assert Stream.objects.get().due_at is None
    assert sweep() == 0


def test_a_system_that_is_switched_off_lets_its_runs_wait_and_none_is_dropped(desk, partner, friendly):
    ExternalSystem.objects.update(active=False)
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Later")
    work_everything()
    assert sweep() == 0
    assert (friendly.paths, run_states()) == ([], [RunState.QUEUED] * 2)
    ExternalSystem.objects.update(active=True)
    assert sweep() == 1
    work_everything()
    assert friendly.paths == ["POST /tickets", "POST /tickets/A-1/notes"]


def test_a_task_that_bounces_stops_its_stream_and_no_other(desk, partner, friendly):
    from integrations.models import Exchange, Outcome, Way

    ExternalSystem.objects.update(bounce_limit=3)
    task, calm = desk.task(partner.group), desk.task(partner.group)

    def came_in():
        Exchange.objects.create(way=Way.IN, system=partner.system, task=task, outcome=Outcome.SUCCEEDED)

    for number in range(3):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=f"out {number}")
        came_in()
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="one too many")
    actions.add_note(actor=desk.by_agent, ticket=calm.ticket, task=calm, body="calm")
    last = ProcessRun.objects.filter(stream__task=task).latest("position")
    assert (last.state, "bounces" in last.reason) == (RunState.ATTENTION, True)
    assert not ProcessRun.objects.filter(stream__task=calm, state=RunState.ATTENTION).exists()


def test_many_changes_in_one_direction_do_not_bounce(desk, partner, friendly):
    ExternalSystem.objects.update(bounce_limit=2)
    task = desk.task(partner.group)
    for number in range(6):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=f"out {number}")
    assert set(run_states()) == {RunState.QUEUED}
