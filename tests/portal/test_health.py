"""Liveness and readiness, with a database and a broker that are really missing."""

import socket
import time
from collections.abc import Iterator

import kombu.exceptions
import pytest
from celery import Celery
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from portal import health


@pytest.fixture
def broker(monkeypatch):
    """Points the portal at a broker that is a server, with the limits that a production has."""

    def point(url):
        app = Celery("another", set_as_current=False)
        # Not broker_url: the environment's CELERY_BROKER_URL would win over it.
        app.conf.broker_write_url = url
        app.conf.broker_transport_options = settings.BROKER_SERVER_LIMITS
        monkeypatch.setattr(health, "app", app)
        return app

    return point


@pytest.fixture
def silent_broker():
    """The address of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}//"


def test_a_living_process_says_so_without_a_database(client: Client, monkeypatch):
    def refuse():
        raise OperationalError

    monkeypatch.setattr(health, "_ask_database", refuse)
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_a_portal_with_everything_is_ready(client: Client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok"}
    assert "no-cache" in answer["Cache-Control"]


@pytest.mark.django_db
def test_without_a_database_it_is_not_ready_and_gives_no_address_away(client: Client, monkeypatch):
    def refuse():
        raise OperationalError('connection to server at "10.1.2.3" failed')

    monkeypatch.setattr(health, "_ask_database", refuse)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer (OperationalError)"
    assert b"10.1.2.3" not in answer.content


@pytest.fixture
def migrated(transactional_db, settings, monkeypatch) -> Iterator[MigrationRecorder]:
    """What a database that was made by its migrations knows of them; the tests' own was made from the models."""
    settings.MIGRATION_MODULES = {}
    monkeypatch.setattr(health, "_all_applied", False)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for app, name in MigrationLoader(connection).disk_migrations:
        recorder.record_applied(app, name)
    yield recorder
    with connection.schema_editor() as editor:
        editor.delete_model(recorder.Migration)


def test_with_all_migrations_it_is_ready(client: Client, migrated):
    assert client.get("/health/ready").status_code == 200


def test_with_a_migration_missing_it_is_not_ready(client: Client, migrated):
    migrated.migration_qs.filter(app="sessions").delete()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["migrations"]


@pytest.mark.django_db
def test_without_a_broker_it_stays_ready_but_says_so(client: Client, broker):
    broker("amqp://guest:guest@127.0.0.1:1//")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["broker"].startswith("does not answer")


@pytest.mark.django_db
def test_a_broker_that_never_answers_costs_readiness_no_more_than_its_second(client, broker, silent_broker):
    broker(silent_broker)
    started = time.monotonic()
    answer = client.get("/health/ready")
    assert time.monotonic() - started < 2
    assert answer.json()["status"] == "degraded"


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "refusing"])
def test_a_publisher_gives_up_within_a_second_or_so_where_the_broker_is_down(broker, silent_broker, silent):
    app = broker(silent_broker if silent else "amqp://guest:guest@127.0.0.1:1//")
    started = time.monotonic()
    with pytest.raises(kombu.exceptions.OperationalError):
        app.send_task("tests.nothing", retry=False)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_these_addresses_are_only_for_reading(client: Client, path):
    assert client.post(path).status_code == 405
