"""The demo as a person runs it: it answers, it keeps its data, it leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

LIMIT_SECONDS = 90


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    """One `run_demo` on a folder and ports of its own."""

    def __init__(self, folder, **changed):
        self.port, self.desk_port = free_port(), free_port()
        self.output = Path(folder) / f"output-{self.port}.txt"
        # Not what conftest or CI set for the tests themselves: the demo is SQLite and a folder as broker.
        names = ("PATH", "HOME", "LANG")
        self.environment = {name: os.environ[name] for name in names if name in os.environ} | {
            "ENVIRONMENT": "demo",
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "PRACTICE_DESK_PORT": str(self.desk_port),
        }
        self.environment |= changed
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_demo"],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, condition):
        deadline = time.monotonic() + LIMIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.output.read_text()
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.1)

    def wait_until_ready(self):
        self.wait_until(lambda: "Deskbridge is ready" in self.output.read_text())

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def members(self):
        """The ids of all living processes that work on this demo's folder."""
        mark = f"VAR_DIR={self.environment['VAR_DIR']}".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found


@pytest.fixture
def demo(tmp_path):
    """Starts demos, and stops them all whatever happens."""
    started = []

    def start(**changed):
        started.append(Demo(changed.pop("folder", tmp_path), **changed))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
        return answer.read().decode()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc")
def test_the_demo_answers_restarts_what_dies_and_leaves_no_process_behind(demo):
    running = demo()
    running.wait_until_ready()
    assert json.loads(get(f"http://127.0.0.1:{running.port}/health/ready"))["status"] == "ok"
    assert get(f"http://127.0.0.1:{running.desk_port}/")
    running.wait_until(lambda: "went through all its phases" in running.output.read_text())

    beat = next(pid for pid, command in running.members().items() if " beat " in command)
    os.kill(beat, signal.SIGKILL)
    running.wait_until(lambda: "beat ended with code -9" in running.output.read_text())
    running.wait_until(lambda: any(" beat " in command for command in running.members().values()))

    assert running.stop() == 0
    assert running.members() == {}


def test_a_second_run_keeps_data_and_secrets_and_ends_on_sigterm_too(demo, tmp_path):
    first = demo()
    first.wait_until_ready()
    facts = json.loads((tmp_path / "demo.json").read_text())
    secrets_file = tmp_path / "demo-secrets.json"
    kept = secrets_file.read_text()
    assert secrets_file.stat().st_mode & 0o777 == 0o600
    assert first.stop(signal.SIGTERM) == 0

    second = demo()
    second.wait_until_ready()
    again = json.loads((tmp_path / "demo.json").read_text())
    assert secrets_file.read_text() == kept
    assert again["api_key"] == facts["api_key"]
    assert again["portal"] == f"http://127.0.0.1:{second.port}"
    assert second.stop() == 0


def test_two_demos_never_share_a_folder(demo):
    first = demo()
    first.wait_until(lambda: first.output.read_text() or (first.output.parent / "demo-secrets.json").exists())
    second = demo()
    assert second.process.wait(timeout=30) == 1
    assert "already running" in second.output.read_text()


@pytest.mark.parametrize("name", ["PORT", "PRACTICE_DESK_PORT"])
def test_a_port_in_use_is_said_before_anything_is_started(demo, tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        refused = demo(**{name: str(number)})
        assert refused.process.wait(timeout=30) == 1
    assert f"Port {number} cannot be used" in refused.output.read_text()
    assert f"make run {name}=" in refused.output.read_text()
    assert not (tmp_path / "deskbridge.sqlite3").exists()


def test_what_is_no_port_is_refused(demo):
    refused = demo(PORT="eighty")
    assert refused.process.wait(timeout=30) == 1
    assert "PORT is 'eighty'" in refused.output.read_text()


def test_the_demo_refuses_to_run_in_a_production(demo):
    refused = demo(ENVIRONMENT="production")
    assert refused.process.wait(timeout=30) == 1
    assert "make run" in refused.output.read_text()
