"""How much one template may do. Far above honest use; a template that reaches a limit fails and says so."""

import time
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.encoded_files import room_for_base64

from .errors import TemplateFailed

MAX_SOURCE = 200_000  # characters of a template as written
MAX_NESTING = 50  # levels of expressions and blocks; beyond it Python's own compiler gives up
MAX_CHARS = 32 * 1024 * 1024  # characters produced in one run, or more where an attachment in base64 has more
MAX_STEPS = 100_000  # rounds of loops and values of lists made by the template, in one run
MAX_SECONDS = 10.0  # wall-clock time of one run
MAX_NUMBER = 10**30


class Budget:
    """What is left of the limits in one run. Each method raises TemplateFailed when a limit is passed."""

    def __init__(self) -> None:
        self.most_chars = max(MAX_CHARS, room_for_base64(settings.MAX_ATTACHMENT_BYTES))
        self.chars = self.most_chars
        self.steps = MAX_STEPS
        self.deadline = time.monotonic() + MAX_SECONDS

    def spend_chars(self, count: int) -> None:
        self.chars -= count
        if self.chars < 0:
            raise TemplateFailed(
                _("the result is longer than %(limit)s characters") % {"limit": self.most_chars},
            )

    def spend_steps(self, count: int) -> None:
        self.steps -= count
        if self.steps < 0:
            raise TemplateFailed(_("the loops run more than %(limit)s times in all") % {"limit": MAX_STEPS})

    def spend_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise TemplateFailed(_("this takes longer than %(limit)s seconds") % {"limit": int(MAX_SECONDS)})

    def spend_on(self, value: Any) -> None:
        """Pay for a value that the template made, with everything inside it."""
        if isinstance(value, str):
            self.spend_chars(len(value))
        elif isinstance(value, dict):
            self._spend_on_all(value.values(), len(value))
        elif isinstance(value, list | tuple):
            self._spend_on_all(value, len(value))

    def _spend_on_all(self, values: Iterable[Any], count: int) -> None:
        self.spend_steps(count)
        for value in values:
            self.spend_on(value)
