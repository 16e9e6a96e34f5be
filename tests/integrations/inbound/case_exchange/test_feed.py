"""The feed: what is published, in order, from a time on, page by page."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Exchange, FeedEntry, Outcome, Way
from tests.integrations.inbound.case_exchange.conftest import CaseDesk, entry_for, problem, wrong_fields
from tests.integrations.inbound.conftest import Desk, make_task
from tickets.models import Task


def operations(response: Any) -> list[str]:
    """The operations of an answer, in order."""
    return [entity["ext_properties"]["Operation"] for entity in response.json()["entities"]]


def times(response: Any) -> list[int]:
    """The feed times of an answer."""
    return [entity["properties"]["LastUpdateTime"] for entity in response.json()["entities"]]


@pytest.fixture
def published(northwind: Desk, known: Task) -> list[FeedEntry]:
    """Five entries."""
    return [entry_for(known, northwind.system, name) for name in ("assign", "update", "resolve", "reopen", "close")]


def test_everything_is_listed_from_zero_oldest_first(cases: CaseDesk, published: list[FeedEntry]):
    response = cases.poll()
    assert operations(response) == ["Assign", "Update", "Resolve", "Reopen", "Close"]
    assert times(response) == sorted(set(times(response)))
    assert response.json()["meta"]["total_count"] == 5


def test_only_what_is_later_than_the_given_time_is_listed(cases: CaseDesk, published: list[FeedEntry]):
    seen = times(cases.poll())
    assert operations(cases.poll(seen[2])) == ["Reopen", "Close"]
    assert operations(cases.poll(seen[4])) == []
    assert operations(cases.poll(seen[0] - 1)) == ["Assign", "Update", "Resolve", "Reopen", "Close"]


def test_the_same_time_again_lists_the_same_with_the_same_times(cases: CaseDesk, published: list[FeedEntry]):
    assert cases.poll().content == cases.poll().content


def test_pages_go_on_where_the_one_before_ended(cases: CaseDesk, northwind: Desk, published: list[FeedEntry]):
    first = cases.poll(size=2)
    entry_for(published[0].task, northwind.system, "cancel")
    second, third = cases.poll(skip=2, size=2), cases.poll(skip=4, size=2)
    assert [*operations(first), *operations(second), *operations(third)] == [
        *("Assign", "Update", "Resolve", "Reopen", "Close", "Cancel")
    ]
    assert (first.json()["meta"]["total_count"], third.json()["meta"]["total_count"]) == (5, 6)


def test_the_query_time_of_an_answer_is_the_time_to_go_on_from(cases: CaseDesk, published: list[FeedEntry]):
    found, time = [], 0
    for _poll in range(4):
        response = cases.poll(time, size=2)
        found += operations(response)
        time = response.json()["meta"]["query_time"]
    assert found == ["Assign", "Update", "Resolve", "Reopen", "Close"]
    assert cases.poll(time).json()["meta"]["query_time"] == time


def test_another_desks_entries_are_not_listed(cases: CaseDesk, outsider: Desk, known: Task):
    entry_for(make_task(outsider), outsider.system)
    assert cases.poll().json()["meta"]["total_count"] == 0
    assert FeedEntry.objects.get().listed_at is None


def test_the_caller_names_itself_by_code_or_name_and_nobody_else(cases: CaseDesk, outsider: Desk):
    assert cases.poll(system="Northwind").status_code == 200
    assert problem(cases.poll(system="fabrikam")) == problem(cases.poll(system="nobody")) == (404, "not_found")


def test_the_layout_says_which_properties_are_listed(cases: CaseDesk, published: list[FeedEntry]):
    (entity, *_others) = cases.poll(layout="Id, DisplayLabel").json()["entities"]
    assert set(entity["properties"]) == {"Id", "LastUpdateTime", "DisplayLabel"}
    assert entity["ext_properties"]["Operation"] == "Assign"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"time": "yesterday"}, "time"),
        ({"time": "-1"}, "time"),
        ({"time": "1e3"}, "time"),
        ({"time": ""}, "time"),
        ({"time": "9" * 30}, "time"),
        ({"size": "0"}, "size"),
        ({"size": "201"}, "size"),
        ({"skip": "-1"}, "skip"),
        ({"skip": ["0", "1"]}, "skip"),
        ({"type": "Request"}, "type"),
        ({"layout": "Id,Secret"}, "layout"),
        ({"since": "0"}, "since"),
    ],
)
def test_a_parameter_that_is_unknown_or_malformed_is_refused_and_named(
    cases: CaseDesk, query: dict[str, Any], field: str
):
    response = cases.client.get("/rest/deskbridge/ces", query)
    assert problem(response) == (400, "invalid")
    assert list(wrong_fields(response)) == [field]
    assert Exchange.objects.get().outcome == Outcome.REFUSED


def test_an_entry_is_in_the_log_once_when_it_is_first_fetched(
    cases: CaseDesk, northwind: Desk, published: list[FeedEntry]
):
    cases.poll(size=2)
    assert Exchange.objects.count() == 2
    cases.poll()
    cases.poll()
    exchanges = list(Exchange.objects.order_by("pk"))
    assert [exchange.operation for exchange in exchanges] == ["assign", "update", "resolve", "reopen", "close"]
    first = exchanges[0]
    assert (first.way, first.outcome, first.dialect) == (Way.OUT, Outcome.SUCCEEDED, "case_exchange")
    assert (first.system, first.task) == (northwind.system, published[0].task)
    assert published[0].task.number in first.request_body


def test_what_looks_like_a_secret_is_sent_and_not_logged(cases: CaseDesk, northwind: Desk, known: Task):
    entry_for(known, northwind.system, Description="password=hunter22 https://ada:hunter22@example.com")
    assert "hunter22" in cases.poll().content.decode()
    exchange = Exchange.objects.get()
    assert "hunter22" not in exchange.request_body
    assert "Description" in exchange.request_body


def test_a_head_request_fetches_nothing(cases: CaseDesk, published: list[FeedEntry]):
    assert cases.client.head("/rest/deskbridge/ces").status_code == 200
    assert not Exchange.objects.exists()


def test_a_poll_without_news_writes_nothing(cases: CaseDesk, published: list[FeedEntry]):
    cases.poll()
    with CaptureQueriesContext(connection) as queries:
        cases.poll()
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_the_number_of_queries_does_not_grow_with_the_entries(cases: CaseDesk, northwind: Desk, known: Task):
    counts = []
    # As many as fit into one INSERT on every database.
    for rows in (2, 40):
        for _row in range(rows):
            entry_for(known, northwind.system)
        with CaptureQueriesContext(connection) as queries:
            assert len(cases.poll(size=200).json()["entities"]) >= rows
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 20
