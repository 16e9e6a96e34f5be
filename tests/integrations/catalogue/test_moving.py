"""A configuration that moves to an empty portal works there, once somebody has entered what no file holds."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.catalogue import codes, load
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.trials import trials
from integrations.catalogue.yaml_text import dump
from integrations.connection import try_connection
from integrations.models import Exchange, ExternalSystem
from tests.integrations.catalogue.contract import Contract
from tests.integrations.catalogue.test_configuration import wipe
from tests.integrations.engine.conftest import run_states
from tests.practice_desk import PracticeDesk
from tickets.models import AssignmentGroup

pytestmark = pytest.mark.django_db


def moved() -> ExternalSystem:
    """Everything into a file, all of it gone, and the file imported."""
    text = dump(configuration_of())
    wipe()
    import_configuration(text)
    assert dump(configuration_of()) == text
    assert import_configuration(text).changes == []
    return ExternalSystem.objects.get()


def entered(system: ExternalSystem, secret: str) -> ExternalSystem:
    """The secret entered, and activated, as a form checks it."""
    system.auth_secret, system.active = secret, True
    system.full_clean()
    system.save()
    return system


@pytest.mark.contract
@pytest.mark.parametrize("code", codes())
def test_each_preset_comes_out_of_a_file_as_it_went_in(adopt: Callable[..., Contract], code: str) -> None:
    settings = dict.fromkeys(load(code).settings, "sample")
    adopt(code, settings=settings, mail_to="desk@acme.test")
    assert not moved().active


def test_the_generic_rest_preset_works_after_the_move(
    adopt: Callable[..., Contract], practice_desk: PracticeDesk
) -> None:
    contract = adopt("generic-rest", auth_kind="key_header", auth_name="X-Api-Key", secret="practice-key")
    ExternalSystem.objects.update(base_url=f"{practice_desk.url}/api")
    system = entered(moved(), "practice-key")
    assert try_connection(system, trials(system)[0]).succeeded
    there = Contract(system, AssignmentGroup.objects.get(code="acme-group"), contract.played, contract.desk)
    contract.desk.service_desk = AssignmentGroup.objects.create(name="Service desk", code="service-desk")
    task = there.give()
    assert [ticket["caller_reference"] for ticket in practice_desk.state()] == [task.number]
    assert set(run_states()) == {"done"}


def test_case_exchange_works_after_the_move(adopt: Callable[..., Any], practice_desk: PracticeDesk) -> None:
    settings = {"tenant": "practice", "our_name": "deskbridge"}
    adopt("opentext-case-exchange", settings=settings, username=practice_desk.user)
    ExternalSystem.objects.update(base_url=practice_desk.url)
    system = entered(moved(), practice_desk.password)
    assert (system.polling.path, system.polling.our_name) == ("/rest/practice/ces", "deskbridge")
    assert try_connection(system, trials(system)[0]).succeeded
    system.auth_secret = "wrong"
    assert not try_connection(system, trials(system)[0]).succeeded
    system.auth_secret, system.settings = practice_desk.password, {**settings, "tenant": "other"}
    system.save()
    assert not try_connection(system, trials(system)[0]).succeeded
    assert practice_desk.password not in str([vars(row) for row in Exchange.objects.all()])
