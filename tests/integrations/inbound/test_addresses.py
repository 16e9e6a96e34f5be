"""Every address that other desks call, taken from the URL configuration: a new one without a row is a failure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from integrations.inbound.case_exchange import session
from integrations.inbound.exchanged_files import offer
from integrations.inbound.problems import Unauthenticated
from integrations.inbound.workflow_service.contract import PATH
from integrations.inbound.workflow_service.urls import SPELLINGS
from integrations.models import Exchange, ExchangedFile, ExternalReference, Outcome, SystemKey
from tests.integrations.inbound.conftest import Desk, make_task
from tests.integrations.inbound.itx import addresses as itx
from tests.integrations.inbound.workflow_service.soap import ACKNOWLEDGE, REASSIGN, UPDATE, envelope, problem_of
from tickets import actions
from tickets.models import Attachment, Contact, Note, Task

# Addresses for people and operators, held by the tests of their own packages. All others are for other desks.
FOR_PEOPLE = ("admin/", "accounts/", "tickets/", "health/", "metrics")


def for_people(route: str) -> bool:
    """Whether the address is not for other desks."""
    return route == "" or route.startswith(FOR_PEOPLE)


# Described to everybody; nothing is said there of anybody.
PUBLIC = {"api/v1/schema/", "api/v1/docs/"}
# Where a session begins: nobody has one yet. They are held by the tests of Case Exchange.
SIGN_IN = {f"auth/authentication-endpoint/authenticate/{name}" for name in ("login", "token")}
# Who calls there proves it in a way of each desk's own; held by the tests of webhooks.
HOOKS = {"hooks/<slug:code>/", "hooks/<slug:code>"}
TASK = "api/v1/tasks/<str:number>/"
CASES = "rest/<str:tenant>/ces"
FILES = "rest/<str:tenant>/frs/file-list"
SERVICE = PATH.lstrip("/")


@dataclass(frozen=True)
class Row:
    """One thing that can be done at one address. `{task}`, `{ticket}` and `{file}` are filled in."""

    route: str
    path: str
    body: Any = None
    soap: str = ""

    @property
    def about_a_task(self) -> bool:
        """Whether another desk's record can be named."""
        return "{" in self.path or bool(self.soap) or "{task}" in str(self.body)

    @property
    def has_sessions(self) -> bool:
        """Whether callers sign in first."""
        return self.path.startswith("/rest/deskbridge/")

    def __str__(self) -> str:
        about = self.soap[-15:]
        if self.has_sessions and isinstance(self.body, dict):
            about = self.body["entities"][0]["ext_properties"]["Operation"]
        return f"{'POST' if self.body is not None else 'GET'} {self.path} {about}".strip()


FILE = {"name": "a.txt", "content_type": "text/plain", "content": "aGVsbG8="}


def entity(operation: str, properties: dict[str, Any], number: str = "INC-1") -> dict[str, Any]:
    """A body of Case Exchange."""
    exchanged = {"ExternalSystem": "northwind", "Operation": operation, "ExternalId": number}
    return {"entities": [{"entity_type": "Incident", "properties": properties, "ext_properties": exchanged}]}


