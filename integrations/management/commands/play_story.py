"""Play the demo's story: one ticket through all its phases."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from integrations.demo import story
from integrations.transports.errors import TransportError


class Command(BaseCommand):
    """For `make run`, which starts it when portal, worker and practice desk are up."""

    help = "Play one ticket through all its phases with the practice desk. The demo has to be running."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError(_("The story is for the demo: it is not played in a production."))
        try:
            played = story.play()
        except (story.Unplayable, TransportError) as problem:
            raise CommandError(_("The story stopped: %(problem)s") % {"problem": problem}) from problem
        if played:
            number = story.number_of_the_ticket()
            self.stdout.write(
                _("Ticket %(number)s went through all its phases with Southwind: see its exchanges.")
                % {"number": number}
            )
