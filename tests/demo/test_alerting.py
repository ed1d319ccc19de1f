"""The simulated fleet's alerts: what its weather brings, as Prometheus would send it."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetledger.demo import alerting
from fleetledger.demo.world import World
from monitoring.alerts.labels import fingerprint

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_the_watchdog_of_each_cluster_fires_always(world: World) -> None:
    found = alerting.firing(world, START)
    names = [alert["labels"]["cluster"] for alert in found if alert["labels"]["alertname"] == "Watchdog"]
    assert names == [cluster.name for cluster in world.clusters]
    assert all(
        alert["endsAt"] == (START + timedelta(minutes=4)).isoformat()
        for alert in found
        if alert["labels"]["severity"] == "none"
    )


def test_a_month_brings_errors_and_nodes_that_fall_silent_and_all_of_them_end(world: World) -> None:
    open_: dict[str, datetime] = {}
    ended: set[str] = set()
    kinds: set[str] = set()
    at = START
    while at < START + timedelta(days=12):
        for alert in alerting.firing(world, at):
            name = fingerprint(alert["labels"])
            is_over = datetime.fromisoformat(alert["endsAt"]) <= at
            kinds.add(alert["labels"]["alertname"])
            if is_over:
                ended.add(name)
                open_.pop(name, None)
            else:
                open_[name] = at
        at += timedelta(minutes=10)
    assert {"GpuExporterGone", "GpuXidApplication", "Watchdog"} <= kinds
    assert ended
    lost = [name for name, seen in open_.items() if seen < at - timedelta(minutes=10)]
    assert lost == []


def test_what_is_sent_is_what_alertmanagers_api_takes(world: World) -> None:
    for alert in alerting.firing(world, START + timedelta(days=3)):
        assert set(alert) == {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
        assert all(isinstance(value, str) and value for value in alert["labels"].values())
        assert datetime.fromisoformat(alert["startsAt"]) <= datetime.fromisoformat(alert["endsAt"])
