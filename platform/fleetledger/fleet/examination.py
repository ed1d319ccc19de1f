"""Looks at everything that an installation stands on, and says how to mend what is wrong."""

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import TextChoices
from kombu.exceptions import KombuError
from redbeat.schedulers import RedBeatConfig

from fleetledger.celery import app
from fleetledger.embedded import postgres_server

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 14
OLDEST_REDIS = 6
WORST_SKEW_S = 2.0
LEAST_FREE_BYTES = 2_000_000_000
SLOW_ANSWER_S = 0.1


class Verdict(TextChoices):
    WELL = "well"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look gave, with the way to mend it where something is to be mended."""

    subject: str
    verdict: Verdict
    words: str
    mend: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def examine() -> Iterator[Finding]:
    """Every look, in the order in which things depend on each other."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions,
        _settings,
        _state_directory,
        _database,
        _broker,
        _tasks,
    )
    for look in looks:
        yield from look()


def _well(subject: str, words: str) -> Finding:
    return Finding(subject, Verdict.WELL, words)


def _versions() -> Iterator[Finding]:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Finding("python", Verdict.BROKEN, f"Python {found} is too old.", "Install Python 3.11 or newer.")
    else:
        yield _well("python", f"Python {found}.")


def _settings() -> Iterator[Finding]:
    messages = [message for message in checks.run_checks(include_deployment_checks=True) if not message.is_silenced()]
    for message in messages:
        verdict = Verdict.BROKEN if message.is_serious() else Verdict.NOTE
        yield Finding(f"settings {message.id}", verdict, str(message.msg), str(message.hint or ""))
    if not messages:
        yield _well("settings", "All settings make sense together.")


def _state_directory() -> Iterator[Finding]:
    if not settings.STATE_DIR:
        yield _well("state directory", "Not used: the database, the broker and the key are all given.")
        return
    root = Path(settings.STATE_DIR)
    key = root / "secret-key"
    mode = stat.S_IMODE(key.stat().st_mode) if key.exists() else 0o600
    if mode & 0o077:
        yield Finding("state directory", Verdict.BROKEN, f"Others can read {key}.", f"Run: chmod 600 {key}")
    free_bytes = shutil.disk_usage(root).free
    if not os.access(root, os.W_OK):
        yield Finding("state directory", Verdict.BROKEN, f"{root} cannot be written to.", "Run this as its owner.")
    elif free_bytes < LEAST_FREE_BYTES:
        words = f"{free_bytes / 1e9:.1f} GB are free below {root}."
        yield Finding("state directory", Verdict.NOTE, words, "Make room, or move it with --state-dir.")
    else:
        yield _well("state directory", f"{root}, {free_bytes / 1e9:.0f} GB free.")
    for home in postgres_server.left_behind():
        words = f"The database in {home} belongs to no state directory any more."
        yield Finding("state directory", Verdict.NOTE, words, f"If nobody needs it, run: rm -r {home}")


def _database() -> Iterator[Finding]:
    try:
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int, clock_timestamp(), "
                "current_setting('server_encoding')"
            )
            version, at, encoding = cursor.fetchone()
        took_s = time.monotonic() - began
    except DatabaseError as error:
        yield Finding("database", Verdict.BROKEN, f"It does not answer: {_first_line(error)}", "See DATABASE_URL.")
        return
    if version // 10000 < OLDEST_POSTGRES:
        yield Finding("database", Verdict.BROKEN, f"PostgreSQL {version // 10000} is too old.", "Use 14 or newer.")
    elif encoding != "UTF8":
        yield Finding("database", Verdict.BROKEN, f"Its encoding is {encoding}.", "Create it with ENCODING 'UTF8'.")
    elif took_s > SLOW_ANSWER_S:
        yield Finding(
            "database",
            Verdict.NOTE,
            f"It took {took_s * 1000:.0f} ms to answer.",
            "Look at its load and at the network.",
        )
    else:
        yield _well(
            "database",
            f"PostgreSQL {version // 10000}.{version % 10000}, {took_s * 1000:.0f} ms to connect and answer.",
        )
    yield _clock("database clock", at)
    yield _migrations()


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Finding(
            "migrations", Verdict.BROKEN, f"{len(waiting)} migrations are not applied.", "Run: fleetledger migrate"
        )
    return _well("migrations", "All are applied.")


def _broker() -> Iterator[Finding]:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)
        server = client.info()
        seconds, microseconds = client.time()
    except redis.RedisError as error:
        yield Finding("broker", Verdict.BROKEN, f"Redis does not answer: {_first_line(error)}", "See REDIS_URL.")
        return
    version = str(server["redis_version"])
    if int(version.split(".", maxsplit=1)[0]) < OLDEST_REDIS:
        yield Finding("broker", Verdict.BROKEN, f"Redis {version} is too old.", "Use 6 or newer.")
    elif str(server.get("maxmemory_policy", "noeviction")) != "noeviction":
        words = f"Redis may throw tasks away (maxmemory-policy {server['maxmemory_policy']})."
        yield Finding("broker", Verdict.BROKEN, words, "Set: maxmemory-policy noeviction")
    elif not server.get("aof_enabled"):
        yield Finding("broker", Verdict.NOTE, "Redis forgets queued tasks when it restarts.", "Set: appendonly yes")
    else:
        yield _well("broker", f"Redis {version}.")
    yield _clock("broker clock", datetime.fromtimestamp(seconds + microseconds / 1e6, UTC))


def _tasks() -> Iterator[Finding]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)
    try:
        is_live = bool(client.exists(RedBeatConfig(app).lock_key))
        answers = app.control.ping(timeout=1.0)
    except (redis.RedisError, KombuError) as error:
        yield Finding("workers", Verdict.BROKEN, f"They cannot be asked: {_first_line(error)}", "See REDIS_URL.")
        return
    if answers:
        yield _well("workers", f"{len(answers)} answer.")
    else:
        yield Finding("workers", Verdict.NOTE, "None answers.", "Start `fleetledger up`, or `fleetledger worker`.")
    if is_live:
        yield _well("beat", "It is live.")
    else:
        yield Finding(
            "beat",
            Verdict.NOTE,
            "Nobody asks for the recurring tasks.",
            "Start `fleetledger up`, or `fleetledger beat`.",
        )


def _clock(subject: str, at: datetime) -> Finding:
    skew_s = abs((datetime.now(UTC) - at).total_seconds())
    if skew_s > WORST_SKEW_S:
        return Finding(
            subject, Verdict.BROKEN, f"It is {skew_s:.1f} s away from this machine's.", "Run NTP on both machines."
        )
    return _well(subject, f"It is {skew_s:.1f} s away from this machine's.")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
