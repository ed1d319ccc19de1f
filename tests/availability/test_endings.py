"""Series that ended, from a Prometheus that really scrapes: a target taken away has ended, one that fails has not."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.availability import running
from monitoring.availability.models import Probe, ProbeKind, Series
from tests import prometheus
from tests import world as fleet
from tests.alerts import world as clocks
from tests.availability import listeners, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: api
    file_sd_configs: [{files: [TARGETS], refresh_interval: 1s}]
"""


def until(question: Callable[[], bool], seconds: float = 40) -> None:
    """Ask our probe again and again until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, list(Series.objects.values()) + list(Probe.objects.values())
        time.sleep(0.3)
        Probe.objects.update(due_at=clocks.set_clock(datetime.now(UTC)))
        running.run_due()


def test_a_target_taken_away_ends_and_one_that_fails_does_not(tmp_path: Path) -> None:
    answers = {"/metrics": (200, "queue_length 3\n")}
    targets = tmp_path / "targets.json"
    clocks.set_clock(datetime.now(UTC))
    with (
        listeners.http(lambda path: answers[path]) as one,
        listeners.http(lambda _: (200, "queue_length 3\n")) as other,
    ):
        names = [url.removeprefix("http://") for url in (one, other)]
        targets.write_text(json.dumps([{"targets": names}]))
        with prometheus.serving(tmp_path / "data", CONFIG.replace("TARGETS", str(targets))) as url:
            source = fleet.source(config={"url": url})
            for expr in ("up", "queue_length"):
                world.probe(
                    world.component(expr.replace("_", "-")),
                    "seen",
                    ProbeKind.PROMQL,
                    source=source,
                    spec={"expr": expr},
                    interval_s=1,
                )
            until(lambda: Series.objects.count() == 4)
            answers["/metrics"] = (500, "")
            until(lambda: Series.objects.filter(state="down").exists())
            targets.write_text(json.dumps([{"targets": names[:1]}]))
            until(lambda: Series.objects.filter(ended_at__isnull=False).count() == 2)
    ended = {row.labels["instance"]: row.end_reason for row in Series.objects.exclude(ended_at=None)}
    assert ended == {names[1]: "Prometheus marked it as gone."}