OURS = {"Id": "{task}"}
NEW = {"DisplayLabel": "No delivery", "ContactEmail": "ada@example.com"}
OPERATIONS = ("Acknowledge", "Resolve", "Close", "Reopen", "Assign", "Reject", "Cancel")
TICKET = {"external_reference": "INC-7", "title": "No delivery", "contact": {"email": "ada@example.com"}}
ROWS = [
    Row("api/v1/tasks/", "/api/v1/tasks/"),
    Row(TASK, "/api/v1/tasks/{task}/"),
    Row(f"{TASK}acknowledge/", "/api/v1/tasks/{task}/acknowledge/", {"external_reference": "INC-1"}),
    Row(f"{TASK}updates/", "/api/v1/tasks/{task}/updates/"),
    Row(f"{TASK}updates/", "/api/v1/tasks/{task}/updates/", {"text": "Hello"}),
    Row(f"{TASK}reassign/", "/api/v1/tasks/{task}/reassign/", {"solution": "Done"}),
    Row(f"{TASK}operations/", "/api/v1/tasks/{task}/operations/", {"operation": "resolve", "solution": "Done"}),
    Row(f"{TASK}attachments/", "/api/v1/tasks/{task}/attachments/"),
    Row(f"{TASK}attachments/", "/api/v1/tasks/{task}/attachments/", {"attachments": [FILE]}),
    Row(f"{TASK}attachments/<int:attachment_id>/", "/api/v1/tasks/{task}/attachments/{file}/"),
    Row("api/v1/tickets/", "/api/v1/tickets/"),
    Row("api/v1/tickets/", "/api/v1/tickets/", TICKET),
    Row("api/v1/tickets/<str:number>/", "/api/v1/tickets/{ticket}/"),
    Row("api/v1/contacts/", "/api/v1/contacts/"),
    Row("api/v1/contacts/", "/api/v1/contacts/", {"email": "grace@example.com", "name": "Grace Hopper"}),
    # Changes and removals are held by the tests of contacts.
    Row("api/v1/contacts/<int:contact_id>/", "/api/v1/contacts/{contact}/"),
    Row("api/v1/values/", "/api/v1/values/"),
    Row("api/v1/exchanges/", "/api/v1/exchanges/"),
    Row(SERVICE, PATH, "<taskNumber>{task}</taskNumber><externalReference>INC-1</externalReference>", ACKNOWLEDGE),
    Row(SERVICE, PATH, "<taskNumber>{task}</taskNumber><text>Hello</text>", UPDATE),
    Row(SERVICE, PATH, "<taskNumber>{task}</taskNumber><solution>Done</solution>", REASSIGN),
    Row(CASES, "/rest/deskbridge/ces"),
    Row(CASES, "/rest/deskbridge/ces", entity("Create", OURS)),
    Row(CASES, "/rest/deskbridge/ces?layout=Status", entity("Create", NEW | {"Id": ""}, "INC-7")),
    *(Row(CASES, "/rest/deskbridge/ces", entity(name, OURS)) for name in OPERATIONS),
    Row(CASES, "/rest/deskbridge/ces", entity("Update", OURS | {"Solution": "Soon"})),
    Row(FILES, "/rest/deskbridge/frs/file-list", b"hello"),
    Row(f"{FILES}/<str:guid>", "/rest/deskbridge/frs/file-list/{guid}"),
]
WRITES = [row for row in ROWS if row.body is not None]
every = pytest.mark.parametrize("row", ROWS, ids=str)
every_write = pytest.mark.parametrize("row", WRITES, ids=str)
# A file may be anything.
every_message = pytest.mark.parametrize("row", [row for row in WRITES if row.body != b"hello"], ids=str)


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every route of the URL configuration."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


@pytest.fixture
def ours(northwind: Desk) -> Task:
    """A task of Northwind with a file."""
    task = make_task(northwind)
    actor = actions.FileContent("a.txt", b"hello")
    from integrations.inbound.operations import attach

    attach(system=northwind.system, task=task, files=(actor,))
    offer(system=northwind.system, attachment=Attachment.objects.get())
    return task


def call(row: Row, task: Task | None, authorization: str, *, body: Any = None, **headers: str) -> Any:
    """Do it, with the address filled in for the task; `body` (bytes) instead of the row's own."""
    names = {
        "task": task.number if task else "x",
        "ticket": task.ticket.number if task else "x",
        "contact": str(task.ticket.contact_id if task else 1),
        "guid": str(ExchangedFile.objects.values_list("guid", flat=True).first()),
        "file": str(Attachment.objects.order_by("-pk").values_list("pk", flat=True).first() or 1),
    }
    if authorization:
        headers["Cookie" if row.has_sessions else "Authorization"] = authorization
    path = row.path.format(**names)
    client = Client()
    if row.body is None:
        return client.get(path, headers=headers)
    if row.soap:
        content = body if body is not None else envelope(row.soap, row.body.format(**names)).encode()
        return client.generic("POST", path, content, content_type="text/xml; charset=utf-8", headers=headers)
    if body is None and row.has_sessions:
        body = row.body if isinstance(row.body, bytes) else json.dumps(row.body).replace("{task}", names["task"])
    if body is not None:
        return client.generic("POST", path, body, content_type="application/json", headers=headers)
    return client.post(path, row.body, content_type="application/json", headers=headers)


def authorization(row: Row, desk: Desk, key: str = "") -> str:
    """The header by which this address knows its callers."""
    if row.has_sessions:
        try:
            return f"{session.SESSION_COOKIE}={session.sign_in(desk.system.code, key or desk.key)}"
        except Unauthenticated:
            return f"{session.SESSION_COOKIE}=wrong"
    if not row.soap:
        return f"Api-Key {key or desk.key}"
    return Desk(desk.system, key or desk.key, desk.group).basic()


def problem(row: Row, response: Any) -> tuple[int, str]:
    """Status and code of a refusal, in whichever form it comes."""
    if row.soap:
        found = problem_of(response)
        return int(found["status"]), found["code"]
    if row.has_sessions:
        meta = response.json()["meta"]
        assert (response.json()["entities"], meta["completion_status"]) == ([], "FAILED")
        return response.status_code, meta["errorDetailsList"][0]["errorCode"]
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def changed() -> tuple[int, ...]:
    """Counts that any effect would move."""
    return (
        Note.objects.count(),
        Attachment.objects.count(),
        ExternalReference.objects.count(),
        Task.objects.count(),
        Task.objects.filter(phase="review").count(),
        Contact.objects.count(),
    )


