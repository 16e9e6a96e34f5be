"""What one step costs the database does not depend on how much stands behind it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.engine.claim import let_go, take
from integrations.engine.runner import execute, head
from integrations.models import Stream
from integrations.tasks import sweep
from tests.integrations.engine.conftest import respond
from tickets import actions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.portable]


def cost_of_one_step(task) -> int:
    stream = Stream.objects.get(task=task)
    with CaptureQueriesContext(connection) as queries:
        claim = take(stream.pk)
        execute(claim, head(claim))
    let_go(claim, due_at=None)
    return len(queries)


def test_one_step_costs_the_same_whatever_stands_behind_it(desk, partner, friendly):
    friendly.server.clear_all_handlers()
    numbers = iter(range(1, 100))
    friendly.answers("/tickets", lambda request: respond(201, {"number": f"A-{next(numbers)}"}))
    alone = desk.task(partner.group)
    cost_of_one_step(alone)  # Warms what Django loads once.
    first, crowded = desk.task(partner.group), desk.task(partner.group)
    for number in range(30):
        actions.add_note(actor=desk.by_agent, ticket=crowded.ticket, task=crowded, body=f"behind {number}")
    assert Stream.objects.get(task=crowded).runs.count() == 31
    assert cost_of_one_step(first) == cost_of_one_step(crowded)


def test_a_sweep_asks_once_for_each_kind_of_work_however_much_is_due(desk, partner, monkeypatch):
    monkeypatch.setattr("integrations.tasks.enqueue", lambda stream_id, **options: None)
    for _ in range(3):
        desk.task(partner.group)
    with CaptureQueriesContext(connection) as queries:
        assert sweep() == 3
    assert len(queries) == 4, "streams, polls, mailboxes, updates of contacts"
