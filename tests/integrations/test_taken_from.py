"""A desk learns that a task was taken from it, also where nobody has it afterwards."""

import pytest

from integrations.engine.references import store_reference
from integrations.models import ProcessRun
from tests.cast import Desk, Partner
from tickets import actions
from tickets.errors import TransitionRefused
from tickets.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    """At acme, known there; nobody had it before."""
    task = actions.create_task(actor=desk.by_agent, ticket=desk.ticket(), group=partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    return task


def test_a_task_that_is_taken_back_without_an_owner_is_accepted_from_its_desk(desk: Desk, task: Task) -> None:
    actions.take_back_task(actor=desk.by_agent, task=task)
    assert list(ProcessRun.objects.order_by("pk").values_list("operation", flat=True)) == ["assign", "accept"]
    task.refresh_from_db()
    assert task.group is None


def test_a_closed_task_is_not_taken_back(desk: Desk, task: Task) -> None:
    actions.close_task(actor=desk.by_agent, task=task)
    with pytest.raises(TransitionRefused, match="Allowed: reopen"):
        actions.take_back_task(actor=desk.by_agent, task=task)
