"""The same chance, with several at work at once: no update is lost, no action is half done, nobody waits for ever."""

import random
import threading
from collections.abc import Sequence
from typing import TypeVar

import pytest
from django.db import connection

from tests.journeys.invariants import check, notes_by_people
from tests.journeys.life import ACTIONS, Cast, Life
from tickets.models import History, Ticket

T = TypeVar("T")
THREADS, STEPS = 4, 60
# Numbers that do not depend on chance: a failure can be looked at again.
SEEDS = [1, 2, 3]


class Dice:
    """Chance from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, choices: Sequence[T]) -> T:
        """One of these."""
        return self.random.choice(choices)


def act(life: Life, failures: list[BaseException]) -> None:
    """Everything that one of them does, over a connection of its own."""
    try:
        for _ in range(STEPS):
            life.step(life.draw.pick(sorted(ACTIONS)))
    except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
        failures.append(error)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_must_hold_holds_with_several_at_work(seed: int) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: with PostgreSQL they really meet")
    cast = Cast.make()
    lives = [Life(cast, Dice(seed * 100 + number), alone=False) for number in range(THREADS)]
    for _ in range(3):
        lives[0].step("raise")
        lives[0].step("add task")
    failures: list[BaseException] = []
    threads = [threading.Thread(target=act, args=(life, failures)) for life in lives]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "nobody waits for ever"
    if failures:
        raise failures[0]
    check()
    assert notes_by_people() == sum(life.notes_added for life in lives), "no note is lost, none is doubled"
    # That no change is lost, the history shows: in `check`, each value follows from the one before.
    assert History.objects.count() > THREADS * STEPS / 2
    assert {ticket.number for ticket in Ticket.objects.all()} == {
        str(1001 + position) for position in range(Ticket.objects.count())
    }, "numbers have no gap"
