"""Brings the database's tables to the product's version, once, however many commands ask at the same time."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

LOCK = "SELECT pg_advisory_lock(hashtext('fleetledger.migrate'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('fleetledger.migrate'))"


def bring_up_to_date(*, verbosity: int = 0) -> None:
    """Migrate where something is left to do; who comes second waits and finds it done."""
    if not _is_behind():
        return
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    try:
        if _is_behind():
            call_command("migrate", interactive=False, verbosity=verbosity)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(UNLOCK)


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
