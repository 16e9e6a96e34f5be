"""What every test can use: services and browsers that may be missing, and processes of their own."""

import functools
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

pytest_plugins = [
    "tests.cast",
    "tests.practice_desk",
    "tests.quick_flush",
    "tests.static_files",
    "tests.mail_servers",
    "tests.rude_imap",
]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@functools.cache
def browser_path() -> str | None:
    """The system's Chromium, or None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@functools.cache
def services_missing() -> str:
    """Why tests with real services cannot run here; empty when they can."""
    if connection.vendor != "postgresql":
        return "DATABASE_URL does not name a PostgreSQL database"
    if not settings.CELERY_BROKER_URL.startswith("amqp"):
        return "CELERY_BROKER_URL does not name a RabbitMQ broker (amqp://)"
    from kombu import Connection

    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=3) as broker:
            broker.connect()
    except OSError as problem:
        return f"the broker does not answer: {problem}"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a database, however it asks for it: the rest cannot differ from one database to another. And
    what plays a desk of the catalogue."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or asked & {"db", "transactional_db", "live_server"}:
            item.add_marker(pytest.mark.database)
        if "adopt" in asked:
            item.add_marker(pytest.mark.contract)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported and collected: nothing of it goes before the end."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what this machine lacks; fail instead where REQUIRE_SERVICES is set."""
    missing = ""
    if item.get_closest_marker("services"):
        missing = services_missing()
    if item.get_closest_marker("browser") and browser_path() is None:
        missing = f"no browser found: install one of {', '.join(BROWSERS)}"
    if missing and os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES is set, but {missing}", pytrace=False)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What migrations put into a new database is there, though it was made from the models. PostgreSQL removes no
    database with sessions, and a thread's may take a moment to end after it was closed."""
    from tickets.lifecycle import TicketStatus
    from tickets.models import OwnStatus

    with django_db_blocker.unblock():
        for status in TicketStatus:
            OwnStatus.default_of(status)
    yield
    if connection.vendor == "postgresql":
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")


@pytest.fixture(scope="session", autouse=True)
def _remove_broker_queue() -> Iterator[None]:
    """Leave no queue of this run behind on a shared RabbitMQ."""
    yield
    if not settings.CELERY_BROKER_URL.startswith("amqp") or services_missing():
        return
    from kombu import Connection

    with Connection(settings.CELERY_BROKER_URL, connect_timeout=3) as broker:
        broker.default_channel.queue_delete(settings.CELERY_TASK_DEFAULT_QUEUE)


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """The environment for a child process (worker, command, server) that works on this test's database.

    Transactional, because another process sees only what was committed.
    """
    database = connection.settings_dict
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
        address = f"{database['HOST']}:{database['PORT'] or 5432}"
        url = f"postgres://{database['USER']}{password}@{address}/{database['NAME']}"
    environment |= {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "ENVIRONMENT": "test",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }
    return environment


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium, one for each file of browser tests."""
    from playwright.sync_api import sync_playwright

    # Playwright's synchronous interface keeps an event loop running in this thread, which makes Django refuse
    # to use the database. Nothing here is asynchronous: the loop only waits for the browser.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = ["--disable-background-networking", "--disable-dev-shm-usage"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's sandbox refuses to run as root
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def browser_page(browser: Any, live_server: Any) -> Iterator[Any]:
    """A fresh page whose relative addresses are those of the live portal: `page.goto("/tickets/")`."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
