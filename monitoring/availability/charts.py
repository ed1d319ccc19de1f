"""What pages about availability draw: strips of days, a line of states over time, an objective's budget."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from fleetledger.lib.buckets import Window
from fleetledger.web.charts import Figure, Series, lines
from monitoring.availability.reads_component import Period
from monitoring.availability.reads_days import BAD_FROM, Mark, said
from monitoring.availability.slo.reads_history import Point
from monitoring.availability.states import State

HEIGHT = 20
NARROW, WIDE = (4, 3), (12, 11)
"""From one bar to the next, and how wide a bar is."""
WIDTH = 1000.0
LEAST = 1.6
"""What is not green is drawn at least so wide, so that a minute of a month is seen."""
MOST_NAMED = 400
"""More stretches than this are drawn without the words that a pointer shows."""
NOTHING_COUNTED = "Nothing was counted in this range."


def strip(marks: Sequence[Mark], shape: tuple[int, int] = NARROW) -> SafeString:
    """One bar a day, hatched from below by the share that was not seen: a path for each colour, as tiles are many.

    Numbers and words of ours alone.
    """
    step, bar = shape
    width = max(1, len(marks) * step - (step - bar))
    drawn = "".join(f'<path class="{css}" d="{path}"></path>' for css, path in _paths(marks, step, bar))
    return SafeString(
        f'<svg class="days-strip" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{said(marks)}">{drawn}</svg>'
    )


def timeline(periods: Sequence[Period], window: Window) -> SafeString:
    """States over a window, the newest period first as reads give them; what no period covers was not expected."""
    ordered = sorted(periods, key=lambda period: period.state is not State.UP)
    named = len(periods) <= MOST_NAMED
    drawn = SafeString("".join(_stretch(period, window, named=named) for period in ordered))
    return format_html(
        '<svg class="state-line" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        f"{WIDTH:g}",
        HEIGHT,
        f"States over time, {len(periods)} stretches",
        drawn,
    )


def budget_left(points: Sequence[Point], window: Window) -> Figure:
    """What was left of the rolling budget, in percent; below zero more has failed than may."""
    at = [point.until for point in points]
    values = [_percent(point.left) for point in points]
    shown = at if any(value is not None for value in values) else []
    figure = lines(shown, [Series("Budget left", values, "c1")], unit="% left", window=window, empty=NOTHING_COUNTED)
    return Figure([_filled(trace) for trace in figure.data], figure.layout, figure.empty)


def _filled(trace: dict[str, object]) -> dict[str, object]:
    return trace | {"fill": "tozeroy", "fillcolor": "var(--c1-fill)"}


def _percent(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share) * 100, 3)


def _paths(marks: Sequence[Mark], step: int, bar: int) -> Iterable[tuple[str, str]]:
    """Class and path of each colour; what was not seen lies on top."""
    found: dict[str, list[str]] = {}
    for place, mark in enumerate(marks):
        x = place * step
        state = "none" if mark.state is None else mark.state.value
        found.setdefault(f"s-{state}", []).append(f"M{x} 0h{bar}v{HEIGHT}h-{bar}z")
        if mark.state is not State.UNKNOWN and mark.unseen >= BAD_FROM:
            high = max(2, round(mark.unseen * HEIGHT))
            found.setdefault("s-unknown", []).append(f"M{x} {HEIGHT - high}h{bar}v{high}h-{bar}z")
    ordered = sorted(found.items(), key=lambda item: item[0] == "s-unknown")
    return [(css, "".join(parts)) for css, parts in ordered]


def _stretch(period: Period, window: Window, *, named: bool) -> str:
    """Numbers and words of ours, but for the escaped title: there may be hundreds of them."""
    left, right = _x(period.from_at, window), _x(period.until_at, window)
    wide = max(right - left, LEAST if period.state is not State.UP else 0.0)
    name = ""
    if named:
        why = f": {period.why}" if period.why else ""
        told = f"{period.state.label}, {period.from_at:%d %b %H:%M:%S} to {period.until_at:%d %b %H:%M:%S} UTC{why}"
        name = f"<title>{escape(told)}</title>"
    at = min(left, WIDTH - wide)
    return f'<rect class="s-{period.state.value}" x="{at:.2f}" width="{wide:.2f}" height="{HEIGHT}">{name}</rect>'


def _x(at: datetime, window: Window) -> float:
    share = (at - window.start) / window.duration
    return WIDTH * min(max(share, 0.0), 1.0)
