"""The written outages are seen as numbers, and what is written in bulk is what probes would have seen."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from fleetledger.demo import outages, seed, service_past, uptime
from fleetledger.demo.server import DemoServer
from fleetledger.demo.world import World
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.config.service import apply, export
from fleetledger.lib.buckets import to_us
from monitoring.availability import ingest, reads, rollup
from monitoring.availability.ingest import Found
from monitoring.availability.models import (
    Component,
    ComponentDay,
    MaintenanceWindow,
    Probe,
    Series,
    Slo,
    SloBurn,
    SloPoint,
    SloState,
    StateInterval,
    Transition,
)
from monitoring.availability.sources import promql
from monitoring.availability.sources.promql import PromqlTerms, Stretch
from monitoring.availability.states import State
from monitoring.telemetry.opening import open_api

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
DAYS = 12
OUTAGE_DAY = date(2026, 11, 14)
COMPARED = (
    "chat-api", "llm-gateway-1", "llm-gateway-4", "embeddings-1", "guardrail-0", "feature-db-0",
    "feature-db-replication", "registry-db", "dcgm-aws-use1", "aws-use1-nodes", "etcd-1",
)  # fmt: skip


def silent(sentence: str) -> None:
    """Nobody listens."""


@pytest.fixture
def filled(world: World) -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    service_past.write_probes(world, NOW, DAYS, silent)


def day_of(name: str, day: date) -> ComponentDay:
    return ComponentDay.objects.get(component__name=name, day=day)


def seconds(row: ComponentDay, *names: str) -> list[int]:
    return [int(getattr(row, f"{name}_s")) for name in names]


def changes_of(name: str, day: date) -> list[tuple[str, str, str]]:
    rows = Transition.objects.filter(component__name=name, at__date=day).order_by("at", "id")
    return [(f"{row.at:%H:%M:%S}", row.to_state, row.why) for row in rows]


@pytest.mark.usefixtures("filled")
def test_the_day_of_the_full_outage_has_lost_exactly_what_is_written() -> None:
    lost = outages.FULL_OUTAGE.lasts_s
    row = day_of("chat-api", OUTAGE_DAY)
    assert seconds(row, "down", "up", "unknown") == [lost, 86_400 - lost, 0]
    assert rollup.tally_of(row).availability.observed == Fraction(86_400 - lost, 86_400)
    assert day_of("llm-gateway-0", OUTAGE_DAY).down_s == lost
    assert changes_of("chat-api", OUTAGE_DAY) == [
        ("13:12:00", "down", "The value is 0, wanted >= 3."),
        ("13:28:30", "up", ""),
    ]


@pytest.mark.usefixtures("filled")
def test_a_lost_zone_a_fragile_replica_and_restarts_cost_their_services_nothing() -> None:
    zone_day = date(2026, 11, 21)
    assert day_of("llm-gateway-1", zone_day).down_s == outages.ZONE_LOST.lasts_s
    assert day_of("chat-api", zone_day).down_s == 0
    assert day_of("aws-use1-etcd", zone_day).down_s == 0
    assert {day_of(f"embeddings-{number}", date(2026, 11, 20)).down_s for number in range(3)} == {43 * 60}
    assert day_of("embeddings-api", date(2026, 11, 20)).down_s == 0
    fragile = ComponentDay.objects.filter(component__name="llm-gateway-4", down_s__gt=0).count()
    assert fragile >= DAYS


@pytest.mark.usefixtures("filled")
def test_planned_work_counts_neither_way_and_the_next_is_announced() -> None:
    row = day_of("feature-db", date(2026, 11, 16))
    assert seconds(row, "maintenance", "down", "expected") == [7200, 0, 79_200]
    assert changes_of("feature-db", date(2026, 11, 16)) == [
        ("02:00:00", "maintenance", "Planned work."),
        ("04:00:00", "up", ""),
    ]
    assert MaintenanceWindow.objects.filter(from_at__gt=NOW).count() == 1


@pytest.mark.usefixtures("filled")
def test_a_late_standby_and_a_missed_backup_are_degraded_and_no_traffic_is_no_verdict() -> None:
    assert day_of("feature-db-replication", date(2026, 11, 19)).degraded_s == outages.REPLICA_LATE.lasts_s
    late = ComponentDay.objects.filter(component__name="feature-db-backup", degraded_s__gt=0)
    assert sum(row.degraded_s for row in late) == outages.BACKUP_MISSED.lasts_s
    row = day_of("guardrail-api", date(2026, 11, 20))
    assert seconds(row, "idle", "expected") == [5 * 3600, 19 * 3600]


@pytest.mark.usefixtures("filled")
def test_now_all_is_well_but_for_what_nobody_has_seen_or_tried() -> None:
    rows = reads.components(reads.Wanted(days=DAYS), teams=TeamScope.everything(), at=NOW)
    bad = {row.name: row.state for row in rows if row.parent is None and row.state is not State.UP}
    assert bad == {
        "registry-db-backup": State.DEGRADED,
        "prometheus": State.UNKNOWN,
        "tape-archive": State.UNKNOWN,
    }


@pytest.mark.usefixtures("filled")
def test_objectives_know_their_hours_and_when_their_budget_burned() -> None:
    service_past.count_objectives(NOW, DAYS, silent)
    points = SloPoint.objects.filter(slo__name="chat-available")
    assert (sum(row.bad for row in points), len(points)) == (outages.FULL_OUTAGE.lasts_s, 24 * DAYS + 21)
    assert list(SloBurn.objects.filter(long_s=3600).values_list("severity", "from_at", "until_at")) == [
        ("page", datetime(2026, 11, 14, 13, 14, tzinfo=UTC), datetime(2026, 11, 14, 13, 34, tzinfo=UTC))
    ]
    assert not SloBurn.objects.filter(until_at=None).exists()
    assert set(SloState.objects.values_list("due_at", flat=True)) == {NOW}


def test_probes_and_objectives_wait_for_their_past() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    assert not uptime.waiting(NOW).filter(due_at__lt=NOW + service_past.HOLD).exists()
    assert set(SloState.objects.values_list("due_at", flat=True)) == {NOW + service_past.HOLD}


@pytest.mark.usefixtures("filled")
def test_the_past_is_written_once_and_a_demo_that_slept_fills_the_gap(world: World) -> None:
    whole = StateInterval.objects.count(), Transition.objects.count()
    service_past.write_probes(world, NOW, DAYS, silent)
    assert (StateInterval.objects.count(), Transition.objects.count()) == whole
    later = NOW + timedelta(days=2)
    service_past.write_probes(world, later, DAYS, silent)
    assert day_of("registry-db", date(2026, 11, 23)).unknown_s == outages.EXPORTER_SILENT.lasts_s
    assert changes_of("registry-db", date(2026, 11, 23)) == [
        ("11:00:46", "unknown", "No sample since 2026-11-23 10:59:30Z."),
        ("14:12:00", "up", ""),
    ]
    assert day_of("chat-api", date(2026, 11, 23)).up_s == 86_400
    assert Transition.objects.filter(component__name="chat-api", at__gt=NOW).count() == 0


def test_the_configuration_applies_again_as_no_change() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    outcome = apply([("exported.yaml", export())])
    assert [change for change in outcome.changes if change.thing != "source"] == []
    assert Component.objects.filter(is_public=True).count() == 3
    assert Slo.objects.count() == 3


@contextmanager
def prometheus_at(world: World, at: datetime) -> Iterator[int]:
    with DemoServer("127.0.0.1", 0, world=world, now=at.timestamp) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def intervals() -> set[tuple[str, str, datetime, datetime, str, str]]:
    columns = ("series__probe__component__name", "series__key", "from_at", "until_at", "state", "detail")
    return set(StateInterval.objects.filter(series__probe__component__name__in=COMPARED).values_list(*columns))


@pytest.mark.parametrize(
    "now", [datetime(2026, 11, 21, 6, tzinfo=UTC), datetime(2026, 11, 23, 15, tzinfo=UTC)], ids=["zone", "silence"]
)
def test_what_is_written_in_bulk_is_what_probes_see(world: World, now: datetime) -> None:
    since = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=1)
    with prometheus_at(world, now) as port:
        seed.configure(port, now)
        for probe in Probe.objects.filter(component__name__in=COMPARED).select_related("source"):
            assert probe.source is not None
            api = open_api(probe.source, read_seconds=30, tries=1)
            wanted = Stretch(to_us(since), to_us(now) - 30_000_000, 30_000_000, (), is_now=False)
            ingest.keep([Found(probe.pk, promql.ask(api, PromqlTerms.of(probe.spec), wanted))], now)
            api.close()
        seen = intervals()
    StateInterval.objects.all().delete()
    Series.objects.all().delete()
    uptime.fill(world, now, 1)
    assert intervals() == seen
    assert len(seen) > len(COMPARED)
