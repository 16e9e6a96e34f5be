"""Both examples of the ITX document, verbatim in their shape, and a case that is created with everything."""

from typing import Any

import pytest

from integrations.models import Exchange, ExternalReference, Outcome
from tests.integrations.inbound.itx.conftest import Catalogue, Itx, refused
from tickets.lifecycle import Phase
from tickets.models import History, MemberRole, OwnStatus, PropertyDefinition, Task, Ticket


def test_a_new_open_case_on_a_contact_with_queue_category_and_priority_set(itx: Itx, catalogue: Catalogue):
    response = itx.post(
        "itxems/case",
        {
            "description": "Example case title",
            "entityExtension": {"eeexId": catalogue.contact.pk},
            "status": 1,
            "emsStatus": {"emstId": catalogue.waiting.pk},
            "corporation": {"corpId": 1},
            "queue": {"ucquId": catalogue.queue.pk},
            "category": {"ctnoId": catalogue.category.pk},
            "priority": {"empriId": catalogue.urgent.pk},
        },
    )
    assert response.status_code == 201
    ticket = Ticket.objects.get(pk=response.json()["eactId"])
    assert (ticket.title, ticket.contact, ticket.queue) == ("Example case title", catalogue.contact, catalogue.queue)
    assert (ticket.category, ticket.priority) == (catalogue.category, catalogue.urgent)
    assert (ticket.status, ticket.own_status, ticket.last_open_status) == (1, catalogue.waiting, catalogue.waiting)
    assert ticket.tasks.get().phase == Phase.INITIAL_SUPPORT
    exchange = Exchange.objects.get()
    assert (exchange.dialect, exchange.operation, exchange.outcome) == ("itx", "create", Outcome.SUCCEEDED)
    assert exchange.task == ticket.tasks.get()


def test_the_minimal_example_a_closed_case(itx: Itx, catalogue: Catalogue):
    response = itx.post(
        "itxems/case", {"description": "This case is closed", "status": 2, "corporation": {"corpId": 1}}
    )
    assert response.status_code == 201
    ticket = Ticket.objects.get(pk=response.json()["eactId"])
    assert (ticket.status, ticket.own_status.is_default, ticket.closed_at is None) == (2, True, False)
    # It was never open.
    assert ticket.last_open_status == OwnStatus.default_of(1)
    assert ticket.priority == catalogue.normal
    assert ticket.tasks.get().phase == Phase.CLOSE


def test_the_answer_names_the_case_and_the_desk_knows_it_by_that_number(itx: Itx):
    answer = itx.post("itxems/case", {"description": "No delivery"}).json()
    ticket = Ticket.objects.get()
    assert answer == {
        "eactId": ticket.pk,
        "seqNo": int(ticket.number),
        "externalId": str(ticket.pk),
        "changed": True,
        "message": "The ticket was created.",
    }
    assert ExternalReference.objects.get().value == str(ticket.pk)


