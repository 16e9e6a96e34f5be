"""What a system was made from, beside what it is."""

import pytest

from integrations.catalogue import add, codes, load
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.originals import compare_with_original, remember
from integrations.catalogue.yaml_text import dump
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
