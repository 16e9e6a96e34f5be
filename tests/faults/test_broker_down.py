"""The broker is away while tickets change: pages answer, and all of it is exchanged once it is back, by itself."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings as django_settings

from integrations.demo.people import SIGN_INS, People
from integrations.models import ENDED, ExternalSystem, ProcessRun
from tests.faults.broker_proxy import BrokerProxy
from tests.faults.conftest import Processes
from tests.practice_desk import PracticeDesk, free_port
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Ticket

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

TICKETS = 10


@pytest.fixture
def proxy() -> Iterator[BrokerProxy]:
    """The broker, behind a relay that can be cut."""
    address = urlsplit(django_settings.CELERY_BROKER_URL)
    proxy = BrokerProxy((address.hostname or "127.0.0.1", address.port or 5672))
    proxy.restore()
    yield proxy
    proxy.cut()


@pytest.fixture
def emma(processes: Processes, proxy: BrokerProxy, people: People, northwind: ExternalSystem) -> Iterator["Pages"]:
    """The end user, signed in at a portal whose way to the broker is the proxy's."""
    broker = urlsplit(django_settings.CELERY_BROKER_URL)
    user = broker.netloc.rpartition("@")[0]
    processes.environment["CELERY_BROKER_URL"] = f"amqp://{user}@127.0.0.1:{proxy.port}/{broker.path.lstrip('/')}"
    port = free_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    processes.keep("portal", *gunicorn, "--worker-class", "gthread", "--threads", "4", "--no-control-socket")
    pages = Pages(f"http://127.0.0.1:{port}")
    pages.sign_in(**SIGN_INS["end_user"])
    yield pages
    pages.http.close()


class Pages:
    """The portal as a browser without scripts uses it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False

    def sign_in(self, user: str, password: str) -> None:
        """Wait for the portal, then sign in."""
        until = time.monotonic() + 60
        while True:
            try:
                page = self.http.get(f"{self.url}/accounts/login/", timeout=10)
                break
            except requests.ConnectionError:
                assert time.monotonic() < until, "the portal did not start"
                time.sleep(0.2)
        data = {**hidden_fields(page.text), "username": user, "password": password}
        answer = self.http.post(f"{self.url}/accounts/login/", data=data, timeout=10)
        assert answer.url.endswith("/tickets/"), answer.text

    def add_note(self, number: str, text: str) -> float:
        """Add a note in the form of a ticket's page; how many seconds the post took."""
        page = self.http.get(f"{self.url}/tickets/{number}/", timeout=30)
        form = re.search(rf'<form[^>]*action="/tickets/{number}/note/".*?</form>', page.text, re.DOTALL)
        assert form is not None, page.text
        field = re.search(r'<textarea[^>]*name="(\w+)"', form[0])
        assert field is not None
        data = {**hidden_fields(form[0]), field[1]: text}
        started = time.monotonic()
        answer = self.http.post(f"{self.url}/tickets/{number}/note/", data=data, timeout=30, allow_redirects=False)
        taken = time.monotonic() - started
        assert answer.status_code in (200, 302, 303), answer.text
        return taken


def hidden_fields(html: str) -> dict[str, str]:
    """Names and values of the hidden fields."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden":
            fields[attributes["name"]] = attributes.get("value", "")
    return fields


@pytest.mark.parametrize("mode", ["cut", "silence"])
def test_what_changed_meanwhile_is_exchanged_within_a_minute(
    mode: str,
    people: People,
    northwind: ExternalSystem,
    practice_desk: PracticeDesk,
    processes: Processes,
    proxy: BrokerProxy,
    emma: Pages,
    all_done: Callable[[], None],
) -> None:
    agent = Actor.of_user(people.agent)
    for number in range(TICKETS):
        ticket = actions.create_ticket(actor=agent, title=f"Ticket {number}", contact=people.contact)
        group = AssignmentGroup.objects.get(code="northwind-rest")
        actions.create_task(actor=agent, ticket=ticket, group=group, owning_group=people.service_desk)
    processes.worker()
    processes.beat()
    all_done()
    numbers = list(Ticket.objects.order_by("pk").values_list("number", flat=True))
    usual = [emma.add_note(number, "Before") for number in numbers]
    all_done()

    getattr(proxy, mode)()
    without_broker = [emma.add_note(number, "While the broker is away") for number in numbers]
    waiting = ProcessRun.objects.exclude(state__in=ENDED).count()
    proxy.restore()
    back_at = time.monotonic()
    all_done(60)

    back = time.monotonic() - back_at
    figures = f"{sum(usual) / TICKETS:.3f} s before, {sum(without_broker) / TICKETS:.3f} s without the broker"
    print(f"{mode}: a note took {figures} (slowest {max(without_broker):.3f} s); exchanged {back:.1f} s after")  # noqa: T201 - its result
    assert waiting == TICKETS
    assert all(
        [note["text"] for note in ticket["notes"]] == ["Before", "While the broker is away"]
        for ticket in practice_desk.state()
    )
    assert len(practice_desk.state()) == TICKETS
