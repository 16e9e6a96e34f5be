"""People over REST: made once by their address, changed by whoever made them, seen by whom they concern."""

import pytest
from django.contrib.auth.models import User

from integrations.engine.references import store_contact
from integrations.inbound.replay import replay_inbound
from integrations.models import ContactReference, ContactUpdate, Exchange, OperationTemplate, Outcome
from tests.integrations.inbound.conftest import AGENT, make_task
from tickets import actions
from tickets.actors import Actor
from tickets.models import Contact

ADA = {"email": "Ada@example.com", "name": "Ada Byron", "login": "abyron", "phone": "1", "external_id": "U-17"}


def patch(desk, contact_id, body):
    """PATCH with the desk's key."""
    headers = {"Authorization": f"Api-Key {desk.key}"}
    return desk.client.patch(
        f"/api/v1/contacts/{contact_id}/", body, content_type="application/json", headers=headers
    )


def delete(desk, contact_id):
    """DELETE with the desk's key."""
    return desk.client.delete(f"/api/v1/contacts/{contact_id}/", headers={"Authorization": f"Api-Key {desk.key}"})


@pytest.fixture
def made(northwind):
    """A contact that Northwind has made."""
    return northwind.post("contacts/", ADA).json()["id"]


def test_a_contact_is_made_once_and_known_by_their_own_number(northwind):
    first = northwind.post("contacts/", ADA)
    assert (first.status_code, first.json()["external_id"], first.json()["login"]) == (201, "U-17", "abyron")
    again = northwind.post("contacts/", {"email": "ADA@example.com", "name": "Somebody else"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert Contact.objects.count() == 1


def test_of_one_who_is_here_already_a_desk_learns_the_id_and_what_it_has_said(northwind, outsider, made):
    assert outsider.get(f"contacts/{made}/").status_code == 404
    answer = outsider.post("contacts/", {"email": ADA["email"].upper(), "name": "Eve", "external_id": "X-1"}).json()
    said = {"email": ADA["email"].upper(), "name": "Eve", "external_id": "X-1", "login": "", "phone": ""}
    assert answer == {"id": made, "organisation": None, **said}
    assert outsider.get(f"contacts/{made}/").status_code == 404
    for query in ("", "external_id=X-1", "search=byr"):
        assert outsider.get(f"contacts/?{query}").json()["results"] == []
    assert northwind.get(f"contacts/{made}/").json()["external_id"] == "U-17"
    # Nor whether a guess is right.
    for guess in ({"name": "Eve"}, {"phone": ADA["phone"]}, {"login": ADA["login"]}):
        assert patch(outsider, made, guess).status_code == 409
    assert patch(outsider, made, {"external_id": "X-2"}).json() == answer | {
        "external_id": "X-2",
        "email": "",
        "name": "",
    }
    assert delete(outsider, made).status_code == 404
    assert Contact.objects.get(pk=made).name == "Ada Byron"


def test_who_is_only_named_is_seen_when_there_is_a_ticket_of_theirs(northwind, task):
    contact = task.ticket.contact
    ContactReference.objects.create(contact=contact, system=northwind.system, only_named=True)
    assert northwind.post("contacts/", {"email": contact.email}).json()["name"] == contact.name
    assert northwind.get(f"contacts/{contact.pk}/").status_code == 200


def test_changes_of_one_who_is_only_named_are_not_told(northwind, made, partner):
    operation = {"name": "update_contact", "method": "PUT", "path": "/people"}
    OperationTemplate.objects.create(system=partner.system, **operation)
    reference = ContactReference.objects.create(contact_id=made, system=partner.system, value="9", only_named=True)
    patch(northwind, made, {"phone": "secret"})
    assert not ContactUpdate.objects.exists()
    store_contact(contact=reference.contact, system=partner.system, value="9")
    patch(northwind, made, {"phone": "known to both"})
    assert ContactUpdate.objects.get().reference == reference


def test_one_number_is_one_person(northwind, outsider, made):
    grace = {"email": "grace@example.com", "name": "Grace"}
    answer = northwind.post("contacts/", {**grace, "external_id": "U-17"})
    assert (answer.status_code, "U-17" in answer.json()["detail"]) == (409, True)
    assert not Contact.objects.filter(email=grace["email"]).exists()
    other = northwind.post("contacts/", {**grace, "external_id": "U-18"}).json()["id"]
    assert patch(northwind, other, {"external_id": "U-17"}).status_code == 409
    assert patch(northwind, other, {"external_id": "U-18", "name": "Grace Hopper"}).status_code == 200
    # Another desk counts for itself.
    assert outsider.post("contacts/", {**grace, "external_id": "U-17"}).status_code == 201


def test_looking_up(northwind, outsider, made):
    northwind.post("contacts/", {"email": "grace@example.com", "name": "Grace Hopper"})

    def found(query):
        return [row["id"] for row in northwind.get(f"contacts/?{query}").json()["results"]]

    for query in ("email=ada%40example.com", "login=ABYRON", "external_id=U-17", "search=byr"):
        assert found(query) == [made], query
    assert len(found("ordering=-name")) == 2
    assert found("email=nobody%40example.com") == []
    assert outsider.get("contacts/?search=byr").json()["results"] == []
    assert northwind.get("contacts/?mail=x").status_code == 400


def test_the_contact_of_a_ticket_is_seen_by_who_has_a_task_of_it(northwind, outsider, task):
    contact = task.ticket.contact
    assert northwind.get(f"contacts/{contact.pk}/").json()["email"] == contact.email
    assert outsider.get(f"contacts/{contact.pk}/").status_code == 404
    assert patch(northwind, contact.pk, {"name": "Eve"}).status_code == 409
    assert delete(northwind, contact.pk).status_code == 409
    contact.refresh_from_db()
    assert contact.name == "Ada Byron"


def test_changing_what_one_has_made(northwind, made):
    answer = patch(northwind, made, {"phone": "+41 44", "name": "Ada Lovelace"})
    assert (answer.status_code, answer.json()["phone"], answer.json()["login"]) == (200, "+41 44", "abyron")
    assert patch(northwind, made, {"login": ""}).json()["login"] == ""
    exchange = Exchange.objects.latest("pk")
    assert (exchange.operation, exchange.outcome) == ("update_contact", Outcome.SUCCEEDED)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"mail": "x@example.com"}, 400),
        ({"email": "no address"}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 201}, 400),
        ({"name": 7}, 400),
        ({"email": "grace@example.com"}, 409),
        ({"login": "ghopper"}, 409),
        ({"email": "GRACE@example.com"}, 409),
        ({"login": "GHopper"}, 409),
        ({"external_id": "U\n17"}, 400),
        ("{", 400),
    ],
)
def test_a_change_that_cannot_be_is_told_and_changes_nothing(northwind, made, body, status):
    northwind.post("contacts/", {"email": "grace@example.com", "name": "Grace", "login": "ghopper"})
    before = Contact.objects.values().get(pk=made)
    answer = patch(northwind, made, body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert Contact.objects.values().get(pk=made) == before
    assert Exchange.objects.latest("pk").outcome == Outcome.REFUSED


def test_who_signs_in_here_is_not_theirs_to_change(northwind, made):
    Contact.objects.filter(pk=made).update(user=User.objects.create_user("ada"))
    assert patch(northwind, made, {"email": "eve@example.com"}).status_code == 409
    assert delete(northwind, made).status_code == 409


@pytest.mark.parametrize("others", ["another desk", "a ticket"])
def test_by_what_others_know_the_person_is_not_theirs_to_change(northwind, outsider, made, others):
    """It would be changed there, too: with the address goes the account at another desk, and all mail."""
    contact = Contact.objects.get(pk=made)
    if others == "another desk":
        store_contact(contact=contact, system=outsider.system, value="9")
    else:
        ticket = make_task(outsider).ticket
        Contact.objects.filter(pk=ticket.contact_id).update(email="somebody@example.com")
        actions.change_ticket(actor=AGENT, ticket=ticket, contact=contact)
    for body in ({"email": "eve@example.com"}, {"login": "eve"}):
        answer = patch(northwind, made, body)
        assert (answer.status_code, "known to others" in answer.json()["detail"]) == (409, True)
    assert patch(northwind, made, {"name": "Ada King", "email": ADA["email"]}).status_code == 200
    assert Contact.objects.get(pk=made).email == ADA["email"]


def test_deleting(northwind, outsider, made, task):
    assert delete(outsider, made).status_code == 404
    assert delete(northwind, made).status_code == 204
    assert delete(northwind, made).status_code == 404
    assert not Contact.objects.filter(pk=made).exists()
    # With a ticket the contact stays.
    ContactReference.objects.create(contact=task.ticket.contact, system=northwind.system, made_by_them=True)
    answer = delete(northwind, task.ticket.contact_id)
    assert (answer.status_code, "tickets" in answer.json()["detail"]) == (409, True)


def test_the_list_takes_the_same_queries_for_many(northwind, made, django_assert_max_num_queries):
    for number in range(20):
        northwind.post("contacts/", {"email": f"p{number}@example.com", "name": "P"})
    with django_assert_max_num_queries(6):
        assert len(northwind.get("contacts/").json()["results"]) == 21


def test_a_refused_one_can_be_replayed(northwind, made):
    patch(northwind, made, {"login": "ghopper", "name": "G"})
    other = northwind.post("contacts/", {"email": "grace@example.com", "name": "Grace", "login": "grace"}).json()[
        "id"
    ]
    assert patch(northwind, made, {"login": "grace"}).status_code == 409
    refused = Exchange.objects.latest("pk")
    delete(northwind, other)
    replay_inbound(refused, by=Actor.system("Agent"))
    assert Contact.objects.get(pk=made).login == "grace"
