"""A task is given to another group of the same desk, and taken back and given again: what each preset says then.

A desk that goes on working on a task is told which of its groups has it by now, if it has groups and the value map
knows this one, and nothing else. A desk that gets a task again is told to work on it again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from werkzeug import Request, Response

from integrations.app_fields import placeholders
from integrations.catalogue import load
from integrations.catalogue.readiness import findings
from integrations.engine.references import store_reference
from integrations.engine.rendering import context_for
from integrations.models import GroupBinding, ProcessRun, Setup, ValueMapping
from integrations.templating import evaluate
from tests.integrations.catalogue.contract import Contract, run_states
from tests.integrations.catalogue.test_every_operation import signs_in
from tests.integrations.engine.conftest import respond
from tickets import actions
from tickets.models import AssignmentGroup, Task

pytestmark = pytest.mark.django_db(transaction=True)

AGAIN: Final = "Please work on this again."
REST: Final = "/nph-genericinterface.pl/Webservice/PartnerREST/Ticket/29081"
SOAP: Final = "/nph-genericinterface.pl/Webservice/PartnerSOAP"
# What a desk may answer to anything.
ANSWER: Final = {
    "id": 1,
    "ticket": {"id": 1},
    "TicketID": "29081",
    "ArticleID": "7",
    "conversation": {"id": 1},
    "audit": {"events": [{"type": "Comment", "id": 1}]},
    "result": {"sys_id": "1"},
    "meta": {"completion_status": "OK"},
}


@dataclass
class Given:
    """A task that the desk knows, and the desk's two groups, which it calls 4001 and 4002."""

    contract: Contract
    task: Task
    second: AssignmentGroup

    def to(self, group: AssignmentGroup) -> list[tuple[str, Any]]:
        """Give it to a group, and what the desk was asked: each request, and its body."""
        contract = self.contract
        self.task.refresh_from_db()
        contract.worked(lambda: actions.assign_task(actor=contract.desk.by_agent, task=self.task, group=group))
        assert set(run_states()) <= {"done"}
        return [
            (line, contract.body(index))
            for index, line in enumerate(contract.lines)
            if "session" not in line.lower() and "index.pl" not in line
        ]

    def to_second(self) -> list[tuple[str, Any]]:
        """Give it to the other group of the desk."""
        return self.to(self.second)

    def taken_back(self) -> list[tuple[str, Any]]:
        """Take it away, to our own service desk."""
        return self.to(self.contract.desk.service_desk)


@pytest.fixture
def given(adopt: Callable[..., Contract]) -> Callable[..., Given]:
    """A preset whose desk has two groups of ours, and takes whatever it is asked."""

    def make(code: str, *, mapped: bool = True, answer: Any = ANSWER) -> Given:
        settings = {name: asked.get("default") or "12" for name, asked in load(code).settings.items()}
        contract = adopt(code, settings=settings)
        signs_in(contract)

        def answered(request: Request) -> Response:
            contract.played.sent.append(request)
            contract.played.bodies.append(request.get_data())
            if callable(answer):
                response: Response = answer(request)
                return response
            return respond(200, answer)

        contract.played.server.expect_request(re.compile(".*")).respond_with_handler(answered)
        first = GroupBinding.objects.get(group=contract.group)
        second = AssignmentGroup.objects.create(name="Second group", code="second-group")
        names = ("assignment_process", "update_process", "closure_process", "rejection_process")
        bound = {name: getattr(first, name) for name in names}
        GroupBinding.objects.create(group=second, integrated=True, system=contract.system, **bound)
        if mapped:
            for ours, theirs in ((contract.group.code, "4001"), (second.code, "4002")):
                ValueMapping.objects.create(system=contract.system, kind="group", ours=ours, theirs=theirs)
        task = contract.desk.task(contract.group)
        store_reference(task=task, system=contract.system, value="4711", external_id="29081")
        # What was to be created is there already.
        ProcessRun.objects.update(state="done")
        return Given(contract, task, second)

    return make


def soap_answer(request: Request) -> Response:
    """What any of their SOAP services may answer."""
    method = request.headers.get("SOAPAction", "").strip('"').rpartition("/")[2].rpartition("#")[2]
    body = (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><{method}Response>'
        "<TicketID>29081</TicketID><ArticleID>7</ArticleID><Ticket/><Note><Id>7</Id></Note>"
        f"<{method}Result><Success>true</Success><success>true</success></{method}Result>"
        f"</{method}Response></s:Body></s:Envelope>"
    )
    return Response(body, 200, content_type="text/xml; charset=utf-8")


def itx_answer(request: Request) -> Response:
    """A case of ITX, or its text."""
    return respond(200, [{"eactId": 4711, "status": 1}] if request.path.endswith("search") else {"text": {"id": 7}})


