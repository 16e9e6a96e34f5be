"""Real workers and a real beat on the services of a production, started again whenever they die."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from integrations.demo.partner import load_partner
from integrations.demo.people import People, load_people
from integrations.models import ENDED, ExternalSystem, ProcessRun
from tests.practice_desk import PracticeDesk

PATIENCE_SECONDS = 120


@dataclass
class Processes:
    """Programs that are kept running, as a service manager would."""

    environment: dict[str, str]
    folder: Path
    deaths: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def keep(self, name: str, *command: str) -> None:
        """Start the program, and start it again whenever it ends."""
        thread = threading.Thread(target=self._keep, args=(name, command), daemon=True)
        thread.start()
        self.threads.append(thread)

    def worker(self, point: str = "none") -> None:
        """A worker that dies at that point, once for each request."""
        (self.folder / "died").mkdir(exist_ok=True)
        self.keep("worker", sys.executable, "-m", "tests.faults.worker", point, str(self.folder / "died"))

    def beat(self) -> None:
        """The clock that lets the sweeper look."""
        schedule = str(self.folder / "beat")
        self.keep(
            "beat", sys.executable, "-m", "celery", "-A", "portal", "beat", "--schedule", schedule, "-l", "WARNING"
        )

    def stop(self) -> None:
        """End all of them."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=30)

    def logs(self) -> str:
        """What they printed, for a failing test."""
        return "\n".join(path.read_text(errors="replace")[-4000:] for path in self.folder.glob("*.log"))

    def _keep(self, name: str, command: tuple[str, ...]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            while not self.stopping.is_set():
                process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
                while process.poll() is None and not self.stopping.wait(0.1):
                    pass
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(timeout=15)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                else:
                    self.deaths += 1


@pytest.fixture
def processes(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    """Workers with short leases on the test's database and broker."""
    environment = process_environment | {
        "LEASE_SECONDS": "4",
        "SWEEP_SECONDS": "1",
        "CELERY_TASK_DEFAULT_QUEUE": os.environ["CELERY_TASK_DEFAULT_QUEUE"],
    }
    kept = Processes(environment=environment, folder=tmp_path)
    yield kept
    kept.stop()
    connection.close()


@pytest.fixture
def people(transactional_db: None, settings: Any) -> People:
    """The demo's cast, with passwords as the portal's own processes read them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    return load_people()


@pytest.fixture
def northwind(transactional_db: None, practice_desk: PracticeDesk, settings: Any) -> ExternalSystem:
    """The practice desk as an external system, quick to retry and quick to settle."""
    settings.PRACTICE_DESK_URL = practice_desk.url
    system = load_partner()
    system.retry_schedule = "1 s, 1 s, 1 s, 1 s, 1 s"
    system.save()
    system.operations.update(settle_seconds=1)
    return system


@pytest.fixture
def all_done(processes: Processes) -> Callable[[], None]:
    """Wait until every run has ended; fail with what stands where, and the programs' logs, if that takes too long."""

    def wait(seconds: float = PATIENCE_SECONDS) -> None:
        until = time.monotonic() + seconds
        while ProcessRun.objects.exclude(state__in=ENDED).exists():
            if time.monotonic() > until:
                left = [f"{r} {r.state}: {r.reason}" for r in ProcessRun.objects.exclude(state__in=ENDED)]
                pytest.fail("\n".join([*left, processes.logs()]))
            time.sleep(0.2)

    return wait
