"""OpenText Service Management: Case Exchange as its connectors speak it."""

import json

import pytest

from integrations.models import Exchange, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, run_states, text
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db

CES = "/rest/790423/ces"
LOGIN = "/auth/authentication-endpoint/authenticate/login"
TOKEN = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0"
DONE = {
    "entities": [{"entity": {"entity_type": "Incident", "properties": {"Id": "10063"}}, "completion_status": "OK"}],
    "meta": {"completion_status": "OK"},
}


@pytest.fixture
def opentext(adopt) -> Contract:
    """A tenant that takes everything."""
    contract: Contract = adopt("opentext-case-exchange", settings={"tenant": "790423", "our_name": "Deskbridge"})
    contract.answers(f"POST {LOGIN}", text(200, TOKEN, "text/plain"))
    contract.answers(f"POST {CES}", (200, DONE))
    return contract


@pytest.fixture
def task(opentext) -> Task:
    """A task that is known there."""
    return opentext.give()


def entity(contract: Contract) -> dict:
    """The one entity of the last request."""
    (found,) = contract.body()["entities"]
    return found


def test_signed_in_first_then_created_with_both_cookies(opentext, task):
    assert opentext.lines == [f"POST {LOGIN}?TENANTID=790423", f"POST {CES}?layout=Status"]
    assert opentext.body(0) == {"login": "bridge", "password": "s3cret-of-the-desk"}
    assert opentext.sent(1).headers["Cookie"] == f"LWSSO_COOKIE_KEY={TOKEN}; TENANTID=790423"
    assert entity(opentext) == {
        "entity_type": "Incident",
        "properties": {
            "DisplayLabel": "The printer is on fire",
            "Description": "Smoke on floor 2",
            "Urgency": "SlightDisruption",
            "ImpactScope": "SingleUser",
            "ContactName": "Emil Ende",
            "ContactEmail": "emil@customer.test",
        },
        "Comments": [],
        "ext_properties": {
            "ExternalSystem": "Deskbridge",
            "Operation": "Create",
            "ExternalId": task.number,
            "ExternalEntityType": "Incident",
            "ExternalStatus": "Open",
        },
    }
    assert ExternalReference.objects.get(task=task).value == "10063"
    assert not any(TOKEN in json.dumps(row.request_headers) for row in Exchange.objects.all())


def test_a_note_is_an_update_with_a_comment(opentext, task):
    opentext.note(task, "It still burns")
    sent = entity(opentext)
    assert (sent["properties"], sent["ext_properties"]["Operation"]) == ({"Id": "10063"}, "Update")
    (comment,) = sent["Comments"]
    assert isinstance(comment.pop("CreatedTime"), int)
    assert comment == {"IsSystem": False, "Body": "It still burns", "PrivacyType": "PUBLIC"}


def test_a_file_goes_into_the_file_list_and_is_named_in_the_incident(opentext, task):
    opentext.answers("POST /rest/790423/frs/file-list", (200, {"guid": "0-1-2", "name": "x"}))
    opentext.attach(task)
    assert opentext.lines == ["POST /rest/790423/frs/file-list", f"POST {CES}"]
    assert (opentext.body(0), opentext.sent(0).headers["Content-Type"]) == (b"\x89PNG", "image/png")
    named = json.loads(entity(opentext)["properties"]["IncidentAttachments"])
    assert named["complexTypeProperties"][0]["properties"] == {
        "id": "0-1-2",
        "file_name": "brücke.png",
        "mime_type": "image/png",
    }
    upload = Exchange.objects.get(operation="upload_attachment")
    assert upload.request_headers["fs_filename"] == "br%C3%BCcke.png"


@pytest.mark.parametrize(
    ("code", "operation", "theirs"),
    [
        ("fulfilled", "Close", "CompletionCodeFulfilled"),
        ("withdrawn_by_user", "Cancel", "CompletionCodeWithdrawnByUser"),
        ("request_rejected", "Reject", "CompletionCodeRequestRejected"),
    ],
)
def test_the_end_is_an_operation_of_its_own(opentext, task, code, operation, theirs):
    opentext.close(task, completion_code=code)
    sent = entity(opentext)
    assert sent["properties"] == {"Id": "10063", "Solution": "Replaced", "CompletionCode": theirs}
    assert sent["ext_properties"]["Operation"] == operation
    assert sent["ext_properties"]["ExternalId"] == ("" if operation == "Reject" else task.number)


def test_declined_is_reopened_and_taken_back_is_accepted(opentext, task):
    opentext.decline(task)
    assert entity(opentext)["ext_properties"]["Operation"] == "Reopen"
    assert entity(opentext)["Comments"][0]["Body"] == "Still broken"
    task.refresh_from_db()
    opentext.worked(
        lambda: actions.assign_task(actor=opentext.desk.by_agent, task=task, group=opentext.desk.service_desk)
    )
    assert entity(opentext)["ext_properties"]["Operation"] == "Accept"


def test_a_success_that_holds_a_failure_is_none(opentext, task):
    opentext.played.server.clear()
    failed = {"entities": [], "meta": {"completion_status": "FAILED", "errorDetails": {"message": "Not authorized"}}}
    opentext.answers(f"POST {CES}", (200, failed))
    opentext.note(task, "Hello")
    assert run_states()[-1] == "attention"
    assert "Not authorized" in ProcessRun.objects.latest("pk").reason
