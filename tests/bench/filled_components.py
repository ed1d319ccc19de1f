"""2,000 components with a year of intervals, days and changes in the database: clusters, their services, replicas."""

from datetime import timedelta
from typing import Any

from django.db import connection

from monitoring.availability.models import Component, ComponentKind, Probe, ProbeKind
from tests.alerts.world import START, set_clock

CLUSTERS, SERVICES, REPLICAS = 10, 190, 1800
DAYS, STRETCHES = 365, 60
TABLES = "component, probe, series, stateinterval, componentday, transition"
SERIES = """
    INSERT INTO availability_series (probe_id, labels, key, interval_s, first_at, last_at, state, detail, end_reason)
    SELECT id, jsonb_build_object('instance', 'gpu-' || id), lpad(to_hex(id), 16, '0'), 30,
        %(start)s - make_interval(days => %(days)s), %(start)s - interval '10 seconds',
        CASE WHEN id %% 97 = 0 THEN 'down' ELSE 'up' END, '', ''
    FROM availability_probe
"""
INTERVALS = """
    INSERT INTO availability_stateinterval (series_id, from_at, until_at, state, detail)
    SELECT s.id, s.first_at + n * step.long + make_interval(secs => 3600 * (n %% 2)),
        s.first_at + (n + 1) * step.long - make_interval(secs => CASE WHEN n %% 7 = 3 THEN 600 ELSE 0 END)
            + make_interval(secs => 3600 * ((n + 1) %% 2)),
        CASE WHEN n %% 2 = 0 THEN 'up' WHEN n %% 10 = 1 THEN 'degraded' ELSE 'down' END, 'It said 503.'
    FROM availability_series s
    CROSS JOIN (SELECT (%(start)s - min(first_at)) / %(stretches)s AS long FROM availability_series) step
    CROSS JOIN generate_series(0, %(stretches)s - 2) n
"""
LAST = """
    INSERT INTO availability_stateinterval (series_id, from_at, until_at, state, detail)
    SELECT s.id, max(i.until_at), s.last_at + interval '30 seconds', s.state, ''
    FROM availability_series s JOIN availability_stateinterval i ON i.series_id = s.id GROUP BY s.id
"""
FILL_DAYS = """
    INSERT INTO availability_componentday (component_id, day, up_s, degraded_s, down_s, maintenance_s, idle_s,
        unknown_s, expected_s)
    SELECT c.id, day, 85000, 0, CASE WHEN (c.id + extract(doy FROM day)) %% 20 = 0 THEN 900 ELSE 0 END, 0, 0,
        CASE WHEN (c.id + extract(doy FROM day)) %% 31 = 0 THEN 300 ELSE 0 END,
        85000 + CASE WHEN (c.id + extract(doy FROM day)) %% 20 = 0 THEN 900 ELSE 0 END
            + CASE WHEN (c.id + extract(doy FROM day)) %% 31 = 0 THEN 300 ELSE 0 END
    FROM generate_series(%(start)s::date - (%(days)s - 1), %(start)s::date, interval '1 day') day
    CROSS JOIN availability_component c
"""
CHANGES = """
    INSERT INTO availability_transition (component_id, at, from_state, to_state, why)
    SELECT c.id, %(start)s - n * interval '9 days', CASE WHEN n %% 2 = 0 THEN 'down' ELSE 'up' END,
        CASE WHEN n %% 2 = 0 THEN 'up' ELSE 'down' END, 'It said 503.'
    FROM availability_component c CROSS JOIN generate_series(40, 1, -1) n
"""


def fill() -> None:
    set_clock()
    clusters = _made("cluster", ComponentKind.CLUSTER, CLUSTERS, [])
    services = _made("service", ComponentKind.SERVICE, SERVICES, clusters)
    replicas = _made("replica", ComponentKind.REPLICA, REPLICAS, services)
    Probe.objects.bulk_create(
        Probe(component=row, name="web", kind=ProbeKind.HTTP, interval_s=30, due_at=START, created_at=START)
        for row in [*services, *replicas]
    )
    values: dict[str, Any] = {"start": START, "days": DAYS, "stretches": STRETCHES}
    with connection.cursor() as cursor:
        for statement in (SERIES, INTERVALS, LAST, FILL_DAYS, CHANGES):
            cursor.execute(statement, values)
        cursor.execute(f"ANALYZE {', '.join(f'availability_{name}' for name in TABLES.split(', '))}")


def _made(word: str, kind: ComponentKind, count: int, above: list[Component]) -> list[Component]:
    return Component.objects.bulk_create(
        Component(
            name=f"{word}-{number:04d}",
            title=f"{word.title()} {number}",
            kind=kind,
            parent=above[number % len(above)] if above else None,
            zone="abc"[number % 3],
            needs=1 if kind == ComponentKind.SERVICE else None,
            position=number,
            created_at=START - timedelta(days=DAYS),
        )
        for number in range(count)
    )
