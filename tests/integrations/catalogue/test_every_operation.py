"""Every operation of every preset, one by one: the exact request on the wire, what is read of the desk's answer, and
that the desk's refusal is none but a refusal. `wire/` has them, a file for each preset.

`answer` (with `status`) is what the desk answers, `reads` and `captures` what is taken from it. Of an operation that
looks whether something has arrived, `answer` says that it has, and `nothing` that it has not.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from werkzeug import Request, Response

from integrations.app_fields import placeholders
from integrations.catalogue import codes, load
from integrations.definition import describe_request
from integrations.engine.outcome import captured, response_context
from integrations.engine.rendering import render_request
from integrations.engine.sending import Occasion, Try, attempt
from integrations.models import OperationTemplate, Outcome, Step, ValueMapping
from integrations.reading import records_of
from integrations.templating import evaluate
from integrations.value_maps import theirs_for
from tests.cast import Desk
from tests.integrations.catalogue.contract import POLL, Contract, parts, text
from tests.integrations.engine.conftest import respond
from tickets import actions

pytestmark = pytest.mark.django_db

FOLDER: Final = Path(__file__).parent / "wire"
AT: Final = "2026-01-31T09:40:00+00:00"
ENDS: Final = {
    "close_ticket": "close",
    "withdraw_ticket": "close",
    "solve_ticket": "review",
    "resolve_ticket": "review",
}


@cache
def wire(code: str) -> dict[str, Any]:
    """What stands in the preset's file."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{code}.yaml").read_text(encoding="utf-8"))
    return found


CODES: Final = [code for code in codes() if load(code).operations]


@dataclass
class Played:
    """A desk of the catalogue that answers every request alike."""

    contract: Contract
    desk: Desk
    answer: Any = ""
    status: int = 200

    def __post_init__(self) -> None:
        signs_in(self.contract)
        self.contract.played.server.expect_request(re.compile(".*")).respond_with_handler(self._answered)

    def call(self, name: str, answer: Any = "", status: int = 200) -> tuple[OperationTemplate, dict[str, Any], Try]:
        """Call one operation, which is answered so: its template, what that saw, and the try."""
        self.answer, self.status = answer, status
        system = self.contract.system
        template = system.operations.get(name=name)
        request = {**describe_request(template, with_probe=False), "operation": name}
        context = context_of(self.contract, self.desk, name)
        prepared = render_request(request, system=system, context=context)
        self.contract.forget()
        came = attempt(
            Occasion(system=system, dialect=request["protocol"], operation=name), prepared, request, context
        )
        return template, context, came

    def _answered(self, request: Request) -> Response:
        self.contract.played.sent.append(request)
        self.contract.played.bodies.append(request.get_data())
        if not isinstance(self.answer, str):
            return respond(self.status, self.answer)
        method = request.headers.get("SOAPAction", "").strip('"').rpartition("/")[2]
        kind = "text/html" if self.answer.startswith("<html") else "text/xml; charset=utf-8"
        return text(self.status, self.answer.replace("{method}", method), kind)(request)


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> str:
    """Each preset that calls a desk."""
    return str(request.param)


@pytest.fixture
def played(code: str, adopt: Callable[..., Contract], desk: Desk) -> Played:
    """Its desk, with every setting filled in."""
    settings = {name: asked.get("default") or "12" for name, asked in load(code).settings.items()}
    return Played(adopt(code, settings=settings), desk)


def signs_in(contract: Contract) -> None:
    """Whatever a desk is signed in at gives the session `sess1on`."""
    headers = {"Set-Cookie": "OTRSAgentInterface=sess1on; Path=/", "Location": "/index.pl?Action=AgentDashboard"}
    contract.answers("POST /index.pl", (302, "", headers))
    contract.answers("GET /apirest.php/initSession", (200, {"session_token": "sess1on"}))
    contract.answers("POST /auth/authentication-endpoint/authenticate/login", text(200, "sess1on", "text/plain"))


