"""The practice desk as a process: apart from the portal, keeping its data, ending when told."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.practice_desk import ROOT, start_practice_desk


def test_the_portal_does_not_install_it() -> None:
    assert not [name for name in settings.INSTALLED_APPS if "simulator" in name]


def test_its_migration_is_complete(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "integrations.simulator.settings",
        "VAR_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run", "simulator"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_second_start_keeps_the_data_and_takes_over_what_it_is_told(tmp_path: Path) -> None:
    process, desk = start_practice_desk(tmp_path)
    assert desk.post("/api/tickets", json={"title": "kept"}).status_code == 201
    desk.configure(system_slug="chosen-by-hand", portal_url="http://127.0.0.1:1")
    desk.http.close()
    process.terminate()
    assert process.wait(timeout=20) == 0
    assert (tmp_path / "practice-desk.sqlite3").exists()
    process, desk = start_practice_desk(tmp_path, "--portal-url", "http://127.0.0.1:2")
    try:
        assert [ticket["title"] for ticket in desk.state()] == ["kept"]
        present = desk.control("GET", "/api/settings")
        assert (present["system_slug"], present["portal_url"]) == ("chosen-by-hand", "http://127.0.0.1:2")
        log = (tmp_path / "practice-desk.log").read_text()
        assert f"The practice desk answers at {desk.url}/" in log
    finally:
        desk.http.close()
        process.terminate()
        process.wait(timeout=20)


def test_it_ends_soon_even_while_an_answer_is_held(tmp_path: Path) -> None:
    process, desk = start_practice_desk(tmp_path)
    desk.set_fault("time_out_after", seconds=600)

    def call() -> None:
        with pytest.raises(requests.ConnectionError):
            desk.post("/api/tickets", json={"title": "x"})

    caller = threading.Thread(target=call)
    caller.start()
    until = time.monotonic() + 20
    while not desk.state() and time.monotonic() < until:
        time.sleep(0.05)
    started = time.monotonic()
    process.terminate()
    process.wait(timeout=20)
    caller.join(timeout=20)
    desk.http.close()
    assert time.monotonic() - started < 10
    with pytest.raises(requests.ConnectionError):
        requests.get(desk.url, timeout=5)
