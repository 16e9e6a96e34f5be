"""Writes the configuration of external systems as YAML, without secrets."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.yaml_text import dump
from integrations.models import ExternalSystem


class Command(BaseCommand):
    """`manage.py export_configuration`: to standard output, or to a file that is replaced only as a whole."""

    help = "Writes external systems with all that belongs to them as YAML. Secrets are not in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--system", nargs="+", metavar="CODE", help="Only these external systems, by their code.")
        parser.add_argument("--output", default="-", metavar="FILE", help="Where to write it; - is standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = None
        if options["system"]:
            chosen = list(ExternalSystem.objects.filter(code__in=options["system"]).order_by("code"))
            missing = sorted(set(options["system"]) - {system.code for system in chosen})
            if missing:
                raise CommandError(f"There is no external system with the code {', '.join(missing)}.")
        text = dump(configuration_of(chosen))
        if options["output"] == "-":
            self.stdout.write(text, ending="")
            return
        target = Path(options["output"])
        part = target.with_name(f"{target.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
