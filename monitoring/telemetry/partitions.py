"""Makes the partitions that a window needs, for any date, and drops those that have been rolled up."""

from datetime import datetime, timedelta

from django.db import connection

from fleetledger.lib.buckets import DAY, Month, Window, floor


def ensure(window: Window) -> None:
    """Partitions for every day of facts and month of hours that `window` touches."""
    for day in window.steps(DAY):
        _create("telemetry_fact", f"{day.start:%Y%m%d}", day)
    month = Month.of(window.start)
    while month.start < window.end:
        _create("telemetry_gpuhour", f"{month.start:%Y%m}", month.window)
        month = month.next


def drop_facts_before(at: datetime) -> list[str]:
    """Drop the days of facts that end before `at`; gives their names. The caller has rolled them up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'telemetry_fact'::regclass ORDER BY 1"
        )
        limit = f"telemetry_fact_{floor(at, DAY) - timedelta(days=1):%Y%m%d}"
        names = [str(name) for (name,) in cursor.fetchall() if str(name) <= limit]
        for name in names:
            cursor.execute(f'DROP TABLE "{name}"')
    return names


def _create(table: str, suffix: str, span: Window) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{table}_{suffix}"])
        if cursor.fetchone()[0] is None:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{table}_{suffix}"])
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {table}_{suffix} PARTITION OF {table}"
                f" FOR VALUES FROM ('{span.start.isoformat()}') TO ('{span.end.isoformat()}')"
            )
