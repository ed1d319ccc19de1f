"""The worked cases of telemetry, end to end: real Prometheus, one YAML file, `ingest`, then the API's answer."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests import prometheus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]

CASES = Path(__file__).parent / "cases"
BY_ID: dict[str, dict[str, Any]] = {case["id"]: case for case in json.loads((CASES / "cases.json").read_text())}
ONE_PASS = sorted(set(BY_ID) - {"late_and_retry"})
TOLERANCE_S = 0.01
CONFIG = """
clusters: [{{name: c1}}]
teams:
  - {{slug: team-a, name: Team A}}
  - {{slug: team-b, name: Team B}}
  - {{slug: team-c, name: Team C}}
ownership:
  - {{team: team-a, match: {{namespace: team-a}}}}
  - {{team: team-b, match: {{namespace: team-b}}}}
  - {{team: team-c, match: {{namespace: team-c}}}}
sources:
  - name: prom1
    kind: prometheus
    url: "{url}"
    cluster: c1
    scrape_interval: 30s
    replica_labels: [replica]
"""


@pytest.mark.parametrize("case_id", ONE_PASS)
def test_a_worked_case_gives_its_seconds_twice(case_id: str, tmp_path: Path) -> None:
    case = BY_ID[case_id]
    with _filled(tmp_path, CASES / f"{case_id}.om") as url:
        _apply(tmp_path, url)
        for _again in range(2):
            _ingest(case)
            _compare(_usage(case), case["expect"])


def test_late_samples_replace_what_was_unknown(tmp_path: Path) -> None:
    case = BY_ID["late_and_retry"]
    early = tmp_path / "early.om"
    early.write_text(_before(CASES / "late_and_retry.om", case["window"][0] + 3000))
    with _filled(tmp_path / "one", early) as url:
        _apply(tmp_path, url)
        _ingest(case)
        _compare(_usage(case), case["expect"]["first_pass"])
    with _filled(tmp_path / "two", CASES / "late_and_retry.om") as url:
        _apply(tmp_path, url)
        _ingest(case)
        _ingest(case)
        usage = _usage(case)
    _compare(usage, case["expect"]["after_late_pass"])
    assert len(usage["rows"]) == 1


@contextmanager
def _filled(folder: Path, samples: Path) -> Iterator[str]:
    folder.mkdir(exist_ok=True)
    prometheus.fill(folder / "data", samples)
    with prometheus.serving(folder / "data") as url:
        yield url


def _before(samples: Path, end: int) -> str:
    lines = samples.read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("#") or int(line.rsplit(" ", 1)[1]) < end) + "\n"


def _apply(folder: Path, url: str) -> None:
    file = folder / "fleet.yaml"
    file.write_text(CONFIG.format(url=url))
    call_command("apply", str(file), stdout=io.StringIO())


def _ingest(case: dict[str, Any]) -> None:
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in case["window"])
    call_command(
        "ingest", "--source", "prom1", "--from", start, "--to", end, stdout=io.StringIO(), stderr=io.StringIO()
    )


def _usage(case: dict[str, Any]) -> dict[str, Any]:
    secret = io.StringIO()
    call_command("token", "create", "--name", "reader", "--scope", "read", stdout=secret)
    answer = Client().get(
        "/api/v1/usage",
        {"from": case["window"][0], "to": case["window"][1], "group_by": "team"},
        headers={"Authorization": f"Bearer {secret.getvalue().strip()}"},
    )
    assert answer.status_code == 200, answer.content
    usage: dict[str, Any] = json.loads(answer.content)
    return usage


def _compare(usage: dict[str, Any], expect: dict[str, Any]) -> None:
    owners = dict(expect["owners"])
    free = owners.pop("(unallocated)", {"allocated_gpu_s": 0})
    rows = {row["group"]: row for row in usage["rows"]}
    assert usage["gpus"] == expect.get("physical_gpus", 1)
    assert usage["gpu_seconds"] == pytest.approx(3600, abs=TOLERANCE_S)
    assert usage["unallocated_seconds"] == pytest.approx(free["allocated_gpu_s"], abs=TOLERANCE_S)
    assert usage["rejected_samples"] == expect.get("rejected_samples", 0)
    if "unknown_s" in expect:
        assert usage["observed_seconds"] == pytest.approx(expect["observed_s"], abs=TOLERANCE_S)
        assert usage["unknown_seconds"] == pytest.approx(expect["unknown_s"], abs=TOLERANCE_S)
    if "energy" in expect:
        assert usage["energy_wh"] == pytest.approx(expect["energy"]["Wh"], abs=TOLERANCE_S)
    assert set(rows) == set(owners)
    for team, owner in owners.items():
        row = rows[team]
        assert row["allocated_seconds"] == pytest.approx(_either(owner, "allocated"), abs=TOLERANCE_S)
        assert row["busy_seconds"] == pytest.approx(_either(owner, "busy"), abs=TOLERANCE_S)
        if "mean_util" in owner:
            assert row["mean_utilization"] == pytest.approx(owner["mean_util"], abs=TOLERANCE_S)
        if "energy_Wh_by_slice" in owner:
            assert row["energy_wh"] == pytest.approx(owner["energy_Wh_by_slice"], abs=TOLERANCE_S)
    total = sum(row["allocated_seconds"] for row in rows.values())
    assert total + usage["unallocated_seconds"] + usage["unknown_seconds"] == pytest.approx(
        usage["gpu_seconds"], abs=1e-6
    )


def _either(owner: dict[str, Any], name: str) -> float:
    """The cases write seconds of whole GPUs as allocated_s and of slices as allocated_gpu_s."""
    seconds: float = owner[f"{name}_s"] if f"{name}_s" in owner else owner[f"{name}_gpu_s"]
    return seconds
