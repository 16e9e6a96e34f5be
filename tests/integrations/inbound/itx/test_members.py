"""Who takes part in a case: read, begun and ended."""

from typing import Any

from django.contrib.auth.models import User

from tests.integrations.inbound.itx.conftest import Catalogue, Itx, refused
from tickets.models import Member, Task

NOW = "2026-01-01T00:00:00Z"


def active(itx: Itx, ticket: Any) -> list[tuple[int, str]]:
    """Role and name of those who are active, as the document's own functions find them."""
    return [
        (member["role"], (member["user"] or member["contact"])["name"])
        for member in itx.case(ticket, "getMembers")["members"]
        if member["startTs"] is not None and member["endTs"] is None
    ]


def test_the_contact_changes_and_the_former_one_stays_in_the_history(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(entityExtension={"eeexId": catalogue.contact.pk})
    itx.write(ticket, members=[{"role": 20, "contact": {"eeexId": catalogue.other_contact.pk}}])
    assert active(itx, ticket) == [(20, "Alan Turing")]
    assert itx.case(ticket)["entityExtension"]["eeexId"] == catalogue.other_contact.pk
    assert Member.objects.filter(ticket=ticket).count() == 2


def test_what_was_read_is_written_back_with_one_ended_and_one_begun(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(entityExtension={"eeexId": catalogue.contact.pk})
    (contact,) = itx.case(ticket, "getMembers")["members"]
    follower = {"role": 2, "contact": {"eeexId": catalogue.other_contact.pk}}
    itx.write(ticket, members=[contact, follower])
    assert active(itx, ticket) == [(20, "Grace Hopper"), (2, "Alan Turing")]
    assert itx.write(ticket, members=[contact, follower]).json()["changed"] is False
    case = itx.case(ticket, "getMembers")
    itx.write(ticket, members=[{**member, "endTs": NOW} for member in case["members"]])
    assert active(itx, ticket) == []
    assert itx.case(ticket)["entityExtension"] is None
    # Ended rows that come back end nobody once more.
    ended = itx.case(ticket, "getMembers")["members"]
    itx.write(ticket, entityExtension={"eeexId": catalogue.contact.pk})
    assert itx.write(ticket, members=ended).json()["changed"] is False
    assert active(itx, ticket) == [(20, "Grace Hopper")]


def test_an_agent_is_assigned_if_there_is_such_an_agent(itx: Itx):
    agent = User.objects.create_user("ada", is_staff=True, first_name="Ada")
    nobody = User.objects.create_user("otto")
    ticket = itx.raised(members=[{"role": 1, "user": {"userId": agent.pk}}])
    assert active(itx, ticket) == [(1, "Ada")]
    outsider = [{"role": 1, "user": {"userId": nobody.pk}}]
    assert refused(itx.write(ticket, members=outsider)) == (400, "invalid", {"members.0.user.userId"})
    itx.write(ticket, members=[{"role": 1, "user": {"userId": agent.pk}, "endTs": NOW}])
    assert active(itx, ticket) == []


def test_two_active_contacts_a_member_of_another_case_and_a_contradiction_are_refused(itx: Itx, catalogue: Catalogue):
    ticket, other = itx.raised(), itx.raised(entityExtension={"eeexId": catalogue.contact.pk})
    one, two = ({"role": 20, "contact": {"eeexId": c.pk}} for c in (catalogue.contact, catalogue.other_contact))
    foreign = {**one, "id": Member.objects.get(ticket=other).pk}
    for values in (
        {"members": [one, two]},
        {"members": [foreign]},
        {"members": [one], "entityExtension": {"eeexId": catalogue.other_contact.pk}},
    ):
        assert refused(itx.write(ticket, **values)) == (400, "invalid", {"members"})
    assert active(itx, ticket) == []


def test_a_desk_that_only_works_on_the_case_changes_no_members(itx: Itx, catalogue: Catalogue, given: Task):
    follower = [{"role": 2, "contact": {"eeexId": catalogue.contact.pk}}]
    assert refused(itx.write(given.ticket, members=follower)) == (409, "conflict", {"members"})


def test_an_agent_who_has_left_comes_back_with_what_was_read_and_begins_nowhere(itx: Itx):
    agent = User.objects.create_user("ada", is_staff=True)
    ticket, other = itx.raised(members=[{"role": 1, "user": {"userId": agent.pk}}]), itx.raised()
    User.objects.update(is_active=False)
    read = itx.case(ticket, "getMembers")
    assert itx.post("itxems/case", read).json()["changed"] is False
    begins = [{"role": 1, "user": {"userId": agent.pk}}]
    assert refused(itx.write(other, members=begins)) == (400, "invalid", {"members.0.user.userId"})
    itx.write(ticket, members=[{**begins[0], "endTs": NOW}])
    assert active(itx, ticket) == []
    assert itx.post("itxems/case", itx.case(ticket, "getMembers")).json()["changed"] is False


def test_a_member_that_was_read_cannot_become_somebody_else(itx: Itx, catalogue: Catalogue):
    ticket = itx.raised(entityExtension={"eeexId": catalogue.contact.pk})
    (member,) = itx.case(ticket, "getMembers")["members"]
    other = {**member, "contact": {"eeexId": catalogue.other_contact.pk}}
    assert refused(itx.write(ticket, members=[other])) == (400, "invalid", {"members"})
    assert active(itx, ticket) == [(20, "Grace Hopper")]
