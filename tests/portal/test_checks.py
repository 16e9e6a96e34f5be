"""The numbered checks, and that nothing starts in production against them."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as current
from django.core.management import call_command

from portal.checks import check_environment, check_production

GOOD = {
    "ENVIRONMENT": "production",
    "DEBUG": False,
    "SECRET_KEY": "r4nd0m-" * 10,
    "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
    "ALLOWED_HOSTS": ["desk.example.org"],
    "PORTAL_URL": "https://desk.example.org",
    "CELERY_BROKER_URL": "amqp://broker//",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
}


@pytest.fixture
def found(monkeypatch):
    """The ids of what the checks find in a good production with some settings changed."""

    def check(**changed):
        names = {"DEFAULT_SECRET_KEY": current.DEFAULT_SECRET_KEY} | GOOD | changed
        monkeypatch.setattr("portal.checks.settings", SimpleNamespace(**names))
        return [message.id for message in [*check_environment(None), *check_production(None)]]

    return check


def test_a_good_production_has_nothing_to_complain_about(found):
    assert found() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"SECRET_KEY": current.DEFAULT_SECRET_KEY}, ["deskbridge.E001"]),
        ({"SECRET_KEY": "short"}, ["deskbridge.E001"]),
        ({"DEBUG": True}, ["deskbridge.E002"]),
        ({"ENCRYPTION_KEYS": []}, ["deskbridge.E003"]),
        ({"ENCRYPTION_KEYS": [Fernet.generate_key().decode(), "nonsense"]}, ["deskbridge.E003"]),
        ({"ALLOWED_HOSTS": ["desk.example.org", "*"]}, ["deskbridge.E004"]),
        ({"ENVIRONMENT": "prod"}, ["deskbridge.E005"]),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, ["deskbridge.W001"]),
        ({"CELERY_BROKER_URL": "filesystem://"}, ["deskbridge.W002"]),
        ({"PORTAL_URL": "http://desk.example.org"}, ["deskbridge.W003"]),
    ],
)
def test_each_mistake_is_found_by_its_number(found, changed, expected):
    assert found(**changed) == expected


@pytest.mark.parametrize("environment", ["demo", "test"])
def test_the_demo_and_the_tests_may_do_what_a_production_may_not(found, environment):
    assert found(ENVIRONMENT=environment, SECRET_KEY="short", ENCRYPTION_KEYS=[]) == []


def production(tmp_path, **changed):
    """The environment of a correct production, as docs/operators.md describes it, with some names changed."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": "postgres://deskbridge@127.0.0.1/deskbridge",
        "CELERY_BROKER_URL": "amqp://127.0.0.1//",
        "PORTAL_URL": "https://desk.example.org",
        "ALLOWED_HOSTS": "desk.example.org",
        "SECRET_KEY": "r4nd0mness" * 7,
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    } | changed


def run(tmp_path, *command, **changed):
    """Run a Python program in that production."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=current.BASE_DIR,
        env=production(tmp_path, **changed),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_correct_production_passes_the_checks_for_deployment(tmp_path):
    result = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "gunicorn", "portal.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"),
        ("-m", "celery", "-A", "portal", "worker", "--pool", "solo"),
        ("-m", "celery", "-A", "portal", "beat"),
    ],
    ids=["web server", "worker", "beat"],
)
def test_nothing_starts_in_production_without_an_encryption_key(tmp_path, command):
    result = run(tmp_path, *command, ENCRYPTION_KEYS="")
    assert result.returncode == 3
    assert "deskbridge.E003" in result.stderr
    assert "manage.py generate_key" in result.stderr


def test_a_generated_key_is_one_that_the_checks_accept(capsys):
    call_command("generate_key")
    Fernet(capsys.readouterr().out.strip())
    call_command("generate_key", secret_key=True)
    assert len(capsys.readouterr().out.strip()) >= 50


def test_a_key_can_be_generated_where_nothing_is_set_yet(tmp_path):
    result = run(tmp_path, "manage.py", "generate_key", SECRET_KEY="", ENCRYPTION_KEYS="")
    assert result.returncode == 0, result.stderr
