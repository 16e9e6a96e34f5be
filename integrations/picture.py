"""A ticket's exchanges as a picture: a lane for us and for each desk, an arrow for each message, in time order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

TIMES: Final = 92
TOP: Final = 74
ROW: Final = 38
DAY: Final = 30
MARGIN: Final = 110
HEAD_WIDTH: Final = 190
HEAD_HEIGHT: Final = 44
CHARACTER: Final = 6.6

# kind -> the sign before an arrow's words, so that it is told without colours too.
SIGNS: Final = {"good": "", "bad": "✕ ", "doubt": "? ", "wait": "… "}


@dataclass(frozen=True)
class Lane:
    """A desk; `caption` is small print below its name, such as its number for the ticket."""

    name: str
    caption: str = ""


@dataclass(frozen=True)
class Arrow:
    """A message between us and the desk of lane `lane` (0 is the first desk). `spoken` says all of it in words."""

    lane: int
    out: bool
    kind: str
    label: str
    spoken: str
    at: datetime
    url: str


def draw(*, us: str, lanes: list[Lane], arrows: list[Arrow], label: str) -> SafeString:
    """The picture as inline SVG. Colours come from the page's style sheet, by class, so that both schemes fit.

    It is a group of links and no single image: an image would hide its links from assistive technology.
    """
    gap = max(250, min(430, 860 // max(1, len(lanes))))
    ours = TIMES + MARGIN
    rows, bottom = _rows(arrows)
    width = ours + gap * len(lanes) + MARGIN
    heads = [_lane(ours, us, "", bottom)]
    heads += [_lane(ours + gap * (index + 1), lane.name, lane.caption, bottom) for index, lane in enumerate(lanes)]
    drawn = [_row(row, ours, gap) for row in rows]
    return format_html(
        '<svg class="xl-picture" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="group" aria-label="{2}">'
        "<defs>{3}</defs>{4}{5}</svg>",
        width,
        bottom + 16,
        label,
        format_html_join("", _MARKER, ((kind,) for kind in SIGNS)),
        format_html_join("", "{}", ((head,) for head in heads)),
        format_html_join("", "{}", ((row,) for row in drawn)),
    )


_MARKER: Final = (
    '<marker id="xl-head-{0}" class="xl-head xl-arrow-{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z"/></marker>'
)


def _rows(arrows: list[Arrow]) -> tuple[list[tuple[int, Arrow | str]], int]:
    """Arrows and the days between them, each with its height; and where the picture ends."""
    rows: list[tuple[int, Arrow | str]] = []
    y = TOP
    day = None
    for arrow in arrows:
        if (today := timezone.localdate(arrow.at)) != day:
            day = today
            y += DAY
            rows.append((y, date_format(today, "j M Y")))
        y += ROW
        rows.append((y, arrow))
    return rows, y + 14


def _lane(x: int, name: str, caption: str, bottom: int) -> SafeString:
    return format_html(
        '<line class="xl-lane" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>'
        '<rect class="xl-lane-head" x="{3}" y="6" width="{4}" height="{5}" rx="6"/>'
        '<text class="xl-lane-name" x="{0}" y="{6}">{7}</text>'
        '<text class="xl-lane-caption" x="{0}" y="43">{8}</text>',
        x,
        6 + HEAD_HEIGHT,
        bottom,
        x - HEAD_WIDTH // 2,
        HEAD_WIDTH,
        HEAD_HEIGHT,
        27 if caption else 33,
        Truncator(name).chars(25),
        Truncator(caption).chars(28),
    )


def _row(row: tuple[int, Arrow | str], ours: int, gap: int) -> SafeString:
    y, arrow = row
    if isinstance(arrow, str):
        return format_html('<text class="xl-day" x="0" y="{}">{}</text>', y, arrow)
    theirs = ours + gap * (arrow.lane + 1)
    # The line ends a little before the lanes, so that its head stays visible.
    start, end = (ours + 4, theirs - 4) if arrow.out else (theirs - 4, ours + 4)
    return format_html(
        '<a href="{url}" class="xl-arrow xl-arrow-{kind}" aria-label="{spoken}"><title>{spoken}</title>'
        '<rect class="xl-hit" x="{left}" y="{top}" width="{across}" height="32" rx="4"/>'
        '<text class="xl-clock" x="0" y="{text}">{clock}</text>'
        '<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#xl-head-{kind})"/>'
        '<text class="xl-arrow-words" x="{middle}" y="{words}">{label}</text></a>',
        url=arrow.url,
        kind=arrow.kind,
        spoken=arrow.spoken,
        left=ours,
        top=y - 21,
        across=theirs - ours,
        text=y + 4,
        clock=date_format(timezone.localtime(arrow.at), "H:i:s"),
        start=start,
        end=end,
        y=y,
        # Always in the gap before the desk, however many lanes the line crosses.
        middle=theirs - gap // 2,
        words=y - 7,
        label=Truncator(SIGNS[arrow.kind] + arrow.label).chars(int(gap / CHARACTER) - 2),
    )


def in_words(*, us: str, desk: str, out: bool, what: str, outcome: str) -> str:
    """One message as a sentence, for those who do not see the arrow."""
    if out:
        return _("%(us)s to %(desk)s: %(what)s. %(outcome)s") % {
            "us": us,
            "desk": desk,
            "what": what,
            "outcome": outcome,
        }
    return _("%(desk)s to %(us)s: %(what)s. %(outcome)s") % {"us": us, "desk": desk, "what": what, "outcome": outcome}
