"""Builds the figures that charts.js draws: plotly's layout and style, plain arrays, one JSON for both themes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import plotly.graph_objects as go
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from fleetledger.lib.buckets import Window
from fleetledger.web.downloads import Cell, csv_response, wants_csv

Values = Sequence[float | None]
MAX_SERIES = 10
COLORS = tuple(f"c{number}" for number in range(1, MAX_SERIES + 1))
MAX_AGE_S = 30


@dataclass(frozen=True, slots=True)
class Series:
    """One line, area or set of bars. `color` is a token such as c1, idle, unknown; `href` is where a click leads."""

    name: str
    values: Values
    color: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What is sent: `data` and `layout` as plotly.js takes them, and what to say where there is nothing."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    empty: str = ""

    def as_json(self) -> bytes:
        return orjson.dumps({"data": self.data, "layout": self.layout, "empty": self.empty})


def stacked_areas(
    times: Sequence[datetime],
    series: Iterable[Series],
    *,
    unit: str,
    window: Window | None = None,
    ceiling: Series | None = None,
    empty: str = "",
) -> Figure:
    """Areas on top of each other, with a dashed stepped line above them where `ceiling` is given."""
    at = [_instant(time) for time in times]
    traces = [
        _trace(item, at, unit)
        | {"stackgroup": "all", "fillcolor": f"var(--{item.color}-fill)", "line": _line(item.color, 1.2)}
        for item in series
    ]
    if ceiling is not None:
        traces.append(_trace(ceiling, at, unit) | {"line": {**_line("plan", 1.5), "dash": "4px,3px", "shape": "hv"}})
    return Figure(traces if at else [], _time_layout(unit, window), empty)


def lines(
    times: Sequence[datetime], series: Iterable[Series], *, unit: str, window: Window | None = None, empty: str = ""
) -> Figure:
    """Lines over time; a gap in the values stays a gap."""
    at = [_instant(time) for time in times]
    traces = [_trace(item, at, unit) | {"line": _line(item.color, 1.5), "connectgaps": False} for item in series]
    return Figure(traces if at else [], _time_layout(unit, window), empty)


def stacked_bars(
    labels: Sequence[str], series: Iterable[Series], *, unit: str, hrefs: Sequence[str] = (), empty: str = ""
) -> Figure:
    """Upright bars, one per label, with the series on top of each other."""
    traces = []
    for item in series:
        trace: dict[str, Any] = {
            "type": "bar",
            "name": item.name,
            "x": list(labels),
            "y": list(item.values),
            "marker": {"color": f"var(--{item.color})", "line": {"width": 0}},
            "hovertemplate": f"%{{y:,.2f}} {unit}<extra>{_escaped(item.name)}</extra>",
            "meta": {"href": item.href},
        }
        if hrefs:
            trace["customdata"] = [{"href": href} for href in hrefs]
        traces.append(trace)
    layout = _layout(unit)
    layout["barmode"] = "stack"
    layout["meta"]["rows"] = ""
    layout["bargap"] = 0.35
    layout["xaxis"] |= {"tickformat": "%-d %b", "nticks": 8}
    layout["hovermode"] = "x unified"
    return Figure(traces if labels else [], layout, empty)


def heat_map(
    days: Sequence[str],
    hours: Sequence[str],
    cells: Sequence[Values],
    *,
    unknown: Sequence[Sequence[bool]],
    unit: str,
    empty: str = "",
) -> Figure:
    """Days down, hours across. What is unknown has its own colour, never the scale's low end; None is left blank."""
    scale = [[index / 3, f"var(--heat-{index})"] for index in range(4)]
    common = {"type": "heatmap", "x": list(hours), "y": list(days), "xgap": 2, "ygap": 2, "showscale": False}
    shade = ["var(--unknown)", "var(--unknown)"]
    data = [
        common
        | {
            "z": [[1 if dark else None for dark in line] for line in unknown],
            "colorscale": [[0, shade[0]], [1, shade[1]]],
            "hovertemplate": "%{y}, %{x}:00<br>unknown<extra></extra>",
            "meta": {"table": False},
        },
        common
        | {
            "z": [list(line) for line in cells],
            "zmin": 0,
            "zmax": 100,
            "colorscale": scale,
            "hoverongaps": False,
            "hovertemplate": f"%{{y}}, %{{x}}:00<br>%{{z:.0f}} {unit}<extra></extra>",
        },
    ]
    layout = _layout("")
    layout["xaxis"] |= {"fixedrange": True, "dtick": 4, "ticks": "", "showline": False}
    layout["yaxis"] |= {"fixedrange": True, "autorange": "reversed", "gridcolor": "rgba(0,0,0,0)", "nticks": 40}
    layout["yaxis"] |= {"tickmode": "auto", "ticks": "", "ticklabelstandoff": 6}
    layout["hovermode"] = "closest"
    layout["margin"]["l"] = 52
    return Figure(data if days else [], layout, empty)


