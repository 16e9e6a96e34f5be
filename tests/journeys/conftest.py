"""Both sides of an exchange, running: the portal on a real socket, the practice desk as a process of its own."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from integrations.demo.partner import load_partner, new_key
from integrations.demo.people import SIGN_INS, People, load_people
from integrations.engine.runner import work_off
from integrations.models import ENDED, Exchange, ExternalReference, ExternalSystem, ProcessRun, Stream
from tests.journeys.end_user import EndUser
from tests.practice_desk import PracticeDesk
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Task, Ticket

PASSWORD_THERE = "practice-desk-password"


@dataclass
class World:
    """The organisation with its people, the partner as it is configured here, and the partner's desk itself."""

    portal: str
    people: People
    system: ExternalSystem
    key: str
    there: PracticeDesk
    emma: EndUser

    @property
    def arthur(self) -> Actor:
        """The agent as the cause of a change."""
        return Actor.of_user(self.people.agent)

    def group(self, channel: str) -> AssignmentGroup:
        """The partner's group that is bound to its processes over REST or over SOAP."""
        return AssignmentGroup.objects.get(code=f"northwind-{channel}")

    def give(self, ticket: Ticket, channel: str) -> Task:
        """The agent makes a task for the partner's group of that channel; nothing is sent yet."""
        return actions.create_task(
            actor=self.arthur, ticket=ticket, group=self.group(channel), owning_group=self.people.service_desk
        )

    def work(self) -> list[str]:
        """Do what the workers would do now; the states of the runs that are not done then."""
        for stream in Stream.objects.order_by("pk"):
            assert work_off(stream.pk)
        return list(ProcessRun.objects.exclude(state__in=ENDED).order_by("pk").values_list("state", flat=True))

    def reference(self, task: Task) -> str:
        """The partner's number for the task."""
        return ExternalReference.objects.get(task=task, system=self.system).value


def file(name: str, content: bytes, content_type: str = "image/png") -> dict[str, str]:
    """A file as the practice desk sends it."""
    return {"name": name, "content_type": content_type, "content": base64.b64encode(content).decode()}


def sha256(content: bytes) -> str:
    """The digest by which both sides know a file's content."""
    return hashlib.sha256(content).hexdigest()


def log(task: Task) -> list[tuple[str, str, str, int | None]]:
    """The exchange log of the task, in order: direction, operation, outcome, status."""
    return list(task.exchanges.order_by("pk").values_list("way", "operation", "outcome", "status"))


def history(ticket: Ticket) -> list[tuple[str, str]]:
    """Who did what, in order; one row for each action."""
    rows = ticket.history.order_by("pk").values_list("author_name", "event", "text")
    return [(author, event) for (author, event, _text), _rows in groupby(rows)]


def assert_every_exchange_can_be_read_and_tells_no_secret(world: World) -> None:
    """Opens the page of each exchange as an administrator, and looks for keys and passwords in all that is kept."""
    secrets = [world.key, PASSWORD_THERE, base64.b64encode(f"practice:{PASSWORD_THERE}".encode()).decode()]
    secrets.append(base64.b64encode(f"{world.system.code}:{world.key}".encode()).decode())
    admin = Client()
    assert admin.login(username=SIGN_INS["admin"]["user"], password=SIGN_INS["admin"]["password"])
    for exchange in Exchange.objects.values():
        page = admin.get(f"/admin/integrations/exchange/{exchange['id']}/change/")
        assert page.status_code == 200
        shown = unescape(page.content.decode())
        assert exchange["url"].partition("?")[0] in shown
        for secret in secrets:
            assert secret not in str(exchange)
            assert secret not in shown


@pytest.fixture
def world(
    transactional_db: None, live_server: Any, practice_desk: PracticeDesk, settings: Any, tmp_path: Path
) -> Iterator[World]:
    """The demo's cast and partner, without tickets; the practice desk knows the portal and has a key."""
    settings.MEDIA_ROOT = tmp_path
    settings.PRACTICE_DESK_URL = practice_desk.url
    people, system = load_people(), load_partner()
    key = new_key(system)
    practice_desk.configure(portal_url=live_server.url, api_key=key)
    emma = EndUser(live_server.url, **SIGN_INS["end_user"])
    yield World(live_server.url, people, system, key, practice_desk, emma)
    emma.http.close()
