"""Jira Service Management: the documented requests and answers of the Service Desk API and the platform's."""

import base64

import pytest

from integrations.models import ContactReference, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, parts, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

DESK = "/rest/servicedeskapi"
ACCOUNT = "qm:a713c8ea-1075-4e30-9d96-891a7d181739:5ad6d3a01db05e2a66fa80bd"
MADE = {"issueId": "107001", "issueKey": "HELPDESK-1", "currentStatus": {"status": "Waiting for Support"}}
SETTINGS = {
    "project": "HELPDESK",
    "service_desk_id": "10",
    "request_type_id": "25",
    "close_transition": "761",
    "reopen_transition": "771",
    "time_zone": "Europe/Zurich",
    "own_account": "own",
}


@pytest.fixture
def jira(adopt) -> Contract:
    """A site that knows nobody and takes everything."""
    contract: Contract = adopt("jira-service-management", username="agent@example.com", settings=SETTINGS)
    contract.answers("GET /rest/api/3/user/search", (200, []))
    contract.answers(f"POST {DESK}/customer", (201, {"accountId": ACCOUNT, "displayName": "Emil Ende"}))
    contract.answers(f"POST {DESK}/servicedesk/10/customer", (204, ""))
    contract.answers(f"POST {DESK}/request", (201, MADE))
    contract.answers(f"POST {DESK}/request/HELPDESK-1/comment", (201, {"id": "1000", "body": "x", "public": True}))
    contract.answers(f"POST {DESK}/request/HELPDESK-1/transition", (204, ""))
    return contract


@pytest.fixture
def task(jira) -> Task:
    """A task that is known there."""
    return jira.give()


def test_the_customer_is_created_admitted_and_named_in_the_request(jira, task):
    assert jira.lines == [
        "GET /rest/api/3/user/search?query=emil%40customer.test&maxResults=10",
        f"POST {DESK}/customer",
        f"POST {DESK}/servicedesk/10/customer",
        f"POST {DESK}/request",
    ]
    basic = base64.b64encode(b"agent@example.com:s3cret-of-the-desk").decode()
    assert {request.headers["Authorization"] for request in jira.played.sent} == {f"Basic {basic}"}
    assert jira.body(1) == {"email": "emil@customer.test", "displayName": "Emil Ende"}
    assert jira.body(2) == {"accountIds": [ACCOUNT]}
    assert jira.body(3) == {
        "serviceDeskId": "10",
        "requestTypeId": "25",
        "raiseOnBehalfOf": ACCOUNT,
        "requestFieldValues": {
            "summary": "The printer is on fire",
            "description": f"Smoke on floor 2\n\n({task.number})",
        },
    }
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == ("HELPDESK-1", "107001")
    assert ContactReference.objects.get().value == ACCOUNT


def test_our_number_is_looked_for_in_the_description(jira, task):
    jira.answers("GET /rest/api/3/search/jql", (200, {"issues": [{"id": "107001", "key": "HELPDESK-1"}]}))
    assert jira.captured("find_ticket", task) == {"reference": "HELPDESK-1", "external_id": "107001"}
    assert jira.sent().args["jql"] == f'project = "HELPDESK" AND description ~ "\\"{task.number}\\""'


def test_a_note_is_a_comment(jira, task):
    jira.note(task, "It still burns")
    assert jira.lines == [f"POST {DESK}/request/HELPDESK-1/comment"]
    assert jira.body() == {"body": "It still burns", "public": True}
    assert ProcessRun.objects.latest("pk").steps.get(name="note").captures == {"message_id": "1000"}


def test_a_file_is_first_temporary_and_then_put_into_the_request(jira, task):
    temporary = {"temporaryAttachments": [{"temporaryAttachmentId": "temp910441317820424274", "fileName": "x"}]}
    jira.answers(f"POST {DESK}/servicedesk/10/attachTemporaryFile", (201, temporary))
    jira.answers(f"POST {DESK}/request/HELPDESK-1/attachment", (201, {}))
    jira.attach(task)
    assert jira.lines == [
        f"POST {DESK}/servicedesk/10/attachTemporaryFile",
        f"POST {DESK}/request/HELPDESK-1/attachment",
    ]
    assert parts(jira.sent(0), jira.body(0)) == [("file", "image/png", "brücke.png", b"\x89PNG")]
    assert jira.sent(0).headers["X-Atlassian-Token"] == "no-check"
    assert jira.body() == {"temporaryAttachmentIds": ["temp910441317820424274"], "public": True}


def test_declined_and_closed_by_their_transitions(jira, task):
    jira.decline(task)
    assert jira.lines == [f"POST {DESK}/request/HELPDESK-1/transition"]
    assert jira.body() == {"id": "771", "additionalComment": {"body": "Still broken"}}
    task.refresh_from_db()
    jira.close(task)
    assert jira.body() == {"id": "761", "additionalComment": {"body": "Replaced"}}


def test_a_refusal_stops_with_their_words(jira, task):
    jira.played.server.clear()
    error = {"errorMessage": "The transition is not valid", "i18nErrorMessage": {"i18nKey": "x", "parameters": []}}
    jira.answers(f"POST {DESK}/request/HELPDESK-1/transition", (409, error))
    jira.close(task)
    assert run_states()[-1] == "attention"
    assert "The transition is not valid" in ProcessRun.objects.latest("pk").reason


