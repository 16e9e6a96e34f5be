"""Ten thousand entries in the feed: a fixed number of queries, and PostgreSQL looks them up."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.models import FeedEntry
from tests.integrations.inbound.case_exchange.conftest import CaseDesk
from tests.integrations.inbound.conftest import Desk
from tickets.models import Task

ENTRIES = 10_000


@pytest.fixture
def many(northwind: Desk, outsider: Desk, known: Task) -> None:
    """For two desks, all fetched but the last of each."""
    content = {"entity_type": "Incident", "properties": {}, "Comments": [], "ext_properties": {}}
    FeedEntry.objects.bulk_create(
        [
            FeedEntry(
                system=desk.system,
                task=known,
                operation="update",
                content=content,
                listed_at=number if number < ENTRIES // 2 else None,
                fetched_at=timezone.now() if number < ENTRIES // 2 else None,
            )
            for desk in (northwind, outsider)
            for number in range(1, ENTRIES // 2 + 1)
        ]
    )


def test_a_poll_costs_the_same_wherever_it_begins_and_uses_an_index(cases: CaseDesk, many: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("DATABASE_URL does not name a PostgreSQL database, whose plans are looked at")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    # The one that is new gets its time.
    assert len(cases.poll(ENTRIES // 2 - 1).json()["entities"]) == 1
    counts = []
    for time, expected in ((0, 50), (ENTRIES // 4, 50), (ENTRIES // 2 - 5, 5)):
        with CaptureQueriesContext(connection) as queries:
            assert len(cases.poll(time).json()["entities"]) == expected
        counts.append(len(queries))
        with connection.cursor() as cursor:
            for query in queries:
                if query["sql"].startswith("SELECT") and "feedentry" in query["sql"] and "COUNT" not in query["sql"]:
                    cursor.execute(f"EXPLAIN {query['sql']}")
                    plan = "\n".join(line for (line,) in cursor.fetchall())
                    assert "Seq Scan on integrations_feedentry" not in plan, plan
    assert len(set(counts)) == 1