TO_GROUP: Final[dict[str, tuple[str, Any]]] = {
    "servicenow": (
        "PATCH /api/now/table/incident/29081?sysparm_fields=number,sys_id",
        {"assignment_group": "4002"},
    ),
    "zendesk": ("PUT /api/v2/tickets/4711", {"ticket": {"group_id": 4002}}),
    "zammad": ("PUT /api/v1/tickets/29081", {"group": "4002"}),
    "freshservice": ("PUT /api/v2/tickets/4711", {"group_id": 4002}),
    "znuny-rest": (f"PATCH {REST}", {"Ticket": {"Queue": "4002"}}),
}
WITHOUT_GROUPS: Final = {
    "glpi": ANSWER,
    "jira-service-management": ANSWER,
    "generic-rest": ANSWER,
    "deskbridge": ANSWER,
    "opentext-case-exchange": ANSWER,
    "itx": itx_answer,
    "generic-soap": soap_answer,
    "smartertrack": soap_answer,
    "smtx-ssp7": soap_answer,
}


@pytest.mark.parametrize("code", TO_GROUP)
def test_from_one_group_of_the_desk_to_another_only_the_group_is_set(code: str, given: Callable[..., Given]) -> None:
    assert given(code).to_second() == [TO_GROUP[code]]


def test_znuny_is_told_the_queue_by_soap(given: Callable[..., Given]) -> None:
    ((line, body),) = given("znuny-soap", answer=soap_answer).to_second()
    assert line == f"POST {SOAP}"
    ticket = re.search(r"<Ticket>(.*)</Ticket>", body.decode(), re.DOTALL)
    assert ticket is not None and ticket[1].split() == ["<Queue>4002</Queue>"]
    assert b"<Article>" not in body


@pytest.mark.parametrize("code", [*TO_GROUP, "znuny-soap"])
def test_without_a_translation_of_the_group_nothing_is_said(code: str, given: Callable[..., Given]) -> None:
    answer = soap_answer if code == "znuny-soap" else ANSWER
    assert given(code, mapped=False, answer=answer).to_second() == []


@pytest.mark.parametrize("code", WITHOUT_GROUPS)
def test_a_desk_without_groups_is_told_nothing_of_such_a_move(code: str, given: Callable[..., Given]) -> None:
    assert given(code, answer=WITHOUT_GROUPS[code]).to_second() == []


@pytest.mark.parametrize("code", [*TO_GROUP, *WITHOUT_GROUPS])
def test_another_assignee_within_the_group_opens_nothing_again(code: str, given: Callable[..., Given]) -> None:
    it = given(code, mapped=False, answer=WITHOUT_GROUPS.get(code, ANSWER))
    assert it.to(it.contract.group) == []


OUT_AND_IN_AGAIN: Final[dict[str, list[tuple[str, Any]]]] = {
    "servicenow": [
        (
            "PATCH /api/now/table/incident/29081?sysparm_fields=number,sys_id",
            {"state": "2", "comments": AGAIN},
        ),
    ],
    "zendesk": [
        (
            "PUT /api/v2/tickets/4711",
            {
                "ticket": {
                    "status": "open",
                    "comment": {"body": AGAIN, "public": True},
                    "metadata": {"deskbridge": "NUMBER"},
                }
            },
        ),
    ],
    "zammad": [
        (
            "PUT /api/v1/tickets/29081",
            {
                "state": "open",
                "article": {
                    "subject": "NUMBER",
                    "body": AGAIN,
                    "content_type": "text/plain",
                    "type": "note",
                    "internal": False,
                },
            },
        ),
    ],
    "freshservice": [("PUT /api/v2/tickets/4711", {"status": 2})],
    "znuny-rest": [
        (
            f"PATCH {REST}",
            {
                "Ticket": {"State": "open"},
                "Article": {
                    "CommunicationChannel": "Internal",
                    "SenderType": "customer",
                    "IsVisibleForCustomer": 1,
                    "Subject": "[NUMBER/assign] Ada",
                    "Body": AGAIN,
                    "ContentType": "text/plain; charset=utf8",
                },
            },
        ),
    ],
    "glpi": [
        (
            "POST /apirest.php/ITILFollowup",
            {
                "input": {
                    "itemtype": "Ticket",
                    "items_id": 4711,
                    "content": AGAIN,
                    "is_private": 0,
                    "add_reopen": 1,
                }
            },
        ),
    ],
    "jira-service-management": [
        (
            "POST /rest/servicedeskapi/request/4711/transition",
            {"id": "12", "additionalComment": {"body": AGAIN}},
        ),
    ],
    "generic-rest": [("POST /tickets/4711/reopen", {"reason": AGAIN})],
    "itx": [
        ("POST /rest/itxems/activitytexts", {"text": AGAIN, "activity": {"eactId": 4711}}),
        ("POST /rest/itxems/cases/search", {"eactIds": [4711], "getMembers": True}),
        ("POST /rest/itxems/case", {"eactId": 4711, "status": 1}),
    ],
}
# Behind these the desk's group is set; Freshservice is told the words in a note of its own.
LAST: Final = {"freshservice": [("POST /api/v2/tickets/4711/notes", {"body": AGAIN, "private": False})]}
WORDS: Final = {
    "generic-soap": f"<Reason>{AGAIN}</Reason>",
    "smartertrack": f"<string>args_Body={AGAIN}</string>",
    "smtx-ssp7": f"<text>{AGAIN}</text>",
    "znuny-soap": f"<Body>{AGAIN}</Body>",
}


