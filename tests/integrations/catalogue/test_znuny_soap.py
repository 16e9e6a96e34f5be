"""Znuny over SOAP: the messages as they stood on the wire to a real one, and what it answered."""

import base64

import pytest
from lxml import etree

from integrations.models import Exchange, ExternalReference, ProcessRun
from integrations.transports.safe_xml import xml_to_data
from tests.integrations.catalogue import znuny_answers as znuny
from tests.integrations.catalogue.contract import Contract, run_states
from tests.integrations.catalogue.znuny_answers import NUMBER, SESSION, SOAP, Pages, as_soap
from tests.integrations.engine.conftest import pass_time
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)

NAMESPACE = "http://www.otrs.org/TicketConnector/"


@pytest.fixture
def contract(adopt) -> Contract:
    """The preset with a company for new accounts, and an address book that knows the contact."""
    found: Contract = adopt("znuny-soap", path="/otrs", settings={"customer": "ACME"})
    Pages(found).book = znuny.SOMEBODY
    return found


@pytest.fixture
def task(contract) -> Task:
    """A task that is known there as ticket 2."""
    contract.answers(f"POST {SOAP}", as_soap("TicketCreate", znuny.CREATED))
    known = contract.give()
    contract.played.server.clear_all_handlers()
    Pages(contract).book = znuny.SOMEBODY
    return known


def message(contract: Contract, operation: str, index: int = -1) -> dict:
    """What a request asked of this operation, its session left out."""
    request = contract.sent(index)
    assert request.headers["SOAPAction"] == f'"{NAMESPACE}#{operation}"'
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    (call,) = etree.fromstring(contract.played.bodies[index])[0]
    assert call.tag == f"{{{NAMESPACE}}}{operation}"
    content = xml_to_data(etree.tostring(call))[operation]
    assert content.pop("SessionID") == SESSION
    return content


def test_a_ticket_is_created_with_the_session_in_the_message(contract):
    contract.answers(f"POST {SOAP}", as_soap("TicketCreate", znuny.CREATED))
    task = contract.give()
    assert contract.lines == [
        "POST /otrs/index.pl",
        "GET /otrs/index.pl?Action=AgentCustomerUserAddressBook;Subaction=Search;RecipientField=To"
        ";UserEmail=emil%40customer.test",
        f"POST {SOAP}",
    ]
    assert message(contract, "TicketCreate") == {
        "Ticket": {
            "Title": f"The printer is on fire [{task.number}]",
            "Queue": "Raw",
            "State": "new",
            "Priority": "3 normal",
            "CustomerUser": "emil@customer.test",
        },
        "Article": {
            "CommunicationChannel": "Internal",
            "SenderType": "customer",
            "IsVisibleForCustomer": "1",
            "From": "emil@customer.test",
            "Subject": "The printer is on fire",
            "Body": "Smoke on floor 2",
            "ContentType": "text/plain; charset=utf8",
        },
    }
    assert "X-OTRS-Header-SessionID" not in contract.sent().headers
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == (NUMBER, "2")
    assert run_states() == ["done"]
    stored = "\n".join(str(vars(row)) for row in Exchange.objects.all())
    assert SESSION not in stored


def test_a_refusal_within_an_answer_of_200_is_a_refusal(contract):
    contract.answers(f"POST {SOAP}", as_soap("TicketCreate", znuny.REFUSED))
    contract.give()
    assert run_states() == ["attention"]
    assert "Queue parameter is invalid" in ProcessRun.objects.get().reason


def test_where_the_session_has_ended_the_next_try_signs_in_again(contract):
    contract.answers(f"POST {SOAP}", as_soap("TicketCreate", znuny.AUTH_FAIL), as_soap("TicketCreate", znuny.CREATED))
    contract.give()
    assert run_states() == ["retrying"]
    pass_time()
    assert run_states() == ["done"]
    assert contract.lines[-2:] == ["POST /otrs/index.pl", f"POST {SOAP}"]


def test_a_ticket_of_which_nobody_knows_whether_it_was_made_is_found_by_our_number(contract):
    contract.answers(
        f"POST {SOAP}",
        (504, ""),
        as_soap("TicketSearch", {"TicketID": "2"}),
        as_soap("TicketGet", {"Ticket": znuny.TICKET}),
    )
    task = contract.give()
    pass_time()
    assert message(contract, "TicketSearch", -2) == {
        "Title": f"*[{task.number}]",
        "TicketCreateTimeNewerDate": f"{task.created_at:%Y-%m-%d} 00:00:00",
        "Limit": "1",
    }
    assert message(contract, "TicketGet") == {"TicketID": "2"}
    assert ExternalReference.objects.get(task=task).value == NUMBER
    assert run_states() == ["done"]


