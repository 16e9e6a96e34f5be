from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Wiring only: no models."""

    name = "portal"

    def ready(self) -> None:
        """Register what Django finds by import alone."""
        from portal import checks, metrics  # noqa: F401 - they register themselves
