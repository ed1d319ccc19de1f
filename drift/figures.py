"""The figures of a model: the share of drifted columns over time, and features by reports."""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from drift.reads import ModelRow
from drift.reads_reports import HeatCell, HeatMap, ReportRow
from drift.wording import DIRECTIONS, score_text, window_text
from fleetledger.lib.buckets import DAY
from fleetledger.web.charts import Figure, Series, lines

NAME_WIDTH = 26
AT_THRESHOLD, MOST = 50.0, 100.0
NO_TREND = "No dated report yet: undated ones stay out of trends."
_NO_SCALE = {"showscale": False, "xgap": 2, "ygap": 2, "type": "heatmap"}


def trend(row: ModelRow) -> Figure:
    """The share of drifted columns of the last reports, with the share from which the data set drifts."""
    limit = row.last.drift_share if row.last else None
    series = [Series("Drifted columns", [_percent(share) for share in row.trend], "c1")]
    if limit is not None:
        series.append(Series("Data set drifts from", [100 * limit] * len(row.trend), "plan"))
    figure = lines(row.trend_at, series, unit="%", empty=NO_TREND)
    for trace in figure.data[:1]:
        trace |= {"mode": "lines+markers", "marker": {"size": 5, "color": "var(--c1)"}}
    for trace in figure.data[1:]:
        trace["line"] |= {"dash": "4px,3px"}
    figure.layout["yaxis"] |= {"range": [-3, 104]}
    figure.layout["xaxis"] |= {"fixedrange": True}
    return Figure(figure.data, figure.layout | {"dragmode": False}, figure.empty)


def heat(found: HeatMap, urls: Sequence[str]) -> Figure:
    """Columns down, reports across. Half of the scale is the threshold, whichever the method; unknown is grey."""
    if not found.reports or not found.columns:
        return Figure([], {}, "No dated report has scores of drift.")
    base = lines([report.at for report in found.reports], [Series("", [None] * len(found.reports), "c1")], unit="")
    across = list(_distinct(_label(report) for report in found.reports))
    down = list(_distinct(_short(column) for column in found.columns))
    shared: dict[str, Any] = {**_NO_SCALE, "x": across, "y": down, "hoverongaps": False}
    shared |= {
        "customdata": [[{"href": url} for url in urls] for _ in down],
        "text": [
            [_told(column, report, cell) for report, cell in zip(found.reports, line, strict=True)]
            for column, line in zip(found.columns, found.cells, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
    unknown = [[1 if cell is not None and strength(cell) is None else None for cell in line] for line in found.cells]
    known = [[None if cell is None else strength(cell) for cell in line] for line in found.cells]
    grey = [[0, "var(--unknown-line)"], [1, "var(--unknown-line)"]]
    scale = [[0, "var(--heat-0)"], [0.499, "var(--heat-1)"], [0.5, "var(--heat-2)"], [1, "var(--heat-3)"]]
    layout = base.layout | {"hovermode": "closest", "dragmode": False}
    layout["xaxis"] = _plain(layout["xaxis"]) | {"type": "category", "fixedrange": True, "nticks": 8, "tickangle": 0}
    layout["yaxis"] = _plain(layout["yaxis"]) | {
        "type": "category", "fixedrange": True, "autorange": "reversed", "automargin": True, "dtick": 1,
        "gridcolor": "rgba(0,0,0,0)",
    }  # fmt: skip
    data = [
        shared | {"z": known, "zmin": 0, "zmax": MOST, "colorscale": scale},
        shared | {"z": unknown, "zmin": 0, "zmax": 1, "colorscale": grey, "meta": {"table": False}},
    ]
    return Figure(data, layout)


def strength(cell: HeatCell) -> float | None:
    """0 to 100, its threshold at 50: the same for p-values and distances. None where the report decides nothing."""
    if cell.is_drifted is None:
        return None
    raw = _strength(cell)
    if cell.is_drifted:
        return MOST if raw is None else max(AT_THRESHOLD, raw)
    return 0.0 if raw is None else min(AT_THRESHOLD - 1, raw)


def heat_rows(found: HeatMap) -> Iterable[Sequence[Any]]:
    """The scores themselves, for the download."""
    for column, line in zip(found.columns, found.cells, strict=True):
        for report, cell in zip(found.reports, line, strict=True):
            if cell is not None:
                yield (
                    column, report.id, report.window_from, report.window_to, cell.method, cell.value, cell.threshold,
                    cell.direction, cell.is_drifted,
                )  # fmt: skip


def _strength(cell: HeatCell) -> float | None:
    if cell.value is None or not cell.threshold:
        return None
    if cell.direction == "large":
        return max(0.0, min(MOST, AT_THRESHOLD * cell.value / cell.threshold))
    if cell.direction == "small" and 0 < cell.threshold < 1:
        if cell.value <= 0:
            return MOST
        return max(0.0, min(MOST, AT_THRESHOLD * math.log(min(1.0, cell.value)) / math.log(cell.threshold)))
    return None


def _told(column: str, report: ReportRow, cell: HeatCell | None) -> str:
    head = f"<b>{_escaped(_short(column))}</b><br>{window_text(report.window_from, report.window_to)}"
    if cell is None:
        return head
    said = {True: "drifted", False: "steady", None: "unknown"}[cell.is_drifted]
    limit = f", threshold {score_text(cell.threshold)}" if cell.threshold is not None else ""
    return f"{head}<br>{cell.method} {score_text(cell.value)}{limit}<br>{said}, {DIRECTIONS[cell.direction]}"


def _label(report: ReportRow) -> str:
    """By the last day of its window, with the hour where that is shorter than a day."""
    start, end = report.window_from, report.window_to
    assert start is not None  # noqa: S101 only dated reports are drawn
    assert end is not None  # noqa: S101
    if start != end and end - start < DAY:
        return f"{end.day} {end:%b} {end:%H:%M}"
    last = end - timedelta(microseconds=1) if start != end else end
    return f"{last.day} {last:%b}"


def _distinct(labels: Iterable[str]) -> Iterable[str]:
    """Each once: to a chart, equal names are one row."""
    seen: dict[str, int] = {}
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        yield label if seen[label] == 1 else f"{label} ({seen[label]})"


def _short(column: str) -> str:
    return column if len(column) <= NAME_WIDTH else f"{column[: NAME_WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}"


def _escaped(text: str) -> str:
    """Plotly reads a few tags in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(axis: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in axis.items() if name not in {"tickformatstops", "hoverformat", "range"}}


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
