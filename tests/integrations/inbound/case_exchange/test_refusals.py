"""What of an entity, a query or a call is refused, and how it is told."""

from typing import Any

import pytest

from integrations.models import Outcome
from tests.integrations.inbound.case_exchange.conftest import (
    NEW,
    CaseDesk,
    comment,
    last_exchange,
    problem,
    wrong_fields,
)
from tests.integrations.inbound.conftest import Desk, make_task
from tickets.lifecycle import Phase
from tickets.models import Note, Task


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"Titel": "x"}, "properties.Titel"),
        ({"Urgency": "Panic"}, "properties.Urgency"),
        ({"ImpactScope": "Moon"}, "properties.ImpactScope"),
        ({"ExpectedResolutionTime": "soon"}, "properties.ExpectedResolutionTime"),
        ({"ExpectedResolutionTime": -1}, "properties.ExpectedResolutionTime"),
        ({"ContactEmail": "nobody"}, "properties.ContactEmail"),
        ({"Solution": 7}, "properties.Solution"),
        ({"DisplayLabel": "x" * 251}, "properties.DisplayLabel"),
        ({"IncidentAttachments": "[]"}, "properties.IncidentAttachments.non_field_errors"),
        ({"IncidentAttachments": "{"}, "properties.IncidentAttachments"),
        ({"IncidentAttachments": "[" * 100_000}, "properties.IncidentAttachments"),
        ({"comments": [{"CreatedTime": 1, "Body": "x", "PrivacyType": "SECRET"}]}, "Comments.0.PrivacyType"),
        ({"comments": [{"CreatedTime": 1, "Body": ""}]}, "Comments.0.Body"),
        ({"comments": [{"CreatedTime": True, "Body": "x"}]}, "Comments.0.CreatedTime"),
        ({"comments": [{"CreatedTime": 1, "Body": "x", "Text": "x"}]}, "Comments.0.Text"),
        ({"comments": [comment("x")] * 201}, "Comments.non_field_errors"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_done(cases: CaseDesk, known: Task, values: dict[str, Any], field: str):
    response = cases.send("Update", **{"comments": [comment("Hello")], **values})
    assert problem(response) == (400, "invalid")
    assert list(wrong_fields(response)) == [f"entities.0.{field}"]
    assert not Note.objects.exists()
    assert (last_exchange().outcome, last_exchange().operation) == (Outcome.REFUSED, "update")


def test_an_unknown_operation_is_refused_with_those_that_there_are(cases: CaseDesk, known: Task):
    response = cases.send("Escalate")
    assert problem(response) == (400, "unknown_operation")
    assert "Resolve" in response.json()["meta"]["errorDetailsList"][0]["message"]


def test_an_unknown_completion_code_is_refused(cases: CaseDesk, known: Task):
    assert problem(cases.send("Resolve", CompletionCode="CompletionCodeMagic"))[0] == 400
    known.refresh_from_db()
    assert known.phase == Phase.INITIAL_SUPPORT


def test_only_one_entity_is_taken(cases: CaseDesk, known: Task):
    entity = {"properties": {"Solution": "x"}, "ext_properties": {"Operation": "Update", "ExternalId": "INC-1"}}
    response = cases.post({"entities": [entity, entity]})
    assert problem(response) == (400, "invalid")
    assert wrong_fields(response) == {"entities": ["There are 2."]}
    assert cases.post({"entities": [entity], "operation": "UPDATE"}).status_code == 200


def test_many_entities_are_refused_without_a_look_at_each(cases: CaseDesk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("integrations.inbound.case_exchange.incoming.Entity.to_internal_value", pytest.fail)
    response = cases.post({"entities": [{}] * 100_000})
    assert wrong_fields(response) == {"entities": ["There are 100000."]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entities": []},
        {"entities": [1]},
        {"entities": {}},
        {"entities": [{}]},
        {"entities": [{"ext_properties": {"Operation": "Update"}}], "operations": "UPDATE"},
        {"entities": [{"ext_properties": {"Operation": "Update"}, "entity_type": "Request"}]},
        {"entities": [{"ext_properties": {"ExternalId": "INC-1"}}]},
        {"entities": [{"ext_properties": {"Operation": ["Update"], "ExternalId": "INC-1"}}]},
        {"entities": [{"ext_properties": {"Operation": "Update"}}]},
    ],
)
def test_a_body_of_another_shape_is_refused(cases: CaseDesk, known: Task, body: Any):
    assert problem(cases.post(body)) == (400, "invalid")


def test_null_is_not_sent(cases: CaseDesk, known: Task):
    entity = {
        "entity_type": None,
        "properties": {"Solution": None, "DisplayLabel": None, "ExpectedResolutionTime": None, "Urgency": None},
        "Comments": None,
        "ext_properties": {"Operation": "Resolve", "ExternalId": "INC-1", "ExternalStatus": None},
    }
    assert cases.post({"entities": [entity]}).status_code == 200


@pytest.mark.parametrize("missing", ["DisplayLabel", "ExternalId"])
def test_a_create_without_what_a_ticket_needs_is_refused(cases: CaseDesk, known: Task, missing: str):
    values = {name: value for name, value in NEW.items() if name != missing}
    number = "" if missing == "ExternalId" else "INC-2"
    response = cases.send("Create", reference=number, **values)
    assert problem(response) == (400, "invalid")
    assert any(field.endswith(missing) for field in wrong_fields(response))


def test_numbers_that_mean_two_tasks_are_refused(cases: CaseDesk, northwind: Desk, known: Task):
    other = make_task(northwind, reference="INC-5")
    assert problem(cases.send("Resolve", other)) == (409, "conflict")


def test_a_task_of_another_desk_is_404(cases: CaseDesk, outsider: Desk):
    foreign = make_task(outsider, reference="INC-1")
    assert problem(cases.send("Resolve")) == (404, "not_found")
    assert problem(cases.send("Resolve", foreign, reference="")) == (404, "not_found")


def test_a_failure_of_ours_is_500_in_the_same_form(cases: CaseDesk, known: Task, monkeypatch: pytest.MonkeyPatch):
    def fail(*_arguments: Any, **_names: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("integrations.inbound.case_exchange.mapping.message_of", fail)
    response = cases.send("Resolve")
    assert problem(response) == (500, "internal_error")
    assert last_exchange().outcome == Outcome.RETRYABLE


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_405(cases: CaseDesk, method: str):
    response = getattr(cases.client, method)("/rest/deskbridge/ces")
    assert problem(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("method", ["BODY", "CALL", "DISPATCH", "RECORD", "SYSTEM", "SETUP", "ANSWER"])
def test_a_method_that_names_something_of_ours_is_405(cases: CaseDesk, method: str):
    response = cases.client.generic(method, "/rest/deskbridge/ces", b"")
    assert problem(response) == (405, "method_not_allowed")
    assert last_exchange().outcome == Outcome.REFUSED
