"""Znuny over REST: the requests as they stood on the wire to a real one, and what it answered."""

import base64
from urllib.parse import parse_qs

import pytest

from integrations.engine.outcome import captured
from integrations.models import ContactReference, Exchange, ExternalReference, Outcome, ProcessRun, Repeat
from tests.integrations.catalogue import znuny_answers as znuny
from tests.integrations.catalogue.contract import Contract, run_states, work_everything
from tests.integrations.catalogue.znuny_answers import NUMBER, REST, SESSION, TOKEN, Pages
from tests.integrations.engine.conftest import pass_time
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)

BOOK = "GET /otrs/index.pl?Action=AgentCustomerUserAddressBook;Subaction=Search;RecipientField=To"
SEARCH = "GET /otrs/index.pl?Action=AdminCustomerUser;Subaction=Search;Search=-;Nav=None"


@pytest.fixture
def contract(adopt) -> Contract:
    """The preset with a company for new accounts."""
    found: Contract = adopt("znuny-rest", path="/otrs", settings={"customer": "ACME"})
    found.answers(f"POST {REST}/Ticket", (200, znuny.CREATED))
    return found


@pytest.fixture
def pages(contract) -> Pages:
    """Its pages."""
    return Pages(contract)


@pytest.fixture
def task(contract, pages) -> Task:
    """A task that is known there as ticket 2."""
    pages.book = znuny.SOMEBODY
    return contract.give()


@pytest.mark.parametrize(("email", "known"), [("EMIL@customer.test", "emil@customer.test"), ("*@customer.test", "")])
def test_nobody_else_is_taken_for_the_person(contract, pages, desk, email, known):
    """ "*" is allowed in an address, and stands for anything in their search."""
    pages.book = znuny.SOMEBODY
    desk.contact.email = email
    desk.contact.save()
    task = contract.desk.task(contract.group)
    assert contract.captured("find_contact", task) == {"contact": known}


def test_the_customer_user_is_looked_up_and_created_before_the_ticket(contract, pages):
    task = contract.give()
    assert contract.lines == [
        "POST /otrs/index.pl",
        f"{BOOK};UserEmail=emil%40customer.test",
        SEARCH,
        "POST /otrs/index.pl",
        f"POST {REST}/Ticket",
    ]
    assert contract.body(0) == b"Action=Login&User=bridge&Password=s3cret-of-the-desk"
    assert contract.sent(0).headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert [contract.sent(index).headers["Cookie"] for index in (1, 2, 3)] == [f"OTRSAgentInterface={SESSION}"] * 3
    assert parse_qs(contract.body(3).decode(), keep_blank_values=True) == {
        "ChallengeToken": [TOKEN],
        "Action": ["AdminCustomerUser"],
        "Subaction": ["AddAction"],
        "Source": ["CustomerUser"],
        "Nav": ["None"],
        "UserLogin": ["emil@customer.test"],
        "UserFirstname": ["Emil"],
        "UserLastname": ["Ende"],
        "UserEmail": ["emil@customer.test"],
        "UserPhone": [""],
        "UserCustomerID": ["ACME"],
        "ValidID": ["1"],
    }
    assert contract.sent(4).headers["X-OTRS-Header-SessionID"] == SESSION
    assert contract.body(4) == {
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
            "IsVisibleForCustomer": 1,
            "From": "emil@customer.test",
            "Subject": "The printer is on fire",
            "Body": "Smoke on floor 2",
            "ContentType": "text/plain; charset=utf8",
        },
    }
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == (NUMBER, "2")
    assert ContactReference.objects.get().value == "emil@customer.test"
    assert run_states() == ["done"]
    stored = "\n".join(str(vars(row)) for row in Exchange.objects.all())
    assert not any(secret in stored for secret in (SESSION, TOKEN, "s3cret-of-the-desk"))


def test_a_known_customer_user_is_not_created(contract, task):
    assert [line.partition("?")[0] for line in contract.lines] == [
        "POST /otrs/index.pl",
        "GET /otrs/index.pl",
        f"POST {REST}/Ticket",
    ]
    assert contract.body()["Ticket"]["CustomerUser"] == "emil@customer.test"


