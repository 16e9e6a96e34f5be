"""Load the demo data."""

import json
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from integrations.app_fields import sync_app_fields
from integrations.demo.partner import load_partner, load_southwind, new_key
from integrations.demo.people import SIGN_INS, load_people
from integrations.demo.tickets import load_tickets
from integrations.models import SystemKey


class Command(BaseCommand):
    """People, the practice desk as an external system, a few tickets; and the facts for scripts in demo.json."""

    help = "Load the demo: people, a partner desk, tickets. Loading it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError(_("The demo has known passwords: it is not loaded into a production."))
        with transaction.atomic():
            people = load_people()
            northwind, southwind = load_partner(), load_southwind()
            sync_app_fields()
            load_tickets(people)
            keys = {
                "api_key": self._kept_key("api_key") or new_key(northwind),
                "case_exchange_key": self._kept_key("case_exchange_key") or new_key(southwind),
            }
        self._write_facts(keys)
        self.stdout.write(_("The demo is loaded; its facts are in %(file)s.") % {"file": self._file.name})

    @property
    def _file(self) -> Any:
        return settings.VAR_DIR / "demo.json"

    def _kept_key(self, name: str) -> str:
        """The key of an earlier load, if it still works: keys are shown once, so it is kept beside the facts."""
        try:
            key = str(json.loads(self._file.read_text(encoding="utf-8"))[name])
        except (FileNotFoundError, ValueError, KeyError):
            return ""
        return key if SystemKey.objects.is_valid(key) else ""

    def _write_facts(self, keys: dict[str, str]) -> None:
        facts = {
            "portal": settings.PORTAL_URL,
            "practice_desk": settings.PRACTICE_DESK_URL,
            **SIGN_INS,
            **keys,
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(facts, opened, indent=2)
            opened.write("\n")
