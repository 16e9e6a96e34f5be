"""What a system was made from, beside what it is."""

import contextlib

import pytest
from django.db.models import Model

from integrations.catalogue import add, codes, load
from integrations.catalogue.cloning import clone
from integrations.catalogue.exporting import Owners, configuration_of, system_document
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.originals import compare_with_original, remember
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import dump
from integrations.models import ExternalSystem, Hook, HookAuthentication, HookRule, Polling, Step
from tickets.models import Priority

pytestmark = pytest.mark.django_db


@pytest.mark.contract
@pytest.mark.parametrize("code", codes())
def test_every_preset_is_as_its_original_and_its_file_changes_nothing(code: str):
    for rank in range(1, 5):
        Priority.objects.create(code=f"P{rank}", name=f"P{rank}", rank=rank)
    preset = load(code)
    system = add(preset, name="Acme", code="acme", base_url="https://desk.acme.test/base", active=False)
    remember(system, preset)
    assert compare_with_original(system) == []
    assert import_configuration(dump(configuration_of())).changes == []


def other_choices(row: Model) -> None:
    """Every field of the row with a list to choose from is something else than it was."""
    changed = {}
    for field in row._meta.concrete_fields:
        if field.choices and field.editable:
            now = getattr(row, field.name)
            changed[field.name] = next(value for value, _name in field.flatchoices if value != now)
    type(row)._default_manager.filter(pk=row.pk).update(**changed)


@pytest.mark.contract
@pytest.mark.parametrize("code", codes())
def test_whatever_is_chosen_differently_can_be_compared_cloned_and_written(code: str):
    preset = load(code)
    system = add(preset, name="Acme", code="acme", base_url="https://desk.acme.test/base", active=False)
    remember(system, preset)
    parts = [system, *Hook.objects.all(), *HookRule.objects.all(), *Polling.objects.all(), *Step.objects.all()]
    for row in [*parts, *system.operations.all()]:
        other_choices(row)
    system = ExternalSystem.objects.get(pk=system.pk)
    parts = compare_with_original(system)
    assert "system" in [part.place for part in parts]
    for part in parts:
        assert part.here and part.here.lines and part.to_original and part.to_original.lines
    dump(configuration_of())
    with contextlib.suppress(DocumentProblem):
        # Choices at random need not go together; that they are refused is said in words.
        dump(system_document(clone(system, name="Second", code="second"), Owners()))


def test_the_authentication_that_a_webhook_has_by_itself_is_compared_as_text():
    preset = load("generic-rest")
    system = add(preset, name="Acme", code="acme", base_url="https://desk.acme.test/base", active=False)
    remember(system, preset)
    Hook.objects.update(authentication=HookAuthentication.BASIC, recording_only=True)
    [hook] = [part for part in compare_with_original(system) if part.place == "hooks"]
    assert hook.here and "-authentication: standard" in hook.here.lines
