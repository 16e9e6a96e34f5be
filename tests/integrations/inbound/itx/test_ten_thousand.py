"""Ten thousand cases: a fixed number of queries, and PostgreSQL looks them up instead of reading all of them."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integrations.inbound.conftest import AGENT, make_task
from tests.integrations.inbound.itx.conftest import Itx
from tests.integrations.inbound.itx.many import CASES, many_cases
from tickets import actions
from tickets.actions.listing import list_changes
from tickets.models import PropertyDefinition, Ticket

ALL = {"getMembers": True, "getComments": True, "getLinks": True, "getLogs": True, "getFiles": True}
SEARCHES: dict[str, dict[str, Any]] = {
    "everything": ALL,
    "by property": {**ALL, "propValues": [{"code": "room", "value": "12"}]},
    "changes": {**ALL, "changedFromTs": 0},
}


def grow(itx: Itx, rows: int) -> None:
    """Cases with notes, files, links, tags and properties."""
    PropertyDefinition.objects.get_or_create(code="room", defaults={"name": "Room"})
    for _ in range(rows):
        ticket = itx.raised(emsTags=["one", "two"], propValues=[{"code": "room", "value": "12"}])
        given = make_task(itx.desk).ticket
        for case in (ticket.pk, given.pk):
            itx.post("itxems/activitytexts", {"text": "Hello", "activity": {"eactId": case}})
        actions.link_tickets(actor=AGENT, ticket=given, other=ticket, kind="related")
        merged = itx.raised()
        actions.merge_tickets(actor=AGENT, source=merged, target=ticket)


@pytest.mark.parametrize("name", SEARCHES)
def test_the_number_of_queries_does_not_grow_with_the_cases(itx: Itx, name: str):
    counts = []
    for rows in (1, 4):
        grow(itx, rows)
        # The first look for changes gives them their moments.
        list_changes()
        with CaptureQueriesContext(connection) as queries:
            found = itx.post("itxems/cases/search", SEARCHES[name])
        assert len(found.json()) >= rows, found.content
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 25


def test_a_change_costs_the_same_however_many_cases_and_texts_there_are(itx: Itx):
    counts = []
    for rows in (1, 4):
        grow(itx, rows)
        ticket = itx.raised()
        with CaptureQueriesContext(connection) as queries:
            assert itx.write(ticket, description="Other", status=8).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.fixture
def cases(itx: Itx) -> list[Ticket]:
    """Ten thousand, with their statistics."""
    if connection.vendor != "postgresql":
        pytest.skip("DATABASE_URL does not name a PostgreSQL database, whose plans are looked at")
    found = many_cases(itx.desk)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return found


def plans(itx: Itx, **filters: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """What a search finds, and PostgreSQL's plan of each of its queries for tickets."""
    with CaptureQueriesContext(connection) as queries:
        found = itx.post("itxems/cases/search", {**ALL, **filters}).json()
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT") and "tickets_" in query["sql"]]
    with connection.cursor() as cursor:
        texts = []
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            texts.append("\n".join(line for (line,) in cursor.fetchall()))
    return found, texts


def test_the_search_and_the_changes_use_an_index(itx: Itx, cases: list[Ticket]):
    some = [case for case in cases if int(case.number) % 10][5000:5050]
    searches: list[tuple[dict[str, Any], int]] = [
        ({"eactIds": [case.pk for case in some]}, 50),
        ({"seqNos": [int(case.number) for case in some]}, 50),
        ({"seqNo": int(some[0].number)}, 1),
        ({"changedFromTs": 0}, 50),
        ({"changedFromTs": 0, "limitTo": 200}, 200),
        ({"changedFromTs": some[0].listed_at.isoformat(), "changedFromEactId": some[0].pk}, 50),
        ({"changedFromTs": cases[CASES - 20].listed_at.isoformat()}, 18),
        ({}, 50),
    ]
    for filters, expected in searches:
        found, texts = plans(itx, **filters)
        assert len(found) == expected, filters
        assert texts
        for text in texts:
            for table in ("ticket", "note", "history", "member"):
                assert f"Seq Scan on tickets_{table} " not in text, text
