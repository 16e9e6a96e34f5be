"""From a preset's YAML to an external system with all that belongs to it."""

import pytest

from integrations.catalogue import PresetProblem, add, read
from integrations.models import ExternalSystem, Process, ValueMapping
from tickets.models import Priority

pytestmark = pytest.mark.django_db

YAML = """
preset: sample
name: Sample desk
version: 1
summary: A desk for this test
source: made up
tried: contract
tried_note: in this test
settings:
  queue: {label: Queue, default: Raw}
system: {auth_kind: login, auth_name: Authorization, auth_login: login, level: log_only}
operations:
  login: {path: /session, captures: session = response.json.id}
  find_ticket: {method: GET, path: /tickets, repeat: safe}
  create_ticket:
    path: /tickets
    body: |
      {"queue": "{{ system.settings.queue }}"}
    creates: true
    repeat: probe
    probe: find_ticket
    probe_found: response.json.count > 0
value_maps:
  priority: [{ours: {rank: 1}, theirs: 1, label: Urgent}, {ours: {rank: 99}, theirs: 9}]
processes:
  exchange:
    steps:
      - {name: create, kind: operation, operation: create_ticket}
"""


def test_a_system_is_made_with_operations_maps_and_processes():
    Priority.objects.create(code="P1", name="High", rank=1)
    system = add(read(YAML), name="Acme", code="acme-desk", base_url="https://desk.acme.test", secret="s3cret")
    assert (system.preset, system.settings, system.level) == ("sample", {"queue": "Raw"}, "log_only")
    assert system.auth_login == system.operations.get(name="login")
    create = system.operations.get(name="create_ticket")
    assert (create.body, create.probe) == (
        '{"queue": "{{ system.settings.queue }}"}',
        system.operations.get(name="find_ticket"),
    )
    # No priority of ours has the rank 99.
    assert list(ValueMapping.objects.values_list("kind", "ours", "theirs", "label")) == [
        ("priority", "P1", "1", "Urgent")
    ]
    assert list(Process.objects.get(name="Acme: exchange").steps.values_list("name", "operation__name")) == [
        ("create", "create_ticket")
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("summary: A desk for this test", "sumary: A", "sumary"),
        ("tried: contract", "tried: perhaps", "real, contract or untried"),
        ("preset: sample", "", "preset"),
        ("name: Sample desk", "name: [", "YAML"),
    ],
)
def test_a_preset_that_is_wrong_is_told(old, new, says):
    with pytest.raises(PresetProblem, match=says):
        read(YAML.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("probe: find_ticket", "probe: find", 'create_ticket/probe: there is no "find"'),
        ("operation: create_ticket", "operation: open", 'exchange/steps/1/operation: there is no "open"'),
        ("repeat: safe", "repeats: safe", "repeats"),
    ],
)
def test_a_wrong_name_inside_leaves_nothing_behind(old, new, says):
    with pytest.raises(PresetProblem, match=says):
        add(read(YAML.replace(old, new)), name="Acme", code="acme-desk", base_url="https://desk.acme.test")
    assert not ExternalSystem.objects.exists()
