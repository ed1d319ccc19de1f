"""From samples in a real Prometheus, through probes and intervals, to the figures of the worked cases."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from fleetledger.fleet.models import Source
from monitoring.availability import running
from monitoring.availability.figures import Tally
from monitoring.availability.models import Component, Evidence, Probe, ProbeKind, Series
from tests import prometheus
from tests import world as fleet
from tests.alerts import world as clocks
from tests.availability import world
from tests.availability.world import START, after

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 86_400
Value = Callable[[int], float | None]


def samples(name: str, step: int, value: Value, *, start: int = 0, end: int = DAY, labels: str = "") -> Iterator[str]:
    """Lines of OpenMetrics: one each `step` seconds of [start, end), none where `value` gives none."""
    for at in range(start, end, step):
        found = value(at)
        if found is not None:
            yield f"{name}{{{labels}}} {found:g} {int(START.timestamp()) + at}"


@contextmanager
def filled(folder: Path, *lines: Iterator[str]) -> Iterator[Source]:
    """A source whose Prometheus has these samples."""
    data = folder / "data"
    prometheus.fill(data, prometheus.openmetrics(line for part in lines for line in part))
    with prometheus.serving(data) as url:
        yield fleet.source(config={"url": url})


def probe(of: Component, source: Source, expr: str, interval_s: int = 30, **spec: Any) -> Probe:
    return world.probe(
        of, "seen", ProbeKind.PROMQL, source=source, spec={"expr": expr, **spec}, interval_s=interval_s, timeout_s=20
    )


def look(at: float = DAY) -> None:
    """Ask all probes at an instant until nothing is left to read."""
    clocks.set_clock(after(at))
    for _ in range(10):
        if "Asked 0" in running.run_due():
            return
    raise AssertionError("still due")


def shown(tally: Tally) -> tuple[float | None, ...]:
    found = tally.availability
    shares = (found.observed, found.coverage, found.lower, found.upper)
    return tuple(None if share is None else round(float(share * 100), 3) for share in shares)


def test_a_day_of_seconds_gives_exactly_its_share_and_bounds(tmp_path: Path) -> None:
    def value(at: int) -> float | None:
        return None if 40_400 <= at < 46_400 else float(not 40_000 <= at < 40_400)

    component = world.component()
    with filled(tmp_path, samples("up", 1, value, labels='instance="a:1"')) as source:
        row = probe(component, source, 'up{instance="a:1"}', interval_s=1)
        look()
    assert Probe.objects.get(pk=row.pk).failure == ""
    tally = world.tally(component, 0, DAY)
    assert tally == Tally(up_s=80_000, down_s=400, unknown_s=6_000)
    assert shown(tally) == (99.502, 93.056, 92.593, 99.537)


def test_a_series_that_was_deleted_weighs_by_its_samples(tmp_path: Path) -> None:
    component = world.component()
    long = samples("up", 30, lambda _: 1.0, labels='instance="a:1"')
    short = samples("up", 30, lambda _: 0.0, start=36_007, end=36_307, labels='instance="b:1"')
    with filled(tmp_path, long, short) as source:
        probe(component, source, "up")
        look()
    ended = Series.objects.get(labels__instance="b:1")
    world.ended(ended)
    tally = world.tally(component, 0, DAY)
    assert tally == Tally(up_s=2_880 * 30, down_s=10 * 30)
    assert shown(tally)[0] == 99.654


def test_three_replicas_never_down_together_are_a_service_that_is_always_up(tmp_path: Path) -> None:
    service, pool = world.component("service", needs=1), world.component("pool", needs=1)
    replicas = [world.component(f"r{place}", parent=service) for place in range(3)]

    def line(place: int) -> Iterator[str]:
        out = range(place * 20_000, place * 20_000 + 2_592)
        return samples("up", 1, lambda at: float(at not in out), labels=f'instance="r{place}"')

    with filled(tmp_path, *map(line, range(3))) as source:
        for place, replica in enumerate(replicas):
            probe(replica, source, f'up{{instance="r{place}"}}', interval_s=1)
        probe(pool, source, "up", interval_s=1)
        look()
    assert [shown(world.tally(replica, 0, DAY))[0] for replica in replicas] == [97.0, 97.0, 97.0]
    assert world.tally(service, 0, DAY) == Tally(up_s=Fraction(DAY))
    assert world.tally(pool, 0, DAY) == Tally(up_s=Fraction(DAY))


def test_without_traffic_there_is_no_verdict_and_nothing_expected(tmp_path: Path) -> None:
    quiet, busy = world.component("quiet"), world.component("busy")
    up = samples("up", 30, lambda _: 0.0, end=3_600)
    requests = samples("requests", 30, lambda at: float(at >= 1_800), end=3_600)
    with filled(tmp_path, up, requests) as source:
        probe(quiet, source, "up", traffic="requests * 0")
        probe(busy, source, "up", traffic="requests")
        look(3_600)
    assert world.tally(quiet, 0, 3_600) == Tally(idle_s=3_600)
    assert shown(world.tally(quiet, 0, 3_600)) == (None, None, None, None)
    assert world.tally(busy, 0, 3_600) == Tally(idle_s=1_800, down_s=1_800)


def test_any_other_expression_is_seen_at_each_nominal_instant(tmp_path: Path) -> None:
    component = world.component()
    lag = samples("lag_seconds", 15, lambda at: 5.0 if at < 1_800 else 90.0, end=3_600)
    with filled(tmp_path, lag) as source:
        probe(component, source, "max(lag_seconds) + 0", up="<= 10", degraded="<= 60", interval_s=60)
        look(3_600)
    assert world.tally(component, 0, 3_600) == Tally(up_s=1_800, down_s=1_800)
    assert Series.objects.get().detail == "The value is 90, wanted <= 10."


def test_facts_are_read_beside_the_state(tmp_path: Path) -> None:
    component = world.component()
    up = samples("up", 30, lambda _: 1.0, end=600)
    leader = samples("etcd_is_leader", 30, lambda _: 1.0, end=600, labels='pod="etcd-1"')
    facts = {"leader": {"expr": "etcd_is_leader == 1", "label": "pod"}, "members": "count(up)", "odd": "((("}
    with filled(tmp_path, up, leader) as source:
        probe(component, source, "up", facts=facts)
        look(600)
    found = {row.key: (row.value, row.text) for row in Evidence.objects.all()}
    assert found == {"leader": (1.0, "etcd-1"), "members": (1.0, "")}


def test_what_kubernetes_wants_is_compared_with_what_it_has(tmp_path: Path) -> None:
    labels = 'namespace="n",deployment="api"'
    ready = samples(
        "kube_deployment_status_replicas_available", 30, lambda at: (3.0, 2.0, 0.0)[at // 600], end=1_800, labels=labels
    )
    wanted = samples("kube_deployment_spec_replicas", 30, lambda _: 3.0, end=1_800, labels=labels)
    component = world.component()
    spec = {"deployment": "api", "namespace": "n"}
    with filled(tmp_path, ready, wanted) as source:
        world.probe(component, "k8s", ProbeKind.KUBERNETES, source=source, spec=spec, timeout_s=20)
        look(1_800)
    assert world.tally(component, 0, 1_800) == Tally(up_s=600, degraded_s=600, down_s=600)
    facts: Mapping[str, float | None] = {row.key: row.value for row in Evidence.objects.all()}
    assert facts == {"replicas_ready": 0.0, "replicas_wanted": 3.0}
    assert Series.objects.get().detail == "It has 0% of what it should have."


def test_a_prometheus_that_is_away_is_unknown_and_caught_up_with(tmp_path: Path) -> None:
    component = world.component()
    data = tmp_path / "data"
    prometheus.fill(data, prometheus.openmetrics(samples("up", 30, lambda _: 1.0, end=7_200)))
    source = fleet.source(config={"url": "http://127.0.0.1:9"})
    row = probe(component, source, "up")
    clocks.set_clock(after(3_600))
    running.run_due()
    failed = Probe.objects.get(pk=row.pk)
    assert failed.failure == "http://127.0.0.1:9 cannot be reached. Is it running and is the address right?"
    assert failed.answered_at is None
    assert world.tally(component, 0, 3_600) == Tally()
    with prometheus.serving(data) as url:
        Source.objects.update(config={"url": url})
        look(7_200)
    assert world.tally(component, 0, 7_200) == Tally(up_s=7_200)
