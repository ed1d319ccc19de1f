"""Keeps in the database when alerts could be taken in: each web process writes its span, their union is the answer."""

import os
import socket
import threading
from datetime import datetime, timedelta

import structlog
from django.db import Error, connection

from monitoring.alerts.models import IntakeSpan

EVERY_S = 5.0
TOLERANCE = timedelta(seconds=15)  # three beats: a slow one and a quick restart are no outage
KEPT = timedelta(days=30)
_INSTANCE_WIDTH = 100

_EXTEND = """
UPDATE alerts_intakespan SET until_at = app_now() WHERE id = %s AND until_at >= app_now() - make_interval(secs => %s)
"""
_BEGIN = """
INSERT INTO alerts_intakespan (instance, from_at, until_at)
SELECT %s, t.now, t.now FROM (SELECT app_now() AS now) t RETURNING id
"""
_FORGET = "DELETE FROM alerts_intakespan WHERE until_at < app_now() - make_interval(secs => %s)"
log = structlog.get_logger(__name__)


class Recorder:
    """One process's span, which grows with each beat; a pause longer than the tolerance begins a new one."""

    def __init__(self, instance: str) -> None:
        self.instance = instance[:_INSTANCE_WIDTH]
        self._span_id: int | None = None

    def beat(self) -> None:
        """Say that this process can take alerts now: it lives, and the database answers it."""
        with connection.cursor() as cursor:
            cursor.execute(_EXTEND, [self._span_id, TOLERANCE.total_seconds()])
            if cursor.rowcount:
                return
            cursor.execute(_BEGIN, [self.instance])
            (self._span_id,) = cursor.fetchone() or (None,)
            cursor.execute(_FORGET, [KEPT.total_seconds()])


def start(*, every_s: float = EVERY_S) -> threading.Event:
    """Record from now on in a thread of its own; set what it gives to stop. For processes that answer requests."""
    stop = threading.Event()
    recorder = Recorder(f"{socket.gethostname()[:60]}:{os.getpid()}")
    threading.Thread(target=_record, args=(recorder, stop, every_s), name="intake", daemon=True).start()
    return stop


def was_up(from_at: datetime, until_at: datetime) -> bool:
    """Whether some process could take alerts throughout; gaps within the tolerance do not count."""
    spans = IntakeSpan.objects.filter(until_at__gte=from_at - TOLERANCE, from_at__lte=until_at + TOLERANCE)
    covered_until: datetime | None = None
    for begins_at, ends_at in spans.order_by("from_at").values_list("from_at", "until_at"):
        if begins_at > (covered_until or from_at) + TOLERANCE:
            break  # a gap; what lies behind it may not matter any more
        covered_until = max(covered_until or ends_at, ends_at)
    return covered_until is not None and covered_until + TOLERANCE >= until_at


def _record(recorder: Recorder, stop: threading.Event, every_s: float) -> None:
    is_failing = False
    while not stop.is_set():
        try:
            recorder.beat()
            is_failing = False
        except Error as error:
            if not is_failing:
                log.warning("intake cannot be recorded: the database does not answer", error=str(error).strip())
            is_failing = True
        finally:
            connection.close()  # back to the pool: a thread that sleeps holds no connection
        stop.wait(every_s)
