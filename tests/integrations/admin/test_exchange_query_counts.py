"""What the screens of the exchange ask the database does not grow with the number of rows."""

import pytest

from integrations.models import Exchange, ExternalReference, Outcome, ProcessRun, StepState, Way
from tests.cast import Desk, Partner, make_partner
from tests.integrations.admin.conftest import Browser
from tests.integrations.admin.test_query_counts import count
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.portable


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    task = desk.task(partner.group)
    more(desk, partner, task, "first")
    return task


def more(desk: Desk, partner: Partner, task: Task, name: str) -> None:
    """A run behind the others, with a step and exchanges; another task at another desk, known there."""
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=name)
    run = ProcessRun.objects.filter(stream__task=task).earliest("pk")
    step, _created = run.steps.get_or_create(
        index=0, defaults={"name": "create_ticket", "kind": "operation", "state": StepState.DONE}
    )
    other = make_partner(name, "https://other.test")
    further = desk.task(other.group, task.ticket)
    for at, system in ((task, partner.system), (further, other.system)):
        ExternalReference.objects.get_or_create(task=at, system=system, defaults={"value": f"R-{at.number}"})
        for way, outcome in ((Way.OUT, Outcome.SUCCEEDED), (Way.IN, Outcome.REFUSED)):
            Exchange.objects.create(
                way=way, system=system, task=at, dialect="http", outcome=outcome, operation="x", run=run, step=step
            )


@pytest.mark.parametrize(
    "path",
    [
        "exchange/",
        "exchange/?q=R-1001-1&outcome=failed&ticket=1001&since=24h",
        "exchange/FIRST/change/",
        "processrun/",
        "processrun/?q=1001-1&show=waiting&ticket=1001",
        "processrun/RUN/change/",
        "stream/",
        "externalreference/",
        "/admin/",
        "/admin/overview/",
        "/admin/tickets/ticket/TICKET/change/?tab=exchanges",
        "/admin/tickets/ticket/TICKET/change/",
    ],
)
def test_many_rows_cost_as_much_as_few(admin: Browser, desk: Desk, partner: Partner, task: Task, path: str) -> None:
    ids = {
        "FIRST": Exchange.objects.earliest("pk").pk,
        "RUN": ProcessRun.objects.earliest("pk").pk,
        "TICKET": task.ticket_id,
    }
    for name, pk in ids.items():
        path = path.replace(name, str(pk))
    few = count(admin, path)
    for number in range(6):
        more(desk, partner, task, f"more-{number}")
    assert count(admin, path) == few


@pytest.mark.parametrize("path", ["exchange/", "processrun/", "externalreference/"])
def test_the_lists_never_count_the_whole_table(admin: Browser, task: Task, path: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        admin.get(path)
    assert [query["sql"] for query in captured if "COUNT(" in query["sql"].upper()] == []


def test_the_list_of_exchanges_reads_no_bodies(admin: Browser, task: Task) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        admin.get("exchange/")
    assert [query["sql"] for query in captured if "request_body" in query["sql"]] == []
