"""Draws a schedule as weeks: who is on call on top, the layers beneath, each person in one colour."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall.loading import Loaded, load, named
from monitoring.alerts.oncall.plans import Plan
from monitoring.alerts.oncall.stretches import GAP, OVERRIDE, Stretch, clip
from monitoring.alerts.oncall.wall import day_starts_at, wall

WEEKS = 4
COLORS = 10
_DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    is_today: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch within a week; `x` and `width` in percent of the week, `css` its classes. `title` says all of it."""

    x: str
    width: str
    css: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    is_final: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday on; `now_x` where now lies, in percent, None in other weeks."""

    days: tuple[Day, ...]
    lanes: tuple[Lane, ...]
    now_x: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A person with their colour, and how long they are on call in the weeks shown."""

    name: str
    color: str
    hours: float


@dataclass(frozen=True, slots=True)
class Figure:
    from_at: datetime
    until_at: datetime
    weeks: tuple[Week, ...]
    legend: tuple[Entry, ...]
    gap_hours: float


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weeks(schedule: Schedule, first: date, zone: ZoneInfo, now: datetime) -> Figure:
    """WEEKS weeks from `first` on, days and times on the wall of `zone`."""
    edges = [day_starts_at(first + timedelta(days=count), zone) for count in range(WEEKS * _DAYS + 1)]
    loaded = load([schedule], edges[0], edges[-1])
    plan = loaded.plans[schedule.pk]
    final = plan.shifts(edges[0], edges[-1])
    pen = _Pen(zone, loaded, _colors(schedule, final, loaded))
    lanes = [("On call", final), *_beneath(plan, edges[0], edges[-1])]
    today = wall(now, zone).date()
    drawn = tuple(pen.week(edges[place * _DAYS : (place + 1) * _DAYS + 1], lanes, now, today) for place in range(WEEKS))
    return Figure(edges[0], edges[-1], drawn, tuple(_legend(final, pen)), sum(map(_hours, filter(_is_gap, final))))


@dataclass(frozen=True, slots=True)
class _Pen:
    zone: ZoneInfo
    loaded: Loaded
    colors: Mapping[str, str]

    def week(
        self, edges: Sequence[datetime], lanes: Iterable[tuple[str, Sequence[Stretch]]], now: datetime, today: date
    ) -> Week:
        days = (wall(edge, self.zone).date() for edge in edges[:-1])
        return Week(
            days=tuple(Day(day, day == today) for day in days),
            lanes=tuple(
                Lane(name, place == 0, tuple(self._bars(stretches, edges, is_final=place == 0)))
                for place, (name, stretches) in enumerate(lanes)
            ),
            now_x=_percent(_place(now, edges)) if edges[0] <= now < edges[-1] else None,
        )

    def names(self, stretch: Stretch) -> str:
        return ", ".join(person.name for person in self.loaded.persons(stretch.people)) or "Nobody"

    def _bars(self, stretches: Sequence[Stretch], edges: Sequence[datetime], *, is_final: bool) -> Iterator[Bar]:
        for stretch in stretches:
            part = clip(stretch, edges[0], edges[-1])
            if part is None or (_is_gap(part) and not is_final):
                continue
            begin, end = _place(part.from_at, edges), _place(part.until_at, edges)
            names = self.names(stretch)
            yield Bar(
                x=_percent(begin),
                width=_percent(end - begin),
                css=self._css(stretch),
                label=names,
                title=f"{names}, {self._said(stretch.from_at)} to {self._said(stretch.until_at)}, {stretch.source}",
            )

    def _css(self, stretch: Stretch) -> str:
        if _is_gap(stretch):
            return "is-gap"
        color = self.colors.get(stretch.people[0], "k-other")
        return f"{color} is-override" if stretch.source == OVERRIDE else color

    def _said(self, at: datetime) -> str:
        return f"{wall(at, self.zone):%a %d %b %H:%M}"


def _beneath(plan: Plan, from_at: datetime, until_at: datetime) -> Iterator[tuple[str, Sequence[Stretch]]]:
    """What lies beneath the final line, the upper first; nothing where that is the only layer itself."""
    if len(plan.layers) == 1 and not plan.changes:
        return
    if plan.changes:
        yield "Overrides", [one for one in plan.above(from_at, until_at) if one.source == OVERRIDE]
    for layer in reversed(plan.layers):
        yield layer.name, plan.alone(layer).shifts(from_at, until_at)


def _colors(schedule: Schedule, final: Iterable[Stretch], loaded: Loaded) -> dict[str, str]:
    """By the order in which the layers name people, so that a colour stays from week to week."""
    names = [name for layer in schedule.layers for name in named(layer) if name in loaded.people]
    names += sorted({person for stretch in final for person in stretch.people})
    return {name: f"k{place % COLORS + 1}" for place, name in enumerate(dict.fromkeys(names))}


def _legend(final: Iterable[Stretch], pen: _Pen) -> Iterator[Entry]:
    hours: dict[str, float] = dict.fromkeys(pen.colors, 0.0)
    for stretch in final:
        for person in stretch.people:
            hours[person] += _hours(stretch)
    for username, known in hours.items():
        if known:
            yield Entry(pen.loaded.people[username].name, pen.colors[username], known)


def _place(at: datetime, edges: Sequence[datetime]) -> float:
    """Where an instant lies in its week, in days: each day is as wide as the others, however long it is."""
    for place, (begin, end) in enumerate(pairwise(edges)):
        if at < end:
            return place + (at - begin) / (end - begin)
    return float(len(edges) - 1)


def _percent(days: float) -> str:
    return f"{days / _DAYS * 100:.3f}"


def _is_gap(stretch: Stretch) -> bool:
    return stretch.source == GAP


def _hours(stretch: Stretch) -> float:
    return (stretch.until_at - stretch.from_at) / timedelta(hours=1)
