"""One ticket through all its phases, with the desk that speaks Case Exchange, played while the demo runs.

Emma, Arthur and Southwind's people act as they would on their pages; between two acts each waits until the other desk
has what was said, so that the picture of the exchanges shows one arrow after the other.
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from integrations.demo.southwind import CODE
from integrations.models import ExternalReference, ExternalSystem
from integrations.transports import http
from tickets import actions
from tickets.actors import Actor
from tickets.lifecycle import Phase
from tickets.models import Task, Ticket

TITLE: Final = "The badge reader at the east door is dead"
PATIENCE_SECONDS: Final = 90
LOOK_EVERY_SECONDS: Final = 0.5


class Unplayable(Exception):
    """The story cannot go on; `str()` says why."""


def play() -> bool:
    """Play it; False if it was begun before. Raises `Unplayable` when somebody does not answer in time."""
    task = Task.objects.select_related("ticket__contact__user").filter(ticket__title=TITLE).first()
    if task is None:
        raise Unplayable("There is no ticket to play with: load the demo first.")
    if task.phase != Phase.INITIAL_SUPPORT or task.ticket.notes.exists():
        return False
    _Story(task).play()
    return True


class _Story:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.system = ExternalSystem.objects.get(code=CODE)
        author = task.ticket.history.select_related("author").order_by("pk").first()
        assigned = task.history.select_related("author").order_by("pk").first()
        if author is None or author.author is None or assigned is None or assigned.author is None:
            raise Unplayable("The ticket was not raised by the demo.")
        self.emma, self.arthur = Actor.of_user(author.author), Actor.of_user(assigned.author)

    def play(self) -> None:
        """Initial support, escalate, review, back to initial support, review, closed."""
        ticket, task = self.task.ticket, self.task
        self.until("Southwind's number for the ticket", lambda: bool(self.number))
        actions.escalate_task(actor=self.arthur, task=task)
        actions.add_note(actor=self.emma, ticket=ticket, body="The night shift cannot get in.")
        self.until("Emma's message at Southwind", lambda: len(self.there()["notes"]) > 0)
        self.southwind("message", text="On my way, with a new reader.", author="Sven")
        self.until("Sven's message", lambda: ticket.notes.filter(author_name="Sven").exists())
        self.southwind("solution", solution="The reader is replaced.", author="Sven")
        self.until("the solution", lambda: self.phase == Phase.REVIEW)
        actions.decline_solution(actor=self.emma, task=task, reason="It opens, but it no longer beeps.")
        self.until("the refusal at Southwind", lambda: self.there()["state"] == "open")
        self.southwind("solution", solution="The buzzer is replaced as well.", author="Sven")
        self.until("the second solution", lambda: self.phase == Phase.REVIEW)
        actions.accept_solution(actor=self.emma, task=task)
        self.until("the end at Southwind", lambda: self.there()["state"] == "closed")

    @property
    def number(self) -> str:
        """Southwind's number for the task, as soon as it is known."""
        known = ExternalReference.objects.filter(task=self.task, system=self.system)
        return known.values_list("value", flat=True).first() or ""

    @property
    def phase(self) -> str:
        """As the database has it now."""
        return str(Task.objects.values_list("phase", flat=True).get(pk=self.task.pk))

    def there(self) -> dict[str, Any]:
        """The ticket as Southwind has it."""
        tickets = self.call("GET", "/api/state")["tickets"]
        found: dict[str, Any] = next(row for row in tickets if row["number"] == self.number)
        return found

    def southwind(self, kind: str, **message: str) -> None:
        """Let Southwind's people act, over the protocol by which the ticket came."""
        self.call("POST", "/api/outgoing", {"ticket": self.number, "kind": kind, **message})

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One of the practice desk's controls."""
        credentials = f"{self.system.auth_username}:{self.system.auth_secret}".encode()
        request = http.Request(
            method=method,
            url=f"{self.system.base_url}{path}",
            headers={
                "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
                "Content-Type": "application/json",
            },
            body=b"" if body is None else json.dumps(body).encode(),
        )
        host = urlsplit(self.system.base_url).hostname or ""
        answer = http.send(request, http.Policy(allowed_hosts=(host,), allow_private=True))
        if answer.status >= 400:
            raise Unplayable(f"The practice desk answered {answer.status}: {answer.text[:200]}")
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until it holds."""
        stop = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > stop:
                raise Unplayable(f"Waited {PATIENCE_SECONDS} s for {what}.")
            time.sleep(LOOK_EVERY_SECONDS)


def number_of_the_ticket() -> str:
    """Our number for the ticket of the story."""
    return Ticket.objects.values_list("number", flat=True).get(title=TITLE)
