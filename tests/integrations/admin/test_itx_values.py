"""What the administrator hands over for ITX, and the switch for what such a desk leaves out."""

import pytest

from integrations.models import ExternalSystem
from tests.integrations.admin.conftest import Browser


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(name="Acme", code="acme", base_url="https://desk.acme.test")


def test_the_page_that_shows_a_new_key_once_shows_the_three_values(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.post(f"externalsystem/{system.pk}/keys/new/", name="one")
    page, key = answer.content.decode(), answer.context["key"]
    assert "<code>tokenv2</code>: the key" in page
    assert f"<code>rcntrl</code>: <code>{key.partition('.')[0]}</code>" in page
    assert "<code>ccntrl</code>: <code>acme</code>" in page


def test_the_switch_is_on_the_system_s_page_and_off(admin: Browser, system: ExternalSystem) -> None:
    assert system.missing_fields_wipe is False
    assert 'name="missing_fields_wipe"' in admin.get(f"externalsystem/{system.pk}/change/").content.decode()
