from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    """The desk itself: tickets, tasks, conversations. Knows nothing of integrations."""

    name = "tickets"
    verbose_name = _("Service desk")
