"""Settings for mypy alone: the portal's, with the practice desk's models and settings known too.

mypy's Django plugin reads one settings module, and knows only the models of what is installed there.
"""

from integrations.simulator.settings import (  # noqa: F401 - settings are names
    PRACTICE_DESK_INTAKE_KEY,
    PRACTICE_DESK_PASSWORD,
    PRACTICE_DESK_USER,
)
from tests.settings import *  # noqa: F403 - settings are names

INSTALLED_APPS = [*INSTALLED_APPS, "integrations.simulator.apps.SimulatorConfig"]  # noqa: F405 - settings are names
