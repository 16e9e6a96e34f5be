"""Sub-cases stay a tree, whatever is merged."""

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.errors import InvalidInput
from tickets.models import Link, LinkKind, Ticket


def sub_case(desk: Desk, ticket: Ticket, other: Ticket) -> Link:
    """`other` becomes a sub-case of `ticket`."""
    return actions.link_tickets(actor=desk.by_agent, ticket=ticket, other=other, kind=LinkKind.SUB_CASE)


def family() -> set[tuple[str, str]]:
    """Parents and sub-cases, by their numbers."""
    return set(Link.objects.filter(kind=LinkKind.SUB_CASE).values_list("ticket__number", "other__number"))


@pytest.fixture
def line(desk: Desk) -> list[Ticket]:
    """1001 above 1002 above 1003."""
    tickets = [desk.ticket() for _ in range(3)]
    sub_case(desk, tickets[0], tickets[1])
    sub_case(desk, tickets[1], tickets[2])
    return tickets


def test_merging_a_grandparent_into_its_grandchild_makes_no_circle(desk: Desk, line: list[Ticket]) -> None:
    actions.merge_tickets(actor=desk.by_agent, source=line[0], target=line[2])
    assert family() == {("1002", "1003")}


def test_merging_a_grandchild_into_its_grandparent_makes_no_circle(desk: Desk, line: list[Ticket]) -> None:
    actions.merge_tickets(actor=desk.by_agent, source=line[2], target=line[0])
    assert family() == {("1001", "1002")}


def test_merging_into_the_parent_hands_the_sub_cases_up(desk: Desk, line: list[Ticket]) -> None:
    actions.merge_tickets(actor=desk.by_agent, source=line[1], target=line[0])
    assert family() == {("1001", "1003")}


def test_a_circle_that_is_there_already_is_no_endless_way(desk: Desk, line: list[Ticket]) -> None:
    Link.objects.create(ticket=line[2], kind=LinkKind.SUB_CASE, other=line[0])
    sub_case(desk, line[0], desk.ticket())
    with pytest.raises(InvalidInput, match="sub-case of 1003 already"):
        sub_case(desk, line[1], line[0])


def test_a_link_that_was_moved_by_a_merge_meanwhile_is_not_removed_under_its_old_name(
    desk: Desk, line: list[Ticket]
) -> None:
    link = Link.objects.get(other=line[2])
    target = desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=line[1], target=target)
    before = line[1].history.count()
    actions.unlink_tickets(actor=desk.by_agent, link=link)
    assert (target.number, "1003") in family()
    assert line[1].history.count() == before
