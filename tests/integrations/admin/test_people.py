# ruff: noqa: F401, F811 - the fixtures of the other desk and its people
"""People at other desks in the admin: what is asked of a desk about a contact, and a search among its people."""

import pytest

from integrations.models import ContactReference, ContactUpdate, Exchange
from tests.integrations.admin.conftest import messages_of
from tests.integrations.engine.conftest import OtherDesk, other_desk, respond
from tests.integrations.people.conftest import people
from tickets.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(admin, desk, partner):
    """Presses a button on the contact's page; returns what was said."""

    def press(verb, contact=None):
        contact = contact or desk.contact
        answer = admin.post(f"contactreference/{contact.pk}/{partner.system.pk}/{verb}/")
        assert answer.status_code == 302
        return messages_of(answer)[-1]

    return press


def contact_page(admin, contact):
    return admin.get(f"/admin/tickets/contact/{contact.pk}/change/").content.decode()


def test_a_contact_is_looked_up_and_their_number_kept(admin, desk, partner, people, ask):
    assert "does not know Emil Ende" in ask("find_contact")
    assert "Not known there" in contact_page(admin, desk.contact)
    people.add(email="emil@customer.test")
    assert 'knows Emil Ende as "u1"' in ask("find_contact")
    assert "<code>u1</code>" in contact_page(admin, desk.contact)
    assert set(Exchange.objects.values_list("operation", flat=True)) == {"find_contact"}


def test_an_account_is_made_updated_and_deleted_each_after_a_word(admin, desk, partner, people, ask):
    page = admin.get(f"contactreference/{desk.contact.pk}/{partner.system.pk}/create_contact/")
    assert "an account is made there" in page.content.decode()
    assert people.rows == []
    assert 'as "u1"' in ask("create_contact")
    assert people.rows[0]["email"] == "emil@customer.test"
    Contact.objects.filter(pk=desk.contact.pk).update(name="Emil Anders")
    assert "as they are here" in ask("update_contact")
    assert people.rows[0]["name"] == "Emil Anders"
    assert "was removed" in ask("delete_contact")
    assert (people.rows, ContactReference.objects.count()) == ([], 0)
    assert Contact.objects.filter(pk=desk.contact.pk).exists()


def test_who_is_there_already_is_not_made_again(desk, people, ask):
    people.add(email="emil@customer.test")
    assert 'knows Emil Ende as "u1"' in ask("create_contact")
    assert len(people.rows) == 1


def test_pressed_twice_makes_one_account_at_a_desk_that_finds_people_late(desk, partner, people, ask):
    partner.system.operations.filter(name="find_contact").update(captures='contact = ""')
    assert 'as "u1"' in ask("create_contact")
    assert 'as "u1" already' in ask("create_contact")
    assert len(people.rows) == 1


def test_who_was_removed_there_is_forgotten_and_made_anew(desk, people, ask):
    people.add(email="emil@customer.test")
    ask("find_contact")
    people.rows.clear()
    assert 'The number "u1" is kept here' in ask("find_contact")
    ask("forget")
    assert 'was made at Partner acme, as "u1"' in ask("create_contact")


def test_a_desk_that_does_not_answer_is_told_in_words_and_nothing_is_made(desk, people, ask):
    people.status = 503
    said = ask("create_contact")
    assert "Partner acme" in said
    assert "503" in said
    assert "exchange" in said
    assert people.rows == []


def test_what_needs_a_number_says_so(desk, people, ask):
    assert "look them up or make them first" in ask("update_contact")
    assert "look them up or make them first" in ask("delete_contact")


def test_an_update_by_hand_settles_what_was_still_to_be_sent(admin, desk, partner, people, ask):
    people.add(email="emil@customer.test")
    ask("find_contact")
    people.status = 400
    desk.contact.name = "Emil Anders"
    desk.contact.save()
    from integrations.people import outbox

    outbox.send(ContactUpdate.objects.get().pk)
    assert "A change was not taken" in contact_page(admin, desk.contact)
    assert "Partner acme has not taken what was changed of Emil Anders" in admin.get("/admin/").content.decode()
    people.status = 200
    ask("update_contact")
    assert not ContactUpdate.objects.exists()


def test_the_number_is_forgotten_here_alone(admin, desk, people, ask):
    people.add(email="emil@customer.test")
    ask("find_contact")
    assert ask("forget") == "The number was forgotten."
    assert (len(people.rows), ContactReference.objects.count()) == (1, 0)


