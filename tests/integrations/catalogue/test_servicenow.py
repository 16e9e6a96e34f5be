"""ServiceNow: the documented requests and answers of the Table API and the Attachment API."""

import base64
import hashlib

import pytest

from integrations.models import ContactReference, Exchange, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

INCIDENT = "/api/now/table/incident"
USERS = "/api/now/table/sys_user"
SYS_ID = "46d44a23a9fe19810012d100cca80666"
PERSON = "6816f79cc0a8016401c5a33be04be441"
CREATED = {"result": {"number": "INC0010001", "sys_id": SYS_ID}}
SETTINGS = {"assignment_group": "d625dccec0a8016700a222a0f7900d06", "own_user": "bridge"}


@pytest.fixture
def servicenow(adopt) -> Contract:
    """An instance that knows nobody and takes everything."""
    contract: Contract = adopt("servicenow", settings=SETTINGS)
    contract.answers(f"GET {USERS}", (200, {"result": []}))
    contract.answers(f"POST {USERS}", (201, {"result": {"sys_id": PERSON}}))
    contract.answers(f"POST {INCIDENT}", (201, CREATED))
    contract.answers(f"PATCH {INCIDENT}/{SYS_ID}", (200, CREATED))
    return contract


@pytest.fixture
def task(servicenow) -> Task:
    """A task that is known there."""
    return servicenow.give()


def test_the_caller_is_looked_up_and_created_before_the_incident(servicenow, task):
    assert servicenow.lines == [
        f"GET {USERS}?sysparm_query=active%3Dtrue%5Eemail%3Demil%40customer.test"
        "&sysparm_fields=sys_id,name,email,user_name,phone&sysparm_limit=1",
        f"POST {USERS}?sysparm_fields=sys_id",
        f"POST {INCIDENT}?sysparm_fields=number,sys_id",
    ]
    basic = base64.b64encode(b"bridge:s3cret-of-the-desk").decode()
    assert {request.headers["Authorization"] for request in servicenow.played.sent} == {f"Basic {basic}"}
    assert servicenow.body(1) == {
        "first_name": "Emil",
        "last_name": "Ende",
        "email": "emil@customer.test",
        "user_name": "emil@customer.test",
        "phone": "",
    }
    assert servicenow.body(2) == {
        "correlation_id": task.number,
        "correlation_display": "Deskbridge",
        "short_description": "The printer is on fire",
        "description": "Smoke on floor 2",
        "caller_id": PERSON,
        "contact_type": "self-service",
        "assignment_group": "d625dccec0a8016700a222a0f7900d06",
        "impact": "2",
        "urgency": "2",
    }
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == ("INC0010001", SYS_ID)
    assert ContactReference.objects.get().value == PERSON
    assert run_states() == ["done"]


def test_a_known_caller_is_not_created(adopt):
    contract = adopt("servicenow")
    contract.answers(f"GET {USERS}", (200, {"result": [{"sys_id": PERSON, "email": "Emil@Customer.test"}]}))
    contract.answers(f"POST {INCIDENT}", (201, CREATED))
    contract.give()
    assert [line.partition("?")[0] for line in contract.lines] == [f"GET {USERS}", f"POST {INCIDENT}"]
    assert contract.body()["caller_id"] == PERSON
    assert "assignment_group" not in contract.body()


@pytest.mark.parametrize(
    ("email", "login", "known"),
    [("EMIL@customer.test", "x", PERSON), ("x@a.test", "emil", PERSON), ("x@a.test", "", "")],
)
def test_only_the_very_address_or_login_is_the_person(adopt, desk, email, login, known):
    """An address may hold "^", which ends a condition of theirs: `a^ORuser_name=admin^ORemail=b@evil.test`."""
    contract = adopt("servicenow")
    desk.contact.login = "Emil" if login else ""
    desk.contact.save()
    task = contract.desk.task(contract.group)
    contract.answers(f"GET {USERS}", (200, {"result": [{"sys_id": PERSON, "email": email, "user_name": login}]}))
    assert contract.captured("find_contact", task) == {"contact": known}


@pytest.mark.parametrize(("visibility", "field"), [("public", "comments"), ("internal", "work_notes")])
def test_a_note_is_a_comment_and_an_internal_one_a_work_note(servicenow, task, visibility, field):
    task.group.binding.send_internal = True
    task.group.binding.save()
    servicenow.note(task, 'It «still» burns\n"now"', visibility=visibility)
    assert servicenow.lines == [f"PATCH {INCIDENT}/{SYS_ID}?sysparm_fields=number,sys_id"]
    assert servicenow.body() == {field: 'It «still» burns\n"now"'}


def test_a_file_is_sent_as_it_is(servicenow, task):
    servicenow.answers("POST /api/now/attachment/file", (201, {"result": {"sys_id": "f1"}}))
    servicenow.attach(task)
    assert servicenow.lines == [
        f"POST /api/now/attachment/file?table_name=incident&table_sys_id={SYS_ID}&file_name=br%C3%BCcke.png"
    ]
    assert (servicenow.body(), servicenow.sent().headers["Content-Type"]) == (b"\x89PNG", "image/png")


