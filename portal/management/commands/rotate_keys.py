"""Encrypt every stored secret again with the newest key."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from integrations.secrets import EncryptedTextField


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
        total = 0
        for model, name in encrypted_fields():
            rows = 0
            for key in list(model._base_manager.exclude(**{name: ""}).values_list("pk", flat=True)):
                rows += self._rotate(model, name, key)
            self.stdout.write(f"{model._meta.label}.{name}: {rows}")
            total += rows
        self.stdout.write(self.style.SUCCESS(f"Encrypted again: {total}. Older keys are no longer needed."))

    @staticmethod
    def _rotate(model: type[models.Model], name: str, key: Any) -> int:
        with transaction.atomic():
            row = model._base_manager.select_for_update().only("pk", name).filter(pk=key).first()
            if row is None:
                return 0
            return model._base_manager.filter(pk=key).update(**{name: getattr(row, name)})
