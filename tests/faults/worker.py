"""A worker that dies, as by kill -9, the first time that each request passes a chosen point.

`python -m tests.faults.worker POINT FOLDER`, with POINT one of none, before_send, after_send, before_record. FOLDER
remembers which requests it has died of already, so that whoever starts it again sees each request die once.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def die_once(folder: Path, key: str) -> None:
    """Kill this process, unless it has died of this request before."""
    mark = folder / key
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def main(point: str, folder: Path) -> None:
    """Patch the point of no return, then work as any worker does."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    import django

    django.setup()
    from integrations.engine import sending
    from integrations.engine.steps import request as steps

    send, record_try = sending.send, steps.record_try

    def key_of(headers: Any) -> str:
        return {name.lower(): value for name, value in headers.items()}.get("idempotency-key", "")

    def sending_send(request: Any, policy: Any) -> Any:
        key = key_of(request.headers)
        if point == "before_send" and key:
            die_once(folder, key)
        response = send(request, policy)
        if point == "after_send" and key:
            die_once(folder, key)
        return response

    def dying_record(execution: Any, request: Any, system: Any, came: Any) -> None:
        if point == "before_record":
            die_once(folder, str(execution.step.idempotency_key))
        record_try(execution, request, system, came)

    sending.send = sending_send
    steps.record_try = dying_record
    run_worker()


def run_worker() -> None:
    """Celery's worker, one task at a time in this very process.

    Its name is its own: RabbitMQ lets one worker of a name in, and parallel tests and one just killed have theirs.
    """
    from portal.celery import app

    worker: Callable[[list[str]], None] = app.worker_main
    name = f"{os.environ['CELERY_TASK_DEFAULT_QUEUE']}-{os.getpid()}@%h"
    alone = ["--pool", "solo", "--without-mingle", "--without-gossip"]
    worker(["worker", "--hostname", name, *alone, "--loglevel", "WARNING"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
