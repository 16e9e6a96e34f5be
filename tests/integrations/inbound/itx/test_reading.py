"""What changed since, without a gap; and what a case tells of others."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.integrations.inbound.conftest import AGENT, make_task
from tests.integrations.inbound.itx.conftest import Itx
from tickets import actions
from tickets.models import Task, Ticket


def changes(itx: Itx, since: Any = 0, case: int | None = None, size: int = 50) -> list[tuple[int, str]]:
    """Case and moment of what changed since."""
    place = {} if case is None else {"changedFromEactId": case}
    found = itx.post("itxems/cases/search", {"changedFromTs": since, "limitTo": size, **place}).json()
    return [(row["eactId"], row["changedTs"]) for row in found]


def test_changes_of_any_kind_are_listed_once_each_page_from_where_the_last_one_ended(itx: Itx):
    tickets = [make_task(itx.desk).ticket for _ in range(7)]
    make_task(None)
    seen: list[int] = []
    since, case = "1970-01-01T00:00:00Z", None
    while page := changes(itx, since, case, size=3):
        seen += [pk for pk, _moment in page]
        case, since = page[-1]
    assert seen == [ticket.pk for ticket in tickets]
    actions.add_note(actor=AGENT, ticket=tickets[3], body="News")
    actions.set_tags(actor=AGENT, ticket=tickets[1], names=["vip"])
    assert [pk for pk, _moment in changes(itx, since, case)] == [tickets[1].pk, tickets[3].pk]
    # Without the case, those of the very moment come again: nothing is missed.
    assert [pk for pk, _moment in changes(itx, since)][-2:] == [tickets[1].pk, tickets[3].pk]


def test_a_change_that_is_committed_late_is_listed_after_what_was_seen_before(itx: Itx):
    early, late = make_task(itx.desk).ticket, make_task(itx.desk).ticket
    Ticket.objects.filter(pk=late.pk).update(listed_at=timezone.now() + timedelta(days=365))
    (_pk, since), *_rest = changes(itx)
    # As if its transaction had begun before that look and ended after it.
    Ticket.objects.filter(pk=late.pk).update(updated_at=timezone.now() - timedelta(days=2), listed_at=None)
    assert [pk for pk, _moment in changes(itx, since, early.pk)] == [late.pk]


def test_links_to_cases_of_others_are_not_told(itx: Itx, given: Task):
    ours, theirs = make_task(None).ticket, itx.raised()
    actions.link_tickets(actor=AGENT, ticket=given.ticket, other=ours, kind="related")
    actions.link_tickets(actor=AGENT, ticket=given.ticket, other=theirs, kind="sub_case")
    (link,) = itx.case(given.ticket, "getLinks")["links"]
    assert (link["type"], link["activity"]["eactId"]) == ("sub_case", theirs.pk)
    assert itx.case(theirs, "getLinks")["links"][0]["type"] == "parent"


def test_logs_tell_of_status_and_assignment_and_of_the_desk_s_own_tasks_alone(itx: Itx, given: Task):
    other = actions.create_task(actor=AGENT, ticket=given.ticket)
    actions.propose_solution(actor=AGENT, task=other, solution="x")
    actions.propose_solution(actor=AGENT, task=given, solution="New toner")
    logs = itx.case(given.ticket, "getLogs")["logs"]
    assert [(log["attribute"], log["oldValue"], log["newValue"]) for log in logs if log["attribute"] != "group"] == [
        ("phase", "initial_support", "review"),
        ("status", "1", "3"),
        ("emsStatus", "Open", "Awaiting external action"),
    ]
    assert {log["user"]["name"] for log in logs} == {"Agent"}
