"""A desk that keeps people: found by login or e-mail, made, changed, removed and searched over HTTP."""

import json
from typing import Any

import pytest
from werkzeug import Request, Response

from integrations.models import OperationTemplate, Repeat, Step, StepKind
from tests.cast import Partner
from tests.integrations.engine.conftest import OtherDesk, _nothing_remembered, other_desk, respond  # noqa: F401 - fixtures

PERSON = json.dumps({name: f"{{{{ ticket.contact.{name} }}}}" for name in ("name", "email", "login")})


class People:
    """The other desk's people and tickets; with another `status` it refuses, and it makes nobody of `refused`."""

    def __init__(self, desk: OtherDesk) -> None:
        self.rows: list[dict[str, str]] = []
        self.tickets: list[dict[str, Any]] = []
        self.status = 200
        self.refused = ""
        desk.answers("/people", self._found, method="GET")
        desk.answers("/people", self._made)
        desk.answers("/tickets", self._ticket)
        for number in range(1, 6):
            desk.answers(f"/people/u{number}", self._changed, method="PUT")
            desk.answers(f"/people/u{number}", self._removed, method="DELETE")

    def add(self, **values: str) -> str:
        """A person there; their number."""
        number = f"u{len(self.rows) + 1}"
        self.rows.append({"id": number, "name": "", "email": "", "login": "", **values})
        return number

    def _found(self, request: Request) -> Response:
        if self.status != 200:
            return respond(self.status, {"error": "not now"})
        asked, text = request.args, request.args.get("q", "")
        found = [
            row
            for row in self.rows
            if (asked.get("login") and row["login"] == asked["login"])
            or (asked.get("email") and row["email"] == asked["email"])
            or (text and text.lower() in " ".join(row.values()).lower())
        ]
        return respond(200, {"people": found})

    def _made(self, request: Request) -> Response:
        person = json.loads(request.get_data())
        if person["email"] == self.refused:
            return respond(422, {"error": "not this address"})
        return respond(201, {"id": self.add(**person)})

    def _changed(self, request: Request) -> Response:
        if self.status != 200:
            return respond(self.status, {"error": "not now"})
        row = next(row for row in self.rows if row["id"] == request.path.rpartition("/")[2])
        row.update(json.loads(request.get_data()))
        return respond(200, {})

    def _removed(self, request: Request) -> Response:
        self.rows = [row for row in self.rows if row["id"] != request.path.rpartition("/")[2]]
        return respond(204)

    def _ticket(self, request: Request) -> Response:
        self.tickets.append(json.loads(request.get_data()))
        return respond(201, {"number": f"T-{len(self.tickets)}"})


@pytest.fixture
def people(partner: Partner, other_desk: OtherDesk) -> People:  # noqa: F811 - the fixture
    """The partner with operations on people, whose process looks up and makes the contact before the ticket."""
    system = partner.system

    def operation(name: str, **values: Any) -> OperationTemplate:
        return OperationTemplate.objects.create(system=system, name=name, **values)

    find = operation(
        "find_contact",
        method="GET",
        path="/people?login={{ ticket.contact.login }}&email={{ ticket.contact.email }}",
        captures='contact = response.json.people[0].id if response.json.people else ""',
        repeat=Repeat.SAFE,
    )
    create = operation(
        "create_contact",
        path="/people",
        body=PERSON,
        captures="contact = response.json.id",
        repeat=Repeat.PROBE,
        probe=find,
        probe_found="response.json.people | length > 0",
        settle_seconds=1,
    )
    there = "/people/{{ ticket.contact.external_id }}"
    operation("update_contact", method="PUT", path=there, body=PERSON, repeat=Repeat.SAFE)
    operation("delete_contact", method="DELETE", path=there, repeat=Repeat.SAFE)
    operation(
        "query_contacts",
        method="GET",
        path="/people?q={{ query.text }}",
        items="response.json.people",
        reads="contact = item.id\nname = item.name\nemail = item.email\nlogin = item.login",
    )
    OperationTemplate.objects.filter(pk=partner.create.pk).update(
        body='{"caller": "{{ task.number }}", "contact": "{{ ticket.contact.external_id }}"}'
    )
    partner.process.steps.update(position=10)
    unknown = 'event.operation == "assign" and not ticket.contact.external_id'
    for position, template in enumerate((find, create)):
        Step.objects.create(
            process=partner.process,
            position=position,
            name=template.name,
            kind=StepKind.OPERATION,
            operation=template,
            condition=unknown,
        )
    return People(other_desk)
