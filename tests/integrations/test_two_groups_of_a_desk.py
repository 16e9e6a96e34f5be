"""One desk behind two of our groups: each event goes through the group that it concerns."""

import pytest

from integrations.engine.references import store_reference
from integrations.models import ProcessRun
from tests.cast import Desk, Partner
from tickets import actions

pytestmark = pytest.mark.django_db


def test_a_solution_goes_through_the_group_that_it_comes_from_though_the_other_group_has_the_task_again(
    desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    other_partner.binding.system = partner.system
    other_partner.binding.save()
    task = actions.create_task(
        actor=desk.by_agent, ticket=desk.ticket(), group=partner.group, owning_group=other_partner.group
    )
    store_reference(task=task, system=partner.system, value="A-1")
    actions.propose_solution(actor=desk.by_agent, task=task, solution="Water")
    actions.accept_solution(actor=desk.by_end_user, task=task)
    runs = ProcessRun.objects.order_by("pk").values_list("operation", "group__code")
    assert list(runs) == [
        ("assign", "acme-group"),
        ("update", "acme-group"),
        ("resolve", "acme-group"),
        ("close", "acme-group"),
    ]
