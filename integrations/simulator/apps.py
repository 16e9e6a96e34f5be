from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SimulatorConfig(AppConfig):
    """The practice desk; never installed in the portal, only under `integrations.simulator.settings`."""

    name = "integrations.simulator"
    label = "simulator"
    verbose_name = _("Practice desk")
    default_auto_field = "django.db.models.BigAutoField"
