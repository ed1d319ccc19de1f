"""Draws what the GPUs did: use over time, busy hours, one GPU's own measures."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window, floor
from fleetledger.web import charts
from fleetledger.web.charts import Figure, Series
from fleetledger.web.periods import Period
from monitoring.telemetry import reads
from monitoring.telemetry.reads import Step, UsageRow
from monitoring.telemetry.reads_pages import BusyHour, CoveragePoint, FleetPoint, GpuPoint

MICROSECOND = timedelta(microseconds=1)
KNOWN_ENOUGH = 0.5
SHOWN_FROM = 0.05  # below, a number shows as 0.0
HEAT_DAYS = 7
NO_SAMPLES = "No samples in this range. Choose another range, or look at Sources."


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A series' name and colour with its mean over the range."""

    name: str
    color: str
    mean: float


def step_of(span: timedelta) -> Step:
    return {BUCKET: Step.BUCKET, HOUR: Step.HOUR, DAY: Step.DAY}[span]


def span_of(period: Period) -> timedelta:
    """How finely a period is drawn: by hour where five-minute facts no longer, or not yet, reach back so far."""
    if period.step != BUCKET:
        return period.step
    oldest = reads.oldest_fact_at()
    return BUCKET if oldest is not None and oldest <= period.window.start else HOUR


def whole_steps(window: Window, step: timedelta) -> Window:
    """The window up to its last whole step: one that still runs would draw as a fall. All of it where none is whole."""
    read_until = reads.read_until()
    end = floor(min(window.end, read_until or window.end), step)
    return Window(window.start, end) if end > window.start else window


def class_series(rows: Iterable[UsageRow], times: Sequence[datetime], step: timedelta) -> list[Series]:
    """Busy GPUs by workload class, and what was held while nothing measured it; in the palette's order."""
    place = {at: index for index, at in enumerate(times)}
    busy: dict[str, list[float | None]] = defaultdict(lambda: [0.0] * len(times))
    unmeasured: list[float | None] = [0.0] * len(times)
    step_us = step // MICROSECOND
    for row in rows:
        index = place.get(row.at) if row.at is not None else None
        if index is not None:
            busy[row.group][index] = row.busy_us / step_us
            gap = max(row.allocated_us - row.measured_us, 0) / step_us
            unmeasured[index] = (unmeasured[index] or 0.0) + gap
    series = charts.top_and_other(
        [Series(name.capitalize() or "Unlabelled", values, "c1") for name, values in sorted(busy.items())], 6
    )
    if any(value and value >= SHOWN_FROM for value in unmeasured):
        series.append(Series("Not measured", unmeasured, "unknown"))
    return series


