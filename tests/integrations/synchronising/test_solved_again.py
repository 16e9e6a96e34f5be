"""Declined here, and solved again there before a look came between."""

import pytest

from integrations.models import ProcessRun, RunState
from tests.integrations.synchronising.conftest import look, send_all
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_over", [True, False])
@pytest.mark.parametrize("solution", ["Ink", "Toner"])
def test_solved_again_while_the_run_that_opened_it_may_not_be_over(
    polling, theirs, task, desk, partner, solution, is_over
):
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling)
    task.refresh_from_db()
    partner.reopen.method, partner.reopen.path = "PATCH", "/api/tickets/{{ task.external_id }}"
    partner.reopen.body = '{"status": "{{ theirs.status }}"}'
    partner.reopen.save()
    task = actions.decline_solution(actor=desk.by_end_user, task=task, reason="Still no ink")
    send_all()
    if not is_over:
        # A busy worker: the request was answered, and the steps behind it are still to come.
        ProcessRun.objects.filter(operation="reopen").update(state=RunState.RUNNING, finished_at=None)
    theirs.wait(5)
    theirs.change("T-1", status="solved", solution=solution)
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.phase, task.solution) == ("review", solution)
