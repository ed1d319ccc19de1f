"""The figures of a finding: its leading score over reports, and its column's buckets before and now."""

from collections import Counter
from collections.abc import Sequence

from drift.reads_findings import TrendPoint
from drift.reviews.histograms import Bar
from fleetledger.web.charts import Figure, Series, lines, stacked_bars

NO_TREND = "No dated report has this score."
MOST_BARS = 40
NO_HISTOGRAM = "The report holds no distribution of this column."


def trend(points: Sequence[TrendPoint], name: str) -> Figure:
    """Drifted ones stand out; the threshold is dashed."""
    at = [point.at for point in points]
    series = [
        Series(name, [point.value for point in points], "c1"),
        Series("Threshold", [point.threshold for point in points], "plan"),
    ]
    figure = lines(at, series, unit="", empty=NO_TREND)
    for trace in figure.data:
        trace["hovertemplate"] = f"%{{y:.4g}}<extra>{trace['name']}</extra>"
    for trace in figure.data[:1]:
        colors = ["var(--bad)" if point.is_drifted else "var(--c1)" for point in points]
        trace |= {"mode": "lines+markers", "marker": {"size": 7, "color": colors}}
    for trace in figure.data[1:]:
        trace["line"] |= {"dash": "4px,3px"}
    return Figure(figure.data, figure.layout | {"dragmode": False}, figure.empty)


def histogram(bars: Sequence[Bar]) -> Figure:
    """Shares of rows in percent, the reference beside the window."""
    shown = fewer(sorted(bars, key=lambda bar: bar.label != "below"))
    series = [
        Series("Reference", [100 * bar.reference_share for bar in shown], "c-other"),
        Series("This window", [100 * bar.window_share for bar in shown], "c1"),
    ]
    figure = stacked_bars(_labels(shown), series, unit="% of rows", empty=NO_HISTOGRAM)
    layout = figure.layout | {"barmode": "group", "margin": figure.layout["margin"] | {"l": 62, "r": 32}}
    layout["xaxis"] = {name: value for name, value in layout["xaxis"].items() if name != "tickformat"} | {
        "type": "category"
    }
    layout["yaxis"] = layout["yaxis"] | {"ticksuffix": "%", "title": {"text": "share of rows", "font": {"size": 11.5}}}
    layout["meta"] = layout["meta"] | {"rows": "Bucket"}
    return Figure(figure.data, layout, figure.empty)


def fewer(bars: Sequence[Bar], most: int = MOST_BARS) -> Sequence[Bar]:
    """Of many categories those with the largest shares, in their order, and the others as one."""
    if len(bars) <= most:
        return bars
    ordered = sorted(range(len(bars)), key=lambda place: -max(bars[place].reference_share, bars[place].window_share))
    kept = set(ordered[: most - 1])
    rest = [bar for place, bar in enumerate(bars) if place not in kept]
    shares = (sum(bar.reference_share for bar in rest), sum(bar.window_share for bar in rest))
    return [*(bar for place, bar in enumerate(bars) if place in kept), Bar(f"{len(rest)} others", *shares)]


def _labels(bars: Sequence[Bar]) -> list[str]:
    """Short, and each its own: two bars of one name would be drawn as one."""
    short = [bar.label[:30] for bar in bars]
    times = Counter(short)
    return [label if times[label] == 1 else f"{label} ({place + 1})" for place, label in enumerate(short)]