def test_a_number_of_the_desk_s_own_is_kept_and_known_again(itx: Itx):
    first = itx.post("itxems/case", {"description": "No delivery", "externalId": "NW-1"})
    again = itx.post("itxems/case", {"description": "No delivery", "externalId": "NW-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["eactId"] == again.json()["eactId"]
    assert (again.json()["changed"], ExternalReference.objects.get().value) == (False, "NW-1")


def test_a_case_whose_number_is_taken_as_a_number_of_theirs_is_created_all_the_same(itx: Itx):
    first = itx.raised()
    itx.raised(externalId=str(first.pk + 2))
    third = itx.raised()
    assert third.pk == first.pk + 2
    assert ExternalReference.objects.get(task__ticket=third).value == f"case {third.pk}"


def test_a_case_is_created_with_everything_that_it_can_say(itx: Itx, catalogue: Catalogue):
    PropertyDefinition.objects.create(code="room", name="Room", kind="number")
    follower = catalogue.other_contact
    ticket = itx.raised(
        details="Expected on Monday.",
        deadlineTs="2030-01-31T12:00:00Z",
        status=8,
        onHoldToTs=1893499200000,
        onHoldComment="The supplier is closed",
        emsTags=["vip", {"name": "Delivery"}],
        propValues=[{"name": "Room", "value": 12}],
        members=[
            {"role": 20, "contact": {"eeexId": catalogue.contact.pk}},
            {"role": 2, "contact": {"eeexId": follower.pk}},
        ],
    )
    assert (ticket.description, ticket.contact) == ("Expected on Monday.", catalogue.contact)
    assert f"{ticket.deadline_at:%Y-%m-%d %H:%M}" == "2030-01-31 12:00"
    assert (ticket.status, f"{ticket.on_hold_until:%Y-%m-%d}") == (8, "2030-01-01")
    assert ticket.on_hold_comment == "The supplier is closed"
    assert {tag.name for tag in ticket.tags.all()} == {"vip", "Delivery"}
    assert ticket.property_values.get().value == "12"
    assert ticket.members.get(role=MemberRole.FOLLOWER).contact == follower
    assert History.objects.filter(ticket=ticket).exclude(actor_key=itx.desk.system.actor_key).count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"entityExtension": {"eeexId": 9999}}, "entityExtension.eeexId"),
        ({"category": {"ctnoId": 9999}}, "category.ctnoId"),
        ({"category": {"ctnoId": 10**30}}, "category.ctnoId"),
        ({"category": {"ctnoId": True}}, "category.ctnoId"),
        ({"category": {}}, "category.ctnoId"),
        ({"priority": {"emprId": 9999}}, "priority.emprId"),
        ({"priority": {"empriId": 9999}}, "priority.empriId"),
        ({"priority": {}}, "priority.emprId"),
        ({"queue": {"ucquId": 9999}}, "queue.ucquId"),
        ({"emsStatus": {"emstId": 9999}}, "emsStatus.emstId"),
        ({"corporation": {"corpId": 2}}, "corporation.corpId"),
        ({"activityType": 14}, "activityType"),
        ({"status": 9}, "status"),
        ({"status": "open"}, "status"),
        ({"description": " "}, "description"),
        ({"description": "x" * 251}, "description"),
        ({"description": 5}, "description"),
        ({"deadlineTs": "tomorrow"}, "deadlineTs"),
        ({"deadlineTs": 10**20}, "deadlineTs"),
        ({"onHoldToTs": "2030-01-01T00:00:00Z"}, "onHoldToTs"),
        ({"emsTags": ["x" * 51]}, "emsTags.0"),
        ({"propValues": [{"name": "Room", "value": 1}]}, "propValues"),
        ({"propValues": [{"value": 1}]}, "propValues.0.code"),
        ({"members": [{"role": 3}]}, "members.0.role"),
        ({"members": [{"role": 20}]}, "members.0.role"),
        ({"members": [{"role": 1, "user": {"userId": 9999}}]}, "members.0.user.userId"),
        ({"texts": [{"text": "Hello"}]}, "texts"),
        ({"titel": "x"}, "titel"),
        ({"category": {"ctnoId": 1, "colour": "red"}}, "category.colour"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_nothing_is_created(itx: Itx, body: dict[str, Any], field: str):
    response = itx.post("itxems/case", {"description": "No delivery", **body})
    status, code, fields = refused(response)
    assert (status, code) == (400, "invalid")
    assert field in fields
    assert not Task.objects.exists()


def test_two_spellings_of_the_priority_must_mean_the_same(itx: Itx, catalogue: Catalogue):
    both = {"emprId": catalogue.urgent.pk, "empriId": catalogue.urgent.pk}
    assert itx.raised(priority=both).priority == catalogue.urgent
    both["empriId"] = catalogue.normal.pk
    assert refused(itx.post("itxems/case", {"description": "x", "priority": both}))[2] == {"priority.emprId"}
