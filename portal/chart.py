"""Messages per hour as a small bar chart, drawn on the server."""

from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from integrations.overview import Hour

WIDTH: Final = 720
HEIGHT: Final = 90
BASE: Final = 74
BAR: Final = 22


def hours_chart(hours: list[Hour]) -> SafeString:
    """Bars for the last hours: what succeeded, and on top of it, striped, what failed. Empty if there was nothing."""
    most = max((hour.succeeded + hour.failed for hour in hours), default=0)
    if not most:
        return SafeString("")
    step = WIDTH / len(hours)
    label = _(
        "Messages per hour in the last day: %(succeeded)d without and %(failed)d with a failure, "
        "at most %(most)d an hour"
    )
    return format_html(
        '<svg class="xl-chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><defs><pattern id="xl-stripes" '
        'width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" '
        'class="xl-stripe-ground"/><rect width="2" height="5" class="xl-stripe"/></pattern></defs>'
        '<line class="xl-axis" x1="0" y1="{}" x2="{}" y2="{}"/>{}</svg>',
        WIDTH,
        HEIGHT,
        label
        % {
            "succeeded": sum(hour.succeeded for hour in hours),
            "failed": sum(hour.failed for hour in hours),
            "most": most,
        },
        BASE + 0.5,
        WIDTH,
        BASE + 0.5,
        format_html_join("", "{}", ((_bar(hour, index, step, most),) for index, hour in enumerate(hours))),
    )


def _bar(hour: Hour, index: int, step: float, most: int) -> SafeString:
    tall = BASE - 6
    # One message in a busy day must still be seen.
    good = max(2.0, tall * hour.succeeded / most) if hour.succeeded else 0.0
    bad = max(3.0, tall * hour.failed / most) if hour.failed else 0.0
    if good + bad > tall:
        good = tall - bad
    clock = date_format(timezone.localtime(hour.begins), "H:i")
    title = _("%(clock)s: %(succeeded)d without, %(failed)d with a failure")
    x = round(index * step + (step - BAR) / 2, 1)
    shown = format_html('<text x="{}" y="{}">{}</text>', round(x + BAR / 2, 1), HEIGHT - 3, clock)
    return format_html(
        '<g><title>{}</title><rect class="xl-bar-hit" x="{}" y="0" width="{}" height="{}"/>'
        '<rect class="xl-bar" x="{}" y="{}" width="{}" height="{}"/>'
        '<rect class="xl-bar-failed" fill="url(#xl-stripes)" x="{}" y="{}" width="{}" height="{}"/>{}</g>',
        title % {"clock": clock, "succeeded": hour.succeeded, "failed": hour.failed},
        round(index * step, 1),
        round(step, 1),
        BASE,
        x,
        round(BASE - good, 1),
        BAR,
        round(good, 1),
        x,
        round(BASE - good - bad, 1),
        BAR,
        round(bad, 1),
        shown if index % 4 == 3 else "",
    )
