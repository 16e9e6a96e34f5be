"""What a case says, written again: by the desk that raised it, and by one that only works on it."""

from typing import Any

import pytest

from integrations.models import ExternalReference, ExternalSystem, GroupBinding, Process, ProcessRun
from tests.integrations.inbound.itx.conftest import Catalogue, Itx, refused
from tickets.models import History, PropertyDefinition, Task, Ticket


@pytest.fixture
def full(itx: Itx, catalogue: Catalogue) -> Ticket:
    """A case with everything that can be emptied."""
    PropertyDefinition.objects.create(code="room", name="Room", kind="number")
    return itx.raised(
        details="Expected on Monday.",
        entityExtension={"eeexId": catalogue.contact.pk},
        category={"ctnoId": catalogue.category.pk},
        queue={"ucquId": catalogue.queue.pk},
        priority={"emprId": catalogue.urgent.pk},
        deadlineTs="2030-01-31T12:00:00Z",
        emsTags=["vip"],
        propValues=[{"code": "room", "value": 12}],
    )


def said(itx: Itx, ticket: Ticket) -> dict[str, Any]:
    """What the case says, without its times."""
    case = itx.case(ticket, "getMembers")
    names = ("description", "details", "entityExtension", "category", "queue", "priority", "deadlineTs")
    return {name: case[name] for name in (*names, "emsTags", "propValues")}


def test_what_is_left_out_stays(itx: Itx, full: Ticket):
    before = said(itx, full)
    assert itx.write(full, description="A late delivery").status_code == 200
    assert said(itx, full) == before | {"description": "A late delivery"}


def test_where_the_switch_says_so_what_is_left_out_is_emptied_but_for_what_a_case_must_have(itx: Itx, full: Ticket):
    ExternalSystem.objects.update(missing_fields_wipe=True)
    before = said(itx, full)
    assert itx.write(full, description="A late delivery").status_code == 200
    empty = dict.fromkeys(("entityExtension", "category", "queue", "deadlineTs"))
    assert said(itx, full) == before | empty | {"description": "A late delivery", "emsTags": [], "propValues": []}


def test_with_the_switch_a_case_that_is_written_back_whole_changes_only_where_it_differs(itx: Itx, full: Ticket):
    ExternalSystem.objects.update(missing_fields_wipe=True)
    flags = ("getMembers", "getComments", "getLinks", "getLogs", "getFiles")
    case = itx.case(full, *flags)
    rows = History.objects.count()
    assert itx.post("itxems/case", case).json()["changed"] is False
    assert History.objects.count() == rows
    assert itx.post("itxems/case", {**case, "description": "Other"}).json()["changed"] is True
    assert History.objects.count() == rows + 1


def test_the_switch_empties_nothing_for_a_desk_that_only_works_on_the_case(itx: Itx, given: Task):
    ExternalSystem.objects.update(missing_fields_wipe=True)
    assert itx.write(given.ticket, description=given.ticket.title).json()["changed"] is False
    assert Ticket.objects.get(pk=given.ticket_id).contact is not None


def test_null_empties_what_may_be_empty_and_leaves_the_rest(itx: Itx, full: Ticket):
    before = said(itx, full)
    itx.write(full, entityExtension=None, queue=None, priority=None, description=None, status=None, members=None)
    assert said(itx, full) == before | {"entityExtension": None, "queue": None}


def test_every_change_is_in_the_history_by_the_desk(itx: Itx, catalogue: Catalogue, full: Ticket):
    values = {
        "description": "Other",
        "entityExtension": {"eeexId": catalogue.other_contact.pk},
        "priority": {"emprId": catalogue.normal.pk},
        "deadlineTs": None,
        "emsTags": [],
        "propValues": [{"code": "room", "value": None}],
    }
    before = History.objects.count()
    itx.write(full, **values)
    rows = History.objects.order_by("pk")[before:]
    fields = {row.field for row in rows}
    assert fields == {"title", "contact", "priority", "deadline_at", "tags", "property_room"}
    assert {row.actor_key for row in rows} == {itx.desk.system.actor_key}


