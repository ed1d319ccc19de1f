"""Rules across processes: their state is in the database alone, and several evaluators share the work."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

import orjson
import pytest
from django.db import connection

from monitoring.alerts.models import Alert, Rule, RuleInstance
from monitoring.alerts.rules import evaluate
from tests import prometheus
from tests.alerts import rules_world, world
from tests.alerts.rules_world import at, firing
from tests.conftest import ROOT
from tests.telemetry_sources.answering import Reply, answering

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
SCRIPT = """
import sys
from datetime import datetime
import django
django.setup()
from monitoring.alerts.rules.evaluate import evaluate_due
print(evaluate_due(datetime.fromisoformat(sys.argv[1])))
"""


def _samples() -> Iterator[str]:
    """Hot from minute 5 until minute 30."""
    start = int(world.START.timestamp())
    for minute in range(60):
        yield f'temperature{{gpu="0"}} {95 if 5 <= minute < 30 else 50} {start + 60 * minute}'


def _in_a_new_process(when: datetime) -> None:
    """One round by a process that knows nothing but the database."""
    world.set_clock(when)
    url = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    settings = {"DATABASE_URL": database, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "fleetledger.settings"}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, when.isoformat()], check=True, cwd=ROOT, env=os.environ | settings, timeout=120
    )


def _vector(value: str, **more: object) -> Reply:
    series = {"metric": {"gpu": "0"}, "value": [0, value]}
    body = {"status": "success", "data": {"resultType": "vector", "result": [series]}, **more}
    return Reply(orjson.dumps(body).decode())


def test_pending_and_kept_alerts_outlive_the_process_that_saw_them(tmp_path: Path) -> None:
    prometheus.fill(tmp_path / "data", prometheus.openmetrics(_samples()))
    rules_world.without_defaults()
    with prometheus.serving(tmp_path / "data") as url:
        source = rules_world.prometheus_source(url)
        rules_world.promql(source, "temperature > 90", for_s=600, keep_firing_for_s=900)
        _in_a_new_process(at(5))
        assert [(row.active_at, row.fired_at) for row in RuleInstance.objects.all()] == [(at(5), None)]
        _in_a_new_process(at(14))
        assert firing() == []
        _in_a_new_process(at(15))
        assert [alert.starts_at for alert in Alert.objects.all()] == [at(15)]
        _in_a_new_process(at(30))
        assert [row.keep_until for row in RuleInstance.objects.all()] == [at(45)]
        _in_a_new_process(at(44))
        assert firing() == [{"alertname": "Hot", "gpu": "0"}]
        _in_a_new_process(at(45))
        assert (firing(), RuleInstance.objects.count()) == ([], 0)
        assert Alert.objects.get().episodes.count() == 1


def test_a_partial_answer_changes_nothing() -> None:
    rules_world.without_defaults()
    with answering(_vector("95"), Reply(_empty(warnings=["a store did not answer"])), Reply(_empty())) as server:
        source = rules_world.prometheus_source(server.address)
        rule = rules_world.promql(source, "temperature > 90")
        rules_world.evaluate_at(0)
        rules_world.evaluate_at(1)
        assert rules_world.error(rule) == "The answer of 'prom1' is not whole: a store did not answer."
        assert firing() == [{"alertname": "Hot", "gpu": "0"}]
        rules_world.evaluate_at(2)
        assert firing() == []
        assert [asked.form["time"] for asked in server.asked[:1]] == [[f"{world.START.timestamp():.6f}"]]


def test_several_evaluators_evaluate_each_rule_once() -> None:
    rules_world.without_defaults()
    world.set_clock()
    with answering(_vector("95")) as server:
        source = rules_world.prometheus_source(server.address)
        for number in range(24):
            rules_world.promql(source, f"rule_{number}", name=f"Rule{number}")
        threads = [Thread(target=_evaluate) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asked = Counter(request.form["query"][0] for request in server.asked)
    assert asked == Counter({f"rule_{number}": 1 for number in range(24)})
    assert Alert.objects.count() == 24
    assert not Rule.objects.filter(lease_until__isnull=False).exists()


def _evaluate() -> None:
    try:
        evaluate.evaluate_due(world.START)
    finally:
        connection.close()


def _empty(**more: object) -> str:
    body = {"status": "success", "data": {"resultType": "vector", "result": []}, **more}
    return orjson.dumps(body).decode()
