"""Acknowledging by itself: a thread beside the ones that answer calls."""

import logging
import time

from django.db import DatabaseError, connection

from integrations.simulator.sending import acknowledge_what_is_due

LOOK_EVERY_SECONDS = 0.5
logger = logging.getLogger(__name__)


def acknowledge_for_ever() -> None:
    """Look for tickets whose acknowledgement is due, again and again."""
    while True:
        try:
            acknowledge_what_is_due()
        except DatabaseError:
            # A database that is locked for long, or was replaced, must not end the thread; the next look may do.
            logger.exception("Tickets could not be acknowledged.")
        finally:
            connection.close()
        time.sleep(LOOK_EVERY_SECONDS)
