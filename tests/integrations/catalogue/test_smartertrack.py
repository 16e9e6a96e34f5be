"""SmarterTrack's external providers: inputs and results of the document, in the form that ASP.NET gives them."""

import pytest

from integrations.models import ContactReference, Exchange, ExternalReference, ProcessRun
from integrations.transports.safe_xml import xml_to_data
from tests.integrations.catalogue.contract import Contract, run_states, text
from tickets.models import Task

pytestmark = pytest.mark.django_db

ASMX = "/Providers.asmx"
PASSWORD = "s3cret & <odd>"


def result(method: str, *variables: str, success: str = "true", message: str = "") -> object:
    """The answer of a method."""
    listed = "".join(f"<string>{variable}</string>" for variable in variables)
    return text(
        200,
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<soap:Body><{method}Response xmlns="http://acme.test/"><{method}Result><Success>{success}</Success>'
        f"<Message>{message}</Message><OutputVariables>{listed}</OutputVariables></{method}Result></{method}Response>"
        "</soap:Body></soap:Envelope>",
        "text/xml; charset=utf-8",
    )


SIGNED_IN = result(
    "GetSignInCookieInfo", "Authentication=OK", "EmailAddress=emil@customer.test", "DisplayName=Emil = Ende"
)
STARTED = result("StartTicket", "TicketCreation=TRUE", message="Ticket Creation Successful")
FIRED = result("NotifyEventFired")


@pytest.fixture
def provider(adopt) -> Contract:
    """A provider, before it has answered anything."""
    return adopt("smartertrack", path=ASMX, secret=PASSWORD, settings={"namespace": "http://acme.test/"})


@pytest.fixture
def task(provider) -> Task:
    """A task that the provider let be started."""
    provider.answers(f"POST {ASMX}", SIGNED_IN, STARTED, FIRED)
    return provider.give()


def sent(contract: Contract, method: str, index: int = -1) -> list[str]:
    """The inputs of a call, which went to this method."""
    request = contract.sent(index)
    assert (request.path, request.headers["SOAPAction"]) == (ASMX, f'"http://acme.test/{method}"')
    body = xml_to_data(contract.body(index))["Envelope"]["Body"]
    found: list[str] = body[method]["inputs"]["InputVariables"]["string"]
    return found


def test_the_person_is_looked_up_and_the_ticket_announced(provider, task):
    assert sent(provider, "GetSignInCookieInfo", 0) == [f"authPW={PASSWORD}", "loginUsername=emil@customer.test"]
    assert sent(provider, "StartTicket", 1) == [
        f"authPW={PASSWORD}",
        "loginUsername=emil@customer.test",
        "emailFrom=emil@customer.test",
        "departmentName=Support",
        "subject=The printer is on fire",
        f"ticketNumber={task.number}",
        "cf_Description=Smoke on floor 2",
    ]
    assert ExternalReference.objects.get(task=task).value == task.number
    assert ContactReference.objects.get().value == "emil@customer.test"


def test_the_password_stands_in_no_log_and_in_no_step(provider, task):
    assert "authPW=" in Exchange.objects.get(operation="create_ticket").request_body
    for exchange in Exchange.objects.all():
        assert "s3cret" not in exchange.request_body
    assert not any(
        b"s3cret" in bytes(step.request_body) for step in ProcessRun.objects.get().steps.exclude(request=None)
    )


def test_a_veto_stops_with_its_words(provider):
    veto = result("StartTicket", "TicketCreation=FALSE", message="There are no more tickets in your account.")
    provider.answers(f"POST {ASMX}", SIGNED_IN, veto)
    task = provider.give()
    assert run_states() == ["attention"]
    assert "no more tickets" in ProcessRun.objects.get().reason
    assert not ExternalReference.objects.filter(task=task).exists()


def test_a_wrong_password_of_the_provider_stops(provider):
    provider.answers(f"POST {ASMX}", result("GetSignInCookieInfo", success="false", message="Permission Denied"))
    provider.give()
    assert run_states() == ["attention"]
    assert "rule for success does not hold" in ProcessRun.objects.get().reason


def test_a_person_who_may_not_sign_in_is_not_known_there(provider):
    provider.answers(f"POST {ASMX}", result("GetSignInCookieInfo", "Authentication=FAIL"), STARTED)
    provider.give()
    assert run_states() == ["done"]
    assert not ContactReference.objects.exists()


def test_notes_and_the_end_are_events(provider, task):
    provider.note(task, "It still burns")
    inputs = sent(provider, "NotifyEventFired")
    assert inputs[1:3] == ["eventType=502006", f"args_TicketNumber={task.number}"]
    assert inputs[4:] == ["args_From=Ada", "args_Body=It still burns"]
    provider.close(task)
    assert sent(provider, "NotifyEventFired")[1:] == [
        "eventType=502002",
        f"args_TicketNumber={task.number}",
        "args_Status=Closed",
        "args_Body=Replaced",
    ]


def test_a_person_is_read_from_the_outputs(provider, task):
    provider.played.server.clear()
    provider.answers(f"POST {ASMX}", SIGNED_IN)
    assert provider.read("find_contact", task) == [
        {"contact": "emil@customer.test", "name": "Emil = Ende", "email": "emil@customer.test"}
    ]
