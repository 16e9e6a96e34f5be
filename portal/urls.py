"""Every address of the portal; each package brings its own."""

from django.contrib import admin
from django.urls import include, path

from portal import dashboard, health, metrics
from tickets.views import accounts

urlpatterns = [
    path("", include("tickets.urls")),
    path("accounts/login/", accounts.sign_in, name="login"),
    path("accounts/logout/", accounts.sign_out, name="logout"),
    path("admin/overview/", dashboard.fragment, name="overview"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("integrations.inbound.rest.urls")),
    path("", include("integrations.inbound.workflow_service.urls")),
    path("", include("integrations.inbound.case_exchange.urls")),
    path("", include("integrations.inbound.itx.urls")),
    path("", include("integrations.inbound.webhook.urls")),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
]
