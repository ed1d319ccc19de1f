"""Factories for objectives, and samples of counters in a real Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from fleetledger.fleet.models import Source, Team
from monitoring.alerts.models import Alert, AlertState
from monitoring.availability.models import Component, Series, Slo, SloState, SlotState, SloVerdict, StateInterval
from monitoring.availability.slo.burn import Unit
from tests import prometheus
from tests import world as fleet
from tests.availability import world

T0 = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""When things begin to go wrong."""
STEP_S = 30
DAY = 86_400
PER_SECOND = 100
BAD = 'http_requests_total{code=~"5.."}'
TOTAL = "http_requests_total"
Amount = Callable[[float], float]
"""How many there were by so many seconds after T0."""


def after(**span: float) -> datetime:
    return T0 + timedelta(**span)


def steady(per_second: float, *, since: float = -40 * 86_400) -> Amount:
    return lambda at: max(0.0, at - since) * per_second


def failing(share: float, start: float, end: float = float("inf"), *, per_second: float = PER_SECOND) -> Amount:
    """Errors of `share` of all within [start, end), and none before and after."""
    return lambda at: max(0.0, min(at, end) - start) * per_second * share


def counter(
    code: str, amount: Amount, start: float, end: float, *, step: int = STEP_S, name: str = TOTAL, but: Any = ()
) -> Iterator[str]:
    """Samples of [start, end] seconds after T0, but for those within the stretches of `but`."""
    origin = T0.timestamp()
    for at in range(round(start), round(end) + 1, step):
        if not any(low <= at < high for low, high in but):
            yield f'{name}{{code="{code}"}} {amount(at):.6f} {origin + at:.0f}'


def traffic(
    bad: Amount, start: float, end: float, *, per_second: float = PER_SECOND, step: int = STEP_S, but: Any = ()
) -> Iterator[str]:
    """Requests that come steadily, `bad` of them with code 500 and the others with 200."""
    whole = steady(per_second, since=start)
    yield from counter("500", bad, start, end, step=step, but=but)
    yield from counter("200", lambda at: whole(at) - bad(at), start, end, step=step, but=but)


@contextmanager
def filled(folder: Path, lines: Iterator[str]) -> Iterator[str]:
    """The address of a Prometheus with these samples."""
    folder.mkdir(parents=True, exist_ok=True)
    prometheus.fill(folder / "data", prometheus.openmetrics(lines))
    with prometheus.serving(folder / "data") as url:
        yield url


def source(url: str = "http://127.0.0.1:9", name: str = "prom1") -> Source:
    return fleet.source(name, cluster=fleet.cluster(), config={"url": url, "scrape_interval": f"{STEP_S}s"})


def slo(name: str = "checkout", **fields: Any) -> Slo:
    """99.9 % over 30 days of requests without a code 5xx."""
    values: dict[str, Any] = {"title": name.title(), "objective": Decimal("99.9"), "created_at": T0, **fields}
    if values.setdefault("kind", Unit.EVENTS) == Unit.EVENTS:
        values = {"expr": BAD, "counts_bad": True, "total": TOTAL, **values}
        values.setdefault("source", Source.objects.filter(name="prom1").first() or source())
    made = Slo.objects.create(name=name, **values)
    SloState.objects.create(slo=made, due_at=T0)
    return made


def verdict(of: Slo, window: int) -> SloVerdict:
    """Of the pair with this long window in seconds."""
    return SloVerdict.objects.get(slo=of, long_s=window)


def fires(of: Slo) -> list[int]:
    """The long windows that fire, in seconds."""
    return list(SloVerdict.objects.filter(slo=of, fires=True).values_list("long_s", flat=True))


def firing() -> list[dict[str, str]]:
    """The labels of the burn alerts that fire."""
    rows = Alert.objects.filter(name="SloBurnRate", state=AlertState.FIRING).order_by("fingerprint")
    return sorted((row.labels for row in rows), key=lambda labels: str(sorted(labels.items())))


def component_of_time(
    start: float, end: float, *, down: Any = (), step: int = 12, name: str = "api", team: Team | None = None
) -> Component:
    """A component that was looked at within [start, end) seconds after T0, and down within the stretches of `down`."""
    of = world.component(name, team=team, created_at=after(seconds=start))
    probe = world.probe(of, interval_s=step, due_at=T0, created_at=T0)
    series = Series.objects.create(
        probe=probe, key="0" * 16, interval_s=step, first_at=after(seconds=start), last_at=after(seconds=end - step),
        state=SlotState.UP,
    )  # fmt: skip
    edges = sorted({start, end, *(edge for stretch in down for edge in stretch)})
    for low, high in pairwise(edges):
        state = SlotState.DOWN if any(first <= low < last for first, last in down) else SlotState.UP
        StateInterval.objects.create(
            series=series, from_at=after(seconds=low), until_at=after(seconds=high), state=state
        )
    return of
