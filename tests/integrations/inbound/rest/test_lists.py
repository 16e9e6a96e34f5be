"""What a desk reads: its tasks and nothing else, filtered and page by page."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from integrations.inbound import operations
from integrations.models import Exchange
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.models import Task, Ticket, Visibility


def numbers(response: Any) -> list[str]:
    """Of the tasks on the page."""
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


def test_a_desk_reads_the_tasks_of_its_groups_and_those_with_its_reference(northwind: Desk, outsider: Desk):
    mine = make_task(northwind)
    solved = make_task(northwind, reference="INC-1")
    actions.propose_solution(actor=AGENT, task=solved, solution="Done")
    given_on = make_task(northwind, reference="INC-2")
    actions.assign_task(actor=AGENT, task=given_on, group=outsider.group)
    make_task(outsider)
    make_task(None)
    assert numbers(northwind.get("tasks/")) == [mine.number, solved.number, given_on.number]


def test_filters_narrow_and_ordering_turns(northwind: Desk, outsider: Desk):
    old, new = make_task(northwind, reference="INC-1"), make_task(northwind)
    operations.reassign(system=northwind.system, task=old, solution="Done")
    cases = {
        "phase=review": [old.number],
        "phase=initial_support": [new.number],
        "group=northwind-support": [new.number],
        "reference=INC-1": [old.number],
        f"ticket={new.ticket.number}": [new.number],
        "ordering=-created_at": [new.number, old.number],
        "ordering=number&phase=close": [],
    }
    assert {query: numbers(northwind.get(f"tasks/?{query}")) for query in cases} == cases


def test_a_reference_of_another_system_finds_nothing(northwind: Desk, outsider: Desk):
    make_task(outsider, reference="INC-1")
    make_task(northwind)
    assert numbers(northwind.get("tasks/?reference=INC-1")) == []


@pytest.mark.parametrize("form", ["{:%Y-%m-%dT%H:%M:%SZ}", "{:%Y-%m-%dT%H:%M:%S+00:00}", "{:%Y-%m-%d %H:%M:%S}"])
@pytest.mark.parametrize("escaped", [True, False])
def test_modified_since_counts_notes_and_takes_moments_as_people_write_them(
    northwind: Desk, form: str, escaped: bool
):
    old, noted = make_task(northwind), make_task(northwind)
    past = timezone.now() - timedelta(days=2)
    Task.objects.update(updated_at=past)
    Ticket.objects.update(updated_at=past, listed_at=past)
    actions.add_note(actor=AGENT, ticket=noted.ticket, body="News")
    moment = form.format(timezone.now() - timedelta(days=1))
    query = urlencode({"modified_since": moment}) if escaped else f"modified_since={moment}".replace(" ", "%20")
    assert numbers(northwind.get(f"tasks/?{query}")) == [noted.number]
    assert old.number not in numbers(northwind.get(f"tasks/?{query}"))


def test_pages_follow_each_other(northwind: Desk):
    expected = [make_task(northwind).number for _ in range(5)]
    seen, query = [], "tasks/?limit=2&ordering=number"
    while query:
        page = northwind.get(query)
        assert page.json()["count"] == 5
        seen += numbers(page)
        query = (page.json()["next"] or "").partition("/api/v1/")[2]
    assert seen == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("phase=done", "phase"),
        ("fase=review", "fase"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=abc", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("limit=%D9%A3", "limit"),
        ("modified_since=yesterday", "modified_since"),
        ("modified_since=0001-01-01T00:00:00%2B14:00", "modified_since"),
        ("ordering=title", "ordering"),
        ("reference=%00", "reference"),
        ("phase=review&phase=close", "phase"),
    ],
)
def test_a_query_that_is_not_understood_is_refused_and_named(northwind: Desk, query: str, named: str):
    response = northwind.get(f"tasks/?{query}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert list(response.json()["errors"]) == [named]


def test_a_desk_reads_exactly_what_it_was_sent_and_what_it_wrote(northwind: Desk, task: Task):
    actions.add_note(
        actor=AGENT, ticket=task.ticket, task=task, body="Ours, internal", visibility=Visibility.INTERNAL
    )
    operations.update(
        system=northwind.system,
        task=task,
        text="Theirs",
        visibility=Visibility.INTERNAL,
        files=(actions.FileContent("a.txt", b"x"),),
    )
    (note,) = northwind.get(f"tasks/{task.number}/updates/").json()["results"]
    assert (note["text"], note["yours"], note["author"]) == ("Theirs", True, "Northwind")
    (file,) = note["attachments"]
    assert file == northwind.get(f"tasks/{task.number}/attachments/").json()["results"][0]


def test_a_file_is_always_a_download_whatever_it_says_it_is(northwind: Desk, task: Task):
    page = actions.FileContent("märz.html", b"<script>alert(1)</script>", "text/html")
    receipt = operations.attach(system=northwind.system, task=task, files=(page,))
    response = northwind.get(f"tasks/{task.number}/attachments/{receipt.attachments[0]}/")
    assert b"".join(response.streaming_content) == page.data
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_file_of_another_task_is_not_found(northwind: Desk, outsider: Desk, task: Task):
    foreign = make_task(outsider)
    file = operations.attach(
        system=outsider.system, task=foreign, files=(actions.FileContent("a", b"x"),)
    ).attachments[0]
    assert northwind.get(f"tasks/{task.number}/attachments/{file}/").status_code == 404
    assert northwind.get(f"tasks/{task.number}/attachments/{10**30}/").status_code == 404


def test_a_ticket_shows_only_the_tasks_that_are_theirs(northwind: Desk, outsider: Desk, task: Task):
    actions.create_task(actor=AGENT, ticket=task.ticket, group=outsider.group)
    (ticket,) = northwind.get("tickets/").json()["results"]
    assert [row["number"] for row in ticket["tasks"]] == [task.number]


def test_a_desk_reads_its_own_exchanges_only(northwind: Desk, outsider: Desk, task: Task):
    outsider.post(f"tasks/{task.number}/updates/", {"text": "x"})
    northwind.post(f"tasks/{task.number}/updates/", {"text": "x", "message_id": "m1"})
    (row,) = northwind.get("exchanges/").json()["results"]
    assert (row["task"], row["direction"], row["outcome"], row["message_id"]) == (
        task.number,
        "in",
        "succeeded",
        "m1",
    )
    assert northwind.get("exchanges/?outcome=refused").json()["count"] == 0
    assert outsider.get("exchanges/?outcome=refused&direction=in").json()["count"] == 1


def test_reading_leaves_no_trace_in_the_log(northwind: Desk, task: Task):
    for path in ("tasks/", f"tasks/{task.number}/", "exchanges/"):
        northwind.get(path)
    assert not Exchange.objects.exists()
