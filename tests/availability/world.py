"""Factories for components with their probes, and samples as a source gives them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fleetledger.lib.buckets import Window, to_us
from monitoring.alerts.models import IntakeSpan
from monitoring.availability import ingest, loading
from monitoring.availability.figures import Tally
from monitoring.availability.models import Component, Probe, ProbeKind, Series, StateInterval
from monitoring.availability.slots import Seen
from monitoring.availability.sources.answers import Answer, Observation, Sample
from monitoring.availability.states import State

START = datetime(2026, 11, 2, tzinfo=UTC)
TODAY = date(2026, 11, 2)
Line = Iterable[tuple[float, State]]


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def component(name: str = "api", **fields: Any) -> Component:
    values: dict[str, Any] = {"title": name.title(), "created_at": START, **fields}
    return Component.objects.create(name=name, **values)


def probe(of: Component, name: str = "web", kind: str = ProbeKind.HTTP, **fields: Any) -> Probe:
    values: dict[str, Any] = {"interval_s": 30, "due_at": START, "created_at": START, **fields}
    return Probe.objects.create(component=of, name=name, kind=kind, **values)


def observation(line: Line, labels: Mapping[str, str] | None = None, detail: str = "") -> Observation:
    """Samples by seconds since START."""
    samples = [Sample(to_us(after(at)), Seen(state, detail)) for at, state in line]
    return Observation(labels or {}, tuple(samples))


def see(of: Probe, line: Line, labels: Mapping[str, str] | None = None, *, detail: str = "") -> ingest.Kept:
    """Take samples in."""
    answer = Answer((observation(line, labels, detail),))
    return ingest.keep([ingest.Found(of.pk, answer)], after(10 * 86_400))


def every(step: float, start: float, end: float, state: State = State.UP) -> list[tuple[float, State]]:
    """One sample at each step of [start, end)."""
    count = round((end - start) / step)
    return [(start + number * step, state) for number in range(count)]


def intervals(of: Probe) -> list[tuple[float, float, str]]:
    """All intervals that are stored of a probe: seconds since START, and the state."""
    rows = StateInterval.objects.filter(series__probe=of).order_by("series__first_at", "from_at")
    return [((row.from_at - START).total_seconds(), (row.until_at - START).total_seconds(), row.state) for row in rows]


def tally(of: Component, start: float, end: float, *, now: float | None = None) -> Tally:
    window = Window(after(start), after(end))
    return loading.past(loading.tree(), [of.pk], window, after(end if now is None else now)).tally(of.pk)


def ended(row: Series) -> None:
    """As if somebody had said that nothing more is expected of it."""
    ingest.end([row.pk], "It was deleted.")


def web_was_up(from_at: datetime, until_at: datetime) -> None:
    """Say that calls could reach us throughout."""
    IntakeSpan.objects.create(instance="test", from_at=from_at, until_at=until_at)
