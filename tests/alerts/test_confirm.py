"""Unknown alerts are resolved when their own Prometheus, asked, no longer has them; silence resolves nothing."""

import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.alerts import clock, confirm, sweep
from monitoring.alerts.models import AlertState, Clock, EndedBy
from tests import prometheus
from tests import world as fleet
from tests.alerts import world

pytestmark = [pytest.mark.django_db, pytest.mark.realtime]
RULES = """groups:
- name: ours
  interval: 1s
  rules:
  - {alert: Hot, expr: "vector(1)", labels: {gpu: "0", severity: warning}}
"""


@pytest.fixture(autouse=True)
def _not_asked_lately() -> None:
    confirm._asked_at.clear()


def make_stale(url: str) -> None:
    """Two alerts of this server, re-sent once, then not for half an hour."""
    world.set_clock(clock.now().replace(microsecond=0) - timedelta(minutes=30))
    for _ in range(2):
        world.post(gpu="0", severity="warning", sender=f"fl_token {url}", cluster="external")
        world.post(gpu="1", severity="warning", sender=f"fl_token {url}", cluster="external")
        world.advance(60)
    Clock.objects.all().delete()
    sweep.sweep(clock.now())


def test_a_prometheus_without_the_alert_resolves_it_and_one_that_still_has_it_does_not(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    config = f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\n"
    with prometheus.serving(tmp_path / "data", config) as url:
        fleet.source("prom1", config={"url": url})
        make_stale(url)
        deadline = time.monotonic() + 60
        wait_until_it_fires(url, deadline)
        while world.alert(gpu="1", severity="warning", cluster="external").state == AlertState.STALE:
            assert time.monotonic() < deadline
            confirm._asked_at.clear()
            confirm.ask_prometheus(clock.now())
            if world.alert(gpu="0", severity="warning", cluster="external").state != AlertState.STALE:
                pytest.fail("What Prometheus still has was resolved.")
        ended = world.episodes(gpu="1", severity="warning", cluster="external")[0]
    assert ended.ended_by == EndedBy.PROMETHEUS


def wait_until_it_fires(url: str, deadline: float) -> None:
    query = f"{url}/api/v1/query?query=ALERTS"
    while b'"firing"' not in urllib.request.urlopen(query, timeout=5).read():  # noqa: S310 loopback
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_one_answer_without_it_is_not_enough(tmp_path: Path) -> None:
    with prometheus.serving(tmp_path / "data") as url:
        fleet.source("prom1", config={"url": url})
        make_stale(url)
        assert confirm.ask_prometheus(clock.now()) == 0
        confirm._asked_at.clear()
        assert confirm.ask_prometheus(clock.now()) == 2


def test_a_server_that_does_not_answer_changes_nothing() -> None:
    url = f"http://127.0.0.1:{prometheus.free_port()}"
    fleet.source("prom1", config={"url": url})
    make_stale(url)
    assert confirm.ask_prometheus(clock.now()) == 0
    assert world.alert(gpu="0", severity="warning", cluster="external").state == AlertState.STALE


def test_a_source_is_not_asked_again_within_half_a_minute() -> None:
    url = f"http://127.0.0.1:{prometheus.free_port()}"
    source = fleet.source("prom1", config={"url": url})
    make_stale(url)
    confirm.ask_prometheus(clock.now())
    asked_at = dict(confirm._asked_at)
    confirm.ask_prometheus(clock.now())
    assert confirm._asked_at == asked_at == {source.pk: pytest.approx(asked_at[source.pk])}
