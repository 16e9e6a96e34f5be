"""The address of every webhook: the code of the external system says whose it is."""

from integrations.inbound.rest.urls import both
from integrations.inbound.webhook.views import hook

urlpatterns = both("hooks/<slug:code>", hook, "hook")
