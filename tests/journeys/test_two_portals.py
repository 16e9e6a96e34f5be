"""Two portals exchange with each other through the catalogue's preset, both ways: the same words on both sides, once,
in one order, however people on both sides write at once.

`CHANGES=1000 pytest tests/journeys/test_two_portals.py -s` plays longer than every run does.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.practice_desk import ROOT, free_port

CHANGES = int(os.environ.get("CHANGES", "80"))
TICKETS = 4
QUIET_SECONDS = 120 + CHANGES


class Portal:
    """One of the two, in a process of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.port = name, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "VAR_DIR": str(folder), "PORTAL_URL": self.url}
        for inherited in ("DATABASE_URL", "CELERY_BROKER_URL", "PYTEST_XDIST_WORKER"):
            environment.pop(inherited, None)
        self.output = (folder / "portal.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.portal_process", "--port", str(self.port)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.output,
        )

    def start(self, do: str, **arguments: Any) -> None:
        """Tell it to do something; `result` waits for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        self.process.stdin.flush()

    def result(self) -> Any:
        """The next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended: {Path(self.output.name).read_text()[-3000:]}"
        return json.loads(line)

    def do(self, do: str, **arguments: Any) -> Any:
        """Do it and wait."""
        self.start(do, **arguments)
        return self.result()

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()
        self.output.close()


@pytest.fixture
def portals(tmp_path: Path) -> Iterator[tuple[Portal, Portal]]:
    """Two that know each other."""
    both = []
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        both.append(Portal(name, tmp_path / name))
    north, south = both
    try:
        for portal in both:
            assert portal.result() == {"ready": True}
        key_at_north = north.do("prepare", other="south", url=south.url)["key"]
        key_at_south = south.do("prepare", other="north", url=north.url)["key"]
        north.do("connect", key=key_at_south)
        south.do("connect", key=key_at_north)
        yield north, south
    finally:
        for portal in both:
            portal.stop()


def settle(*portals: Portal) -> None:
    """Until nothing is on its way: twice in a row, as what arrives may be answered."""
    until, quiet = time.monotonic() + QUIET_SECONDS, 0
    while quiet < 2:
        assert time.monotonic() < until, [portal.do("unfinished") for portal in portals]
        states = [portal.do("unfinished") for portal in portals]
        assert [state["stuck"] for state in states] == [[], []], states
        quiet = quiet + 1 if not any(state["open"] for state in states) else 0
        time.sleep(0.2)


def swapped(portal: Portal) -> dict[str, Any]:
    """What it holds, under the names that the other has for it."""
    names = {"ours": "theirs", "theirs": "ours"}
    return {f"{names[name.split()[0]]} {name.split()[1]}": content for name, content in portal.do("dump").items()}


def test_both_hold_the_same_words_once_and_in_one_order(portals: tuple[Portal, Portal]):
    north, south = portals
    for portal in portals:
        portal.do("raise_tickets", count=TICKETS)
    settle(*portals)
    started = time.monotonic()
    for seed, portal in enumerate(portals):
        portal.start("play", seed=seed, changes=CHANGES // 2)
    done = [portal.result() for portal in portals]
    played = time.monotonic() - started
    settle(*portals)
    for _poll in range(2):
        # What crossed on the way shows at the next polls.
        for portal in portals:
            portal.do("look_around")
        settle(*portals)
    took = time.monotonic() - started
    sys.stdout.write(f"{CHANGES} changes in {played:.1f} s, exchanged after {took:.1f} s: {done}\n")
    assert sum(sum(deeds.values()) for deeds in done) == CHANGES // 2 * 2
    here, there = north.do("dump"), swapped(south)
    assert len(here) == 2 * TICKETS
    assert set(here) == set(there)
    for name, ticket in here.items():
        assert ticket["notes"] == there[name]["notes"], name
        assert ticket["files"] == there[name]["files"], name
    alike = ("contact", "priority", "phase", "solution")
    assert {name: [ticket[fact] for fact in alike] for name, ticket in here.items()} == {
        name: [ticket[fact] for fact in alike] for name, ticket in there.items()
    }
    # Every public word and file that people wrote is there: those of the start, and those of the play.
    wrote = sum(deeds.get("note", 0) + deeds.get("contact's note", 0) for deeds in done)
    attached = sum(deeds.get("file", 0) for deeds in done)
    assert sum(len(ticket["notes"]) for ticket in here.values()) == wrote + 2 * TICKETS
    assert sum(len(ticket["files"]) for ticket in here.values()) == attached
    for portal in portals:
        counted = portal.do("log")
        assert not [row for row in counted if row.endswith(("refused", "held_back", "permanent", "misconfigured"))], (
            counted
        )
