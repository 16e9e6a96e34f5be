"""The practice desk as a process of its own, for any test: the fixture `practice_desk`."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass
class PracticeDesk:
    """A running practice desk: its address, what callers present, and its controls."""

    url: str
    user: str = "practice"
    password: str = "practice-desk-password"
    api_key: str = "practice-key"
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.trust_env = False
        self.http.headers["X-Api-Key"] = self.api_key

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call any address of it; 30 s time-out unless told otherwise; no status is an error here."""
        return self.http.request(method, f"{self.url}{path}", **{"timeout": 30, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        """`GET`, see `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """`POST`, see `request`."""
        return self.request("POST", path, **options)

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One of the control calls; an error is raised."""
        response = self.request(method, path, json=body)
        assert response.ok, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def state(self) -> list[dict[str, Any]]:
        """All its tickets with notes, attachments and outgoing messages, in order of arrival."""
        tickets: list[dict[str, Any]] = self.control("GET", "/api/state")["tickets"]
        return tickets

    def calls(self, **search: str) -> list[dict[str, Any]]:
        """Its log of calls, oldest first; search by direction, operation, ticket."""
        response = self.get("/api/calls", params=search)
        found: list[dict[str, Any]] = response.json()["calls"]
        return found

    def set_fault(self, kind: str, **setting: Any) -> None:
        """Switch a fault on (once, unless count is given) and leave the others; see `faults.KINDS`."""
        self.control("PATCH", "/api/faults", {kind: {"count": 1, **setting}})

    def configure(self, **settings: Any) -> None:
        """Change its settings, e.g. portal_url, system_slug, api_key, reference_later, acknowledge_after."""
        self.control("PATCH", "/api/settings", settings)

    def send(self, number: str, kind: str, **message: Any) -> dict[str, Any]:
        """Let it send to the portal: an acknowledgement, a message, a solution ...; the stored result."""
        return self.control("POST", "/api/outgoing", {"ticket": number, "kind": kind, **message})

    def fetch(self) -> int:
        """Let it fetch the portal's feed of Case Exchange now; how many entries it applied."""
        return int(self.control("POST", "/api/feed/fetch")["applied"])

    def reset(self) -> None:
        """Forget tickets, calls and faults; keep the settings."""
        self.control("POST", "/api/reset")


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_practice_desk(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], PracticeDesk]:
    """Start one with its database and log in that folder, and wait until it answers."""
    port = free_port()
    environment = {**os.environ, "VAR_DIR": str(folder)}
    for name in list(environment):
        if name.startswith("PRACTICE_DESK_") or name == "PORTAL_URL":
            del environment[name]
    log = folder / "practice-desk.log"
    command = [sys.executable, "-m", "integrations.simulator", "--port", str(port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    desk = PracticeDesk(f"http://127.0.0.1:{port}")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            desk.state()
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return process, desk
    process.kill()
    process.wait()
    raise AssertionError(f"The practice desk did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def practice_desk_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeDesk]:
    """One practice desk for the whole run (one per xdist worker)."""
    folder = tmp_path_factory.mktemp("practice-desk")
    process, desk = start_practice_desk(folder)
    yield desk
    desk.http.close()
    process.terminate()
    process.wait(timeout=20)
    # Its warnings and tracebacks are as bad as ours, and nobody else looks there.
    log = (folder / "practice-desk.log").read_text()
    assert "Traceback" not in log, log
    assert "Warning" not in log, log


@pytest.fixture
def practice_desk(practice_desk_process: PracticeDesk) -> PracticeDesk:
    """An empty practice desk with its first settings and without faults."""
    practice_desk_process.reset()
    practice_desk_process.configure(
        portal_url="http://127.0.0.1:9",
        system_slug="practice-desk",
        api_key="",
        case_exchange_user="southwind",
        case_exchange_key="",
        case_exchange_tenant="deskbridge",
        pull_every=None,
        channel="rest",
        soap_namespace="http://tempuri.org/",
        reference_later=False,
        acknowledge_after=None,
    )
    return practice_desk_process