def test_an_account_that_exists_already_is_told_in_their_words(contract, pages):
    pages.saved = znuny.EXISTS
    contract.give()
    assert run_states() == ["attention"]
    assert "already exists" in Exchange.objects.get(operation="create_contact").response_body


def test_a_refusal_within_an_answer_of_200_is_a_refusal(contract, pages):
    pages.book = znuny.SOMEBODY
    contract.played.server.clear_all_handlers()
    Pages(contract).book = znuny.SOMEBODY
    contract.answers(f"POST {REST}/Ticket", (200, znuny.REFUSED))
    contract.give()
    assert run_states() == ["attention"]
    assert "Queue parameter is invalid" in ProcessRun.objects.get().reason


def test_a_wrong_password_is_told(contract, pages):
    contract.system.auth_secret = "another"
    contract.system.save()
    contract.give()
    assert run_states() == ["attention"]
    assert contract.lines == ["POST /otrs/index.pl"]


def test_where_the_session_has_ended_the_next_try_signs_in_again(contract, pages):
    pages.book = znuny.SOMEBODY
    contract.played.server.clear_all_handlers()
    pages = Pages(contract)
    pages.book = znuny.SOMEBODY
    contract.answers(f"POST {REST}/Ticket", (200, znuny.AUTH_FAIL), (200, znuny.CREATED))
    contract.give()
    assert run_states() == ["retrying"]
    pages.sessions.append("another-session-0123456789abcdef")
    pass_time()
    assert run_states() == ["done"]
    assert contract.sent().headers["X-OTRS-Header-SessionID"] == "another-session-0123456789abcdef"


def test_a_ticket_of_which_nobody_knows_whether_it_was_made_is_found_by_our_number(contract, pages):
    pages.book = znuny.SOMEBODY
    contract.played.server.clear_all_handlers()
    Pages(contract).book = znuny.SOMEBODY
    contract.answers(f"POST {REST}/Ticket", (504, ""))
    contract.answers(f"GET {REST}/Ticket", (200, {"TicketID": ["2"]}))
    contract.answers(f"GET {REST}/Ticket/2", (200, {"Ticket": [znuny.TICKET]}))
    task = contract.give()
    pass_time()
    day = f"{task.created_at:%Y-%m-%d}%2000%3A00%3A00"
    assert contract.lines[-2:] == [
        f"GET {REST}/Ticket?Title=*%5B{task.number}%5D&TicketCreateTimeNewerDate={day}&Limit=1",
        f"GET {REST}/Ticket/2",
    ]
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == (NUMBER, "2")
    assert contract.lines.count(f"POST {REST}/Ticket") == 1
    assert run_states() == ["done"]


@pytest.mark.parametrize(("visibility", "visible"), [("public", 1), ("internal", 0)])
def test_a_note_is_an_article_with_our_number_at_its_head(contract, task, visibility, visible):
    task.group.binding.send_internal = True
    task.group.binding.save()
    contract.answers(f"PATCH {REST}/Ticket/2", (200, znuny.ARTICLE))
    contract.note(task, 'It «still» burns\n"now" <b>', visibility=visibility)
    assert contract.lines == [f"PATCH {REST}/Ticket/2"]
    note = task.ticket.notes.latest("pk")
    assert contract.body() == {
        "Article": {
            "CommunicationChannel": "Internal",
            "SenderType": "customer",
            "IsVisibleForCustomer": visible,
            "Subject": f"[{task.number}/note-{note.pk}] Ada",
            "Body": 'It «still» burns\n"now" <b>',
            "ContentType": "text/plain; charset=utf8",
        }
    }


def test_a_note_that_arrived_after_all_is_found_by_its_head(contract, task):
    operation = contract.system.operations.get(name="add_note")
    assert (operation.repeat, operation.probe.name) == (Repeat.PROBE, "find_article")
    contract.answers(f"PATCH {REST}/Ticket/2", (504, ""))
    note = actions.add_note(actor=contract.desk.by_agent, ticket=task.ticket, task=task, body="Hello")
    article = {"ArticleID": 9, "Subject": f"[{task.number}/note-{note.pk}] Ada"}
    listed = {"Ticket": [{**znuny.TICKET, "Article": [*znuny.articles(task.number), article]}]}
    contract.answers(f"GET {REST}/Ticket/2", (200, listed))
    work_everything()
    pass_time()
    assert contract.lines[-1] == f"GET {REST}/Ticket/2?AllArticles=1&ArticleOrder=DESC"
    assert run_states() == ["done", "done"]
    assert ProcessRun.objects.latest("pk").steps.get(name="note").captures["message_id"] == "9"


