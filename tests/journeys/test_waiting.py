# ruff: noqa: F401, F811 - the fixtures of the other desk
"""A process waits until a manual task at another desk is done there, for days if need be, and then goes on."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.models import ProcessRun, RunState, Stream, WaitUntil
from integrations.tasks import sweep, work
from tests.cast import Desk, Partner
from tests.integrations.engine.conftest import OtherDesk, _nothing_remembered, only_steps, other_desk, work_everything
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story(desk: Desk, partner: Partner, other_partner: Partner, other_desk: OtherDesk) -> Any:
    """Globex cables the room by hand; only then is the telephone ordered from acme. Returns how to begin it."""
    other_desk.answers("/other/tickets", (201, {"number": "G-1"}))
    other_desk.answers("/other/tickets/G-1/notes", (200, {}))
    other_desk.answers("/other/tickets/G-1/close", (200, {}))
    other_desk.answers("/tickets", (201, {"number": "A-1"}))

    def begin(until: str) -> tuple[Task, Task]:
        only_steps(
            partner,
            {"name": "cabled", "kind": "wait", "wait_until": until, "condition": 'event.operation == "assign"'},
            {"name": "order", "operation": partner.create, "condition": 'event.operation == "assign"'},
        )
        ticket = desk.ticket("A new telephone")
        cabling = desk.task(other_partner.group, ticket)
        order = desk.task(partner.group, ticket)
        work_everything()
        return cabling, order

    return begin


def report(partner: Partner, task: Task, to: str = "operations", **message: str) -> int:
    """The other desk tells us over REST what it did."""
    answer = Client(headers={"Authorization": f"Api-Key {partner.key()}"}).post(
        f"/api/v1/tasks/{task.number}/{to}/", message, content_type="application/json"
    )
    return answer.status_code


def run_of(task: Task) -> ProcessRun:
    return ProcessRun.objects.filter(stream__task=task).earliest("pk")


def swept(monkeypatch: pytest.MonkeyPatch) -> int:
    """One look of the sweeper, whose messages a worker takes; returns how many streams were due."""
    monkeypatch.setattr("integrations.tasks.enqueue", lambda pk, **_rest: work(pk))
    return sweep()


def test_it_goes_on_days_later_when_the_other_desk_says_that_it_is_done(
    story: Any,
    partner: Partner,
    other_partner: Partner,
    other_desk: OtherDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cabling, order = story(WaitUntil.SOLVED)
    assert (run_of(order).state, run_of(order).reason) == (
        RunState.PARKED,
        f"Waits until a task is done: {cabling.number}.",
    )
    assert other_desk.paths == ["POST /other/tickets"]
    # From now on no broker is there, and every worker is started anew: the database alone knows.
    monkeypatch.setattr("integrations.engine.streams.enqueue", lambda *_args, **_options: None)
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        assert swept(monkeypatch) == 0, "a run that waits costs nothing"
        assert report(other_partner, cabling, "updates", text="We come on Friday") == 201
        swept(monkeypatch)
        assert run_of(order).state == RunState.PARKED
    with time_machine.travel(timezone.now() + timedelta(days=12)):
        assert report(other_partner, cabling, operation="resolve", solution="Cabled") == 200
        assert swept(monkeypatch) >= 1
        assert run_of(order).state == RunState.DONE
        assert other_desk.paths.count("POST /tickets") == 1
        assert order.external_references.get().value == "A-1"
        swept(monkeypatch)
        assert other_desk.paths.count("POST /tickets") == 1


def test_where_it_is_to_be_closed_it_waits_for_who_accepts_it(
    story: Any,
    desk: Desk,
    other_partner: Partner,
    other_desk: OtherDesk,
) -> None:
    cabling, order = story(WaitUntil.CLOSED)
    report(other_partner, cabling, operation="resolve", solution="Cabled")
    work_everything()
    assert run_of(order).state == RunState.PARKED
    actions.decline_solution(actor=desk.by_end_user, task=cabling, reason="Wrong room")
    report(other_partner, cabling, operation="resolve", solution="The right room")
    work_everything()
    assert run_of(order).state == RunState.PARKED
    actions.accept_solution(actor=desk.by_end_user, task=Task.objects.get(pk=cabling.pk))
    work_everything()
    assert run_of(order).state == RunState.DONE
    assert other_desk.paths.count("POST /tickets") == 1


def test_a_task_that_the_other_desk_cancels_is_waited_for_no_more(
    story: Any,
    other_partner: Partner,
    other_desk: OtherDesk,
) -> None:
    cabling, order = story(WaitUntil.SOLVED)
    report(other_partner, cabling, operation="cancel")
    work_everything()
    assert run_of(order).state == RunState.DONE
    assert Stream.objects.filter(due_at__isnull=False).count() == 0
