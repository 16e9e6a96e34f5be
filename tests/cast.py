"""The fixed cast: an agent, an end user, an outsider, two desks and their groups."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User

from integrations.models import (
    ExternalSystem,
    GroupBinding,
    OperationTemplate,
    Process,
    Repeat,
    Step,
    StepKind,
    SystemKey,
)
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Contact, Organisation, Priority, Task, Ticket


@dataclass
class Desk:
    """Our own desk: its people and its catalogue."""

    agent: User
    end_user: User
    outsider: User
    contact: Contact
    service_desk: AssignmentGroup
    priority: Priority

    @property
    def by_agent(self) -> Actor:
        """The agent as the cause of a change."""
        return Actor.of_user(self.agent)

    @property
    def by_end_user(self) -> Actor:
        """The contact as the cause of a change."""
        return Actor.of_user(self.end_user)

    def ticket(self, title: str = "The printer is on fire", **values: Any) -> Ticket:
        """A new ticket of the end user."""
        return actions.create_ticket(
            actor=self.by_agent, title=title, description="Smoke on floor 2", contact=self.contact, **values
        )

    def task(self, group: AssignmentGroup | None = None, ticket: Ticket | None = None) -> Task:
        """A new task of the service desk, given to `group`."""
        return actions.create_task(
            actor=self.by_agent, ticket=ticket or self.ticket(), group=group, owning_group=self.service_desk
        )


@dataclass
class Partner:
    """Another desk as an administrator has configured it: system, operations, one process for everything, group."""

    system: ExternalSystem
    process: Process
    group: AssignmentGroup
    binding: GroupBinding
    create: OperationTemplate
    note: OperationTemplate
    close: OperationTemplate
    reopen: OperationTemplate

    def key(self) -> str:
        """A new key with which this desk may call us."""
        _key, plain = SystemKey.objects.create_key(name="tests", system=self.system)
        return str(plain)


def make_desk() -> Desk:
    """People, a group of our own and a priority."""
    agent = User.objects.create_user("ada", "ada@desk.test", "agent-password", is_staff=True, first_name="Ada")
    end_user = User.objects.create_user("emil", "emil@customer.test", "user-password", first_name="Emil")
    outsider = User.objects.create_user("otto", "otto@other.test", "other-password", first_name="Otto")
    organisation = Organisation.objects.create(name="Customer Ltd")
    contact = Contact.objects.create(
        name="Emil Ende", email="emil@customer.test", user=end_user, organisation=organisation
    )
    Contact.objects.create(name="Otto Other", email="otto@other.test", user=outsider)
    return Desk(
        agent=agent,
        end_user=end_user,
        outsider=outsider,
        contact=contact,
        service_desk=AssignmentGroup.objects.create(name="Service desk", code="service-desk"),
        priority=Priority.objects.create(code="p3", name="Normal", rank=3, is_default=True),
    )


@pytest.fixture
def desk(db: None) -> Desk:
    """Our desk."""
    return make_desk()


def make_partner(code: str, url: str) -> Partner:
    """A partner over HTTP at `url`, whose create is probed and whose notes are known by our message id."""
    system = ExternalSystem.objects.create(
        name=f"Partner {code}", code=code, base_url=url, allow_private=True, retry_schedule="1 s, 1 s, 1 s"
    )

    def operation(name: str, **values: Any) -> OperationTemplate:
        return OperationTemplate.objects.create(system=system, name=name, **values)

    find = operation(
        "find_ticket",
        method="GET",
        path="/tickets?caller={{ task.number }}",
        captures="reference = response.json.tickets[0].number",
        repeat=Repeat.SAFE,
    )
    create = operation(
        "create_ticket",
        path="/tickets",
        body='{"caller": "{{ task.number }}", "title": "{{ ticket.title }}"}',
        captures="reference = response.json.number",
        creates=True,
        repeat=Repeat.PROBE,
        probe=find,
        probe_found="response.json.tickets | length > 0",
        settle_seconds=1,
    )
    note = operation(
        "add_note",
        path="/tickets/{{ task.external_reference }}/notes",
        body='{"text": "{{ event.text }}", "id": "{{ event.message_id }}"}',
        repeat=Repeat.SAFE,
    )
    close = operation(
        "close_ticket",
        path="/tickets/{{ task.external_reference }}/close",
        body='{"text": "{{ event.text }}"}',
        repeat=Repeat.SAFE,
    )
    reopen = operation(
        "reopen_ticket",
        path="/tickets/{{ task.external_reference }}/reopen",
        body='{"text": "{{ event.text }}"}',
        repeat=Repeat.SAFE,
    )
    process = Process.objects.create(name=f"Exchange with {code}")
    conditions = {
        create: 'event.request_type == "Submit Request" and not task.external_reference',
        reopen: 'event.request_type == "Resolution Rejection" '
        'or (event.request_type == "Submit Request" and task.external_reference)',
        note: 'event.request_type == "Update"',
        close: 'event.request_type == "Closed"',
    }
    for position, (template, condition) in enumerate(conditions.items()):
        Step.objects.create(
            process=process,
            position=position,
            name=template.name,
            kind=StepKind.OPERATION,
            operation=template,
            condition=condition,
        )
    group = AssignmentGroup.objects.create(name=f"{code} group", code=f"{code}-group")
    binding = GroupBinding.objects.create(
        group=group,
        integrated=True,
        system=system,
        assignment_process=process,
        update_process=process,
        closure_process=process,
    )
    return Partner(system, process, group, binding, create, note, close, reopen)


@pytest.fixture
def partner(db: None, httpserver: Any) -> Partner:
    """A partner whose interface the test plays itself, with pytest-httpserver."""
    return make_partner("acme", httpserver.url_for("").rstrip("/"))


@pytest.fixture
def other_partner(db: None, httpserver: Any) -> Partner:
    """A second desk, at the same server below /other."""
    return make_partner("globex", httpserver.url_for("/other"))
