"""Intake against the real Alertmanager: 10,000 firing alerts, re-sent in bodies of 64 as a Prometheus does."""

import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import orjson
import pytest
from django.test import Client

from monitoring.alerts.models import Alert, Event, Report
from tests import world as fleet
from tests.alerts import servers

pytestmark = [pytest.mark.bench, pytest.mark.realtime, pytest.mark.django_db(transaction=True)]
ALERTS, BODY = 10_000, 64
ROUNDS = 3  # re-sends after the first, which stores everything
CONFIG = "route: {receiver: none, group_by: [alertname]}\nreceivers: [{name: none}]\n"


def bodies(started_at: datetime) -> list[bytes]:
    """All alerts as Prometheus would send them now."""
    now = datetime.now(UTC)
    alerts = [
        {
            "labels": {
                "alertname": f"GpuRule{number % 20}",
                "cluster": "c1",
                "gpu": str(number % 8),
                "instance": f"node-{number // 8}",
                "severity": "warning",
            },
            "annotations": {"summary": f"GPU {number % 8} of node-{number // 8} is idle but held."},
            "startsAt": started_at.isoformat(),
            "endsAt": (now + timedelta(minutes=4)).isoformat(),
            "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
        }
        for number in range(ALERTS)
    ]
    return [orjson.dumps(alerts[start : start + BODY]) for start in range(0, ALERTS, BODY)]


def send(url: str, body: bytes, headers: dict[str, str]) -> float:
    """Seconds until the answer, which is 200."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})  # noqa: S310 loopback
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 loopback
        assert answer.status == 200
    return time.perf_counter() - began


def timed(client: Client) -> float:
    """Seconds for the page of everything that fires, grouped."""
    began = time.perf_counter()
    page = client.get("/alerts/")
    assert page.status_code == 200
    return time.perf_counter() - began


def p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def test_a_re_send_costs_little_and_writes_no_history(tmp_path: Path, client: Client) -> None:
    acme = fleet.team("acme")
    headers = fleet.bearer(fleet.token(scopes=("write",), team=acme))
    started_at = datetime.now(UTC)
    with servers.alertmanager(tmp_path, CONFIG) as theirs, servers.web(tmp_path) as ours:
        addresses = {"ours": f"{ours}/t/acme/api/v2/alerts", "theirs": f"{theirs}/api/v2/alerts"}
        first = {name: [send(url, body, headers) for body in bodies(started_at)] for name, url in addresses.items()}
        written = (Event.objects.count(), Alert.objects.count())
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(ROUNDS):
            for body in bodies(started_at):
                for name, url in addresses.items():
                    times[name].append(send(url, body, headers))
    client.force_login(fleet.admin())
    pages = [timed(client) for _ in range(3)]
    print(
        f"\nthe page of all groups, right after it: {', '.join(f'{page_s * 1e3:.0f}' for page_s in pages)} ms"
        f"\nalert intake, {ALERTS:,} alerts in bodies of {BODY}: "
        f"re-send p95 {p95(times['ours']) * 1e3:.1f} ms, median {median(times['ours']) * 1e3:.1f} ms; "
        f"Alertmanager p95 {p95(times['theirs']) * 1e3:.1f} ms, median {median(times['theirs']) * 1e3:.1f} ms; "
        f"ratio of p95 {p95(times['ours']) / p95(times['theirs']):.2f}; "
        f"first time p95 {p95(first['ours']) * 1e3:.1f} against {p95(first['theirs']) * 1e3:.1f} ms"
    )
    assert written == (Event.objects.count(), Alert.objects.count()) == (ALERTS, ALERTS)
    assert set(Report.objects.values_list("times", flat=True)) == {ROUNDS + 1}