def test_a_file_is_an_article_with_an_attachment(contract, task):
    contract.answers(f"PATCH {REST}/Ticket/2", (200, znuny.ARTICLE))
    contract.attach(task)
    assert contract.lines == [f"PATCH {REST}/Ticket/2"]
    body = contract.body()
    assert body["Attachment"] == [
        {
            "Content": base64.b64encode(b"\x89PNG").decode(),
            "ContentType": "image/png",
            "Filename": "brücke.png",
        }
    ]
    assert (body["Article"]["Body"], body["Article"]["IsVisibleForCustomer"]) == ("brücke.png", 1)
    assert ProcessRun.objects.latest("pk").steps.get(name="file").captures["attachment_id"] == "4-1"


def test_declined_and_closed_with_their_states(contract, task):
    contract.answers(f"PATCH {REST}/Ticket/2", (200, znuny.ARTICLE), (200, znuny.UPDATED))
    contract.decline(task)
    assert contract.lines == [f"PATCH {REST}/Ticket/2"]
    assert contract.body()["Ticket"] == {"State": "open"}
    assert contract.body()["Article"]["Body"] == "Still broken"
    assert contract.body()["Article"]["Subject"] == f"[{task.number}/reopen] Ada"
    task.refresh_from_db()
    contract.close(task)
    assert contract.body() == {
        "Ticket": {"State": "closed successful"},
        "Article": {
            "CommunicationChannel": "Internal",
            "SenderType": "customer",
            "IsVisibleForCustomer": 0,
            "Subject": f"[{task.number}/close] Ada",
            "Body": "close: Replaced",
            "ContentType": "text/plain; charset=utf8",
        },
    }
    assert run_states() == ["done"] * 3


def test_withdrawn_is_closed_without_success(contract, task):
    contract.answers(f"PATCH {REST}/Ticket/2", (200, znuny.UPDATED))
    contract.close(task, solution="No longer needed", completion_code="withdrawn_by_user")
    assert contract.body()["Ticket"] == {"State": "closed unsuccessful"}


def test_changed_tickets_are_listed_by_number_and_read_one_by_one(contract, task):
    contract.answers(f"GET {REST}/Ticket", (200, {"TicketID": ["2", "1", "7"]}), (200, {}))
    contract.forget()
    poll = {"page": 2, "offset": 2, "size": 2}
    assert contract.read("fetch_modified_since", poll=poll) == [{"external_id": "7"}]
    assert contract.lines == [
        f"GET {REST}/Ticket?TicketLastChangeTimeNewerDate=2026-01-31%2009%3A30%3A00&SortBy=Changed&OrderBy=Up&Limit=4"
    ]
    assert contract.read("fetch_modified_since") == []
    last = znuny.articles(task.number)[2]
    titled = {**znuny.TICKET, "Title": f"The printer is on fire [{task.number}]", "Article": [last]}
    contract.answers(f"GET {REST}/Ticket/2", (200, {"Ticket": [titled]}))
    assert contract.read("fetch_ticket", task) == [
        {
            "reference": NUMBER,
            "external_id": "2",
            "modified": "2026-11-25T02:45:55Z",
            "title": "The printer is on fire",
            "status": "closed successful",
            "priority": "3 normal",
            "assignee": "apiagent",
            "group": "Raw",
            "solution": "On our way\nsoon",
        }
    ]
    assert contract.lines[-1] == (
        f"GET {REST}/Ticket/2?AllArticles=1&ArticleSenderType=agent&ArticleOrder=DESC&ArticleLimit=1"
    )


@pytest.mark.parametrize(
    "changed", [{"StateType": "open"}, {"Article": [{"Body": "x", "IsVisibleForCustomer": 0}]}, {"Article": []}, {}]
)
def test_only_what_the_customer_may_read_of_a_closed_ticket_is_its_solution(contract, task, changed):
    shown = {**znuny.TICKET, "Title": "x", **({"Article": [{"Body": "x", "IsVisibleForCustomer": 1}]} | changed)}
    if not changed:
        del shown["Article"]
    contract.answers(f"GET {REST}/Ticket/2", (200, {"Ticket": [shown]}))
    (record,) = contract.read("fetch_ticket", task)
    assert record["solution"] == ""


