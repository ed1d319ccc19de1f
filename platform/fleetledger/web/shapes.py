"""Draws sparklines as SVG paths; a gap in the values is a gap in the line."""

from collections.abc import Iterator, Sequence

WIDTH = 100.0
HEIGHT = 30.0
_MARGIN = 2.0


def spark_paths(values: Sequence[float | None], *, from_zero: bool = False) -> tuple[str, str]:
    """(line, area) as `d` attributes in a box of 100 x 30; empty texts where there is nothing to draw."""
    known = [value for value in values if value is not None]
    if not known:
        return "", ""
    low, high = (min(0.0, *known) if from_zero or len(known) == 1 else min(known)), max(known)
    line, area = [], []
    for run in _runs(values):
        points = [(_x(index, len(values)), _y(value, low, high)) for index, value in run]
        if len(points) == 1:
            points = [(points[0][0] - 0.6, points[0][1]), (points[0][0] + 0.6, points[0][1])]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        line.append(f"M{path}")
        area.append(f"M{points[0][0]:.1f} {HEIGHT:g}L{path}L{points[-1][0]:.1f} {HEIGHT:g}Z")
    return "".join(line), "".join(area)


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The stretches between gaps."""
    run: list[tuple[int, float]] = []
    for index, value in enumerate(values):
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _x(index: int, count: int) -> float:
    return WIDTH / 2 if count == 1 else WIDTH * index / (count - 1)


def _y(value: float, low: float, high: float) -> float:
    span = high - low
    share = (value - low) / span if span else 0.5
    return HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)
