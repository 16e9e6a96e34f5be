"""Secrets at rest: encrypted in the database, removed from whatever is stored to be read."""

import base64
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext as _

from integrations.redaction import (
    REMOVED,
    is_secret_name,
    redact_body,
    redact_headers,
    redact_text,
    redact_url,
)

__all__ = [
    "REMOVED",
    "EncryptedTextField",
    "SecretUnreadable",
    "UnreadableSecret",
    "decrypt",
    "encrypt",
    "is_secret_name",
    "readable",
    "redact_body",
    "redact_headers",
    "redact_text",
    "redact_url",
]


class SecretUnreadable(Exception):
    """A stored secret that none of the configured keys decrypts."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A stored secret cannot be decrypted with the configured keys. Put the key that it was encrypted "
                "with back into ENCRYPTION_KEYS (older keys go after the newest), or enter the secret again."
            )
        )


class UnreadableSecret(str):
    """Stands in a loaded row for a secret that cannot be decrypted: empty, and saved back untouched.

    A lost key must not make the pages unusable on which the secret is entered anew. Whoever is about to use a
    secret passes it through `readable`.
    """

    stored: str

    def __new__(cls, stored: str) -> "UnreadableSecret":
        instance = super().__new__(cls, "")
        instance.stored = stored
        return instance


def encrypt(plain: str) -> str:
    """Encrypt with the newest key. The same text gives another token every time."""
    return _fernet().encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt with whichever configured key fits; raises `SecretUnreadable`."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def readable(value: str) -> str:
    """The secret, or `SecretUnreadable` where the row holds one that no key decrypts."""
    if isinstance(value, UnreadableSecret):
        raise SecretUnreadable
    return value


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database and plain in Python; an empty string stays empty.

    It cannot be searched: every lookup but `isnull` raises `FieldError`, because the same text is another
    token every time and a comparison would only seem to work.
    """

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        return None

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        if not value:
            return value
        try:
            return decrypt(value)
        except SecretUnreadable:
            return UnreadableSecret(value)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if isinstance(value, UnreadableSecret):
            return value.stored
        if value is None or value == "" or hasattr(value, "as_sql"):
            return super().get_db_prep_save(value, connection)
        return encrypt(str(value))


def _fernet() -> MultiFernet:
    keys = tuple(key.strip() for key in settings.ENCRYPTION_KEYS if key.strip())
    if keys:
        return _fernet_of(keys)
    if settings.ENVIRONMENT in ("demo", "test"):
        return _fernet_of((_derived_key(settings.SECRET_KEY),))
    raise ImproperlyConfigured(
        "ENCRYPTION_KEYS is empty. Make a key with `manage.py generate_key` and set it in the environment."
    )


@lru_cache(maxsize=8)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS holds something that is not a key. Make keys with `manage.py generate_key`."
        ) from error


@lru_cache(maxsize=8)
def _derived_key(secret: str) -> str:
    """So that demo and tests need no configuration; production has keys of its own."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"deskbridge secrets").derive(secret.encode())
    return base64.urlsafe_b64encode(derived).decode()