def context_of(contract: Contract, desk: Desk, name: str) -> dict[str, Any]:
    """What the templates see: a task that is 4711 there (29081 inside), with a contact whom they know as 815."""
    system = contract.system
    content = actions.FileContent(name="brücke.png", data=b"\x89PNG", content_type="image/png")
    file = actions.attach(actor=desk.by_agent, ticket=desk.ticket(), content=content)
    nothing = {"code": None, "name": None}
    contact = {"id": None, "name": "Émile Ende", "email": "emil@customer.test", "login": "emil", "phone": "+41 1"}
    known: dict[str, Any] = {
        "system": {"code": system.code, "name": system.name, "settings": system.settings},
        "portal": {"url": "https://portal.test"},
        "process": {"id": 1, "name": "Acme: exchange"},
        "event": {
            "request_type": "Update",
            "direction": "Out",
            "operation": name.removesuffix("_ticket") if name in ENDS else "update",
            "text": 'See <config>:\na < b & "c" — ü',
            "author": "Ada",
            "actor": "Ada",
            "visibility": "public",
            "message_id": "note-7",
            "written_at": AT,
            "at": AT,
        },
        "task": {
            "number": "1001-1",
            "title": "Printer",
            "description": "Smoke",
            "phase": ENDS.get(name, "initial_support"),
            "group": nothing,
            "assignee": "",
            "solution": "Replaced",
            "completion_code": "fulfilled",
            "expected_resolution_at": AT,
            "created_at": AT,
            "external_reference": "4711",
            "external_id": "29081",
        },
        "ticket": {
            "number": "1001",
            "title": "The printer is on fire",
            "description": "Smoke on floor 2",
            "status": {"code": 1, "name": "Open"},
            "priority": {"code": "p1", "name": "Rank 1", "rank": 1},
            "category": nothing,
            "queue": nothing,
            "contact": {**contact, "organisation": "", "external_id": "815"},
            "own_status": nothing,
            "assigned_user": "",
            "deadline_at": None,
            "on_hold_until": None,
            "tags": [],
            "properties": {},
            "created_at": AT,
            "notes": [{"id": 1, "text": "It <still> burns", "author": "Ada", "at": AT}],
        },
        "attachment": {
            "id": file.pk,
            "name": file.name,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256,
        },
        "file": {"id": "f-1", "name": "plan.png", "url": f"{system.base_url}/files/1"},
        "query": {"text": "Ende"},
        "poll": POLL,
        "steps": {},
    }
    if name == "assign_ticket":
        # The one operation that is not called without a translation of the group.
        ValueMapping.objects.create(system=system, kind="group", ours="acme-group", theirs="4002")
        known["task"]["group"] = {"code": "acme-group", "name": "Acme group"}
    theirs = theirs_for(system, known)
    ValueMapping.objects.filter(system=system, kind="group").delete()
    return {**known, "theirs": theirs}


def on_the_wire(contract: Contract) -> dict[str, Any]:
    """The last request, in the form of the files."""
    request, body = contract.sent(), contract.played.bodies[-1]
    kind = request.headers.get("Content-Type", "")
    shown: dict[str, Any] = {"sends": contract.lines[-1]}
    if kind.startswith("multipart/form-data"):
        names = ("name", "type", "file", "content")
        found = [dict(zip(names, part, strict=True)) for part in parts(request, body)]
        return {**shown, "form": [{**part, "content": readable(part["content"])} for part in found]}
    if not body:
        return shown
    if kind.startswith("application/json"):
        return {**shown, "body": json.loads(body)}
    return {**shown, "type": kind, "body": readable(body)}


def readable(content: bytes) -> str:
    """Bytes as the files show them: text, or a file's bytes one by one."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def test_what_is_sent_is_exactly_this(code: str, played: Played):
    expected, sent = wire(code)["operations"], {}
    # No operation is left out.
    for name in load(code).operations:
        row = expected.get(name, {})
        played.call(name, row.get("answer", ""), row.get("status", 200))
        sent[name] = on_the_wire(played.contract)
    parts_sent = ("sends", "form", "type", "body")
    assert sent == {name: {key: row[key] for key in parts_sent if key in row} for name, row in expected.items()}


def test_of_the_desks_answers_it_takes_this(code: str, played: Played):
    for name, row in wire(code)["operations"].items():
        if "answer" not in row:
            continue
        template, context, came = played.call(name, row["answer"], row.get("status", 200))
        assert came.verdict.outcome == Outcome.SUCCEEDED, (name, came.verdict.reason)
        assert came.response is not None
        if "reads" in row:
            assert records_of(template, came.response, context) == row["reads"], name
        if "captures" in row:
            assert captured(describe_request(template), came.response, context) == (row["captures"], ""), name


def test_what_has_arrived_is_found_and_what_has_not_is_not(code: str, played: Played):
    for name, row in wire(code)["operations"].items():
        for answer, arrived in (("answer", True), ("nothing", False)) if "nothing" in row else ():
            template, context, came = played.call(name, row[answer])
            assert came.verdict.outcome == Outcome.SUCCEEDED, (name, came.verdict.reason)
            assert came.response is not None
            told = {**context, "response": response_context(came.response, describe_request(template))}
            looks = [*OperationTemplate.objects.filter(probe=template), *Step.objects.filter(probe=template)]
            assert looks, name
            for look in looks:
                assert bool(evaluate(look.probe_found, told, fields=placeholders())) is arrived, (name, look, answer)


def test_a_refusal_is_told_in_the_desks_words(code: str, played: Played):
    refusal = wire(code)["refusal"]
    # Who cannot sign in is tested with the sign-ins.
    for name in set(load(code).operations) - {"login"}:
        _template, _context, came = played.call(name, refusal["answer"], refusal["status"])
        assert came.verdict.outcome not in (Outcome.SUCCEEDED, Outcome.UNKNOWN), name
        assert refusal["says"] in came.verdict.reason, name