def test_a_note_and_a_file_are_articles(contract, task):
    contract.answers(f"POST {SOAP}", as_soap("TicketUpdate", znuny.ARTICLE))
    contract.note(task, 'It «still» burns\n"now" <b> & on')
    head = {"CommunicationChannel": "Internal", "SenderType": "customer", "IsVisibleForCustomer": "1"}
    sent = message(contract, "TicketUpdate")
    note = task.ticket.notes.latest("pk")
    assert sent == {
        "TicketID": "2",
        "Article": {
            **head,
            "Subject": f"[{task.number}/note-{note.pk}] Ada",
            "Body": 'It «still» burns\n"now" <b> & on',
            "ContentType": "text/plain; charset=utf8",
        },
    }
    contract.attach(task)
    assert message(contract, "TicketUpdate")["Attachment"] == {
        "Content": base64.b64encode(b"\x89PNG").decode(),
        "ContentType": "image/png",
        "Filename": "brücke.png",
    }
    assert run_states() == ["done"] * 3


def test_declined_and_closed_with_their_states(contract, task):
    contract.answers(f"POST {SOAP}", as_soap("TicketUpdate", znuny.ARTICLE))
    contract.decline(task)
    sent = message(contract, "TicketUpdate")
    assert (sent["Ticket"], sent["Article"]["Body"]) == ({"State": "open"}, "Still broken")
    task.refresh_from_db()
    contract.close(task)
    sent = message(contract, "TicketUpdate")
    assert (sent["Ticket"], sent["Article"]["Body"]) == ({"State": "closed successful"}, "close: Replaced")
    assert sent["Article"]["IsVisibleForCustomer"] == "0"


def test_changed_tickets_are_listed_by_number_and_read_one_by_one(contract, task):
    contract.answers(
        f"POST {SOAP}",
        as_soap("TicketSearch", {"TicketID": ["2", "1", "7"]}),
        as_soap("TicketSearch", {"TicketID": "12"}),
        as_soap("TicketSearch", {}),
    )
    poll = {"page": 2, "offset": 2, "size": 2}
    assert contract.read("fetch_modified_since", poll=poll) == [{"external_id": "7"}]
    assert message(contract, "TicketSearch") == {
        "TicketLastChangeTimeNewerDate": "2026-01-31 09:30:00",
        "SortBy": "Changed",
        "OrderBy": "Up",
        "Limit": "4",
    }
    assert contract.read("fetch_modified_since") == [{"external_id": "12"}]
    assert contract.read("fetch_modified_since") == []
    contract.played.server.clear_all_handlers()
    titled = {**znuny.TICKET, "Title": f"Printer [{task.number}]", "Article": znuny.articles(task.number)[2]}
    contract.answers(f"POST {SOAP}", as_soap("TicketGet", {"Ticket": titled}))
    assert contract.read("fetch_ticket", task) == [
        {
            "reference": NUMBER,
            "external_id": "2",
            "modified": "2026-11-25T02:45:55Z",
            "title": "Printer",
            "status": "closed successful",
            "priority": "3 normal",
            "assignee": "apiagent",
            "group": "Raw",
            "solution": "On our way\nsoon",
        }
    ]


@pytest.mark.parametrize("count", [1, 5])
def test_articles_and_files_are_read_however_many_there_are(contract, task, count):
    articles = znuny.articles(task.number)[-count:]
    contract.answers(f"POST {SOAP}", as_soap("TicketGet", {"Ticket": {**znuny.TICKET, "Article": articles}}))
    notes = contract.read("fetch_notes", task)
    assert [note["id"] for note in notes] == ["2", "3", "4", "5", "6"][-count:]
    assert [note["ours"] for note in notes] == [True, True, False, False, False][-count:]
    assert (notes[-1]["visibility"], notes[-1]["at"]) == ("internal", "2026-11-25T02:47:55Z")
    assert [file["id"] for file in contract.read("fetch_attachments", task)] == (["3-1", "5-1"] if count > 1 else [])
    assert message(contract, "TicketGet") == {
        "TicketID": "2",
        "AllArticles": "1",
        "ArticleOrder": "ASC",
        "Attachments": "1",
        "GetAttachmentContents": "0",
    }
