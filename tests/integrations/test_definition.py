"""A process as plain data, and the versions to which runs are pinned."""

import json

import pytest

from integrations.definition import REQUEST_FIELDS, build_definition, current_version
from integrations.models import OperationTemplate, ProcessRun, ProcessVersion, RequestTemplate, Step

pytestmark = pytest.mark.django_db


def test_steps_stand_in_order_with_their_whole_operation(partner):
    definition = build_definition(partner.process)
    assert [step["name"] for step in definition["steps"]] == [
        "create_ticket",
        "reopen_ticket",
        "add_note",
        "close_ticket",
    ]
    create = definition["steps"][0]
    assert create["creates"] is True
    assert create["request"]["path"] == "/tickets"
    assert create["request"]["system_id"] == partner.system.pk
    assert create["request"]["probe"]["path"] == partner.create.probe.path
    assert create["request"]["probe"]["operation"] == "find_ticket"


def test_it_is_plain_data(partner):
    definition = build_definition(partner.process)
    assert json.loads(json.dumps(definition)) == definition


def test_every_field_of_a_request_is_in_it(partner):
    fields = {field.name for field in RequestTemplate._meta.get_fields()}
    assert set(REQUEST_FIELDS) | {"wsdl", "probe"} == fields
    request = build_definition(partner.process)["steps"][0]["request"]
    assert set(REQUEST_FIELDS) | {"wsdl_id", "probe", "system_id", "operation"} == set(request)


def test_captures_of_the_operation_and_of_the_step_are_both_taken(partner):
    partner.process.steps.filter(name="create_ticket").update(captures="trace = response.headers['x']")
    captures = build_definition(partner.process)["steps"][0]["request"]["captures"]
    assert captures.splitlines() == ["reference = response.json.number", "trace = response.headers['x']"]


def test_an_unchanged_process_has_one_version(partner):
    assert current_version(partner.process) == current_version(partner.process)
    assert ProcessVersion.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.process.steps.filter(name="add_note").update(condition="false"),
        lambda p: OperationTemplate.objects.filter(name="add_note").update(path="/other"),
        lambda p: OperationTemplate.objects.filter(name="find_ticket").update(path="/other"),
        lambda p: p.process.steps.filter(name="close_ticket").delete(),
        lambda p: Step.objects.create(process=p.process, position=9, name="stop", kind="stop"),
        lambda p: p.process.steps.filter(name="add_note").update(position=9),
    ],
)
def test_every_change_makes_a_new_version_and_the_old_one_stays(partner, change):
    first = current_version(partner.process)
    before = first.definition
    change(partner)
    second = current_version(partner.process)
    assert (second.number, second != first) == (2, True)
    first.refresh_from_db()
    assert first.definition == before


def test_a_process_that_is_changed_back_has_its_old_version(partner):
    first = current_version(partner.process)
    partner.process.steps.filter(name="add_note").update(condition="false")
    current_version(partner.process)
    partner.process.steps.filter(name="add_note").update(condition='event.request_type == "Update"')
    assert current_version(partner.process) == first


def test_a_run_is_pinned_to_the_version_of_its_event(desk, partner):
    desk.task(partner.group)
    partner.process.steps.filter(name="add_note").update(condition="false")
    desk.task(partner.group)
    assert [run.version.number for run in ProcessRun.objects.order_by("pk")] == [1, 2]