def test_a_desk_that_is_switched_off_is_asked_nothing(admin, desk, partner, people, ask):
    people.add(email="emil@customer.test")
    assert "Look up" in contact_page(admin, desk.contact)
    partner.system.active = False
    partner.system.save()
    page = contact_page(admin, desk.contact)
    assert "switched off" in page
    assert "Look up" not in page and "Make an account" not in page
    ContactReference.objects.create(contact=desk.contact, system=partner.system, value="u1")
    page = contact_page(admin, desk.contact)
    assert "Forget the number" in page and "Delete there" not in page
    for verb in ("find_contact", "create_contact", "update_contact", "delete_contact"):
        assert (
            ask(verb)
            == "Partner acme: It is switched off, and nothing is sent to it. Switch it on first, on its own page."
        )
    assert (Exchange.objects.count(), len(people.rows)) == (0, 1)
    assert ask("forget") == "The number was forgotten."


@pytest.mark.parametrize("verb", ["create_contact", "update_contact", "delete_contact", "forget"])
def test_a_question_about_a_contact_is_asked_in_style(admin, desk, partner, people, verb):
    page = admin.get(f"contactreference/{desk.contact.pk}/{partner.system.pk}/{verb}/").content.decode()
    assert "css/configuration.css" in page and "Back, do nothing" in page


@pytest.fixture
def search(admin, partner):
    """Searches the partner's people, or presses a button of a row."""

    def press(q, **values):
        return admin.post(f"externalsystem/{partner.system.pk}/people/", q=q, **values)

    return press


def test_people_are_searched_and_one_is_imported_once(admin, people, search):
    people.add(name="Petra <b>", email="petra@acme.test", login="petra")
    people.add(name="Paul", email="paul@acme.test")
    content = search("petra").content.decode()
    assert "One person was found" in content
    assert "Petra &lt;b&gt;" in content
    row = {"contact": "u1", "name": "Petra P.", "email": "petra@acme.test", "login": "petra", "phone": ""}
    assert "is a contact now" in search("petra", **row, **{"import": "1"}).content.decode()
    made = Contact.objects.get(email="petra@acme.test")
    assert (made.name, made.login, ContactReference.objects.get(contact=made).value) == ("Petra P.", "petra", "u1")
    again = search("petra", **row, **{"import": "1"})
    assert "There is a contact with this e-mail" in again.content.decode()
    assert Contact.objects.filter(email="petra@acme.test").count() == 1


def test_a_person_is_linked_to_the_contact_that_there_is(desk, people, search):
    people.add(name="E. Ende", email="emil@customer.test")
    assert "Link to Emil Ende" in search("ende").content.decode()
    assert "is known at" in search("ende", contact="u1", to="emil@customer.test", link="1").content.decode()
    assert ContactReference.objects.get(contact=desk.contact).value == "u1"
    refused = search("ende", contact="u1", to="otto@other.test", link="1").content.decode()
    assert "is Emil Ende" in refused
    assert "None of our contacts" in search("ende", contact="u1", to="nobody@x.test", link="1").content.decode()


def test_a_desk_that_cannot_search_is_read_page_by_page(partner, search, httpserver):
    rows = [{"id": f"u{number}", "name": f"Person {number}"} for number in range(150)]

    def page(request):
        begin = int(request.args["from"])
        return respond(200, rows[begin : begin + 100])

    httpserver.expect_request("/all").respond_with_handler(page)
    partner.system.operations.create(
        name="query_contacts",
        method="GET",
        path="/all?from={{ poll.offset }}&size={{ poll.size }}",
        items="response.json",
        reads="contact = item.id\nname = item.name",
    )
    content = search("PERSON 14").content.decode()
    assert "11 people were found" in content
    assert "Person 149" in content
    assert len(httpserver.log) == 2


def test_a_search_that_fails_says_why(people, search):
    people.status = 500
    assert "The search failed" in search("x").content.decode()
    assert "Enter what to search for" in search(" ").content.decode()


def test_who_may_not_is_shown_no_button_and_refused(browser_for, desk, partner, people):
    reader = browser_for(
        "tickets.view_contact", "view_contactreference", "view_externalsystem", "view_operationtemplate"
    )
    page = contact_page(reader, desk.contact)
    assert "At other desks" in page
    assert "Look up" not in page
    address = f"contactreference/{desk.contact.pk}/{partner.system.pk}/delete_contact/"
    assert reader.get(address).status_code == 403
    assert reader.post(address).status_code == 403
    assert reader.post(f"externalsystem/{partner.system.pk}/people/", q="x").status_code == 403
    stranger = browser_for("tickets.view_contact")
    assert "At other desks" not in contact_page(stranger, desk.contact)


def test_the_panel_asks_as_often_however_many_desks(
    admin,
    desk,
    partner,
    other_partner,
    people,
    django_assert_max_num_queries,
):
    contact_page(admin, desk.contact)
    with django_assert_max_num_queries(60) as few:
        contact_page(admin, desk.contact)
    other_partner.create.name = "create_contact"
    other_partner.create.save()
    ContactReference.objects.create(contact=desk.contact, system=other_partner.system, value="9")
    with django_assert_max_num_queries(len(few)):
        contact_page(admin, desk.contact)