def test_whether_a_file_arrived_is_told_by_its_digest(servicenow, task):
    servicenow.answers("GET /api/now/attachment", (200, {"result": [{"sys_id": "f1"}]}))
    from tickets import actions

    content = actions.FileContent(name="a.txt", data=b"abc", content_type="text/plain")
    attachment = actions.attach(actor=servicenow.desk.by_agent, ticket=task.ticket, task=task, content=content)
    values = {"attachment": {"sha256": attachment.sha256}}
    servicenow.forget()
    servicenow.call("find_attachment", task, **values)
    digest = hashlib.sha256(b"abc").hexdigest()
    assert servicenow.lines == [
        f"GET /api/now/attachment?sysparm_query=table_sys_id%3D{SYS_ID}%5Ehash%3D{digest}&sysparm_limit=1"
    ]


def test_declined_and_closed_with_their_states(servicenow, task):
    servicenow.decline(task)
    assert servicenow.body() == {"state": "2", "comments": "Still broken"}
    task.refresh_from_db()
    servicenow.close(task)
    assert servicenow.body() == {"state": "7", "close_code": "Solution provided", "close_notes": "Replaced"}
    assert servicenow.lines == [f"PATCH {INCIDENT}/{SYS_ID}?sysparm_fields=number,sys_id"]


def test_withdrawn_is_cancelled_there(servicenow, task):
    servicenow.close(task, solution="No longer needed", completion_code="withdrawn_by_user")
    assert (servicenow.body()["state"], servicenow.body()["close_code"]) == ("8", "Resolved by caller")


def test_a_refusal_stops_with_their_words(servicenow, task):
    message = "Operation Failed"
    servicenow.played.server.clear()
    error = {"error": {"message": message, "detail": "ACL Exception Update Failed"}, "status": "failure"}
    servicenow.answers(f"PATCH {INCIDENT}/{SYS_ID}", (403, error))
    servicenow.note(task, "Hello")
    assert run_states() == ["done", "attention"]
    assert message in ProcessRun.objects.latest("pk").reason
    assert Exchange.objects.latest("pk").status == 403


def incident(**values: str) -> dict:
    """An incident as it is read with sysparm_display_value=all."""
    names = ["category", "assigned_to", "assignment_group", "close_notes", "close_code", "priority"]
    row = {name: {"value": "", "display_value": ""} for name in [*names, "short_description"]}
    row |= {
        "number": {"value": "INC0010001", "display_value": "INC0010001"},
        "sys_id": {"value": SYS_ID, "display_value": SYS_ID},
        "sys_updated_on": {"value": "2026-01-31 09:45:10", "display_value": "31.01.2026 10:45:10"},
        "state": {"value": "6", "display_value": "Resolved"},
    }
    return row | {name: {"value": value, "display_value": value} for name, value in values.items()}


def test_tickets_modified_since_are_read_with_their_values_and_words(servicenow, task):
    row = incident(close_notes="Replaced the toner")
    row["assignment_group"] = {"value": "d625", "display_value": "Service Desk"}
    servicenow.answers(f"GET {INCIDENT}", (200, {"result": [row]}))
    servicenow.forget()
    (record,) = servicenow.read("fetch_modified_since")
    assert "sys_updated_on%3E%3D2026-01-31%2009%3A30%3A00%5EORDERBYsys_updated_on" in servicenow.lines[0]
    assert servicenow.lines[0].endswith("&sysparm_limit=50&sysparm_offset=0")
    assert (record["reference"], record["external_id"], record["modified"]) == (
        "INC0010001",
        SYS_ID,
        "2026-01-31T09:45:10Z",
    )
    assert (record["status"], record["status_label"], record["solution"]) == ("6", "Resolved", "Replaced the toner")
    # By what their API takes a group, too, and by what their groups are listed.
    assert record["group"] == "d625"
    servicenow.answers(f"GET {INCIDENT}/{SYS_ID}", (200, {"result": row}))
    assert servicenow.read("fetch_ticket", task) == [record]


def test_what_is_written_and_solved_there_arrives_here_and_ours_does_not_come_back(servicenow, task):
    row = incident(close_notes="Replaced the toner", close_code="Solution provided")
    servicenow.answers(f"GET {INCIDENT}", (200, {"result": [row]}))
    servicenow.answers(f"GET {INCIDENT}/{SYS_ID}", (200, {"result": row}))
    servicenow.answers("GET /api/now/attachment", (200, {"result": []}))
    written = {"element": "comments", "sys_created_on": "2026-01-31 09:40:00"}
    journal = [
        {**written, "sys_id": "j1", "value": "It still burns", "sys_created_by": "bridge"},
        {**written, "sys_id": "j2", "value": "On our way", "sys_created_by": "beth.anglin"},
    ]
    servicenow.answers("GET /api/now/table/sys_journal_field", (200, {"result": journal}))
    servicenow.poll()
    task.refresh_from_db()
    assert (task.phase, task.solution, task.completion_code) == ("review", "Replaced the toner", "fulfilled")
    assert servicenow.notes(task) == ["On our way"]


def test_comments_are_read_in_order(servicenow, task):
    rows = [
        {
            "sys_id": "j1",
            "element": "comments",
            "value": "On our way",
            "sys_created_by": "beth.anglin",
            "sys_created_on": "2026-01-31 09:40:00",
        }
    ]
    servicenow.answers("GET /api/now/table/sys_journal_field", (200, {"result": rows}))
    assert servicenow.read("fetch_notes", task) == [
        {
            "id": "j1",
            "text": "On our way",
            "author": "beth.anglin",
            "at": "2026-01-31T09:40:00Z",
            "visibility": "public",
            "ours": False,
        }
    ]
