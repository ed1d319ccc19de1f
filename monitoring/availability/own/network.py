"""Looks at what answers over the network: Redis, beat, queues, workers and each Prometheus, none of them for long.

Each is asked in a thread of its own. One that has not answered in time is told so, and not asked again until it has.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
from django.conf import settings

from fleetledger import celery
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import to_us
from monitoring.availability.own.seen import SILENCE_S, PartSeen, degraded, down, unknown, up
from monitoring.availability.sources.answers import Fact
from monitoring.telemetry.opening import open_api
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.promapi import PrometheusApi

PATIENCE_S = 3.0
REDIS_S = 1.0
PING_S = 1.0
QUEUES = ("default", "telemetry", "bills")
MANY_WAIT = 500
REDIS_AWAY = "Redis does not answer, so nobody can say."

Ask = Callable[[], Sequence[PartSeen]]


@dataclass(frozen=True, slots=True)
class Workers:
    """Names of the workers that answered."""

    names: frozenset[str] = frozenset()
    failure: str = ""


@dataclass(slots=True)
class Asker:
    """Keeps what is still on its way from one look to the next."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, thread_name_prefix="own"))
    running: dict[str, Future[Any]] = field(default_factory=dict)

    def ask(self, questions: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """The answers that came in time, by name; TimeoutError in place of the others."""
        for name, question in questions.items():
            if name not in self.running:
                self.running[name] = self.pool.submit(question)
        wait([self.running[name] for name in questions], timeout=PATIENCE_S)
        found: dict[str, Any] = {}
        for name in questions:
            future = self.running[name]
            if not future.done():
                found[name] = TimeoutError()
                continue
            del self.running[name]
            found[name] = future.exception() or future.result()
        return found


def questions(sources: Iterable[Source], now: datetime) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is to be asked, with everything read from the database beforehand."""
    yield "redis", _redis
    yield "workers", ping
    for source in sources:
        try:
            api = open_api(source, read_seconds=PATIENCE_S - 1, tries=1)
        except SourceError as error:
            yield source.name, _raising(error)
        else:
            yield source.name, _asking(api, to_us(now))


def prometheus_sources() -> list[Source]:
    return list(Source.objects.filter(enabled=True, kind=SourceKind.PROMETHEUS).order_by("name"))


def broker(answer: Any) -> Iterator[PartSeen]:
    """Redis, the queues in it, and beat by the lock that it holds there."""
    if isinstance(answer, BaseException):
        is_slow = isinstance(answer, TimeoutError | redis.TimeoutError)
        why = f"It does not answer within {REDIS_S:g} s." if is_slow else "It takes no connection."
        yield down("redis", "Redis", why)
        yield unknown("queue", "Queue", REDIS_AWAY)
        yield unknown("beat", "Beat", REDIS_AWAY)
        return
    yield up("redis", "Redis", Fact("memory_bytes", answer["memory"], unit="B"))
    yield _queue(answer["depths"])
    yield _beat(answer["beat_age_s"])


def workers(answer: Any, broker_answer: Any) -> Workers:
    if isinstance(broker_answer, BaseException):
        return Workers(failure=REDIS_AWAY)
    if isinstance(answer, BaseException):
        return Workers(failure="The workers cannot be asked: the broker takes no question.")
    return Workers(answer)


def source(row: Source, answer: Any, now: datetime) -> PartSeen:
    """A Prometheus: whether it answers, how far behind what we have read of it is, and its last word."""
    part, title = f"source-{row.name}", f"Source {row.name}"
    facts = []
    if row.watermark_at:
        facts.append(Fact("lag_s", (now - row.watermark_at).total_seconds(), unit="s"))
    if row.last_success_at:
        facts.append(Fact("last_word_age_s", (now - row.last_success_at).total_seconds(), unit="s"))
    if isinstance(answer, TimeoutError):
        return down(part, title, f"It did not answer within {PATIENCE_S:g} s.", *facts)
    if isinstance(answer, BaseException):
        return down(part, title, str(answer), *facts)
    if row.last_error:
        return degraded(part, title, f"It answers, but: {row.last_error}", *facts)
    return up(part, title, *facts)


def ping() -> frozenset[str]:
    """The names of the workers that answer; raises where the broker does not."""
    options = celery.app.conf.broker_transport_options | {"socket_timeout": 2, "socket_connect_timeout": 1}
    with celery.app.connection_for_write(transport_options=options) as line:
        line.ensure_connection(max_retries=1, timeout=1)
        replies = celery.app.control.ping(timeout=PING_S, connection=line)
    return frozenset(str(name) for reply in replies for name in reply)


def _redis() -> Mapping[str, Any]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=REDIS_S, socket_timeout=REDIS_S)
    with client:
        client.ping()
        depths = {queue: int(client.llen(queue)) for queue in QUEUES}
        memory: Any = client.info("memory")
        left_ms = int(client.pttl(f"{celery.app.conf.redbeat_key_prefix}:lock"))
    timeout_s = float(celery.app.conf.redbeat_lock_timeout)
    age_s = timeout_s - left_ms / 1000 if left_ms > 0 else None
    return {"depths": depths, "memory": memory["used_memory"], "beat_age_s": age_s}


def _queue(depths: Mapping[str, int]) -> PartSeen:
    waiting = sum(depths.values())
    facts = [Fact("queue_depth", waiting), *(Fact(f"queue_{name}", count) for name, count in depths.items())]
    if waiting > MANY_WAIT:
        return degraded("queue", "Queue", f"{waiting} tasks wait for a worker.", *facts)
    return up("queue", "Queue", *facts)


def _beat(age_s: float | None) -> PartSeen:
    """Beat renews its lock with each turn, every 5 s at least: what is left of the lock says when it last did."""
    if age_s is None:
        return down("beat", "Beat", "No beat holds the timetable's lock.")
    fact = Fact("age_s", round(age_s, 1), unit="s")
    if age_s > SILENCE_S:
        return down("beat", "Beat", f"Beat has not renewed its lock for {age_s:.0f} s.", fact)
    return up("beat", "Beat", fact)


def _asking(api: PrometheusApi, at_us: int) -> Callable[[], float]:
    def ask() -> float:
        started = time.monotonic()
        try:
            api.query("1", at_us)
        finally:
            api.close()
        return time.monotonic() - started

    return ask


def _raising(error: Exception) -> Callable[[], float]:
    def ask() -> float:
        raise error

    return ask
