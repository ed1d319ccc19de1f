"""Draws the public page: days as bars of what was, and shares that never say more than is known."""

import math
from collections.abc import Iterator, Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from monitoring.availability.public.shown import Day, Service

register = template.Library()

WIDTH, GAP, HEIGHT = 4, 1, 34
LEAST = 4
"""So high is the smallest part of a day that is drawn at all."""
COVERED = 0.99
_PARTS = (
    ("up", "worked"),
    ("maintenance", "planned work"),
    ("unknown", "not known"),
    ("degraded", "in part"),
    ("down", "did not work"),
)


@register.simple_tag
def day_bars(service: Service) -> SafeString:
    """One bar for each day, oldest first: from above what did not work, in part, unknown, planned work, worked."""
    drawn = format_html_join(
        "", "<g><title>{}</title>{}</g>", (_bar(place, day) for place, day in enumerate(service.days))
    )
    width = len(service.days) * (WIDTH + GAP) - GAP
    label = f"{service.title}: the last {len(service.days)} days"
    return format_html(
        '<svg class="day-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        width,
        HEIGHT,
        label,
        drawn,
    )


@register.filter
def uptime(service: Service) -> str:
    """99.95 %, or what it lies between where much is not known; rounded so that it never says too much."""
    if service.lower is None or service.upper is None or service.observed is None:
        return "not known"
    if (service.coverage or 0) >= COVERED:
        return _percent(service.observed, up=False)
    return f"{_percent(service.lower, up=False)} to {_percent(service.upper, up=True)}"


def _percent(share: float, *, up: bool) -> str:
    hundredths = share * 10_000
    whole = math.ceil(hundredths - 1e-6) if up else math.floor(hundredths + 1e-6)
    return f"{whole / 100:.2f} %"


def _bar(place: int, day: Day) -> tuple[str, SafeString]:
    parts = [(name, words, float(getattr(day, name))) for name, words in _PARTS]
    known = [(name, words, share) for name, words, share in parts if share > 0]
    if not known:
        return f"{day.on}: nothing is known", _rect("none", place, 0, HEIGHT)
    said = ", ".join(f"{_percent(share, up=name != 'up')} {words}" for name, words, share in known)
    heights = list(_heights([share for _, _, share in known]))
    rects, bottom = [], float(HEIGHT)
    for (name, _, _), height in zip(known, heights, strict=True):
        bottom -= height
        rects.append((_rect(name, place, bottom, height),))
    return f"{day.on}: {said}", format_html_join("", "{}", rects)


def _heights(shares: Sequence[float]) -> Iterator[float]:
    """Together HEIGHT; the small ones are lifted at the cost of the largest."""
    raw = [max(share * HEIGHT, LEAST) for share in shares]
    over = sum(raw) - HEIGHT
    largest = raw.index(max(raw))
    yield from (height - over if place == largest else height for place, height in enumerate(raw))


def _rect(name: str, place: int, y: float, height: float) -> SafeString:
    x = place * (WIDTH + GAP)
    return format_html(
        '<rect class="day-{}" x="{}" y="{}" width="{}" height="{}"></rect>', name, x, f"{y:.2f}", WIDTH, f"{height:.2f}"
    )
