"""Reading and taking cost the same number of queries however many rows there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.inbound import operations
from integrations.models import Process
from tests.integrations.inbound.case_exchange.conftest import CaseDesk, comment, entry_for
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tests.integrations.inbound.workflow_service.soap import UPDATE, envelope, send
from tickets import actions
from tickets.actions.listing import list_changes
from tickets.models import Task

pytestmark = pytest.mark.portable


def grow(desk: Desk, task: Task, rows: int, *, siblings: bool) -> None:
    """Tasks, notes, files and exchanges of this desk; siblings: other tasks of the same ticket."""
    for _ in range(rows):
        make_task(desk, title="Another")
        if siblings:
            actions.create_task(actor=AGENT, ticket=task.ticket, group=desk.group)
        body = {"text": "Hello", "attachments": [{"name": "a", "content": "eA=="}, {"name": "b", "content": "eA=="}]}
        assert desk.post(f"tasks/{task.number}/updates/", body).status_code == 201
        actions.add_note(actor=AGENT, ticket=task.ticket, task=task, body="Ours")
        entry_for(task, desk.system)


def case_desk(desk: Desk) -> CaseDesk:
    """The desk as it speaks Case Exchange, signed in."""
    signed_in = CaseDesk(desk)
    signed_in.sign_in()
    return signed_in


CALLS: dict[str, Callable[[Desk, Task], Any]] = {
    "tasks": lambda desk, task: desk.get("tasks/?limit=200"),
    "task": lambda desk, task: desk.get(f"tasks/{task.number}/"),
    "updates": lambda desk, task: desk.get(f"tasks/{task.number}/updates/?limit=200"),
    "attachments": lambda desk, task: desk.get(f"tasks/{task.number}/attachments/?limit=200"),
    "tickets": lambda desk, task: desk.get("tickets/?limit=200"),
    "ticket": lambda desk, task: desk.get(f"tickets/{task.ticket.number}/"),
    "exchanges": lambda desk, task: desk.get("exchanges/?limit=200"),
    "intake by REST": lambda desk, task: desk.post(f"tasks/{task.number}/updates/", {"text": "x", "message_id": "1"}),
    "intake by SOAP": lambda desk, task: send(
        desk, envelope(UPDATE, f"<taskNumber>{task.number}</taskNumber><text>x</text><messageId>2</messageId>")
    ),
    "intake by Case Exchange": lambda desk, task: case_desk(desk).send(
        "Update", task, reference="", comments=[comment("x")], DisplayLabel="Other"
    ),
    "poll of Case Exchange": lambda desk, task: case_desk(desk).poll(),
    "repeated": lambda desk, task: desk.post(
        f"tasks/{task.number}/reassign/", {"solution": "Done", "message_id": "3"}, key="k"
    ),
    "refused": lambda desk, task: desk.post(f"tasks/{task.number}/updates/", {}),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("incoming_process", [False, True])
def test_the_number_of_queries_does_not_grow_with_the_rows(northwind: Desk, name: str, incoming_process: bool):
    if incoming_process:
        binding = northwind.group.binding
        binding.incoming_process = binding.update_process = Process.objects.create(name="Everything")
        binding.save()
    counts = []
    for rows in (1, 4):
        task = make_task(northwind)
        # Each task of the ticket is asked whether it exchanges a new note: that cost is not of the intake.
        grow(northwind, task, rows, siblings="intake" not in name)
        operations.acknowledge(system=northwind.system, task=task, reference=f"INC-{rows}")
        # The first look for changes makes the clock, the first run of a process its version.
        list_changes()
        operations.update(system=northwind.system, task=task, text="Warm")
        if name == "repeated":
            assert CALLS[name](northwind, task).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            response = CALLS[name](northwind, task)
        assert response.status_code in (200, 201, 400), response.content
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 60