def test_articles_are_read_in_order_and_ours_are_recognised(contract, task):
    listed = {"Ticket": [{**znuny.TICKET, "Article": znuny.articles(task.number)}]}
    contract.answers(f"GET {REST}/Ticket/2", (200, listed))
    notes = contract.read("fetch_notes", task)
    assert [(note["id"], note["ours"], note["visibility"]) for note in notes] == [
        ("2", True, "public"),
        ("3", True, "public"),
        ("4", False, "public"),
        ("5", False, "public"),
        ("6", False, "internal"),
    ]
    assert notes[2] == {
        "id": "4",
        "text": "On our way\nsoon",
        "author": "Admin OTRS",
        "at": "2026-11-25T02:45:55Z",
        "visibility": "public",
        "ours": False,
    }
    assert contract.lines[-1] == f"GET {REST}/Ticket/2?AllArticles=1&ArticleOrder=ASC"
    assert [note["id"] for note in contract.read("fetch_notes", task, poll={"offset": 4, "size": 4})] == ["6"]


def test_files_are_listed_and_fetched_from_the_pages(contract, task):
    listed = {"Ticket": [{**znuny.TICKET, "Article": znuny.articles(task.number)}]}
    contract.answers(f"GET {REST}/Ticket/2", (200, listed))
    assert contract.read("fetch_attachments", task) == [
        {"id": "3-1", "name": "über 日.txt", "content_type": "text/plain", "size": 5},
        {"id": "5-1", "name": "a.bin", "content_type": "application/octet-stream", "size": 4},
    ]
    came, _template, _context = contract.call("download_attachment", task, file={"id": "5-1", "url": "", "name": ""})
    assert contract.lines[-1] == ("GET /otrs/index.pl?Action=AgentTicketAttachment;TicketID=2;ArticleID=5;FileID=1")
    # A page is no file, though it comes with 200.
    assert came.verdict.outcome == Outcome.PERMANENT


def test_people_are_changed_listed_and_set_to_invalid(contract, task, pages):
    contract.forget()
    assert contract.read("query_contacts", task) == [
        {
            "contact": "emil@customer.test",
            "name": "Emil O'Brien & Ende",
            "email": "emil@customer.test",
            "login": "emil@customer.test",
        }
    ]
    assert contract.lines == [f"{BOOK};UserLogin=*;StartHit=1"]
    for name, valid in (("update_contact", "1"), ("delete_contact", "2")):
        came, _template, _context = contract.call(name, task)
        assert came.verdict.outcome == Outcome.SUCCEEDED
        form = parse_qs(contract.body().decode())
        assert (form["Subaction"], form["ID"], form["ValidID"]) == (["ChangeAction"], ["emil@customer.test"], [valid])
    pages.saved = znuny.EXISTS
    came, _template, _context = contract.call("update_contact", task)
    assert came.verdict.outcome == Outcome.PERMANENT


def test_the_address_book_is_read_page_by_page(contract, task, pages):
    pages.book = znuny.SOMEBODY.replace("1-1 of 1", '1-1 of 2 <a href="/otrs/index.pl?StartHit=2">2</a>')
    came, template, context = contract.call("query_contacts", task)
    request = {"protocol": "http", "captures": template.captures}
    assert captured(request, came.response, context) == ({"next": 2}, "")
    contract.call("query_contacts", task, poll={"next": "2"})
    assert contract.lines[-1] == f"{BOOK};UserLogin=*;StartHit=2"
    pages.book = znuny.SOMEBODY
    came, template, context = contract.call("query_contacts", task)
    assert captured(request, came.response, context) == ({"next": ""}, "")


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        ("fetch_priorities", ["3 normal", "5 very high"]),
        ("fetch_statuses", ["closed successful", "open"]),
        ("fetch_groups", ["Junk", "Raw"]),
        ("fetch_queues", ["Junk", "Raw"]),
    ],
)
def test_their_values_are_those_of_the_form_for_a_new_ticket(contract, task, operation, values):
    assert contract.read(operation) == [{"value": value, "label": value} for value in values]
