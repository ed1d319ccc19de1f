"""Our own numbers for Prometheus: requests of this process, and the fleet's state as the database has it."""

import os
from collections.abc import Callable, Iterable, Iterator

import psycopg
import redis
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from fleetledger.rest import metrics_health, readiness

QUEUES = ("default", "telemetry", "bills")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SOURCES = """
    SELECT s.name, s.kind, coalesce(c.name, ''), extract(epoch FROM s.watermark_at),
           extract(epoch FROM s.last_success_at), s.last_error <> ''
      FROM fleet_source s LEFT JOIN fleet_cluster c ON c.id = s.cluster_id WHERE s.enabled ORDER BY s.name
"""
_JOBS = "SELECT state, count(*) FROM fleet_job GROUP BY state"
_ROWS = """
    SELECT coalesce(parent.relname, child.relname), sum(greatest(child.reltuples, 0)),
           sum(pg_total_relation_size(child.oid))
      FROM pg_class child
      JOIN pg_namespace space ON space.oid = child.relnamespace AND space.nspname = 'public'
      LEFT JOIN pg_inherits link ON link.inhrelid = child.oid
      LEFT JOIN pg_class parent ON parent.oid = link.inhparent
     WHERE child.relkind = 'r' AND coalesce(parent.relname, child.relname) ~ '^(telemetry|costs|alerts)_'
     GROUP BY 1 ORDER BY 1
"""

registry = CollectorRegistry()
requests = Counter(
    "fleetledger_http_requests",
    "Requests answered, by room and status.",
    ["method", "room", "status"],
    registry=registry,
)
seconds = Histogram(
    "fleetledger_http_request_seconds",
    "Time to answer.",
    ["room"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)


def count_request(request: HttpRequest, status: int, took_s: float) -> None:
    """One request; addresses are grouped by their first words, so that the number of series stays small."""
    room = _room(request)
    method = request.method if request.method in _METHODS else "other"
    requests.labels(method, room, str(status)).inc()
    seconds.labels(room).observe(took_s)


def exposition() -> bytes:
    """The text format. With PROMETHEUS_MULTIPROC_DIR set, requests are those of all web processes together."""
    counted: CollectorRegistry = registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(_state())


class _StateCollector:
    """Asked at each scrape; whatever does not answer is told as 0 in fleetledger_up, and left out."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("fleetledger_up", "Whether a part of the product answers.", labels=["part"])
        for part, read in (("database", _database), ("broker", _broker)):
            families = _read(read)
            up.add_metric([part], 0.0 if families is None else 1.0)
            yield from families or ()
        yield up


def _state() -> CollectorRegistry:
    state = CollectorRegistry()
    state.register(_StateCollector())
    return state


def _read(read: Callable[[], Iterable[Metric]]) -> list[Metric] | None:
    try:
        return list(read())
    except (psycopg.Error, redis.RedisError, OSError):
        return None


def _database() -> Iterator[Metric]:
    with readiness.open_database() as database:
        sources = database.execute(_SOURCES).fetchall()
        jobs = database.execute(_JOBS).fetchall()
        tables = database.execute(_ROWS).fetchall()
        yield from metrics_health.of_database(database)
    yield from _source_families(sources)
    job_gauge = GaugeMetricFamily("fleetledger_jobs", "Jobs by state.", labels=["state"])
    for state, count in jobs:
        job_gauge.add_metric([str(state)], float(count))
    rows = GaugeMetricFamily("fleetledger_table_rows", "Rows by the database's estimate.", labels=["table"])
    size = GaugeMetricFamily("fleetledger_table_bytes", "Size on disk with indexes.", labels=["table"])
    for table, count, total in tables:
        rows.add_metric([str(table)], float(count))
        size.add_metric([str(table)], float(total))
    yield from (job_gauge, rows, size)


def _source_families(sources: Iterable[tuple[object, ...]]) -> Iterator[Metric]:
    labels = ["source", "kind", "cluster"]
    watermark = GaugeMetricFamily(
        "fleetledger_source_watermark_timestamp_seconds", "Facts are complete up to this instant.", labels=labels
    )
    success = GaugeMetricFamily(
        "fleetledger_source_last_success_timestamp_seconds", "When a pull last succeeded.", labels=labels
    )
    failing = GaugeMetricFamily("fleetledger_source_failing", "1 while the last pull failed.", labels=labels)
    for name, kind, cluster, watermark_at, success_at, is_failing in sources:
        values = [str(name), str(kind), str(cluster)]
        for family, at in ((watermark, watermark_at), (success, success_at)):
            if at is not None:
                family.add_metric(values, float(str(at)))
        failing.add_metric(values, float(bool(is_failing)))
    yield from (watermark, success, failing)


def _broker() -> Iterator[Metric]:
    depth = GaugeMetricFamily("fleetledger_queue_messages", "Tasks that wait for a worker.", labels=["queue"])
    with readiness.broker_client() as client:
        for queue in QUEUES:
            depth.add_metric([queue], float(client.llen(queue)))
        yield from metrics_health.of_broker(client)
    yield depth


def _room(request: HttpRequest) -> str:
    words = request.path_info.strip("/").split("/")
    match = request.resolver_match
    if match is None:
        return "unknown"
    if words[0] == "api":
        return "api/" + (words[2] if len(words) > 2 else "")  # noqa: PLR2004 api, v1, noun
    return words[0] or "overview"
