"""`make run`: the whole product on this machine alone, with demo data and a partner desk to practise against."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from portal.supervisor import Program, Supervisor, say

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60


class Command(BaseCommand):
    """Prepares the demo, then runs portal, worker, beat and practice desk until it is stopped."""

    help = "Run the portal with demo data and a practice desk on this machine alone. Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            raise CommandError(_("The demo runs in the environment 'demo' only: start it with `make run`."))
        portal_port, desk_port = port("PORT", 8000), port("PRACTICE_DESK_PORT", 8001)
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        with only_demo(settings.VAR_DIR / "demo.lock"):
            for name, number in (("PORT", portal_port), ("PRACTICE_DESK_PORT", desk_port)):
                refuse_used_port(name, number)
            Demo(portal_port, desk_port).run()


class Demo:
    """One run of the demo."""

    def __init__(self, portal_port: int, desk_port: int) -> None:
        self.portal_port = portal_port
        self.desk_port = desk_port
        self.portal_url = f"http://{HOST}:{portal_port}"
        self.desk_url = f"http://{HOST}:{desk_port}"
        self.supervisor = Supervisor()
        self.next_look = 0.0
        self.complain_at = time.monotonic() + PATIENCE_SECONDS
        self.environment = {
            **kept_secrets(settings.VAR_DIR / "demo-secrets.json"),
            **os.environ,
            "ENVIRONMENT": "demo",
            "VAR_DIR": str(settings.VAR_DIR),
            "PORTAL_URL": self.portal_url,
            "PORT": str(portal_port),
            "PRACTICE_DESK_URL": self.desk_url,
            "PRACTICE_DESK_PORT": str(desk_port),
            "PRACTICE_DESK_DATABASE": str(settings.VAR_DIR / "practice-desk.sqlite3"),
            "PYTHONUNBUFFERED": "1",
        }

    def run(self) -> None:
        """Prepare the database, then keep everything running; returns when it was told to stop."""
        for command in ("migrate", "load_demo"):
            code = self.supervisor.run_once(self._manage(command))
            if code is None:
                return
            if code:
                raise CommandError(f"The demo did not start: `manage.py {command}` ended with code {code}.")
        story = self._manage("play_story", verbosity=1)
        self.supervisor.run(self._programs(), ready=self._ready, on_ready=self._announce, then=[story])

    def _manage(self, command: str, verbosity: int = 0) -> Program:
        script = str(settings.BASE_DIR / "manage.py")
        return Program(command, [sys.executable, script, command, f"--verbosity={verbosity}"], self.environment)

    def _programs(self) -> list[Program]:
        celery = [sys.executable, "-m", "celery", "--workdir", str(settings.BASE_DIR), "-A", "portal"]
        gunicorn = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--worker-class", "gthread"]
        gunicorn += ["--threads", "8", "--bind", f"{HOST}:{self.portal_port}", "--log-level", "warning"]
        # The file's name in Case Exchange: gunicorn drops headers with an underscore unless they are named.
        gunicorn += ["--forwarder-headers", "SCRIPT_NAME,PATH_INFO,FS_FILENAME"]
        gunicorn += ["--graceful-timeout", "3", "--no-control-socket", "--chdir", str(settings.BASE_DIR)]
        # Threads: SQLite has one writer anyway, and one process starts and stops faster than a pool of them.
        worker = [*celery, "--quiet", "worker", "--pool", "threads", "--concurrency", "4", "--without-mingle"]
        worker += ["--without-gossip", "--loglevel", "INFO"]
        beat = [*celery, "beat", "--loglevel", "INFO"]
        desk = [sys.executable, "-m", "integrations.simulator", "--port", str(self.desk_port)]
        keys = {f"PRACTICE_DESK_{name.upper()}": facts().get(name) for name in ("api_key", "case_exchange_key")}
        known = self.environment | {name: str(key) for name, key in keys.items() if key}
        return [
            Program("portal", gunicorn, self.environment),
            Program("worker", worker, self.environment, ready_line=" ready."),
            Program("beat", beat, self.environment, ready_line="maxinterval ->"),
            Program("desk", desk, known | {"PYTHONPATH": str(settings.BASE_DIR)}),
        ]

    def _ready(self) -> bool:
        now = time.monotonic()
        if now < self.next_look:
            return False
        self.next_look = now + 0.5
        missing = [url for url in (f"{self.portal_url}/health/ready", f"{self.desk_url}/") if not answers(url)]
        if missing and now > self.complain_at:
            say("demo", f"Still waiting for {' and '.join(missing)}. The lines above may say why.")
            self.complain_at = now + PATIENCE_SECONDS
        return not missing

    def _announce(self) -> None:
        lines = ["", "Deskbridge is ready.", f"  Portal          {self.portal_url}/"]
        lines += [f"  Administration  {self.portal_url}/admin/", f"  Practice desk   {self.desk_url}/"]
        for who, title in (("admin", "Administrator"), ("agent", "Agent"), ("end_user", "End user")):
            if person := facts().get(who):
                lines.append(f"  {title:<15} {person['user']} / {person['password']}")
        lines += ["Ctrl-C stops all of it; the data stays for the next time.", ""]
        for line in lines:
            say("demo", line)


def facts() -> dict[str, Any]:
    """What load_demo wrote down about the demo: addresses, sign-ins, the practice desk's keys."""
    path: Path = settings.VAR_DIR / "demo.json"
    return json.loads(path.read_text()) if path.exists() else {}


def kept_secrets(path: Path) -> dict[str, str]:
    """Random secrets, made at the first run; kept, since what is stored is encrypted with them."""
    if not path.exists():
        made = {"SECRET_KEY": secrets.token_urlsafe(50), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
        draft = path.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        draft.rename(path)
    return json.loads(path.read_text())


def port(name: str, default: int) -> int:
    """A port from the environment."""
    value = os.environ.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CommandError(f"{name} is {value!r}, which is not a port: use a number from 1 to 65535.")
    return int(value)


def refuse_used_port(name: str, number: int) -> None:
    """End with a clear message before anything is started on a port that is taken."""
    with socket.socket() as probe:
        # As servers do: else a port would count as taken for a minute after its last server stopped.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError as problem:
            raise CommandError(
                f"Port {number} cannot be used ({problem.strerror}). Stop what uses it, or choose another one:"
                f" make run {name}={number + 1000 if number < 64000 else 8000}"
            ) from problem


@contextlib.contextmanager
def only_demo(path: Path) -> Iterator[None]:
    """Hold the lock of this folder's demo: two would work on the same database and broker."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise CommandError(
                f"A demo is already running on {path.parent}. Stop it first, or use another folder: VAR_DIR=..."
            ) from problem
        yield


def answers(url: str) -> bool:
    """Whether one of our own servers on this machine answers without an error."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - always http, to ourselves
            return bool(answer.status < 400)
    except (urllib.error.URLError, OSError):
        return False
