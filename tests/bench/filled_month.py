"""A month of 1,000 GPUs and 20 teams in the database, with a clock that sets an answer beside its bare SQL."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fleetledger.fleet.models import Gpu, Workload
from monitoring.telemetry.models import Unit
from tests import world

GPUS, TEAMS, DAYS = 1000, 20, 30
START = datetime(2026, 10, 1, tzinfo=UTC)
END = START + timedelta(days=DAYS)
ROUNDS = 7
DAY_US = 86_400_000_000
FILL = """
    INSERT INTO telemetry_gpuday (bucket, unit_id, workload_id, gpu_id, team_id, allocated_us, unallocated_us,
        unknown_us,
        observed_us, busy_us, measured_us, sm_us, sm_measured_us, tensor_us, tensor_measured_us, dram_us,
        dram_measured_us, fb_used_mib_us, fb_measured_us, energy_uj, bridged_us, rejected_samples, estimated)
    SELECT d.at, u.id, w.id, u.gpu_id, %(first_team)s + u.gpu_id %% %(teams)s, %(us)s, 0, 0, %(us)s, %(us)s / 2, %(us)s,
        0, 0, 0, 0, 0, 0, 0, 0, 40000000000000, 0, 0, false
    FROM telemetry_unit u
    JOIN fleet_workload w ON w.id = %(first_workload)s + u.gpu_id %% %(workloads)s
    CROSS JOIN generate_series(%(start)s, %(end)s - interval '1 day', interval '1 day') AS d(at)
"""

TEAM_DAYS = """
    INSERT INTO telemetry_teamday (team_id, bucket, cluster_id, gpu_model, kind, allocated_us, unallocated_us,
        unknown_us, observed_us, busy_us, measured_us, sm_us, sm_measured_us, tensor_us, tensor_measured_us, dram_us,
        dram_measured_us, fb_used_mib_us, fb_measured_us, energy_uj, bridged_us, rejected_samples, estimated)
    SELECT f.team_id, f.bucket, w.cluster_id, g.model, '', sum(f.allocated_us), 0, 0, sum(f.observed_us),
        sum(f.busy_us), sum(f.measured_us), 0, 0, 0, 0, 0, 0, 0, 0, sum(f.energy_uj), 0, 0, false
    FROM telemetry_gpuday f JOIN fleet_gpu g ON g.id = f.gpu_id JOIN fleet_workload w ON w.id = f.workload_id
    GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of some rounds: the whole answer and its SQL alone, in milliseconds, with the peak in megabytes."""

    whole_ms: float
    bare_ms: float
    statements: int
    peak_mb: float

    def line(self, name: str) -> str:
        return (
            f"\n{name}: {self.whole_ms:.1f} ms, SQL {self.bare_ms:.1f} ms in {self.statements} queries, "
            f"{self.whole_ms / (4 * self.bare_ms + 10):.2f} x (4 x SQL + 10 ms), peak {self.peak_mb:.1f} MB"
        )


def measure(ask: Callable[[], object]) -> Measured:
    """Time `ask` and the very statements that it sent, in the same rounds."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    statements = [entry["sql"] for entry in captured.captured_queries]
    whole_s, bare_s = [], []
    for _again in range(ROUNDS):
        cache.clear()
        began = time.perf_counter()
        ask()
        whole_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        _run(statements)
        bare_s.append(time.perf_counter() - began)
    tracemalloc.start()
    ask()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Measured(1000 * min(whole_s), 1000 * min(bare_s), len(statements), peak / 1e6)


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()


def fill() -> None:
    cluster = world.cluster("c1")
    source = world.source("prom1", cluster=cluster, watermark_at=END)
    teams = [world.team(f"bench-{number}") for number in range(TEAMS)]
    Gpu.objects.bulk_create(
        [
            Gpu(uuid=f"GPU-{n:08d}", model="NVIDIA H100 80GB HBM3", source=source, first_sample_at=START)
            for n in range(GPUS)
        ]
    )
    Unit.objects.bulk_create([Unit(gpu=gpu) for gpu in Gpu.objects.all()])
    workloads = Workload.objects.bulk_create([Workload(cluster=cluster, name=f"train-{n}") for n in range(200)])
    with connection.cursor() as cursor:
        cursor.execute(
            FILL,
            {
                "first_team": teams[0].pk,
                "teams": TEAMS,
                "first_workload": workloads[0].pk,
                "workloads": len(workloads),
                "start": START,
                "end": END,
                "us": DAY_US,
            },
        )
        cursor.execute(TEAM_DAYS)
        cursor.execute("ANALYZE telemetry_gpuday, telemetry_teamday, telemetry_unit, fleet_gpu, fleet_workload")
