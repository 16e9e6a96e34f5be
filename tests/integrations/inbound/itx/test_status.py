"""The status of a case: fixed and own, and what it does to the tasks."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.integrations.inbound.conftest import AGENT, make_task
from tests.integrations.inbound.itx.conftest import Catalogue, Itx, refused, second_task
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import OwnStatus, Task, Ticket
from tickets.tasks import release_holds


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("own_status").get(pk=ticket.pk)


def phases(ticket: Ticket) -> list[str]:
    return list(Task.objects.filter(ticket=ticket).order_by("pk").values_list("phase", flat=True))


def test_only_an_own_status_the_fixed_one_follows_it(itx: Itx):
    at_supplier = OwnStatus.objects.create(code="at-supplier", name="At the supplier", status=3)
    ticket = itx.raised(emsStatus={"emstId": at_supplier.pk})
    assert (ticket.status, ticket.own_status) == (3, at_supplier)


def test_both_and_different_the_fixed_one_wins_and_the_own_one_is_its_default(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(status=7, emsStatus={"emstId": catalogue.waiting.pk})
    assert (ticket.status, ticket.own_status) == (7, OwnStatus.default_of(7))
    itx.write(ticket, status=1, emsStatus={"emstId": catalogue.waiting.pk})
    assert again(ticket).own_status == catalogue.waiting
    itx.write(ticket, status=1, emsStatus={"emstId": OwnStatus.default_of(7).pk})
    assert (again(ticket).status, again(ticket).own_status) == (1, OwnStatus.default_of(1))


@pytest.mark.parametrize("status", [3, 4, 6, 7, 8])
def test_every_other_status_is_set_by_the_desk_that_raised_the_case(itx: Itx, status: int):
    ticket = itx.raised()
    assert itx.write(ticket, status=status).status_code == 200
    assert again(ticket).status == status
    assert phases(ticket) == [Phase.CLOSE if status in (4, 6) else Phase.INITIAL_SUPPORT]


def test_closing_closes_the_task_and_opening_reopens_it(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(emsStatus={"emstId": catalogue.waiting.pk})
    assert itx.write(ticket, status=2).json()["message"] == "The task was closed."
    assert (again(ticket).status, phases(ticket)) == (2, [Phase.CLOSE])
    repeated = itx.write(ticket, status=2)
    assert (repeated.status_code, repeated.json()["changed"]) == (200, False)
    assert itx.write(ticket, status=1).json()["message"] == "The task was reopened."
    assert (again(ticket).status, again(ticket).own_status) == (1, catalogue.waiting)
    assert phases(ticket) == [Phase.INITIAL_SUPPORT]


def test_a_case_is_closed_with_an_own_status(itx: Itx):
    solved = OwnStatus.objects.create(code="solved", name="Solved", status=2)
    ticket = itx.raised()
    itx.write(ticket, emsStatus={"emstId": solved.pk})
    assert (again(ticket).status, again(ticket).own_status) == (2, solved)


def test_what_is_not_in_the_table_is_refused_with_what_is(itx: Itx):
    ticket = itx.raised(status=4)
    response = itx.write(ticket, status=2)
    assert refused(response)[:2] == (409, "transition")
    assert "Open" in response.json()["message"]
    assert refused(itx.write(itx.raised(), status=5))[:2] == (409, "transition")


@pytest.mark.parametrize("status", [2, 4, 6])
def test_a_case_on_which_others_work_does_not_end(itx: Itx, status: int):
    ticket = itx.raised()
    second_task(ticket, None)
    assert refused(itx.write(ticket, status=status, description="Other")) == (409, "conflict", {"status"})
    assert (again(ticket).status, again(ticket).title) == (1, "No delivery")
    assert phases(ticket) == [Phase.INITIAL_SUPPORT, Phase.INITIAL_SUPPORT]


def test_a_case_that_was_given_to_another_desk_is_not_closed_over_its_head(itx: Itx, stranger: Itx):
    ticket = itx.raised()
    actions.assign_task(actor=AGENT, task=ticket.tasks.get(), group=stranger.desk.group)
    assert "given to others meanwhile" in itx.write(ticket, status=2).json()["message"]
    assert (again(ticket).status, phases(ticket)) == (1, [Phase.INITIAL_SUPPORT])
    assert refused(itx.write(ticket, status=4)) == (409, "conflict", {"status"})
    # Who works on it by now closes it.
    assert stranger.write(ticket, status=2).json()["message"] == "The task was closed."
    assert again(ticket).status == 2


def test_a_desk_that_only_works_on_the_case_closes_and_reopens_its_own_tasks(itx: Itx, given: Task):
    ticket = given.ticket
    other = second_task(ticket, None)
    assert itx.write(ticket, status=2).status_code == 200
    assert (again(ticket).status, phases(ticket)) == (1, [Phase.CLOSE, Phase.INITIAL_SUPPORT])
    actions.close_task(actor=AGENT, task=other)
    assert again(ticket).status == 2
    assert itx.write(ticket, status=1).status_code == 200
    assert (again(ticket).status, phases(ticket)) == (1, [Phase.INITIAL_SUPPORT, Phase.CLOSE])


def test_a_desk_that_only_works_on_the_case_takes_back_its_solution(itx: Itx, given: Task):
    actions.propose_solution(actor=AGENT, task=given, solution="New toner")
    assert again(given.ticket).status == 3
    assert itx.write(given.ticket, status=1).status_code == 200
    assert (again(given.ticket).status, phases(given.ticket)) == (1, [Phase.INITIAL_SUPPORT])


@pytest.mark.parametrize("status", [3, 4, 6, 7, 8])
def test_a_desk_that_only_works_on_the_case_sets_no_other_status(itx: Itx, given: Task, status: int):
    assert refused(itx.write(given.ticket, status=status)) == (409, "conflict", {"status"})
    assert again(given.ticket).status == 1


def test_a_hold_has_an_end_and_a_reason_and_the_case_returns(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(emsStatus={"emstId": catalogue.waiting.pk})
    until = timezone.now() + timedelta(hours=1)
    itx.write(ticket, status=8, onHoldToTs=until.isoformat(), onHoldComment="Closed for lunch")
    case = itx.case(ticket)
    assert (case["status"], case["onHoldComment"]) == (8, "Closed for lunch")
    assert case["emsStatusLastOpen"]["emstId"] == catalogue.waiting.pk
    itx.write(ticket, onHoldComment="Closed for good")
    assert (again(ticket).on_hold_until, again(ticket).on_hold_comment) == (until, "Closed for good")
    with time_machine.travel(until + timedelta(minutes=1)):
        release_holds()
    assert (again(ticket).status, again(ticket).own_status) == (1, catalogue.waiting)


def test_another_own_status_keeps_the_hold_and_a_case_read_on_hold_may_be_written_back_open(itx: Itx):
    lunch = OwnStatus.objects.create(code="lunch", name="At lunch", status=8)
    ticket = itx.raised(status=8, onHoldToTs="2040-01-01T00:00:00Z", onHoldComment="Later")
    itx.write(ticket, emsStatus={"emstId": lunch.pk})
    assert (again(ticket).own_status, again(ticket).on_hold_comment) == (lunch, "Later")
    case = itx.case(ticket)
    assert itx.post("itxems/case", {**case, "status": 1}).status_code == 200
    assert (again(ticket).status, again(ticket).on_hold_until, again(ticket).on_hold_comment) == (1, None, "")


def test_a_hold_that_is_over_or_of_a_case_that_is_not_on_hold_is_refused(itx: Itx):
    ticket = itx.raised()
    assert refused(itx.write(ticket, status=8, onHoldToTs="2020-01-01T00:00:00Z"))[0] == 400
    assert refused(itx.write(ticket, onHoldToTs="2040-01-01T00:00:00Z"))[2] == {"onHoldToTs"}
    assert again(ticket).status == 1


def test_a_change_wakes_a_closed_case_unless_it_names_the_status(itx: Itx):
    ticket = itx.raised(status=2)
    itx.write(ticket, description="Still closed", status=2)
    assert (again(ticket).status, again(ticket).title) == (2, "Still closed")
    itx.write(ticket, description="Awake")
    assert (again(ticket).status, again(ticket).title) == (1, "Awake")


def test_a_merged_case_is_refused_with_the_case_to_use(itx: Itx):
    source, middle, target = itx.raised(), itx.raised(), itx.raised()
    actions.merge_tickets(actor=AGENT, source=source, target=middle)
    actions.merge_tickets(actor=AGENT, source=middle, target=target)
    calls = [
        itx.write(source, description="Lost?"),
        itx.post("itxems/activitytexts", {"text": "Lost?", "activity": {"eactId": source.pk}}),
        itx.upload(source.pk, files=SimpleUploadedFile("a.txt", b"hello")),
    ]
    for response in calls:
        assert refused(response)[:2] == (409, "transition")
        assert f"seqNo {target.number} and the eactId {target.pk}" in response.json()["message"]
    assert itx.case(source, "getLinks")["status"] == 5
    assert itx.case(target, "getLinks")["links"][0]["type"] == "merged_from"


def test_a_case_that_was_merged_is_still_nobody_elses(itx: Itx, stranger: Itx):
    source, target = itx.raised(), make_task(stranger.desk).ticket
    actions.merge_tickets(actor=AGENT, source=source, target=target)
    assert itx.case(source)["status"] == 5
    assert stranger.post("itxems/cases/search", {"eactIds": [source.pk]}).json() == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"status": 8, "onHoldToTs": "2001-01-01T00:00:00Z"}, "onHoldToTs"),
        ({"status": 8, "onHoldToTs": "9999-12-31T23:59:59Z"}, "onHoldToTs"),
        ({"deadlineTs": "9999-12-31T23:59:59Z"}, "deadlineTs"),
        ({"deadlineTs": "0001-01-01T00:00:00Z"}, "deadlineTs"),
    ],
    ids=str,
)
def test_a_moment_that_is_over_or_beyond_the_calendar_is_named(itx: Itx, values: dict[str, Any], field: str):
    ticket = itx.raised()
    assert refused(itx.write(ticket, description="Other", **values)) == (400, "invalid", {field})
    assert itx.case(ticket)["description"] == "No delivery"
    assert refused(itx.post("itxems/case", {"description": "New", **values})) == (400, "invalid", {field})
    assert Ticket.objects.count() == 1
