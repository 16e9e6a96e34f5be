"""Runs several programs as one: for the demo, where no init system does it.

Each program is the leader of a session of its own. So a Ctrl-C in the terminal reaches the supervisor alone, which
stops everything in order, and whatever a program started can be ended together with it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

TICK_SECONDS = 0.1
GRACE_SECONDS = 10
RESTART_SECONDS = (1, 2, 5, 10, 30)
"""How long to wait before a program that died is started again: longer each time."""
STEADY_SECONDS = 60
"""A program that ran this long has recovered: its next restart is quick again."""

_output = threading.Lock()


def say(name: str, line: str) -> None:
    """Print one whole line, marked with who says it."""
    with _output:
        print(f"{name:<8} | {line}", flush=True)  # noqa: T201 - a program on a terminal


@dataclass
class Program:
    """One program under supervision."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready_line: str = ""
    """Part of the line that it prints when it is up; empty for a program that is asked in another way."""
    ready: bool = False
    process: subprocess.Popen[str] | None = None
    started_at: float = 0
    start_at: float = 0
    restarts: int = 0
    reader: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it in a session of its own, its output passed on line by line."""
        self.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self.ready = not self.ready_line
        self.reader = threading.Thread(target=self._pass_on, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _pass_on(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                say(self.name, line.rstrip("\n"))
                if self.ready_line and self.ready_line in line:
                    self.ready = True

    def running(self) -> bool:
        """Whether the program itself lives."""
        return self.process is not None and self.process.poll() is None

    def end_group(self) -> None:
        """End at once whatever is left of its session."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class Supervisor:
    """Keeps programs running until it is told to stop."""

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self.stop_requests = 0
        # Started by make, we live no longer than make does, even if it is killed.
        self._parent = os.getppid() if "MAKELEVEL" in os.environ else None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)

    def _request_stop(self, number: int, frame: object) -> None:
        self.stop_requests += 1

    @property
    def stopping(self) -> bool:
        """Whether everything is to end."""
        return self.stop_requests > 0 or (self._parent is not None and os.getppid() != self._parent)

    def run_once(self, program: Program) -> int | None:
        """Run a program to its end and return its exit code, or None if we were told to stop meanwhile."""
        program.start()
        while program.running() and not self.stopping:
            time.sleep(TICK_SECONDS)
        if program.running():
            self._stop([program])
            return None
        if program.reader:
            program.reader.join()
        assert program.process is not None  # noqa: S101 - started above
        return program.process.returncode

    def run(
        self,
        programs: list[Program],
        *,
        ready: Callable[[], bool],
        on_ready: Callable[[], None],
        then: Sequence[Program] = (),
    ) -> None:
        """Run programs until told to stop; call `on_ready` once, as soon as all are up and `ready` says so.

        `then` are started at that moment, too; they come to an end by themselves and are not started again.
        """
        self.programs = programs
        announced = False
        try:
            for program in programs:
                program.start()
            while not self.stopping:
                for program in programs:
                    self._tend(program)
                up = all(program.running() and program.ready for program in programs)
                if not announced and ready() and up:
                    on_ready()
                    announced = True
                    for program in then:
                        program.start()
                time.sleep(TICK_SECONDS)
        finally:
            say("demo", "Stopping.")
            self._stop([*programs, *then])

    def _tend(self, program: Program) -> None:
        if program.running():
            return
        now = time.monotonic()
        if program.process is not None:
            program.end_group()
            if now - program.started_at > STEADY_SECONDS:
                program.restarts = 0
            wait = RESTART_SECONDS[min(program.restarts, len(RESTART_SECONDS) - 1)]
            program.restarts += 1
            program.start_at = now + wait
            code = program.process.returncode
            say("demo", f"{program.name} ended with code {code}; it is started again in {wait} s.")
            program.process = None
        if now >= program.start_at:
            program.start()

    def _stop(self, programs: Sequence[Program]) -> None:
        """Ask all to end; end what has not after the grace time, or at once on a second request."""
        for program in programs:
            if program.running() and program.process is not None:
                program.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(program.running() for program in programs):
            if time.monotonic() > deadline or self.stop_requests > 1:
                break
            time.sleep(TICK_SECONDS)
        for program in programs:
            program.end_group()
            if program.process is not None:
                program.process.wait()
            if program.reader is not None:
                program.reader.join(timeout=1)
        sys.stdout.flush()
