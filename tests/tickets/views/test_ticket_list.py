"""A person's tickets: search, filter, paging."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.tickets.views.cast import Cast, raise_ticket
from tickets import actions
from tickets.models import Priority, Task

LIST = "/tickets/"


def titles(browser: Client, query: str = "") -> list[str]:
    """The titles that the list shows."""
    return [ticket.title for ticket in browser.get(LIST + query).context["page"].object_list]


def test_a_person_sees_their_own_tickets_only_newest_first(cast: Cast, owner: Client, outsider: Client) -> None:
    raise_ticket(cast.outsider, "Not yours")
    raise_ticket(cast.owner, "Second")
    assert titles(owner) == ["Second", "The printer beeps"]
    assert titles(outsider) == ["Not yours"]
    assert "Not yours" not in owner.get(LIST).content.decode()


def test_the_status_is_said_in_words(cast: Cast, owner: Client) -> None:
    assert "Being worked on" in owner.get(LIST).content.decode()
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    assert "Solved: please check the solution" in owner.get(LIST).content.decode()


def test_search_finds_by_words_and_by_number_but_never_anothers(cast: Cast, owner: Client) -> None:
    raise_ticket(cast.owner, "A new chair")
    other = raise_ticket(cast.outsider, "A chair for Otto")
    assert titles(owner, "?search=chair") == ["A new chair"]
    assert titles(owner, f"?search={cast.ticket.number}") == ["The printer beeps"]
    assert titles(owner, f"?search={other.number}") == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", ["Received", "Closed", "Solved", "The printer beeps"]),
        ("open", ["Received", "Solved", "The printer beeps"]),
        ("check", ["Solved"]),
        ("closed", ["Closed"]),
    ],
)
def test_states_are_filtered_in_the_persons_words(state: str, expected: list[str], cast: Cast, owner: Client) -> None:
    solved = raise_ticket(cast.owner, "Solved")
    task = actions.create_task(actor=cast.desk, ticket=solved, group=cast.group)
    actions.propose_solution(actor=cast.desk, task=task, solution="Done.")
    actions.close_ticket(actor=cast.desk, ticket=raise_ticket(cast.owner, "Closed"))
    raise_ticket(cast.owner, "Received")
    assert titles(owner, f"?status={state}") == expected


def test_priorities_are_filtered(cast: Cast, owner: Client) -> None:
    urgent = Priority.objects.get(code="P1")
    assert titles(owner, f"?priority={urgent.pk}") == []
    actions.change_ticket(actor=cast.desk, ticket=cast.ticket, priority=urgent)
    assert titles(owner, f"?priority={urgent.pk}") == ["The printer beeps"]


def test_only_what_means_something_to_end_users_is_offered(cast: Cast, owner: Client) -> None:
    assert list(owner.get(LIST).context["form"].fields) == ["search", "status", "priority"]


def test_pages_keep_the_search(cast: Cast, owner: Client) -> None:
    for number in range(25):
        raise_ticket(cast.owner, f"Chair {number}")
    answer = owner.get(LIST + "?search=chair&page=2")
    assert len(answer.context["page"].object_list) == 5
    assert "?search=chair&amp;page=1" in answer.content.decode()
    assert "25 tickets" in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["?page=x", "?page=-4", "?page=99", "?status=no", "?priority=zz", "?search=%00", "?search=" + "a+" * 900]
)
def test_nonsense_in_the_address_is_no_error(query: str, cast: Cast, owner: Client) -> None:
    assert owner.get(LIST + query).status_code == 200


def test_no_match_and_no_tickets_say_what_to_do(cast: Cast, owner: Client, outsider: Client) -> None:
    assert "No ticket matches" in owner.get(LIST + "?search=zebra").content.decode()
    assert "Raise your first ticket" in outsider.get(LIST).content.decode()


def test_a_title_from_outside_is_text(cast: Cast, owner: Client) -> None:
    raise_ticket(cast.owner, "<script>alert(1)</script>")
    content = owner.get(LIST).content.decode()
    assert "<script>alert" not in content
    assert "&lt;script&gt;alert" in content


def test_the_number_of_queries_does_not_grow(
    cast: Cast, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def more(count: int) -> None:
        for _each in range(count):
            ticket = raise_ticket(cast.owner, "Many")
            actions.create_task(actor=cast.desk, ticket=ticket, group=cast.group)

    more(2)
    owner.get(LIST)
    with django_assert_max_num_queries(50) as few:
        owner.get(LIST)
    more(15)
    assert Task.objects.count() == 18
    with django_assert_max_num_queries(len(few)):
        owner.get(reverse("tickets:list"))
