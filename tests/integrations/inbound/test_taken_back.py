"""Who has a task after its desk has rejected it, and what a desk learns from which it is taken."""

import pytest

from integrations.engine.references import store_reference
from integrations.inbound import operations
from tests.cast import Desk, Partner
from tickets import actions
from tickets.models import AssignmentGroup, Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    """At acme, known there, nobody's before."""
    task = actions.create_task(actor=desk.by_agent, ticket=desk.ticket(), group=partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    return task


def test_a_rejection_by_the_desk_that_raised_it_leaves_it_at_our_group(desk: Desk, partner: Partner) -> None:
    receipt = operations.create(system=partner.system, reference="P-1", title="Theirs")
    task = Task.objects.get(number=receipt.task)
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    operations.reject(system=partner.system, task=task)
    task.refresh_from_db()
    assert task.group == desk.service_desk
    assert not task.external_references.exists()


def test_a_late_rejection_leaves_it_at_our_group_that_has_it_by_now(desk: Desk, partner: Partner, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(owning_group=desk.service_desk)
    second_line = AssignmentGroup.objects.create(name="Second line", code="second-line")
    actions.assign_task(actor=desk.by_agent, task=task, group=second_line)
    operations.reject(system=partner.system, task=task)
    task.refresh_from_db()
    assert task.group == second_line
