from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Exchange with other desks."""

    name = "integrations"
    verbose_name = _("Integrations")

    def ready(self) -> None:
        """Listen to what happens on the desk, and give figures to who watches the portal."""
        from django.db.models.signals import post_save, pre_save

        from integrations import end_users, metrics, webhooks
        from integrations.people import outbox
        from integrations.triggers import on_event
        from tickets import panels
        from tickets.events import happened

        happened.connect(on_event, dispatch_uid="integrations.triggers")
        panels.register_contact_limits(end_users.limits)
        panels.register_public_facts(end_users.public_facts)
        outbox.connect(pre_save, post_save)
        happened.connect(webhooks.on_event, dispatch_uid="integrations.webhooks")
        metrics.register()