def shaded(figure: Figure, windows: Iterable[Window]) -> Figure:
    """The figure with stretches of time marked as unknown."""
    shapes = [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": _instant(window.start),
            "x1": _instant(window.end),
            "y0": 0,
            "y1": 1,
            "fillcolor": "var(--unknown)",
            "line": {"width": 0},
            "layer": "above",
        }
        for window in windows
    ]
    return Figure(figure.data, figure.layout | {"shapes": shapes}, figure.empty)


def top_and_other(series: Sequence[Series], keep: int = MAX_SERIES - 1) -> list[Series]:
    """The largest series in the palette's order, the rest summed as "Other"."""
    ordered = sorted(series, key=lambda item: -sum(value or 0 for value in item.values))
    shown = [Series(item.name, item.values, COLORS[place], item.href) for place, item in enumerate(ordered[:keep])]
    rest = ordered[keep:]
    if rest:
        summed = [sum(value or 0 for value in values) for values in zip(*(item.values for item in rest), strict=True)]
        shown.append(Series(f"Other ({len(rest)})", summed, "c-other"))
    return shown


def figure_response(
    request: HttpRequest, figure: Figure, name: str = "figure"
) -> HttpResponse | HttpResponseNotModified | StreamingHttpResponse:
    """The figure as JSON with an ETag (304 where the browser has it), or as CSV for `?format=csv`."""
    if wants_csv(request):
        header, rows = table_of(figure)
        return csv_response(name, header, rows)
    body = figure.as_json()
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    response: HttpResponse
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="application/json")
    response.headers["ETag"] = etag
    patch_cache_control(response, private=True, max_age=MAX_AGE_S)
    patch_vary_headers(response, ["Cookie"])
    return response


def table_of(figure: Figure) -> tuple[list[str], list[list[Cell]]]:
    """The figure's numbers as a table: one row per instant or label, one column per series."""
    shown = [trace for trace in figure.data if trace.get("meta", {}).get("table", True)]
    if not shown:
        return ["at"], []
    if shown[0]["type"] == "heatmap":
        heat = shown[0]
        return ["day", *heat["x"]], [[day, *line] for day, line in zip(heat["y"], heat["z"], strict=True)]
    columns = [dict(zip(trace["x"], trace["y"], strict=True)) for trace in shown]
    index = dict.fromkeys(at for trace in shown for at in trace["x"])
    return ["at", *(trace["name"] for trace in shown)], [[at, *(column.get(at) for column in columns)] for at in index]


def _trace(item: Series, at: list[str], unit: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": item.name,
        "x": at,
        "y": list(item.values),
        "hovertemplate": f"%{{y:,.1f}} {unit}<extra>{_escaped(item.name)}</extra>",
        "meta": {"href": item.href},
    }


def _line(color: str, width: float) -> dict[str, Any]:
    return {"color": f"var(--{color})", "width": width}


def _time_layout(unit: str, window: Window | None) -> dict[str, Any]:
    layout = _layout(unit)
    layout["xaxis"] |= {
        "type": "date",
        "nticks": 7,
        "tickformatstops": [
            {"dtickrange": [None, 3_600_000 * 20], "value": "%H:%M\n%-d %b"},
            {"dtickrange": [3_600_000 * 20, None], "value": "%-d %b"},
        ],
        "hoverformat": "%a %-d %b, %H:%M UTC",
    }
    if window is not None:
        layout["xaxis"]["range"] = [_instant(window.start), _instant(window.end)]
    layout["dragmode"] = "zoom"
    layout["hovermode"] = "x unified"
    return layout


def _layout(unit: str) -> dict[str, Any]:
    """The look that all figures share, checked by plotly as it is built."""
    axis: Mapping[str, Any] = {
        "showline": False,
        "zeroline": False,
        "showgrid": False,
        "title": {"text": ""},
        "automargin": False,
    }
    layout = go.Layout(
        margin={"l": 40, "r": 4, "t": 8, "b": 34},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        font={"size": 11.5},
        hoverlabel={"align": "left", "font": {"size": 12}},
        xaxis={**axis, "ticklabelstandoff": 4},
        yaxis={
            **axis,
            "showgrid": True,
            "nticks": 4,
            "rangemode": "tozero",
            "fixedrange": True,
            "ticklabelstandoff": 4,
        },
    ).to_plotly_json()
    layout["font"]["color"] = "var(--text-3)"  # colours stand here: plotly's check knows no var()
    layout["hoverlabel"] |= {"bgcolor": "var(--surface)", "bordercolor": "var(--line-strong)"}
    layout["hoverlabel"]["font"]["color"] = "var(--text)"
    layout["yaxis"]["gridcolor"] = "var(--grid)"
    layout["yaxis"]["hoverformat"] = ",.1f"
    layout["meta"] = {"unit": unit, "rows": "UTC"}
    return dict(layout)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _escaped(text: str) -> str:
    """Plotly reads a few tags in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
