"""Write the tables of the catalogue into docs/catalogue.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from integrations.catalogue.documenting import documented


class Command(BaseCommand):
    """After a preset was added or changed; a test tells when it is due."""

    help = "Write the tables of the catalogue of desks into docs/catalogue.md."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "catalogue.md"
        path.write_text(documented(path.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(str(path))
