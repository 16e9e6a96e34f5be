from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Wiring only: no models."""

    name = "portal"