def test_no_address_is_forgotten():
    served = {route for route in routes(get_resolver().url_patterns) if not for_people(route)}
    rows = {row.route for row in ROWS} | PUBLIC | SIGN_IN | HOOKS
    without_slash = {route.rstrip("/") for route in rows if route.startswith("api/")}
    # The spellings of the Workflow Service lead to one view; that they do is tested there, as ITX has its own table.
    assert served == rows | without_slash | set(SPELLINGS) | {r"api/v1/^[\s\S]*$"} | itx.ROUTES


@pytest.mark.portable
@every
def test_the_right_key_is_let_in(row: Row, northwind: Desk, ours: Task):
    response = call(row, ours, authorization(row, northwind))
    assert response.status_code in (200, 201), getattr(response, "content", "")
    response.close()


@pytest.mark.portable
@every
@pytest.mark.parametrize("header", ["", "wrong", "revoked", "expired", "switched_off", "other_scheme"])
def test_no_key_or_a_bad_one_is_401_and_in_the_log(row: Row, header: str, northwind: Desk, ours: Task):
    value = authorization(row, northwind)
    match header:
        case "":
            value = ""
        case "wrong":
            value = authorization(row, northwind, northwind.key[:-1] + "?")
        case "revoked":
            SystemKey.objects.update(revoked=True)
        case "expired":
            SystemKey.objects.update(expiry_date=timezone.now())
        case "switched_off":
            type(northwind.system).objects.update(active=False)
        case "other_scheme":
            value = "Digest username=x"
    before = changed()
    response = call(row, ours, value)
    assert response.status_code == 401
    assert response["WWW-Authenticate"]
    assert problem(row, response) == (401, "unauthenticated")
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.system, exchange.status) == (Outcome.REFUSED, None, 401)
    assert northwind.key not in f"{exchange.request_headers}{exchange.request_body}"
    assert changed() == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.about_a_task], ids=str)
def test_another_systems_task_is_404_as_if_it_did_not_exist(row: Row, northwind: Desk, outsider: Desk, ours: Task):
    before = changed()
    foreign = call(row, ours, authorization(row, outsider))
    assert problem(row, foreign) == (404, "not_found")
    assert changed() == before
    ours.number, ours.ticket.number = "9999-1", "9999"
    unknown = call(row, ours, authorization(row, outsider))
    assert problem(row, unknown) == (404, "not_found")
    assert foreign.content.replace(b"1001", b"9999") == unknown.content


MALFORMED = [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"text": NaN}', b"[" * 100_000, b'{"x": ' + b"9" * 10_000 + b"}"]
MALFORMED += [b'{"text": "\\u0000", "external_reference": "\\u0000"}', b'{"text": "\\ud800", "solution": "\\ud800"}']


@every_message
@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_malformed_is_400_and_changes_nothing(row: Row, body: bytes, northwind: Desk, ours: Task):
    before = changed()
    response = call(row, ours, authorization(row, northwind), body=body)
    status, code = problem(row, response)
    assert (status, code in ("malformed", "invalid")) == (400, True)
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.system) == (Outcome.REFUSED, northwind.system)
    assert changed() == before


@pytest.mark.portable
@every_write
def test_what_is_oversized_is_413(row: Row, northwind: Desk, ours: Task, settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    response = call(row, ours, authorization(row, northwind), body=b'{"text": "' + b"x" * 2000 + b'"}')
    assert problem(row, response) == (413, "too_large")
    assert Exchange.objects.get().request_body == ""


@every_write
def test_what_is_repeated_gets_the_same_answer_and_changes_nothing(row: Row, northwind: Desk, ours: Task):
    first = call(row, ours, authorization(row, northwind), **{"Idempotency-Key": "k1"})
    before = changed()
    second = call(row, ours, authorization(row, northwind), **{"Idempotency-Key": "k1"})
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert changed() == before
    assert Exchange.objects.order_by("pk").last().outcome == Outcome.REPEATED


@every_write
def test_messages_may_come_before_the_acknowledgement_and_it_may_come_last(row: Row, northwind: Desk, ours: Task):
    assert call(row, ours, authorization(row, northwind)).status_code in (200, 201)
    late = northwind.post(f"tasks/{ours.number}/acknowledge/", {"external_reference": "INC-1"})
    # What they rejected is no longer theirs.
    assert late.status_code == (404 if "Reject" in str(row) else 200)
