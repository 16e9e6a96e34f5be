"""Take one mail from standard input, as a mail server's pipe hands it over."""

import logging
import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils.translation import gettext as _

from integrations.inbound.mail.service import NotNow, receive
from integrations.models import Mailbox

logger = logging.getLogger(__name__)

# sysexits.h, which mail servers understand: taken over; not a mail that anybody could take; to be tried again.
OK: Final = 0
DATA_ERROR: Final = 65
TRY_AGAIN: Final = 75


class Command(BaseCommand):
    help = (
        "Reads one mail from standard input and takes it over. Ends with 0 when it is stored (also if a person has "
        "to decide about it), 65 when it is empty or too large, 75 when it has to be handed over again later."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The mailbox to which it was sent."""
        parser.add_argument("--mailbox", default="", help="Mail address or name of the mailbox that it is for.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every end is an exit code: whatever goes wrong, the mail server keeps the mail and tries again."""
        sys.exit(self._receive(options["mailbox"]))

    def _receive(self, name: str) -> int:
        raw = sys.stdin.buffer.read(settings.MAX_MAIL_BYTES + 1)
        if not raw.strip():
            return self._ends(DATA_ERROR, _("There is no mail on standard input."))
        if len(raw) > settings.MAX_MAIL_BYTES:
            limit = settings.MAX_MAIL_BYTES // 1024**2
            return self._ends(DATA_ERROR, _("The mail is larger than %(limit)d MB.") % {"limit": limit})
        try:
            mailbox = None
            if name:
                rows = Mailbox.objects.select_related("system", "failover_contact", "queue", "category")
                mailbox = rows.filter(address__iexact=name).first() or rows.filter(name=name).first()
                if mailbox is None:
                    return self._ends(TRY_AGAIN, _('There is no mailbox "%(name)s".') % {"name": name})
                if not mailbox.active or (mailbox.system is not None and not mailbox.system.active):
                    return self._ends(TRY_AGAIN, _("The mailbox %(name)s is switched off.") % {"name": mailbox})
            row = receive(raw, mailbox=mailbox)
        except (NotNow, DatabaseError, OSError) as problem:
            return self._ends(TRY_AGAIN, str(problem))
        except Exception as problem:
            # Broad on purpose: with any other exit code the mail server would send the mail back to its sender.
            logger.exception("a mail could not be received")
            return self._ends(TRY_AGAIN, f"{type(problem).__name__}: {problem}")
        self.stdout.write(f"{row.pk} {row.get_state_display()} {row.reason}".strip())
        return OK

    def _ends(self, code: int, reason: str) -> int:
        self.stderr.write(reason)
        return code
