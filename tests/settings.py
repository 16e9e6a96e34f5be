"""The portal's settings as the tests use them: everything that is written goes to a folder of this run.

A module, not a fixture: pytest-django reads the settings before any conftest is loaded.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ["ENVIRONMENT"] = "test"

if "VAR_DIR" not in os.environ:
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="deskbridge-tests-")
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

# Parallel workers inherit the folder of the run; each has a broker, media and database of its own under it.
_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker and Path(os.environ["VAR_DIR"]).name != _worker:
    os.environ["VAR_DIR"] = str(Path(os.environ["VAR_DIR"]) / _worker)
    Path(os.environ["VAR_DIR"]).mkdir(exist_ok=True)

# On RabbitMQ all test runs share one server: a queue of its own keeps each run's messages apart.
os.environ.setdefault("CELERY_TASK_DEFAULT_QUEUE", f"deskbridge-tests-{os.getpid()}")
if _worker and not os.environ["CELERY_TASK_DEFAULT_QUEUE"].endswith(f"-{_worker}"):
    os.environ["CELERY_TASK_DEFAULT_QUEUE"] += f"-{_worker}"

from portal.settings import *  # noqa: E402, F403 - the environment above must be set first

# The default hasher is slow on purpose; tests sign in often.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
