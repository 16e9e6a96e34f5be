"""Tasks: create, assign, change, solve, judge, close, reopen."""

from datetime import UTC, datetime

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.actors import Actor
from tickets.errors import InvalidInput, TransitionRefused
from tickets.events import Event, EventName
from tickets.lifecycle import CompletionCode, Phase, TicketStatus
from tickets.models import AssignmentGroup, History, Task

BY_DESK = Actor.external(key="system:1", name="Their agent")


@pytest.fixture
def other_group(desk: Desk) -> AssignmentGroup:
    return AssignmentGroup.objects.create(name="Fire brigade", code="fire")


def test_tasks_are_numbered_within_their_ticket(desk: Desk) -> None:
    ticket = desk.ticket()
    assert [desk.task(ticket=ticket).number for _ in range(2)] == [f"{ticket.number}-1", f"{ticket.number}-2"]


def test_a_task_takes_title_and_description_of_its_ticket_unless_it_has_its_own(desk: Desk) -> None:
    ticket = desk.ticket()
    same = actions.create_task(actor=desk.by_agent, ticket=ticket)
    own = actions.create_task(actor=desk.by_agent, ticket=ticket, title="Call them", description="Now")
    assert (same.title, same.description) == (ticket.title, ticket.description)
    assert (own.title, own.description) == ("Call them", "Now")


def test_a_task_with_a_group_is_created_then_assigned(
    desk: Desk, other_group: AssignmentGroup, events: list[Event]
) -> None:
    ticket = desk.ticket()
    events.clear()
    task = actions.create_task(actor=desk.by_agent, ticket=ticket, group=other_group, owning_group=desk.service_desk)
    assert [event.name for event in events] == [EventName.TASK_CREATED, EventName.TASK_ASSIGNED]
    assert events[1].old_group == desk.service_desk
    assert (task.group, task.owning_group) == (other_group, desk.service_desk)


def test_a_closed_ticket_takes_no_new_task(desk: Desk) -> None:
    ticket = actions.close_ticket(actor=desk.by_agent, ticket=desk.ticket())
    with pytest.raises(TransitionRefused, match="reopen it"):
        actions.create_task(actor=desk.by_agent, ticket=ticket)


def test_assigning_to_the_same_group_again_is_told_again(desk: Desk, events: list[Event]) -> None:
    task = desk.task(desk.service_desk)
    events.clear()
    again = actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    assert [event.name for event in events] == [EventName.TASK_ASSIGNED]
    assert events[0].changes == {}
    assert again.version == task.version


def test_who_gives_a_task_away_gets_it_back(desk: Desk, other_group: AssignmentGroup) -> None:
    task = actions.create_task(actor=desk.by_agent, ticket=desk.ticket(), group=desk.service_desk)
    task = actions.assign_task(actor=desk.by_agent, task=task, group=other_group)
    assert task.owning_group == desk.service_desk

    task = actions.propose_solution(actor=BY_DESK, task=task, solution="Extinguished")
    assert (task.group, task.solved_by_group) == (desk.service_desk, other_group)
    assert task.exchanged_group == other_group


def test_only_members_can_be_given_a_task(desk: Desk) -> None:
    task = desk.task(desk.service_desk)
    for action, values in ((actions.assign_task, {"group": desk.service_desk}), (actions.change_task, {})):
        with pytest.raises(InvalidInput, match="ada is not a member of Service desk"):
            action(actor=desk.by_agent, task=task, assignee=desk.agent, **values)
    desk.service_desk.members.add(desk.agent)
    assert actions.change_task(actor=desk.by_agent, task=task, assignee=desk.agent).assignee == desk.agent


def test_a_task_without_a_group_has_no_assignee(desk: Desk) -> None:
    task = actions.create_task(actor=desk.by_agent, ticket=desk.ticket())
    with pytest.raises(InvalidInput, match="Assign the task to a group first"):
        actions.change_task(actor=desk.by_agent, task=task, assignee=desk.agent)


def test_a_change_is_told_once_and_the_same_again_is_none(desk: Desk, events: list[Event]) -> None:
    task, soon = desk.task(), datetime(2026, 12, 1, 9, tzinfo=UTC)
    events.clear()
    task = actions.change_task(actor=BY_DESK, task=task, expected_resolution_at=soon)
    actions.change_task(actor=BY_DESK, task=task, expected_resolution_at=soon)
    assert [event.changes for event in events] == [{"expected_resolution_at": (None, soon)}]
    assert events[0].old_phase == Phase.INITIAL_SUPPORT


