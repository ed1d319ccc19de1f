"""Figures of the pages about alerts, as plotly takes them."""

from fleetledger.web.charts import COLORS, Figure, Series, lines
from monitoring.alerts.expression import Course


def expression(course: Course) -> Figure:
    """The expression's series; a dashed line where it begins to be wrong."""
    series = [Series(name, values, COLORS[place % len(COLORS)]) for place, (name, values) in enumerate(course.series)]
    figure = lines(course.times, series, unit="", window=course.window)
    if course.limit is None:
        return figure
    limit = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": course.limit,
        "y1": course.limit,
        "line": {"color": "var(--bad)", "width": 1, "dash": "4px,3px"},
        "layer": "above",
    }
    return Figure(figure.data, figure.layout | {"shapes": [limit]}, figure.empty)


def nothing(reason: str) -> Figure:
    return Figure([], {}, reason)
