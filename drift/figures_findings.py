"""The figures of a finding: its leading score over reports, and its column's buckets before and now."""

from collections.abc import Sequence

from drift.reads_findings import TrendPoint
from drift.reviews.histograms import Bar
from fleetledger.web.charts import Figure, Series, lines, stacked_bars

NO_TREND = "No dated report has this score."
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
    series = [
        Series("Reference", [100 * bar.reference_share for bar in bars], "c-other"),
        Series("This window", [100 * bar.window_share for bar in bars], "c1"),
    ]
    figure = stacked_bars([bar.label[:30] for bar in bars], series, unit="%", empty=NO_HISTOGRAM)
    layout = figure.layout | {"barmode": "group"}
    layout["xaxis"] = {name: value for name, value in layout["xaxis"].items() if name != "tickformat"} | {
        "type": "category"
    }
    return Figure(figure.data, layout, figure.empty)