def test_issues_are_searched_in_the_users_time_zone_by_token(jira, task):
    fields = {"summary": "x", "status": {"name": "Resolved"}, "priority": {"name": "Medium"}, "assignee": None}
    fields |= {"resolution": {"name": "Done"}, "updated": "2026-01-31T10:45:10.123+0100"}
    issue = {"id": "107001", "key": "HELPDESK-1", "fields": fields}
    jira.answers("GET /rest/api/3/search/jql", (200, {"issues": [issue], "nextPageToken": "CAEaAggB"}))
    (record,) = jira.read("fetch_modified_since")
    assert jira.sent().args["jql"] == (
        'project = "HELPDESK" AND updated >= "2026-01-31 10:30" ORDER BY updated ASC, key ASC'
    )
    assert (record["reference"], record["modified"], record["status"], record["assignee"]) == (
        "HELPDESK-1",
        "2026-01-31T09:45:10Z",
        "Resolved",
        "",
    )
    assert jira.captured("fetch_modified_since") == {"next": "CAEaAggB"}
    jira.read("fetch_modified_since", poll={"next": "CAEaAggB"})
    assert jira.sent().args["nextPageToken"] == "CAEaAggB"
    jira.answers("GET /rest/api/2/issue/107001", (200, issue))
    assert jira.read("fetch_ticket", task) == [record]


def test_comments_that_customers_see_are_read_and_files_downloaded(jira, task):
    comment = {"id": "1000", "body": "On our way", "public": True, "author": {"displayName": "Fred F. User"}}
    comment["author"]["accountId"] = "5b10a2844c20165700ede21g"
    comment["created"] = {"iso8601": "2026-01-31T10:40:00+0100", "epochMillis": 1769852400000}
    jira.answers(f"GET {DESK}/request/HELPDESK-1/comment", (200, {"isLastPage": True, "values": [comment]}))
    jira.forget()
    (note,) = jira.read("fetch_notes", task)
    assert jira.lines == [f"GET {DESK}/request/HELPDESK-1/comment?public=true&internal=false&start=0&limit=50"]
    assert (note["author"], note["at"]) == ("Fred F. User", "2026-01-31T09:40:00Z")
    file = {"id": "10001", "filename": "a.txt", "mimeType": "text/plain", "size": 3, "content": "https://x.test/a"}
    jira.answers("GET /rest/api/2/issue/107001", (200, {"id": "107001", "fields": {"attachment": [file]}}))
    (found,) = jira.read("fetch_attachments", task)
    jira.answers("GET /rest/api/3/attachment/content/10001", (200, b"abc"))
    came, _template, _context = jira.call("download_attachment", task, file=found)
    assert (jira.lines[-1], came.response.body) == (
        "GET /rest/api/3/attachment/content/10001?redirect=false",
        b"abc",
    )


def test_people_are_taken_out_of_the_service_desk(jira, task):
    jira.answers(f"DELETE {DESK}/servicedesk/10/customer", (204, ""))
    jira.call("delete_contact", task)
    assert (jira.body(), jira.sent().headers["X-ExperimentalApi"]) == ({"accountIds": [ACCOUNT]}, "opt-in")


def test_what_is_written_and_solved_there_arrives_here_and_ours_does_not_come_back(jira, task):
    fields = {"summary": "x", "status": {"name": "Resolved"}, "priority": {"name": "Medium"}, "assignee": None}
    fields |= {"resolution": {"name": "Done"}, "updated": "2026-01-31T10:45:10.123+0100", "attachment": []}
    issue = {"id": "107001", "key": "HELPDESK-1", "fields": fields}
    jira.answers("GET /rest/api/3/search/jql", (200, {"issues": [issue], "isLast": True}))
    jira.answers("GET /rest/api/2/issue/107001", (200, issue))
    said = {"public": True, "created": {"iso8601": "2026-01-31T10:40:00+0100"}}
    comments = [
        {**said, "id": "1", "body": "Still broken", "author": {"accountId": "own", "displayName": "Bridge"}},
        {**said, "id": "2", "body": "Replaced the toner", "author": {"accountId": "5b1", "displayName": "Fred"}},
    ]
    jira.answers(f"GET {DESK}/request/HELPDESK-1/comment", (200, {"isLastPage": True, "values": comments}))
    jira.poll()
    task.refresh_from_db()
    assert (task.phase, jira.notes(task)) == ("review", ["Replaced the toner"])


@pytest.mark.parametrize(
    ("emails", "known"),
    [
        (["emil@customer.test.example", "emil@customer.test"], "a-1"),
        (["emil@customer.test.example"], ""),
        (["Emil@Customer.test"], "a-0"),
        ([None], "a-0"),
        ([None, None], ""),
    ],
)
def test_nobody_else_is_taken_for_the_person(adopt, emails, known):
    contract = adopt("jira-service-management", settings=SETTINGS)
    task = contract.desk.task(contract.group)
    found = [{"accountId": f"a-{index}", "displayName": "Emil"} for index in range(len(emails))]
    for row, email in zip(found, emails, strict=True):
        row |= {"emailAddress": email} if email else {}
    contract.answers("GET /rest/api/3/user/search", (200, found))
    assert contract.captured("find_contact", task) == {"contact": known}
