"""Figures of the page about learning, as plotly takes them."""

from collections.abc import Sequence
from typing import Any

from fleetledger.lib.buckets import Window
from fleetledger.web.charts import Figure, Series, heat_map, lines
from monitoring.alerts.learning.times import Step

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOTHING_FIRED = "Nothing fired in this range, so there is nothing to measure."
NOTHING_OVER = "Of what fired in this range nothing was told and acknowledged, and nothing is over yet."
_MINUTE_S = 60.0


def times(steps: Sequence[Step], window: Window) -> Figure:
    """The medians until acknowledged and until resolved, in minutes; a gap where there is nothing to measure."""
    has_fired = any(step.times.episodes for step in steps)
    shown = steps if any(map(_is_measured, steps)) else ()
    taken = [_minutes(step.times.to_acknowledge.median_s) for step in shown]
    lasted = [_minutes(step.times.to_resolve.median_s) for step in shown]
    series = [Series("Until acknowledged, median", taken, "c1"), Series("Until resolved, median", lasted, "c3")]
    figure = lines(
        [step.at for step in shown],
        series,
        unit="min",
        window=Window(min(shown[0].at, window.start), window.end) if shown else window,
        empty=NOTHING_OVER if has_fired else NOTHING_FIRED,
    )
    return Figure([_with_points(trace) for trace in figure.data], figure.layout, figure.empty)


def hours(cells: Sequence[Sequence[int]]) -> Figure:
    """Delivered pages by weekday and hour."""
    most = max((count for line in cells for count in line), default=0)
    figure = heat_map(
        DAYS if most else [],
        [str(hour) for hour in range(24)],
        [[count or None for count in line] for line in cells],
        unknown=[[False] * len(line) for line in cells],
        unit="pages",
        empty="Nobody was paged in this range.",
    )
    return Figure([_scaled(trace, most) for trace in figure.data], figure.layout, figure.empty)


def _is_measured(step: Step) -> bool:
    return step.times.to_acknowledge.median_s is not None or step.times.to_resolve.median_s is not None


def _with_points(trace: dict[str, Any]) -> dict[str, Any]:
    """A day between two gaps is no line."""
    return trace | {"mode": "lines+markers", "marker": {"size": 5, "color": trace["line"]["color"]}}


def _scaled(trace: dict[str, Any], most: int) -> dict[str, Any]:
    return trace | {"zmax": most} if "zmax" in trace else trace


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / _MINUTE_S, 2)
