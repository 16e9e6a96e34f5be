"""What this desk does by itself: a thread beside the ones that answer calls."""

import logging
import time

from django.db import DatabaseError, IntegrityError, connection

from integrations.simulator.case_exchange.pulling import PullFailed, pull
from integrations.simulator.models import DeskSettings
from integrations.simulator.sending import acknowledge_what_is_due

LOOK_EVERY_SECONDS = 0.5
logger = logging.getLogger(__name__)


def work_for_ever() -> None:
    """Acknowledge tickets that are due, and fetch the portal's feed if the settings say so, again and again."""
    pulled_at = -float("inf")
    while True:
        try:
            acknowledge_what_is_due()
            every = DeskSettings.load().pull_every
            if every is not None and time.monotonic() - pulled_at >= every:
                pulled_at = time.monotonic()
                pull(quiet=True)
        except PullFailed as problem:
            logger.info("%s", problem)
        except IntegrityError as problem:
            # Somebody has made the desk forget everything while a message was under way.
            logger.info("What was being done was about a ticket that is gone: %s", problem)
        except DatabaseError:
            # A database that is locked for long, or was replaced, must not end the thread; the next look may do.
            logger.exception("The work that this desk does by itself failed.")
        finally:
            connection.close()
        time.sleep(LOOK_EVERY_SECONDS)
