"""Encrypt every stored secret again with the newest key."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from integrations.secrets import EncryptedTextField, UnreadableSecret


def encrypted_fields() -> list[tuple[type[models.Model], str]]:
    """Every model with the name of a field of it that is stored encrypted."""
    return [
        (model, field.attname)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField)
    ]


class Command(BaseCommand):
    """Reads each secret with whichever key fits and writes it with the first of ENCRYPTION_KEYS.

    One row at a time and under its lock, so that it can run while the portal works, and again after a stop.
    """

    help = "Encrypt every stored secret again with the first key of ENCRYPTION_KEYS. Then remove the old keys."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unreadable = 0, []
        for model, name in encrypted_fields():
            for key in list(model._base_manager.values_list("pk", flat=True)):
                secret = encrypt_again(model, name, key)
                if isinstance(secret, UnreadableSecret):
                    unreadable.append(f"{model._meta.label} {key}, {name}")
                elif secret:
                    done += 1
        self.stdout.write(f"Encrypted again: {done}.")
        if unreadable:
            raise CommandError(
                "No key of ENCRYPTION_KEYS fits these; add the key that does, or enter them anew in the admin:\n  "
                + "\n  ".join(unreadable)
            )
        self.stdout.write("The first key of ENCRYPTION_KEYS is now the only one needed.")


def encrypt_again(model: type[models.Model], name: str, key: Any) -> str | None:
    """Write one secret with the newest key; returns it, empty or None where there is none (any more)."""
    with transaction.atomic():
        row = model._base_manager.select_for_update().only("pk", name).filter(pk=key).first()
        secret = getattr(row, name, None)
        if secret and not isinstance(secret, UnreadableSecret):
            model._base_manager.filter(pk=key).update(**{name: secret})
        return secret
