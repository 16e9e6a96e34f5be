"""One page of the guided form."""

from typing import Any

from django.http import HttpRequest

from integrations.catalogue import Preset, PresetProblem, load
from integrations.models import ExternalSystem, Setup


class SetupPage:
    """What a step shows, and what it does with what was entered.

    `post` gives "" to go on, the step's own key to show it afresh, an address to go there, or None to show the page
    with what is wrong; `status` is then 422.
    """

    template = ""

    def __init__(self, model_admin: Any, request: HttpRequest, system: ExternalSystem, setup: Setup) -> None:
        self.model_admin, self.request, self.system, self.setup = model_admin, request, system, setup
        self.status = 200

    def context(self) -> dict[str, Any]:
        """What the template shows."""
        return {}

    def post(self) -> str | None:
        """Keep what was entered."""
        return ""

    def refused(self) -> str | None:
        """Something is wrong with what was entered: show the page, which says what."""
        self.status = 422
        return None

    @property
    def preset(self) -> Preset | None:
        """The preset that the system was made from; None where there is none, or none any more."""
        try:
            return load(self.system.preset) if self.system.preset else None
        except PresetProblem:
            return None
