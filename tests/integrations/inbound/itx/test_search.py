"""The search really filters: each filter alone and together, pages, changes without a gap."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Exchange
from tests.integrations.inbound.conftest import make_task
from tests.integrations.inbound.itx.conftest import Catalogue, Itx, refused
from tickets.models import OwnStatus, PropertyDefinition, Ticket

PAST = timezone.now() - timedelta(days=2)
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def found(itx: Itx, catalogue: Catalogue) -> Callable[..., list[str]]:
    """The titles that a search finds. There is one that has everything, a bare one, and one of others."""
    PropertyDefinition.objects.create(code="room", name="Room", kind="number")
    itx.raised(
        description="Full: a printer 100%",
        entityExtension={"eeexId": catalogue.contact.pk},
        category={"ctnoId": catalogue.category.pk},
        queue={"ucquId": catalogue.queue.pk},
        priority={"emprId": catalogue.urgent.pk},
        emsStatus={"emstId": catalogue.waiting.pk},
        emsTags=["VIP", "late"],
        propValues=[{"code": "room", "value": 12}],
    )
    itx.raised(description="Bare", status=7)
    make_task(None, title="Full of others")
    Ticket.objects.filter(title="Bare").update(created_at=PAST, updated_at=PAST, external_update_at=PAST)

    def search(**filters: Any) -> list[str]:
        response = itx.post("itxems/cases/search", filters)
        assert response.status_code == 200, response.content
        return [case["description"].partition(":")[0] for case in response.json()]

    return search


@pytest.fixture
def full(found: Callable[..., list[str]]) -> Ticket:
    return Ticket.objects.get(title__startswith="Full:")


def test_without_a_filter_all_cases_of_the_desk_are_found_and_no_others(found: Callable[..., list[str]]):
    assert found() == ["Full", "Bare"]


def test_each_filter_finds_what_fits(found: Callable[..., list[str]], full: Ticket, catalogue: Catalogue):
    bare, others = Ticket.objects.get(title="Bare"), Ticket.objects.get(title="Full of others")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"eactIds": [full.pk, others.pk]}, ["Full"]),
        ({"eactId": bare.pk}, ["Bare"]),
        ({"seqNos": [int(bare.number), int(others.number)]}, ["Bare"]),
        ({"seqNo": int(full.number)}, ["Full"]),
        ({"statuses": [7]}, ["Bare"]),
        ({"statuses": [1, 7]}, ["Full", "Bare"]),
        ({"emstIds": [catalogue.waiting.pk]}, ["Full"]),
        ({"emstIds": [OwnStatus.default_of(7).pk]}, ["Bare"]),
        ({"ctnoIds": [catalogue.category.pk, 9999]}, ["Full"]),
        ({"emprIds": [catalogue.normal.pk]}, ["Bare"]),
        ({"ucquIds": [catalogue.queue.pk]}, ["Full"]),
        ({"eeexIds": [catalogue.contact.pk]}, ["Full"]),
        ({"eeexIds": [catalogue.other_contact.pk]}, []),
        ({"text": "PRINTER"}, ["Full"]),
        ({"text": "100%"}, ["Full"]),
        ({"text": "%"}, ["Full"]),
        ({"tags": ["vip"]}, ["Full"]),
        ({"tags": ["vip", "late"]}, ["Full"]),
        ({"tags": ["vip", "early"]}, []),
        ({"propValues": [{"code": "room", "value": "12.0"}]}, ["Full"]),
        ({"propValues": [{"name": "Room", "value": 13}]}, []),
        ({"propValues": [{"name": "Room", "value": None}]}, ["Bare"]),
        ({"createdFromTs": YESTERDAY.isoformat()}, ["Full"]),
        ({"createdToTs": YESTERDAY.isoformat()}, ["Bare"]),
        ({"updatedFromTs": int(YESTERDAY.timestamp() * 1000)}, ["Full"]),
        ({"externalUpdatedFromTs": YESTERDAY.isoformat()}, ["Full"]),
        ({"statuses": [1], "text": "Bare"}, []),
    ]
    for filters, expected in cases:
        assert found(**filters) == expected, filters


def test_the_same_filters_are_taken_in_the_query(itx: Itx, found: Callable[..., list[str]], full: Ticket):
    def titles(**query: Any) -> list[str]:
        response = itx.get("itxems/cases", **query)
        assert response.status_code == 200, response.content
        return [case["description"].partition(":")[0] for case in response.json()]

    bare = Ticket.objects.get(title="Bare")
    asked = {"seqNo": full.number, "getMembers": "true", "getComments": "1", "limitFrom": 0, "limitTo": 5}
    assert titles(**asked) == ["Full"]
    assert titles(eactIds=f"{full.pk},{bare.pk}", statuses="7") == ["Bare"]
    assert titles(eactIds=[full.pk, bare.pk]) == ["Full", "Bare"]
    assert titles(createdFromTs=int(YESTERDAY.timestamp() * 1000)) == ["Full"]
    assert titles(changedFromTs=0, createdFromTs=-1) == titles(createdFromTs="19700101") == ["Full", "Bare"]
    assert titles(updatedFromTs="2020-01-31T00:00:00+01:00", text="bare") == ["Bare"]
    assert titles(tags="vip,late") == ["Full"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "colour"),
    ({"eactIds": []}, "eactIds"),
    ({"eactIds": "one"}, "eactIds"),
    ({"eactIds": ["one"]}, "eactIds.0"),
    ({"eactIds": None}, "eactIds"),
    ({"eactIds": [10**30]}, "eactIds.0"),
    ({"eactIds": list(range(1, 1002))}, "eactIds"),
    ({"seqNo": 0}, "seqNo"),
    ({"statuses": [9]}, "statuses.0"),
    ({"text": ""}, "text"),
    ({"text": 5}, "text"),
    ({"tags": []}, "tags"),
    ({"propValues": [{"code": "wall", "value": 1}]}, "propValues"),
    ({"propValues": [{"code": "room", "value": "upstairs"}]}, "propValues"),
    ({"createdFromTs": "tomorrow"}, "createdFromTs"),
    ({"createdFromTs": None}, "createdFromTs"),
    ({"createdFromTs": True}, "createdFromTs"),
    ({"changedFromEactId": 1}, "changedFromEactId"),
    ({"limitFrom": -1}, "limitFrom"),
    ({"limitFrom": 5, "limitTo": 5}, "limitTo"),
    ({"limitTo": 201}, "limitTo"),
    ({"getMembers": "perhaps"}, "getMembers"),
]


@pytest.mark.parametrize(("filters", "field"), WRONG, ids=[str(filters)[:40] for filters, _field in WRONG])
def test_a_filter_that_is_unknown_or_wrong_is_named_and_finds_nothing(
    itx: Itx, found: Callable[..., list[str]], filters: dict[str, Any], field: str
):
    assert refused(itx.post("itxems/cases/search", filters)) == (400, "invalid", {field})


@pytest.mark.parametrize("query", ["colour=red", "seqNo=1&seqNo=2", "eactIds=", "seqNo=", "getMembers=", "text=%00"])
def test_in_the_query_too(itx: Itx, query: str):
    assert refused(itx.get(f"itxems/cases?{query}"))[:2] == (400, "invalid")


def test_pages_follow_each_other_and_have_fifty_cases_unless_asked_otherwise(itx: Itx):
    expected = [make_task(itx.desk).ticket_id for _ in range(52)]

    def page(**limits: int) -> list[int]:
        return [case["eactId"] for case in itx.post("itxems/cases/search", limits).json()]

    assert page() == expected[:50]
    assert page(limitFrom=50) == expected[50:]
    assert page(limitFrom=2, limitTo=5) == expected[2:5]
    assert page(limitFrom=100) == []


def test_what_was_not_asked_for_is_left_out(itx: Itx, full: Ticket):
    parts = {"members", "links", "texts", "logs", "coreFileReferences"}
    assert parts.isdisjoint(itx.case(full))
    flags = ("getMembers", "getLinks", "getComments", "getLogs", "getFiles")
    assert parts <= set(itx.case(full, *flags))


def test_of_a_search_the_log_keeps_what_was_asked_and_why_it_was_refused_but_no_cases(itx: Itx, full: Ticket):
    itx.case(full, "getComments")
    itx.post("itxems/cases/search", {"colour": "red"})
    found, wrong = Exchange.objects.filter(operation="search").order_by("pk")
    assert (found.status, found.response_body, str(full.pk) in found.request_body) == (200, "", True)
    assert (wrong.status, "colour" in wrong.response_body) == (400, True)
