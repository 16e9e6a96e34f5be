"""What changed since a moment is listed without a gap, also where a transaction commits late."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from tests.cast import Desk
from tickets import actions
from tickets.actions.listing import list_changes
from tickets.models import Ticket


def poll(since: dt.datetime | None) -> tuple[set[str], dt.datetime | None]:
    """What a desk does that asks what changed: the numbers that are new to it, and its next moment."""
    list_changes()
    rows = Ticket.objects.filter(listed_at__isnull=False)
    if since is not None:
        rows = rows.filter(listed_at__gt=since)
    found = list(rows.values_list("number", "listed_at"))
    return {number for number, _at in found}, max((at for _number, at in found), default=since)


def test_every_change_is_listed_once_and_in_rising_time(desk: Desk) -> None:
    one, two = desk.ticket(), desk.ticket()
    seen, moment = poll(None)
    assert seen == {one.number, two.number}
    assert poll(moment) == (set(), moment)
    actions.add_note(actor=desk.by_agent, ticket=one, body="News")
    seen, later = poll(moment)
    assert seen == {one.number}
    assert later > moment


def test_a_clock_that_is_set_back_loses_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    _seen, moment = poll(None)
    with time_machine.travel(timezone.now() - dt.timedelta(hours=1)):
        actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["late"])
        assert poll(moment)[0] == {ticket.number}


def test_a_remark_is_no_change(desk: Desk) -> None:
    ticket = desk.ticket()
    _seen, moment = poll(None)
    actions.add_remark(actor=desk.by_agent, ticket=ticket, text="x")
    assert poll(moment)[0] == set()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_after_others_were_listed_is_not_skipped(desk: Desk) -> None:
    """Somebody holds a transaction open across two polls; the polls do not wait for it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: nobody else can change anything while a transaction is open")
    early, late = desk.ticket(), desk.ticket()
    _seen, moment = poll(None)
    changed, polled = threading.Event(), threading.Event()

    def change_slowly() -> None:
        try:
            with transaction.atomic():
                actions.add_note(actor=desk.by_agent, ticket=late, body="Slow")
                changed.set()
                assert polled.wait(20)
        finally:
            connection.close()

    writer = threading.Thread(target=change_slowly)
    writer.start()
    assert changed.wait(20)
    actions.add_note(actor=desk.by_agent, ticket=early, body="Fast")
    seen, moment = poll(moment)
    polled.set()
    writer.join(20)
    assert seen == {early.number}
    assert poll(moment)[0] == {late.number}