@pytest.mark.parametrize("code", OUT_AND_IN_AGAIN)
def test_what_was_taken_back_and_is_given_again_is_to_be_worked_on_again(
    code: str, given: Callable[..., Given]
) -> None:
    it = given(code, answer=WITHOUT_GROUPS.get(code, ANSWER))
    assert it.taken_back()
    told = [(line, known_by_number(body, it.task)) for line, body in it.to_second()]
    group = [TO_GROUP[code]] if code in TO_GROUP else []
    assert told == [*OUT_AND_IN_AGAIN[code], *group, *LAST.get(code, [])]


@pytest.mark.parametrize("code", WORDS)
def test_so_it_is_by_soap(code: str, given: Callable[..., Given]) -> None:
    it = given(code, answer=soap_answer)
    assert b"Please work" not in it.taken_back()[0][1]
    bodies = [body.decode() for _line, body in it.to_second()]
    assert [WORDS[code] in body for body in bodies].count(True) == 1
    if code == "znuny-soap":
        assert "<State>open</State>" in bodies[0] and "<Queue>4002</Queue>" in bodies[1]
        assert "/assign] Ada</Subject>" in bodies[0]


@pytest.mark.parametrize(("code", "operation"), [("opentext-case-exchange", "Assign"), ("deskbridge", "reopen")])
def test_desks_with_operations_are_told_theirs(code: str, operation: str, given: Callable[..., Given]) -> None:
    it = given(code)
    assert it.taken_back()
    ((_line, body),) = it.to_second()
    told = body["entities"][0]["ext_properties"]["Operation"] if code != "deskbridge" else body["operation"]
    assert told == operation


@pytest.mark.parametrize("code", [*TO_GROUP, "glpi"])
def test_a_ticket_is_created_in_the_group_of_the_value_map(code: str, given: Callable[..., Given]) -> None:
    it = given(code)
    it.contract.call("create_ticket", it.task)
    body = it.contract.body()
    found = {
        "servicenow": lambda: body["assignment_group"] == "4001",
        "zendesk": lambda: body["ticket"]["group_id"] == 4001,
        "zammad": lambda: body["group"] == "4001",
        "freshservice": lambda: body["group_id"] == 4001,
        "znuny-rest": lambda: body["Ticket"]["Queue"] == "4001",
        "glpi": lambda: body["input"]["_groups_id_assign"] == 4001,
    }
    assert found[code]()


def test_so_it_is_in_znuny_by_soap(given: Callable[..., Given]) -> None:
    it = given("znuny-soap", answer=soap_answer)
    it.contract.call("create_ticket", it.task)
    assert b"<Queue>4001</Queue>" in it.contract.body()


def test_of_our_groups_only_those_of_the_desk_need_a_translation_and_only_with_a_map(
    given: Callable[..., Given],
) -> None:
    def told(it: Given) -> list[tuple[str, str]]:
        setup = Setup(system=it.contract.system, group=it.contract.group)
        found = findings(it.contract.system, setup)
        return [(each.kind, each.words) for each in found if each.title == "Value map: Assignment group"]

    it = given("zammad", mapped=False)
    assert told(it) == []
    ValueMapping.objects.create(system=it.contract.system, kind="group", ours=it.contract.group.code, theirs="Users")
    ((kind, words),) = told(it)
    assert (kind, words.partition(". ")[0]) == ("doubt", "Without a translation: Second group")
    ValueMapping.objects.create(system=it.contract.system, kind="group", ours=it.second.code, theirs="2nd Level")
    assert [kind for kind, _words in told(it)] == ["good"]


def known_by_number(body: Any, task: Task) -> Any:
    """The body with a word for the task's number, which no table can know."""
    if isinstance(body, dict):
        return {name: known_by_number(value, task) for name, value in body.items()}
    return body.replace(task.number, "NUMBER") if isinstance(body, str) else body


def test_a_desk_by_mail_is_asked_anew_but_reads_nothing_of_a_move(given: Callable[..., Given]) -> None:
    it = given("email-only")
    asked = it.contract.group.binding.assignment_process.steps.get(name="assign")

    def mailed(group: AssignmentGroup) -> bool:
        it.task.refresh_from_db()
        actions.assign_task(actor=it.contract.desk.by_agent, task=it.task, group=group)
        run = ProcessRun.objects.latest("pk")
        return bool(evaluate(asked.condition, context_for(run), fields=placeholders()))

    assert not mailed(it.second)
    assert not mailed(it.contract.desk.service_desk)
    assert mailed(it.contract.group)
