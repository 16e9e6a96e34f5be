"""Programs under supervision: nothing outlives the supervisor, however stubborn."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from django.conf import settings

# Prints its own id and that of a child that it started; both ignore the request to end.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ids", __import__("os").getpid(), child.pid, flush=True)
time.sleep(600)
"""
SHORT = "print('once more', flush=True)"


def script(program, *, grace=1):
    """A supervisor of one program, as a program."""
    return textwrap.dedent(
        f"""
        import os, sys
        from portal import supervisor
        supervisor.GRACE_SECONDS = {grace}
        supervisor.RESTART_SECONDS = (0, 0, 60)
        one = supervisor.Program("one", [sys.executable, "-c", {program!r}], os.environ)
        supervisor.Supervisor().run([one], ready=lambda: True, on_ready=lambda: print("up", flush=True))
        """
    )


@pytest.fixture
def supervise():
    """Starts a supervisor; it is ended whatever happens."""
    started = []

    def start(source, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", source],
            cwd=settings.BASE_DIR,
            env={name: value for name, value in os.environ.items() if name != "MAKELEVEL"} | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def lines_until(process, text):
    """What a process prints, up to the line with this text."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"{text!r} was not printed: {lines}")


def alive(pid):
    """Whether a process lives; one that only waits for its parent to notice its end does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(*pids):
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "still alive"
        time.sleep(0.05)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks at processes through /proc")
def test_what_does_not_end_when_asked_is_ended_with_all_its_children(supervise):
    process = supervise(script(STUBBORN))
    ids = [int(word) for word in lines_until(process, "ids")[-1].split()[-2:]]
    assert all(alive(pid) for pid in ids)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0
    wait_until_gone(*ids)


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(supervise):
    process = supervise(script(STUBBORN, grace=600))
    lines_until(process, "ids")
    process.send_signal(signal.SIGINT)
    lines_until(process, "Stopping")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0


def test_a_program_that_ends_is_started_again_and_later_each_time(supervise):
    process = supervise(script(SHORT))
    lines = lines_until(process, "started again in 60 s")
    assert sum("once more" in line for line in lines) == 3
    assert sum("started again in 0 s" in line for line in lines) == 2


def test_it_does_not_outlive_the_make_that_started_it(supervise):
    # A shell that is killed stands for make: only the supervisor's parent dies.
    source = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {script(STUBBORN)!r}])"
    process = supervise(source, MAKELEVEL="1")
    ids = [int(word) for word in lines_until(process, "ids")[-1].split()[-2:]]
    process.kill()
    wait_until_gone(*ids)