def use_by_class(
    rows: Sequence[UsageRow], coverage: Sequence[CoveragePoint], window: Window, step: timedelta
) -> Figure:
    """Busy GPUs by class under the dashed line of what was allocated; unknown stretches are gaps with a shade."""
    times = [cut.start for cut in window.steps(step) if cut.start < _last_known(rows, coverage, window)]
    dark = {point.at for point in coverage if point.known is not None and point.known < KNOWN_ENOUGH}
    place = {at: index for index, at in enumerate(times)}
    held: list[float | None] = [0.0] * len(times)
    for row in rows:
        index = place.get(row.at) if row.at is not None else None
        if index is not None:
            held[index] = (held[index] or 0.0) + row.allocated_us / (step // MICROSECOND)
    series = [
        Series(item.name, _blanked(item.values, times, dark), item.color) for item in class_series(rows, times, step)
    ]
    ceiling = Series("Allocated", _blanked(held, times, dark), "plan")
    figure = charts.stacked_areas(
        times if rows else [], series, unit="GPUs", window=window, ceiling=ceiling, empty=NO_SAMPLES
    )
    return charts.shaded(figure, _stretches(sorted(dark), step))


def legend(series: Sequence[Series], window: Window, step: timedelta) -> list[LegendEntry]:
    """Means over the window from series of any step; what would show as 0.0 is left out."""
    steps = window.duration / step
    means = [(item, sum(value or 0.0 for value in item.values) / steps) for item in series]
    return [LegendEntry(item.name, _swatch(item.color), mean) for item, mean in means if mean >= SHOWN_FROM]


def fleet_use(points: Sequence[FleetPoint], window: Window, step: timedelta) -> Figure:
    """All GPUs, split into busy, held but idle, unallocated and unknown: together they are the fleet."""
    return charts.stacked_areas(
        [point.at for point in points], fleet_series(points, step), unit="GPUs", window=window, empty=NO_SAMPLES
    )


def fleet_series(points: Sequence[FleetPoint], step: timedelta) -> list[Series]:
    """What is nowhere (nothing unmeasured, say) is no series; unknown always is."""
    step_us = step // MICROSECOND
    series = [
        Series("Busy", [point.busy_us / step_us for point in points], "c1"),
        Series("Held, idle", [max(point.measured_us - point.busy_us, 0) / step_us for point in points], "c3"),
        Series(
            "Held, not measured", [max(point.allocated_us - point.measured_us, 0) / step_us for point in points], "c5"
        ),
        Series("Unallocated", [point.unallocated_us / step_us for point in points], "idle"),
        Series("Unknown", [point.unknown_us / step_us for point in points], "unknown"),
    ]
    return [
        item for item in series if item.color == "unknown" or any((value or 0) >= SHOWN_FROM for value in item.values)
    ]


def busy_hours(rows: Sequence[BusyHour], coverage: Sequence[CoveragePoint], window: Window) -> Figure:
    """Utilisation of what was held, hour by hour, over the last seven days of the range; blank: nothing was held."""
    days = heat_days(window)
    cells = {floor(row.at, HOUR): row.busy_us / row.measured_us * 100 for row in rows if row.measured_us}
    dark = {floor(row.at, HOUR) for row in rows if row.allocated_us and not row.measured_us}
    dark |= {point.at for point in coverage if point.known is not None and point.known < KNOWN_ENOUGH}
    grid = [[day + HOUR * hour for hour in range(24)] for day in days]
    values = [[None if at in dark else cells.get(at) for at in line] for line in grid]
    known = any(value is not None for line in values for value in line)
    return charts.heat_map(
        [f"{day:%a} {day.day}" for day in days] if known else [],
        [str(hour) for hour in range(24)],
        values,
        unknown=[[at in dark for at in line] for line in grid],
        unit="%",
        empty="Nothing was held and measured on these days.",
    )


def heat_days(window: Window) -> list[datetime]:
    """The last days of a range, as the heat map shows them."""
    last = floor(window.end - MICROSECOND, DAY)
    return [last - DAY * back for back in range(HEAT_DAYS - 1, -1, -1)]


def gpu_measure(points: Sequence[GpuPoint], measure: str, window: Window) -> Figure:
    """One GPU's utilisation, memory or power over time; unmeasured time is a gap."""
    name, unit, color = {
        "utilization": ("Utilisation", "%", "c1"),
        "memory_used_mib": ("Memory used", "MiB", "c2"),
        "power_w": ("Power", "W", "c3"),
    }[measure]
    values: list[float | None] = [getattr(point, measure) for point in points]
    known = any(value is not None for value in values)
    times = [point.at for point in points] if known else []
    return charts.lines(
        times, [Series(name, values, color)], unit=unit, window=window, empty=f"{name} was not measured in this range."
    )


def days_of(window: Window) -> list[datetime]:
    return [day.start for day in window.steps(DAY)]


def held_share(points: Sequence[FleetPoint]) -> list[float | None]:
    """Held of all GPU time per point, in percent."""
    return [point.allocated_us / point.gpu_us * 100 if point.gpu_us else None for point in points]


def has_unknown(coverage: Sequence[CoveragePoint]) -> bool:
    """Whether a stretch of the range is shaded as unknown."""
    return any(point.known is not None and point.known < KNOWN_ENOUGH for point in coverage)


def held_by_day(rows: Iterable[UsageRow]) -> list[float | None]:
    """GPU-hours held per day, for a sparkline."""
    days: dict[datetime, float] = defaultdict(float)
    for row in rows:
        if row.at is not None:
            days[floor(row.at, DAY)] += row.allocated_us / (HOUR // MICROSECOND)
    return [days[day] for day in sorted(days)]


def _last_known(rows: Sequence[UsageRow], coverage: Sequence[CoveragePoint], window: Window) -> datetime:
    seen = [row.at for row in rows if row.at is not None] + [
        point.at for point in coverage if point.known is not None and point.known > 0
    ]
    return min(window.end, max(seen, default=window.start) + MICROSECOND)


def _blanked(values: Sequence[float | None], times: Sequence[datetime], dark: set[datetime]) -> list[float | None]:
    return [None if at in dark else value for at, value in zip(times, values, strict=True)]


def _stretches(instants: Sequence[datetime], step: timedelta) -> list[Window]:
    """Neighbouring steps joined."""
    joined: list[Window] = []
    for at in instants:
        if joined and joined[-1].end == at:
            joined[-1] = Window(joined[-1].start, at + step)
        else:
            joined.append(Window(at, at + step))
    return joined


def _swatch(color: str) -> str:
    return {"unknown": "swatch-unknown", "idle": "swatch-idle", "c-other": "k-other"}.get(color, f"k{color[1:]}")
