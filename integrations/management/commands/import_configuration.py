"""Makes the configuration as a YAML file says."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations.catalogue.importing import Imported, import_configuration
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import MOST_BYTES
from integrations.connection import fetch_for

# 1 is a file that is wrong, 2 a command line that is.
DIFFERENT: Final = 3


class Command(BaseCommand):
    """`manage.py import_configuration`: 0 if it is as the file says, 1 if the file is wrong and nothing changed.

    With `--check` nothing is ever changed, and 3 says that something would be.
    """

    help = "Makes external systems as a file of export_configuration says. Secrets stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The file; - is standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Only print what would change.")
        parser.add_argument(
            "--check", action="store_true", help="A dry run that ends with status 3 if something would change."
        )
        parser.add_argument("--only", nargs="+", default=[], metavar="CODE", help="Only these systems of the file.")
        parser.add_argument("--fetch", action="store_true", help="Fetch WSDLs that were not fetched yet, afterwards.")

    def handle(self, *args: Any, **options: Any) -> None:
        name, dry_run = options["file"], options["dry_run"] or options["check"]
        try:
            result = import_configuration(_text(name), only=options["only"], dry_run=dry_run)
        except DocumentProblem as problem:
            lines = "\n".join(f"{name}: {line}" for line in problem.problems)
            raise CommandError(f"{lines}\nNothing was changed.") from problem
        self._tell(result, dry_run=dry_run)
        if options["check"] and result.changes:
            raise CommandError("The configuration is not as in the file.", returncode=DIFFERENT)
        if options["fetch"] and not dry_run:
            self._fetch(result)

    def _tell(self, result: Imported, *, dry_run: bool) -> None:
        for change in result.changes:
            self.stdout.write(change.as_text())
        for note in result.notes:
            self.stdout.write(self.style.WARNING(note))
        count = len(result.changes)
        if not count:
            self.stdout.write("Nothing to change: everything is as in the file.")
        elif dry_run:
            self.stdout.write(f"{count} objects would change. Nothing was changed, as this was a dry run.")
        else:
            self.stdout.write(self.style.SUCCESS(f"{count} objects changed."))

    def _fetch(self, result: Imported) -> None:
        for wsdl in result.to_fetch:
            fetched = fetch_for(wsdl)
            if fetched.problem:
                self.stderr.write(f"{wsdl.system}: the WSDL {wsdl} was not fetched: {fetched.problem}")
                continue
            wsdl.documents, wsdl.fetched_at = fetched.documents, timezone.now()
            wsdl.save(update_fields=["documents", "fetched_at"])
            self.stdout.write(f"{wsdl.system}: the WSDL {wsdl} was fetched.")


def _text(name: str) -> str:
    """What is in the file, or comes in on standard input; one byte more than is accepted tells of too much."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name}: it is not UTF-8 (byte {error.start}).") from error
