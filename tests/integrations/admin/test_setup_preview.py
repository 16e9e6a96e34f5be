"""The preview of the guided form shows requests, and no fault, for every desk of the catalogue."""

import pytest

from integrations.catalogue import add, codes, load
from integrations.catalogue.building import process_name
from integrations.models import GroupBinding, Process, Setup
from tests.integrations.admin.conftest import Browser
from tests.integrations.admin.guided import step, text
from tickets.models import AssignmentGroup, Priority


@pytest.mark.contract
@pytest.mark.parametrize("code", [code for code in codes() if load(code).bindings])
def test_what_a_desk_would_be_sent_in_the_life_of_a_made_up_ticket(admin: Browser, code: str) -> None:
    Priority.objects.create(code="p3", name="Normal", rank=3, is_default=True)
    preset = load(code)
    settings = dict.fromkeys(preset.settings, "1")
    system = add(
        preset,
        name="Acme",
        code="acme",
        base_url="https://desk.acme.test/api",
        mail_to="desk@acme.test",
        settings=settings,
    )
    group = AssignmentGroup.objects.create(name="Acme", code="acme")
    bound = {
        f"{event}_process": Process.objects.get(name=process_name(system, key))
        for event, key in preset.bindings.items()
    }
    GroupBinding.objects.create(group=group, system=system, **bound)
    Setup.objects.update_or_create(system=system, defaults={"group": group})
    answer = admin.get(step(system, "preview"))
    assert "A made-up ticket" in text(answer)
    assert 'class="problems"' not in answer.content.decode(), text(answer)
