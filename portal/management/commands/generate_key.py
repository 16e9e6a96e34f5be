"""Make the secrets that a production must have."""

import secrets
from argparse import ArgumentParser
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Prints a new random key, and nothing else, so that scripts can use the output."""

    help = "Print a new key for ENCRYPTION_KEYS, or with --secret-key a new SECRET_KEY."
    # It makes what the checks ask for, so it must run before they are content.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--secret-key", action="store_true", help="print a value for SECRET_KEY instead")

    def handle(self, *args: Any, secret_key: bool, **options: Any) -> None:
        self.stdout.write(secrets.token_urlsafe(50) if secret_key else Fernet.generate_key().decode())
