"""A node billed 80.00 for an hour: its samples, its bill, and the commands that bring both to statements."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command

from fleetledger.lib.buckets import Month
from tests import prometheus
from tests.costs import bills

START = 1_795_395_600
HOUR_S, HALF_HOUR_S, EVERY_S, BEFORE_S = 3600, 1800, 30, 300
CONFIG = """
clusters: [{{name: c1, provider: aws}}]
nodes: [{{name: node-a, cluster: c1, provider_id: "aws:///us-west-2a/i-0abc", gpus: 8}}]
teams: [{{slug: a, name: A}}, {{slug: b, name: B}}, {{slug: c, name: C}}]
ownership:
  - {{team: a, match: {{namespace: a}}}}
  - {{team: b, match: {{namespace: b}}}}
  - {{team: c, match: {{namespace: c}}}}
sources:
  - {{name: prom1, kind: prometheus, url: "{url}", cluster: c1, scrape_interval: 30s}}
  - {{name: aws, kind: bill, format: focus, currency: USD, basis: effective}}
{pools}
"""


def _gpu(number: int, holder: str = "", *, slice_id: str = "", profile: str = "", until: int = HOUR_S) -> Iterator[str]:
    """A GPU's activity each 30 seconds; the holder's labels until `until`, none afterwards."""
    name = f"GPU-0000000{number}-0000-0000-0000-000000000000"
    labels = f'gpu="{number}",UUID="{name}",modelName="NVIDIA H100 80GB HBM3",Hostname="node-a",instance="node-a:9400"'
    if profile:
        labels += f',GPU_I_ID="{slice_id}",GPU_I_PROFILE="{profile}"'
    for second in range(-BEFORE_S, HOUR_S + BEFORE_S, EVERY_S):
        held = f',exported_namespace="{holder}",exported_pod="{holder}-0"' if holder and second < until else ""
        yield f"DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{labels}{held}}} 0.5 {START + second}"


def _samples() -> str:
    lines = [
        *_gpu(0, "a", slice_id="1", profile="3g.40gb"),
        *_gpu(0, "b", slice_id="3", profile="2g.20gb"),
        *_gpu(0, "c", slice_id="7", profile="1g.10gb"),
        *(line for number in (1, 2, 3) for line in _gpu(number, "a")),
        *_gpu(4, "b", until=HALF_HOUR_S),
        *(line for number in (5, 6, 7) for line in _gpu(number)),
    ]
    return prometheus.openmetrics(lines)


def _bill(folder: Path) -> Path:
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (START, START + HOUR_S))
    month = Month.of(datetime.fromtimestamp(START, UTC))
    row = bills.row(
        "80.00",
        ResourceId="arn:aws:ec2:us-west-2:1:instance/i-0abc",
        BillingPeriodStart=month.start.isoformat(),
        BillingPeriodEnd=month.next.start.isoformat(),
        ChargePeriodStart=start,
        ChargePeriodEnd=end,
    )
    file = folder / "bill.csv"
    file.write_bytes(bills.text(row))
    return file


PERIOD = Month.of(datetime.fromtimestamp(START, UTC))


def bring_in(folder: Path, pools: str = "") -> None:
    """Everything by the commands: apply, ingest from a real Prometheus, import-bill, allocate."""
    prometheus.fill(folder / "data", _samples())
    with prometheus.serving(folder / "data") as url:
        file = folder / "fleet.yaml"
        file.write_text(CONFIG.format(url=url, pools=pools))
        start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (START, START + HOUR_S))
        for command in (
            ("apply", str(file)),
            ("ingest", "--source", "prom1", "--from", start, "--to", end),
            ("import-bill", "--source", "aws", str(_bill(folder))),
            ("allocate", str(PERIOD)),
        ):
            call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())
