"""The test of the connection by each preset's own reading request: what it sends, and that it can fail."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from integrations.catalogue import codes, load
from integrations.catalogue.trials import trials
from integrations.configuration.names import READING
from integrations.connection import try_connection
from integrations.models import Exchange
from tests.integrations.catalogue.contract import Contract

pytestmark = [pytest.mark.django_db, pytest.mark.contract]

# Desks that publish no request that only reads.
WITHOUT = {"email-only", "smtx-ssp7"}
# Method and address on the wire, behind what signs in.
SENT = {
    "deskbridge": "GET /api/v1/values/",
    "freshservice": "GET /api/v2/tickets?updated_since=",
    "generic-rest": "GET /tickets?caller_reference=sample",
    "generic-soap": "POST /",
    "glpi": "GET /apirest.php/getMyProfiles",
    "itx": "GET /rest/itxems/priorities",
    "jira-service-management": "GET /rest/api/3/project/sample/statuses",
    "opentext-case-exchange": "GET /rest/sample/ces?type=Incident&system=sample&time=",
    "servicenow": "GET /api/now/table/sample?sysparm_query=correlation_id%3Dsample",
    "smartertrack": "POST /",
    "zammad": "GET /api/v1/ticket_priorities",
    "zendesk": "GET /api/v2/ticket_fields",
    "znuny-rest": "GET /nph-genericinterface.pl/Webservice/sample/Ticket?Title=*%5Bsample%5D",
    "znuny-soap": "POST /nph-genericinterface.pl/Webservice/sample",
}


@pytest.fixture
def desk_of(adopt: Callable[..., Contract]) -> Callable[[str], Contract]:
    """A desk of the catalogue, all of its settings filled in."""

    def made(code: str) -> Contract:
        return adopt(code, settings=dict.fromkeys(load(code).settings, "sample"), mail_to="desk@acme.test")

    return made


@pytest.mark.parametrize("code", codes())
def test_a_preset_names_a_request_that_reads_or_has_none(code: str, desk_of: Callable[[str], Contract]) -> None:
    preset, offered = load(code), trials(desk_of(code).system)
    assert bool(offered) is bool(preset.test) is (code not in WITHOUT)
    if preset.test:
        assert preset.test.startswith(READING)
        assert offered[0].name == preset.test


@pytest.mark.parametrize("code", sorted(set(codes()) - WITHOUT))
def test_who_is_refused_does_not_pass(code: str, desk_of: Callable[[str], Contract]) -> None:
    contract = desk_of(code)
    contract.played.server.expect_request(_any()).respond_with_data("Who are you?", status=401)
    trial = try_connection(contract.system, trials(contract.system)[0])
    assert not trial.succeeded
    assert "It does not accept the credentials" in trial.advice
    assert Exchange.objects.latest("pk").status == 401


@pytest.mark.parametrize("code", sorted(set(codes()) - WITHOUT))
def test_what_is_sent_is_the_reading_request_alone(code: str, desk_of: Callable[[str], Contract]) -> None:
    contract = desk_of(code)
    headers = {"Set-Cookie": "OTRSAgentInterface=sess1on; Path=/", "Location": "/index.pl?Action=AgentDashboard"}
    for line in ("POST /index.pl", "GET /apirest.php/initSession"):
        contract.answers(line, (302 if "index" in line else 200, {"session_token": "sess1on"}, headers))
    contract.answers("POST /auth/authentication-endpoint/authenticate/login", (200, "sess1on"))
    contract.played.server.expect_request(_any()).respond_with_data("Sign in", status=404)
    trial = try_connection(contract.system, trials(contract.system)[0])
    assert (trial.succeeded, trial.exchange is not None) == (False, True)
    *sign_ins, sent = contract.played.server.log
    line = f"{sent[0].method} {sent[0].environ['RAW_URI']}"
    assert line.startswith(SENT[code]), line
    assert len(sign_ins) <= 1


def _any() -> Any:
    return re.compile(".*")
