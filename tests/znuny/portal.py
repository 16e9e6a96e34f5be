"""A portal of its own for the run: web server, worker and scheduler as in a production, with an empty database."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import requests
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120


class Portal:
    """Used as a context: started at its beginning, stopped at its end. Logs are in its folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"http://127.0.0.1:{port}"
        self.user, self.password = "admin", secrets.token_urlsafe(12)
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.over = threading.Event()
        self.environment = {
            **os.environ,
            "ENVIRONMENT": "demo",
            "VAR_DIR": str(folder),
            "PORTAL_URL": self.url,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DJANGO_SUPERUSER_PASSWORD": self.password,
        }

    def __enter__(self) -> "Portal":
        with socket.socket() as probe:
            # As servers do: else a port would count as taken for a minute after its last server stopped.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))
        self.folder.mkdir(parents=True)
        self.manage("migrate", "--verbosity=0")
        self.manage("createsuperuser", "--noinput", f"--username={self.user}", "--email=admin@portal.test")
        celery = [sys.executable, "-m", "celery", "-A", "portal"]
        web = [sys.executable, "-m", "gunicorn", "portal.wsgi:application", "--worker-class=gthread", "--threads=8"]
        self._start("web", [*web, f"--bind=127.0.0.1:{self.port}", "--no-control-socket"])
        self._start("worker", [*celery, "worker", "--pool=threads", "--concurrency=4", "--loglevel=INFO"])
        self._start("beat", [*celery, "beat", "--loglevel=INFO"])
        threading.Thread(target=self._keep_running, daemon=True).start()
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(f"The portal does not answer; see {self.folder}")
            time.sleep(0.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.over.set()
        for program in self.programs.values():
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGTERM)
        for program in self.programs.values():
            try:
                program.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)

    def manage(self, *command: str) -> None:
        """A command of the installation."""
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True)

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def _keep_running(self) -> None:
        """What ends by itself is started again, as an init system would."""
        while not self.over.wait(1):
            for name, program in list(self.programs.items()):
                if program.poll() is not None:
                    self._start(name, list(program.args))

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health/ready", timeout=5).ok
        except requests.RequestException:
            return False
