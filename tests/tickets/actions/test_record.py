"""What holds for every action: one transaction with its history and its events, who did it, stale readers."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.cast import Desk
from tickets import actions
from tickets.actions import FileContent
from tickets.actors import Actor, ActorKind
from tickets.errors import Conflict, InvalidInput
from tickets.events import Event, happened
from tickets.models import Attachment, History, Note, Task, Ticket


class Undo(Exception):
    """What the receiver of these tests fails with."""


@contextmanager
def failing_receiver() -> Iterator[None]:
    def fail(**_kwargs: object) -> None:
        raise Undo

    happened.connect(fail)
    try:
        yield
    finally:
        happened.disconnect(fail)


def everything() -> list[object]:
    """All rows that actions write."""
    return [list(model.objects.order_by("pk").values()) for model in (Ticket, Task, Note, Attachment, History)]


ACTIONS: dict[str, Callable[[Desk, Task], object]] = {
    "create_ticket": lambda desk, task: desk.ticket(),
    "change_ticket": lambda desk, task: actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, title="New"),
    "close_ticket": lambda desk, task: actions.close_ticket(actor=desk.by_agent, ticket=task.ticket),
    "create_task": lambda desk, task: actions.create_task(actor=desk.by_agent, ticket=task.ticket),
    "assign_task": lambda desk, task: actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk),
    "change_task": lambda desk, task: actions.change_task(actor=desk.by_agent, task=task, title="New"),
    "escalate_task": lambda desk, task: actions.escalate_task(actor=desk.by_agent, task=task),
    "propose_solution": lambda desk, task: actions.propose_solution(actor=desk.by_agent, task=task, solution="Water"),
    "close_task": lambda desk, task: actions.close_task(actor=desk.by_agent, task=task),
    "add_note": lambda desk, task: actions.add_note(
        actor=desk.by_agent, ticket=task.ticket, body="Hello", files=[FileContent("a", b"1")]
    ),
    "attach": lambda desk, task: actions.attach(
        actor=desk.by_agent, ticket=task.ticket, content=FileContent("a", b"1")
    ),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_receiver_that_fails_undoes_the_change(desk: Desk, name: str) -> None:
    task = desk.task()
    before = everything()

    with failing_receiver(), pytest.raises(Undo):
        ACTIONS[name](desk, task)

    assert everything() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ACTIONS)
def test_events_are_told_inside_the_transaction_of_the_change(desk: Desk, name: str) -> None:
    task = desk.task()
    told: list[tuple[str, bool, int]] = []

    def listen(event: Event, **_kwargs: object) -> None:
        told.append((event.name, connection.in_atomic_block, History.objects.filter(event=event.name).count()))

    happened.connect(listen)
    try:
        ACTIONS[name](desk, task)
    finally:
        happened.disconnect(listen)

    assert told
    for event, in_transaction, rows in told:
        assert in_transaction, f"{event} was told outside a transaction"
        assert rows, f"{event} was told before its history was written"
    assert not connection.in_atomic_block


@pytest.mark.parametrize(
    "action", [actions.escalate_task, actions.close_task, actions.change_task, actions.accept_solution]
)
def test_who_read_an_older_version_of_a_task_changes_nothing(desk: Desk, action: Callable[..., Task]) -> None:
    task = desk.task()
    read = task.version
    actions.change_task(actor=desk.by_agent, task=task, title="Changed meanwhile")
    before = everything()

    with pytest.raises(Conflict, match=task.number):
        action(actor=desk.by_agent, task=task, expected_version=read)

    assert everything() == before


def test_actions_read_the_row_afresh(desk: Desk) -> None:
    stale = desk.task()
    actions.escalate_task(actor=desk.by_agent, task=Task.objects.get(pk=stale.pk))

    assert stale.phase == "initial_support"
    assert actions.change_task(actor=desk.by_agent, task=stale, title="Other").phase == "escalate"


def test_a_user_is_named_in_full_else_as_contact_else_by_user_name(desk: Desk) -> None:
    assert desk.by_agent == Actor(kind=ActorKind.AGENT, name="Ada", user_id=desk.agent.pk)
    desk.end_user.first_name = ""
    assert Actor.of_user(desk.end_user).name == "Emil Ende"
    desk.agent.first_name = ""
    assert Actor.of_user(desk.agent).name == "ada"


def test_another_desk_is_kept_by_its_key_and_the_author_that_it_named(desk: Desk) -> None:
    actor = Actor.external(key="system:7", name="N" * 300)
    note = actions.add_note(actor=actor, ticket=desk.ticket(), body="From afar")
    assert (note.actor_kind, note.actor_key, note.author_name, note.author_id) == (
        "external",
        "system:7",
        "N" * 200,
        None,
    )


@pytest.mark.parametrize("year", [1, 1899, 3000, 9999])
def test_a_moment_that_has_no_local_time_everywhere_is_refused(desk: Desk, year: int) -> None:
    ticket, moment = desk.ticket(), dt.datetime(year, 12, 31, 23, 59, tzinfo=dt.UTC)
    task = desk.task(ticket=ticket)
    for change in (
        lambda: actions.change_ticket(actor=desk.by_agent, ticket=ticket, deadline_at=moment),
        lambda: actions.change_task(actor=desk.by_agent, task=task, expected_resolution_at=moment),
        lambda: actions.set_status(actor=desk.by_agent, ticket=ticket, status=8, on_hold_until=moment),
    ):
        with pytest.raises(InvalidInput, match="in the years 1900 to 2999"):
            change()
