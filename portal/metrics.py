"""`/metrics` for Prometheus.

A package adds figures by registering a collector on `prometheus_client.REGISTRY`. The web server runs as several
processes, so a collector counts rows when it is asked (`collect`) and keeps no counters in memory; it needs a
`describe` that returns an empty list, else it would be asked while the portal starts.
"""

import hmac
import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    REGISTRY,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from portal import health

# They describe one process; the next scrape is answered by another one.
for _collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
    REGISTRY.unregister(_collector)


class PortalCollector(Collector):
    """Whether the portal's own services answer, as on `/health/ready`."""

    def describe(self) -> list[Metric]:
        """Nothing: see the module's text."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One figure a service: 1 while it answers, 0 while it does not."""
        up = GaugeMetricFamily("deskbridge_service_up", "Whether a service answers.", labels=["service"])
        for name, service in health.services().items():
            up.add_metric([name], 0 if service.problem else 1)
        yield up


REGISTRY.register(PortalCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All figures, in the text format of Prometheus."""
    if not may_read(request):
        return HttpResponse(
            _("Send METRICS_TOKEN as a bearer token, or ask from the portal's own machine."),
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN set its bearer may, without it whoever asks from this machine itself."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # Through a proxy on this machine the whole world comes from loopback; the proxy's headers give it away.
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
