"""What a production must have set: numbered system checks, and the gate that the servers pass at their start.

Django runs system checks before management commands only. Neither gunicorn nor Celery asks for them, so
`portal/wsgi.py` and `portal/celery.py` call `refuse_unsafe_start`.
"""

import sys
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

ENVIRONMENTS = ("production", "demo", "test")
SECRET_KEY_LENGTH = 50
# gunicorn's own code for "this worker can never start": it stops instead of starting one worker after another.
REFUSED_EXIT_CODE = 3


@register(Tags.security)
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E005: a misspelled environment would switch all other checks off."""
    if settings.ENVIRONMENT in ENVIRONMENTS:
        return []
    return [
        Error(
            f"ENVIRONMENT is {settings.ENVIRONMENT!r}, which does not exist.",
            hint=f"Set it to one of: {', '.join(ENVIRONMENTS)}.",
            id="deskbridge.E005",
        )
    ]


@register(Tags.security)
def check_production(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Errors that make a production unsafe, and warnings about what does not suit one."""
    if settings.ENVIRONMENT != "production":
        return []
    return [*_secrets(), *_exposure(), *_scale()]


def _secrets() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY or len(settings.SECRET_KEY) < SECRET_KEY_LENGTH:
        found.append(
            Error(
                f"SECRET_KEY is the default, or shorter than {SECRET_KEY_LENGTH} characters.",
                hint="Set SECRET_KEY to a long random text; `manage.py generate_key` prints one.",
                id="deskbridge.E001",
            )
        )
    if not settings.ENCRYPTION_KEYS:
        found.append(
            Error(
                "ENCRYPTION_KEYS is not set: passwords of other desks could not be stored safely.",
                hint="Set ENCRYPTION_KEYS to what `manage.py generate_key` prints, and keep a copy of it.",
                id="deskbridge.E003",
            )
        )
    for position, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            found.append(
                Error(
                    f"Key number {position} in ENCRYPTION_KEYS is not a Fernet key.",
                    hint="Use a key that `manage.py generate_key` printed; separate several by commas.",
                    id="deskbridge.E003",
                )
            )
    return found


def _exposure() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG is on: error pages would show settings and data to anyone.",
                hint="Unset DEBUG.",
                id="deskbridge.E002",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS contains *: the portal would answer under any name.",
                hint="List the names under which people and desks reach the portal.",
                id="deskbridge.E004",
            )
        )
    if not settings.PORTAL_URL.startswith("https://"):
        found.append(
            Warning(
                f"PORTAL_URL is {settings.PORTAL_URL}, so other desks are told an address that is not encrypted.",
                hint="Set PORTAL_URL to the https address under which other desks reach the portal.",
                id="deskbridge.W003",
            )
        )
    return found


def _scale() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        found.append(
            Warning(
                "The database is SQLite, which allows one writer at a time.",
                hint="Set DATABASE_URL to a PostgreSQL database.",
                id="deskbridge.W001",
            )
        )
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        found.append(
            Warning(
                "The broker is a folder, which only one machine can use and which redelivers nothing.",
                hint="Set CELERY_BROKER_URL to RabbitMQ or Redis.",
                id="deskbridge.W002",
            )
        )
    return found


def refuse_unsafe_start() -> None:
    """End this process, saying why, if a check of this module finds an error."""
    errors = [message for message in [*check_environment(None), *check_production(None)] if message.is_serious()]
    if not errors:
        return
    # Not sys.stderr: Celery's beat has redirected that to its log by now.
    print("Deskbridge does not start in production until this is mended:", file=sys.__stderr__)
    for error in errors:
        print(f"  {error.id}: {error.msg} {error.hint}", file=sys.__stderr__)
    sys.exit(REFUSED_EXIT_CODE)
