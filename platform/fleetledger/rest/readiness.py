"""Says whether this process could serve a page now: each check has its own short budget."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as BudgetSpentError
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

BUDGET_S = 3.0
CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_MS = 1500
_workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="readiness")


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    is_ok: bool
    reason: str = ""


def findings() -> list[Finding]:
    """All checks, run side by side; one that hangs is reported when its budget is spent."""
    running = [(name, _workers.submit(check)) for name, check in _checks().items()]
    return [_finding(name, future) for name, future in running]


def broker_client() -> "redis.Redis":
    """A short-tempered connection to the broker."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)


def open_database() -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, outside of Django's pool, that gives up early."""
    given = connection.get_connection_params()
    wanted = {name: value for name, value in given.items() if name in ("dbname", "user", "password", "host", "port")}
    return psycopg.connect(
        **wanted,
        connect_timeout=CONNECT_TIMEOUT_S,
        options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        autocommit=True,
    )


def missing_migrations(applied: set[tuple[str, str]]) -> list[str]:
    """The migrations that this version ships with and that the database has not."""
    return sorted(f"{app}.{name}" for app, name in _shipped() - applied)


def _checks() -> dict[str, Callable[[], str]]:
    return {"database": _database, "migrations": _migrations, "broker": _broker}


def _finding(name: str, future: Future[str]) -> Finding:
    try:
        reason = future.result(timeout=BUDGET_S)
    except BudgetSpentError:
        future.cancel()
        reason = f"no answer within {BUDGET_S:g} s"
    except (psycopg.Error, redis.RedisError, OSError) as error:
        reason = _first_line(error)
    return Finding(name, is_ok=not reason, reason=reason)


def _database() -> str:
    with open_database() as database:
        database.execute("SELECT 1")
    return ""


def _migrations() -> str:
    with open_database() as database:
        if database.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
            return "the database is empty; run: fleetledger migrate"
        rows = database.execute("SELECT app, name FROM django_migrations").fetchall()
    missing = missing_migrations({(str(app), str(name)) for app, name in rows})
    return f"{len(missing)} migrations are missing, first {missing[0]}; run: fleetledger migrate" if missing else ""


def _broker() -> str:
    with broker_client() as client:
        client.ping()
    return ""


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return frozenset(key for key in loader.disk_migrations if key not in replaced)


def _first_line(error: Exception) -> str:
    """What went wrong, without the connection's parameters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}"
