"""The OpenAPI description is complete, and what is served conforms to it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integrations.inbound.operations import attach
from integrations.models import ContactReference
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tickets.actions import FileContent
from tickets.models import Contact

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation of the description with its name."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_the_description_is_valid_and_raises_no_warning(capsys: pytest.CaptureFixture[str]):
    call_command("spectacular", validate=True, fail_on_warn=True)
    assert "openapi: 3.1.0" in capsys.readouterr().out


def test_the_description_is_public(db: None):
    response = Client().get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    assert len(response.json()["paths"]) == 14


def test_each_operation_says_what_it_takes_and_what_may_go_wrong():
    for name, operation in operations():
        wanted = {"400", "401"} | ({"404"} if "{" in name else set())
        if name.startswith("POST"):
            wanted |= {"404", "409", "413", "415", "422"}
            assert operation["requestBody"]["content"]["application/json"]["examples"], name
            assert any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]), name
        assert wanted <= set(operation["responses"]), name
        for status in wanted:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], name
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["security"] == [{"ApiKey": []}, {"Bearer": []}], name


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Closed at the end, whatever happens: the server's threads hold connections as long as it is open."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_what_is_served_conforms_and_every_operation_succeeds_at_least_once(
    transactional_db: None, live_server: Any, session: requests.Session
):
    desk = make_desk("Northwind")
    session.headers["Authorization"] = f"Api-Key {desk.key}"
    schema = schemathesis.openapi.from_url(
        f"{live_server.url}/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}
    )
    statuses: dict[str, set[int]] = defaultdict(set)
    names = []
    for found in schema.get_all_operations():
        operation = found.ok()
        names.append(operation.label)
        # Of a call that takes nothing, nothing can be wrong.
        takes = operation.body or operation.query or operation.path_parameters
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes else (GenerationMode.POSITIVE,):
            try_out(operation, mode, desk, session, statuses)
    assert len(names) == 20
    assert [name for name in names if not any(200 <= status < 300 for status in statuses[name])] == []


def try_out(operation: Any, mode: Any, desk: Desk, session: requests.Session, statuses: dict[str, set[int]]) -> None:
    """Call the operation with generated input, about a new task of the desk each time."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        seed(case, desk)
        response = case.call(session=session)
        statuses[operation.label].add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    example = documented(operation)
    if example and mode == GenerationMode.POSITIVE:
        case = operation.Case(body=example, media_type="application/json")
        case.path_parameters = {parameter.name: 1 for parameter in operation.path_parameters}
        seed(case, desk)
        response = case.call(session=session)
        statuses[operation.label].add(response.status_code)
        case.validate_response(response, checks=CHECKS)
    run()


def documented(operation: Any) -> Any:
    """The body of the description's example; None where there is none."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    return next((example["value"] for example in content.get("examples", {}).values()), None)


def seed(case: Any, desk: Desk) -> None:
    """Let path parameters of the right form name a record that there is."""
    task = make_task(desk)
    parameters = case.path_parameters or {}
    number = str(parameters.get("number", ""))
    if "number" in parameters and number.replace(".", "").replace("-", "").replace("_", "").isalnum():
        parameters["number"] = task.ticket.number if "/tickets/" in case.operation.path else task.number
    if isinstance(parameters.get("contact_id"), int):
        parameters["contact_id"] = contact_of(desk)
    if isinstance(parameters.get("attachment_id"), int):
        receipt = attach(system=desk.system, task=task, files=(FileContent("a.txt", b"hello"),))
        parameters["attachment_id"] = receipt.attachments[0]


def contact_of(desk: Desk) -> int:
    """A contact that the desk has made."""
    name = f"p{Contact.objects.count()}"
    made = Contact.objects.create(name=name, email=f"{name}@example.com")
    ContactReference.objects.create(contact=made, system=desk.system, made_by_them=True)
    return made.pk
