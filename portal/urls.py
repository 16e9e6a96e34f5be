"""Every address of the portal; each package brings its own."""

from django.contrib import admin
from django.urls import path

from portal import health, metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
]
