from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Exchange with other desks."""

    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        """Listen to what happens on the desk, and give figures to who watches the portal."""
        from integrations import metrics
        from integrations.triggers import on_event
        from tickets.events import happened

        happened.connect(on_event, dispatch_uid="integrations.triggers")
        metrics.register()
