"""Whether we are well, for our own rule pack: the stores' room, the timetable's lock, rules, alerts and the outbox."""

from collections.abc import Iterator
from typing import Any

import psycopg
import redis
from prometheus_client.core import GaugeMetricFamily, Metric

from fleetledger import celery

_STORE = """
SELECT count(*), current_setting('max_connections')::int,
    coalesce(extract(epoch FROM now() - min(xact_start) FILTER (WHERE datname = current_database())), 0),
    pg_database_size(current_database())
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""
_RULES = """
SELECT count(*) FILTER (WHERE last_error = ''), count(*) FILTER (WHERE last_error <> ''),
    extract(epoch FROM max(evaluated_at))
FROM alerts_rule WHERE is_enabled
"""
_ALERTS = "SELECT state, count(*) FROM alerts_alert WHERE state <> 'resolved' GROUP BY 1"
# A page that is to wait, for quiet hours or as a person's second way, waits for nobody until it is due.
_WAITING = """
SELECT count(*), extract(epoch FROM min(coalesce((body ->> 'waiting_since')::timestamptz, created_at)))
FROM alerts_outboxmessage WHERE state = 'queued' AND (tries > 0 OR due_at <= app_now())
"""
_REFUSED = """
SELECT count(*) FROM alerts_outboxmessage
WHERE state = 'dead' AND finished_at > app_now() - interval '1 hour' AND created_at > app_now() - interval '1 day'
"""
_ESCALATIONS = "SELECT count(*) FROM alerts_run WHERE due_at < app_now() - interval '2 minutes'"
# 2.5 of the notifier's looks: a part that was not seen since is not up, whatever was said of it last.
_PARTS = """
SELECT replace(c.name, 'fleetledger-', ''), bool_and(s.state = 'up' AND s.last_at > app_now() - interval '25 seconds')
FROM availability_component c JOIN availability_probe p ON p.component_id = c.id
JOIN availability_series s ON s.probe_id = p.id AND s.ended_at IS NULL
WHERE c.is_builtin AND c.removed_at IS NULL GROUP BY 1 ORDER BY 1
"""
_COMPONENTS = """
SELECT t.to_state, count(*) FROM availability_component c CROSS JOIN LATERAL (
    SELECT to_state FROM availability_transition WHERE component_id = c.id ORDER BY at DESC, id DESC LIMIT 1
) t WHERE c.removed_at IS NULL GROUP BY 1
"""
OPEN_STATES = ("firing", "stale")

Database = psycopg.Connection[tuple[Any, ...]]


def of_database(database: Database) -> Iterator[Metric]:
    """PostgreSQL's room, and what alerting has in it."""
    connections, limit, oldest_s, size = _row(database, _STORE)
    yield _gauge("database_connections", "Connections in use, of everybody.", connections)
    yield _gauge("database_connections_limit", "Connections that PostgreSQL allows.", limit)
    yield _gauge("database_oldest_transaction_seconds", "For how long the oldest transaction is open.", oldest_s)
    yield _gauge("database_bytes", "Size on disk.", size)
    yield from _of_alerting(database)
    yield from _of_availability(database)


def of_broker(client: "redis.Redis") -> Iterator[Metric]:
    """Redis' room, and whether a beat holds the timetable's lock."""
    memory: Any = client.info("memory")
    yield _gauge("broker_memory_bytes", "Memory that Redis uses.", memory["used_memory"])
    yield _gauge("broker_memory_limit_bytes", "Memory that Redis may use; 0 without a limit.", memory["maxmemory"])
    is_held = client.exists(f"{celery.app.conf.redbeat_key_prefix}:lock")
    yield _gauge("beat_alive", "1 while a beat holds the timetable's lock.", is_held)


def _of_alerting(database: Database) -> Iterator[Metric]:
    good, failing, evaluated_at = _row(database, _RULES)
    yield _by_state("rules", "Rules that are evaluated here, by state.", {"good": good, "failing": failing})
    found: dict[str, int] = dict(database.execute(_ALERTS).fetchall())
    yield _by_state("alerts", "Open alerts by state.", {state: found.get(state, 0) for state in OPEN_STATES})
    waiting, oldest_at = _row(database, _WAITING)
    yield _gauge("outbox_messages", "Messages that wait to be delivered.", waiting)
    yield _gauge("outbox_refused", "Messages that were refused within the hour.", _row(database, _REFUSED)[0])
    overdue = _row(database, _ESCALATIONS)[0]
    yield _gauge("escalations_overdue", "Escalations that should have gone on two minutes ago.", overdue)
    if evaluated_at is not None:
        yield _gauge("rules_evaluated_timestamp_seconds", "When a rule was last evaluated.", evaluated_at)
    if oldest_at is not None:
        yield _gauge("outbox_oldest_timestamp_seconds", "Since when the oldest message waits.", oldest_at)


def _of_availability(database: Database) -> Iterator[Metric]:
    parts = GaugeMetricFamily("fleetledger_part_up", "1 while a part of ours was seen up lately.", labels=["part"])
    for name, is_up in database.execute(_PARTS).fetchall():
        parts.add_metric([str(name)], float(is_up))
    yield parts
    found: dict[str, int] = dict(database.execute(_COMPONENTS).fetchall())
    yield _by_state("components", "Components by the state in which they were judged last.", found)


def _row(database: Database, sql: str) -> tuple[Any, ...]:
    return database.execute(sql).fetchone() or ()


def _gauge(name: str, text: str, value: object) -> Metric:
    family = GaugeMetricFamily(f"fleetledger_{name}", text)
    family.add_metric([], float(str(value)))
    return family


def _by_state(name: str, text: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"fleetledger_{name}", text, labels=["state"])
    for state, count in counts.items():
        family.add_metric([state], float(count))
    return family