def test_bad_changes_are_refused(desk: Desk) -> None:
    task = desk.task()
    with pytest.raises(InvalidInput, match="time zone"):
        actions.change_task(actor=desk.by_agent, task=task, expected_resolution_at=datetime(2026, 1, 1))
    with pytest.raises(InvalidInput, match="title"):
        actions.change_task(actor=desk.by_agent, task=task, title=" ")
    with pytest.raises(TypeError, match="phase"):
        actions.change_task(actor=desk.by_agent, task=task, phase=Phase.CLOSE)


@pytest.mark.parametrize(("solution", "code"), [(" ", "fulfilled"), ("Water", "because")])
def test_a_solution_needs_words_and_a_known_code(desk: Desk, solution: str, code: str) -> None:
    with pytest.raises(InvalidInput):
        actions.propose_solution(actor=desk.by_agent, task=desk.task(), solution=solution, completion_code=code)
    assert Task.objects.get().phase == Phase.INITIAL_SUPPORT


def test_accepting_the_last_solution_closes_the_ticket(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    first, second = desk.task(ticket=ticket), desk.task(ticket=ticket)
    for task in (first, second):
        actions.propose_solution(actor=BY_DESK, task=task, solution="Water")
    actions.accept_solution(actor=desk.by_end_user, task=first)
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.AWAITING_EXTERNAL
    events.clear()

    actions.accept_solution(actor=desk.by_end_user, task=second)

    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.CLOSED
    assert [event.name for event in events] == [EventName.SOLUTION_ACCEPTED, EventName.TICKET_CLOSED]
    assert events[0].text == "Water"


def test_declining_removes_the_solution_and_gives_the_task_back_with_the_reason(
    desk: Desk, other_group: AssignmentGroup, events: list[Event]
) -> None:
    task = desk.task(other_group)
    task = actions.propose_solution(actor=BY_DESK, task=task, solution="Water")
    events.clear()

    task = actions.decline_solution(actor=desk.by_end_user, task=task, reason="Still burning")

    assert (task.phase, task.group, task.solution, task.completion_code, task.solved_by_group) == (
        Phase.INITIAL_SUPPORT,
        other_group,
        "",
        "",
        None,
    )
    assert (events[0].name, events[0].text, events[0].old_phase) == (
        EventName.SOLUTION_DECLINED,
        "Still burning",
        Phase.REVIEW,
    )


def test_declining_without_a_reason_is_refused(desk: Desk) -> None:
    task = actions.propose_solution(actor=BY_DESK, task=desk.task(), solution="Water")
    with pytest.raises(InvalidInput, match="what is still wrong"):
        actions.decline_solution(actor=desk.by_end_user, task=task, reason=" ")


def test_closing_by_hand_keeps_the_solution_that_was_proposed(desk: Desk, events: list[Event]) -> None:
    task = actions.propose_solution(actor=BY_DESK, task=desk.task(), solution="Water")
    events.clear()
    task = actions.close_task(actor=desk.by_agent, task=task, completion_code=CompletionCode.REJECTED)
    assert (task.solution, task.completion_code) == ("Water", CompletionCode.REJECTED)
    assert (events[0].name, events[0].text) == (EventName.TASK_CLOSED, "Water")
    assert task.closed_at


def test_reopening_the_task_of_a_closed_ticket_opens_both(desk: Desk, other_group: AssignmentGroup) -> None:
    task = desk.task(other_group)
    actions.propose_solution(actor=BY_DESK, task=task, solution="Water")
    actions.accept_solution(actor=desk.by_end_user, task=task)

    task = actions.reopen_task(actor=desk.by_agent, task=task, reason="Again")

    assert (task.phase, task.group, task.solution, task.closed_at) == (
        Phase.INITIAL_SUPPORT,
        other_group,
        "",
        None,
    )
    task.ticket.refresh_from_db()
    assert task.ticket.status == TicketStatus.OPEN


def test_history_has_a_row_for_each_changed_field_with_who_and_why(desk: Desk) -> None:
    task = desk.task(desk.service_desk)
    actions.propose_solution(actor=BY_DESK, task=task, solution="Water")
    rows = {row.field: row for row in History.objects.filter(event="solution_proposed")}
    assert (rows["phase"].old, rows["phase"].new) == ("initial_support", "review")
    assert {row.text for row in rows.values()} == {"Water"}
    assert {(row.author_name, row.actor_key, row.task_id) for row in rows.values()} == {
        ("Their agent", "system:1", task.pk)
    }
