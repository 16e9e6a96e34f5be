"""Two portals of ours: what one lists in its feed, the other takes over, files and numbers included."""

from typing import Any

import pytest

from integrations.inbound import operations
from integrations.models import (
    Authentication,
    Exchange,
    ExternalReference,
    ExternalSystem,
    OperationTemplate,
    Outcome,
    Polling,
    Process,
    Step,
    StepKind,
    Way,
)
from tests.integrations.engine.conftest import work_everything
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tests.integrations.polling.conftest import poll_now
from tickets import actions
from tickets.actors import Actor, ActorKind
from tickets.models import Attachment, Note

ADA = Actor(kind=ActorKind.AGENT, name="Ada")


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """For the portal that lists: a desk that pulls."""
    desk = make_desk("Northwind")
    process = Process.objects.create(name="Feed")
    Step.objects.create(process=process, name="publish", kind=StepKind.FEED)
    binding = desk.group.binding
    binding.assignment_process = binding.update_process = binding.closure_process = process
    binding.save()
    return desk


@pytest.fixture
def mirror(northwind: Desk, live_server: Any) -> Polling:
    """For the portal that asks (here the same one): the first portal, which knows it as Northwind."""
    system = ExternalSystem.objects.create(
        name="First portal",
        code="first-portal",
        base_url=live_server.url,
        allow_private=True,
        auth_kind=Authentication.LOGIN,
        auth_username=northwind.system.code,
        auth_secret=northwind.key,
        auth_name="Cookie",
    )
    system.auth_login = OperationTemplate.objects.create(
        system=system,
        name="login",
        path="/auth/authentication-endpoint/authenticate/login?TENANTID=deskbridge",
        body='{"login": "{{ auth.username }}", "password": "{{ auth.password }}"}',
        captures='session = "LWSSO_COOKIE_KEY=" ~ response.text ~ "; TENANTID=deskbridge"',
    )
    system.save()
    return Polling.objects.create(
        system=system, path="/rest/deskbridge/ces", our_name=northwind.system.code, page_size=2
    )


def test_a_task_its_notes_its_file_and_its_end_arrive(northwind: Desk, mirror: Polling) -> None:
    task = make_task(northwind)
    work_everything()
    poll_now(mirror)
    assert mirror.last_error == ""
    there = ExternalReference.objects.get(system=mirror.system, value=task.number).task
    assert there != task
    assert there.ticket.title == task.ticket.title
    operations.acknowledge(system=northwind.system, task=task, reference=there.number)
    for text in ("one", "two", "three"):
        actions.add_note(actor=ADA, ticket=task.ticket, task=task, body=text)
    file = actions.FileContent(name="log ü.txt", data=b"lines", content_type="text/plain")
    actions.attach(actor=ADA, ticket=task.ticket, task=task, content=file)
    work_everything()
    poll_now(mirror)
    assert mirror.last_error == ""
    notes = Note.objects.filter(task=there).order_by("pk")
    assert list(notes.values_list("body", flat=True)) == ["one", "two", "three"]
    attachment = Attachment.objects.get(ticket=there.ticket)
    with attachment.file.open("rb") as opened:
        assert (attachment.name, opened.read()) == ("log ü.txt", b"lines")
    poll_now(mirror)
    came = Exchange.objects.filter(way=Way.IN, system=mirror.system).values_list("outcome", flat=True)
    assert set(came) == {Outcome.SUCCEEDED}, list(Exchange.objects.values_list("error", flat=True))
    assert northwind.key not in str(list(Exchange.objects.values()))