@pytest.mark.parametrize(
    "name",
    ["description", "details", "entityExtension", "category", "queue", "priority", "deadlineTs", "emsTags"],
)
def test_a_desk_that_only_works_on_the_case_changes_nothing_of_it(
    itx: Itx, catalogue: Catalogue, given: Task, name: str
):
    values: dict[str, Any] = {
        "description": "Mine",
        "details": "Mine",
        "entityExtension": {"eeexId": catalogue.contact.pk},
        "category": {"ctnoId": catalogue.category.pk},
        "queue": {"ucquId": catalogue.queue.pk},
        "priority": {"emprId": catalogue.urgent.pk},
        "deadlineTs": 1893456000000,
        "emsTags": ["mine"],
    }
    assert refused(itx.write(given.ticket, status=2, **{name: values[name]})) == (409, "conflict", {name})
    ticket = Ticket.objects.get(pk=given.ticket_id)
    assert (ticket.version, ticket.status) == (given.ticket.version, 1)


def test_a_desk_that_only_works_on_the_case_may_write_back_what_it_has_read(itx: Itx, given: Task):
    PropertyDefinition.objects.create(code="room", name="Room")
    case = itx.case(given.ticket, "getMembers")
    assert itx.post("itxems/case", case).json()["changed"] is False
    for name, value in (("propValues", [{"code": "room", "value": "12"}]), ("members", [])):
        response = itx.post("itxems/case", {**case, name: value})
        assert (response.status_code, name) in ((409, "propValues"), (200, "members"))
    assert itx.post("itxems/case", {**case, "status": 2}).status_code == 200
    assert Ticket.objects.get(pk=given.ticket_id).status == 2


def test_properties_are_typed_and_what_does_not_fit_is_named(itx: Itx, full: Ticket):
    assert itx.case(full)["propValues"] == [{"code": "room", "name": "Room", "type": "number", "value": 12}]
    wrong = itx.write(full, propValues=[{"code": "room", "value": "upstairs"}])
    assert refused(wrong) == (400, "invalid", {"propValues"})
    twice = [{"code": "room", "value": 1}, {"name": "Room", "value": 2}]
    assert refused(itx.write(full, propValues=twice)) == (400, "invalid", {"propValues"})


def test_a_change_starts_the_incoming_process_and_goes_nowhere_else(itx: Itx, full: Ticket):
    process = Process.objects.create(name="Everything")
    GroupBinding.objects.update(incoming_process=process, update_process=process, closure_process=process)
    itx.write(full, description="Other")
    run = ProcessRun.objects.get()
    assert (run.direction, run.operation, run.stream.task) == ("In", "update", full.tasks.get())
    itx.write(full, description="Other")
    assert ProcessRun.objects.count() == 1


def test_another_desk_s_case_and_one_that_there_is_not_are_the_same(itx: Itx, stranger: Itx, full: Ticket):
    for case in (full.pk, 2**63 - 1):
        response = stranger.write(case, description="Mine")
        assert refused(response)[:2] == (404, "not_found")
        assert response.json()["message"] == f"There is no case {case} for you."
    assert Ticket.objects.get().title == "No delivery"


@pytest.mark.parametrize("name", ["members", "propValues", "emsTags"])
def test_a_row_that_is_null_is_refused_and_named(itx: Itx, full: Ticket, name: str):
    before = said(itx, full)
    assert refused(itx.write(full, **{name: [None]})) == (400, "invalid", {f"{name}.0"})
    assert said(itx, full) == before


@pytest.mark.parametrize("tag", ["", {"name": ""}, {"emtaId": 1}, {}])
def test_a_tag_without_a_name_is_refused_and_empties_nothing(itx: Itx, full: Ticket, tag: Any):
    assert refused(itx.write(full, emsTags=[tag])) == (400, "invalid", {"emsTags.0"})
    assert [held["name"] for held in itx.case(full)["emsTags"]] == ["vip"]


def test_a_number_that_comes_with_a_change_is_stored_once_and_another_one_is_refused(itx: Itx, given: Task):
    first = itx.write(given.ticket, externalId="NW-7", status=1)
    assert (first.json()["externalId"], first.json()["changed"]) == ("NW-7", True)
    assert ExternalReference.objects.get(task=given).value == "NW-7"
    assert itx.post("itxems/case", itx.case(given.ticket)).json()["changed"] is False
    other = itx.write(given.ticket, externalId="NW-8", status=2)
    assert (refused(other)[:2], "NW-7" in other.json()["message"]) == ((409, "conflict"), True)
    assert itx.case(given.ticket)["status"] == 1
    assert itx.write(given.ticket, externalId=None).json()["changed"] is False
