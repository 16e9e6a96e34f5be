"""zeep, a strict client, calls the service as the published WSDL describes it, over a socket."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth
from zeep import Client, Settings
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

from integrations.models import ExternalReference
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tests.integrations.inbound.workflow_service.soap import ACKNOWLEDGE, REASSIGN, UPDATE
from tickets.models import Note, Task

PORTS = ["WorkflowServiceSoap", "WorkflowServiceSoap12"]
AUTHENTICATIONS = ["basic", "token"]
Connect = Callable[..., Any]


@pytest.fixture
def connect(live_server: Any, settings: Any) -> Iterator[Connect]:
    """A function that makes a client from the WSDL, for one of the ports and one way of authenticating."""
    settings.PORTAL_URL = live_server.url
    sessions = []

    def make(desk: Desk, port: str, authentication: str, key: str = "") -> Any:
        session = requests.Session()
        sessions.append(session)
        session.trust_env = False
        options: dict[str, Any] = {}
        if authentication == "basic":
            session.auth = HTTPBasicAuth(desk.system.code, key or desk.key)
        else:
            options["wsse"] = UsernameToken(desk.system.code, key or desk.key)
        address = f"{live_server.url}/Workflow/Webservice/WorkflowService.asmx?wsdl"
        client = Client(address, transport=Transport(session=session), settings=Settings(strict=True), **options)
        return client.bind("WorkflowService", port)

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """Committed, so that the server sees it."""
    return make_desk("Northwind")


@pytest.mark.parametrize("authentication", AUTHENTICATIONS)
@pytest.mark.parametrize("port", PORTS)
def test_a_task_is_acknowledged_updated_and_given_back(
    connect: Connect, northwind: Desk, port: str, authentication: str
):
    task = make_task(northwind)
    service = connect(northwind, port, authentication)
    acknowledged = service[ACKNOWLEDGE](taskNumber=task.number, externalReference="INC-1", messageId="m1")
    assert (acknowledged.success, acknowledged.externalReference) == (True, "INC-1")
    updated = service[UPDATE](
        externalReference="INC-1",
        text="Schöne Grüße & <b>mehr</b>",
        visibility="Public",
        author="Nora",
        messageId="m2",
        attachments={"attachment": [{"name": "log.bin", "content": bytes(range(256))}]},
    )
    assert updated.taskNumber == task.number
    given_back = service[REASSIGN](
        taskNumber=task.number, solution="New toner", completionCode="Fulfilled", status="Ready"
    )
    assert given_back.success is True
    task = Task.objects.get(pk=task.pk)
    note = Note.objects.get(task=task)
    assert (note.body, note.author_name) == ("Schöne Grüße & <b>mehr</b>", "Nora")
    with note.attachments.get().file.open("rb") as file:
        assert file.read() == bytes(range(256))
    assert (task.phase, task.solution) == ("review", "New toner")


@pytest.mark.parametrize("port", PORTS)
def test_a_message_sent_twice_is_one_note_and_one_answer(connect: Connect, northwind: Desk, port: str):
    task = make_task(northwind)
    service = connect(northwind, port, "basic")
    answers = [service[UPDATE](taskNumber=task.number, text="Once", messageId="m1") for _ in range(2)]
    assert answers[0] == answers[1]
    assert Note.objects.filter(task=task).count() == 1


@pytest.mark.parametrize("authentication", AUTHENTICATIONS)
@pytest.mark.parametrize("port", PORTS)
def test_a_wrong_key_is_a_fault_in_words(connect: Connect, northwind: Desk, port: str, authentication: str):
    service = connect(northwind, port, authentication, key="wrong.key")
    with pytest.raises(Fault, match="key is not valid"):
        service[ACKNOWLEDGE](taskNumber="1", externalReference="INC-1")
    assert not ExternalReference.objects.exists()


@pytest.mark.parametrize("port", PORTS)
def test_a_task_of_others_is_a_fault_with_the_code_of_the_problem_details(
    connect: Connect, northwind: Desk, port: str
):
    task = make_task(make_desk("Fabrikam"))
    with pytest.raises(Fault, match="There is no task") as caught:
        connect(northwind, port, "basic")[UPDATE](taskNumber=task.number, text="Hello")
    codes = [element.text for element in caught.value.detail.iter("{*}code")]
    assert codes == ["not_found"]


def test_an_attachment_of_20_mb_passes(connect: Connect, northwind: Desk):
    task = make_task(northwind)
    content = b"\x00\xff" * (10 * 1024 * 1024)
    connect(northwind, "WorkflowServiceSoap", "basic")[UPDATE](
        taskNumber=task.number, text="Large", attachments={"attachment": [{"name": "dump", "content": content}]}
    )
    assert Note.objects.get(task=task).attachments.get().size == len(content)
