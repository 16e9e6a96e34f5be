"""Secrets at rest: encrypted, rotated, and never a dead end when a key is lost."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, models

from integrations.secrets import (
    EncryptedTextField,
    SecretUnreadable,
    UnreadableSecret,
    decrypt,
    encrypt,
    readable,
)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class Vault(models.Model):
    """A table for these tests alone."""

    secret = EncryptedTextField(blank=True, default="")

    class Meta:
        app_label = "secrets_test"

    def __str__(self) -> str:
        return "vault"


@pytest.fixture
def vaults(transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(Vault)
    yield Vault.objects
    with connection.schema_editor() as editor:
        editor.delete_model(Vault)


def _stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM secrets_test_vault")
        return cursor.fetchone()[0]


def test_what_was_encrypted_is_decrypted_and_never_looks_the_same(settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    first, second = encrypt("pässword"), encrypt("pässword")
    assert decrypt(first) == decrypt(second) == "pässword"
    assert first != second


def test_older_keys_still_decrypt_and_the_newest_encrypts(settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    old = encrypt("x")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(old) == "x"
    new = encrypt("y")
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(new) == "y"
    with pytest.raises(SecretUnreadable, match="ENCRYPTION_KEYS"):
        decrypt(old)


@pytest.mark.parametrize("environment", ["demo", "test"])
def test_demo_and_tests_need_no_key(settings, environment) -> None:
    settings.ENCRYPTION_KEYS, settings.ENVIRONMENT = [], environment
    token = encrypt("x")
    assert decrypt(token) == "x"
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable):
        decrypt(token)


@pytest.mark.parametrize("keys", [[], [""], ["not a key"]])
def test_production_refuses_to_work_without_a_proper_key(settings, keys) -> None:
    settings.ENCRYPTION_KEYS, settings.ENVIRONMENT = keys, "production"
    with pytest.raises(ImproperlyConfigured, match="generate_key"):
        encrypt("x")


def test_the_field_stores_a_token_and_gives_the_text(vaults) -> None:
    vaults.create(secret="hunter2")
    assert "hunter2" not in _stored()
    assert decrypt(_stored()) == "hunter2"
    assert vaults.get().secret == "hunter2"
    vaults.update(secret="second")
    assert decrypt(_stored()) == vaults.get().secret == "second"
    vault = vaults.get()
    vault.secret = "third"
    vaults.bulk_update([vault], ["secret"])
    assert decrypt(_stored()) == vaults.get().secret == "third"
    assert list(vaults.values_list("secret", flat=True)) == ["third"]


def test_an_empty_secret_stays_empty(vaults) -> None:
    vaults.create(secret="")
    assert _stored() == ""
    assert vaults.get().secret == ""


def test_a_secret_cannot_be_searched(vaults) -> None:
    for lookup in ("secret", "secret__contains", "secret__startswith", "secret__in", "secret__lower"):
        with pytest.raises(FieldError):
            list(vaults.filter(**{lookup: "x"}))
    assert list(vaults.filter(secret__isnull=True)) == []


def test_a_row_whose_key_is_lost_still_loads_and_keeps_its_token(vaults, settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    vaults.create(secret="hunter2")
    token = _stored()
    settings.ENCRYPTION_KEYS = [NEW]
    vault = vaults.get()
    assert isinstance(vault.secret, UnreadableSecret)
    with pytest.raises(SecretUnreadable, match="enter the secret again"):
        readable(vault.secret)
    vault.save()
    assert _stored() == token
    vault.secret = "entered again"
    vault.save()
    assert readable(vaults.get().secret) == "entered again"
