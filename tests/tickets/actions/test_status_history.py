"""What the history says of a change of status: nothing that did not happen."""

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.lifecycle import SHELVED, Phase, TicketStatus
from tickets.models import OwnStatus, Task, Ticket

pytestmark = pytest.mark.django_db


def told(ticket: Ticket) -> list[tuple[str, str, str]]:
    """The changes of the fixed status."""
    return list(ticket.history.filter(field="status").order_by("pk").values_list("event", "old", "new"))


@pytest.mark.parametrize("status", SHELVED)
def test_a_ticket_with_an_open_task_is_deleted_without_being_closed_and_reopened(desk: Desk, status: int) -> None:
    ticket = desk.ticket()
    desk.task(ticket=ticket)
    actions.set_status(actor=desk.by_agent, ticket=ticket, status=status)
    assert told(ticket) == [("status_changed", "1", str(int(status)))]
    assert Task.objects.get().phase == Phase.CLOSE


def test_a_closed_ticket_that_is_deleted_was_not_reopened(desk: Desk) -> None:
    ticket = desk.ticket()
    for status in (TicketStatus.CLOSED, TicketStatus.DELETED):
        actions.set_status(actor=desk.by_agent, ticket=ticket, status=status)
    assert told(ticket) == [("ticket_closed", "1", "2"), ("status_changed", "2", "4")]


def test_an_own_status_that_disagrees_becomes_the_default_also_where_the_fixed_one_stays(desk: Desk) -> None:
    vendor = OwnStatus.objects.create(code="vendor", name="Vendor", status=TicketStatus.AWAITING_EXTERNAL)
    other = OwnStatus.objects.create(code="progress", name="Progress", status=TicketStatus.OPEN)
    ticket = actions.set_status(actor=desk.by_agent, ticket=desk.ticket(), own_status=vendor)
    ticket = actions.set_status(actor=desk.by_agent, ticket=ticket, status=3, own_status=other)
    assert ticket.own_status == OwnStatus.default_of(TicketStatus.AWAITING_EXTERNAL)
