"""The notifier: sees that what is due is looked at, evaluated and told, without Redis and without a timetable.

1. The main thread sleeps on the doorbell, at most a second and no longer than until the next group is due; then it
   sweeps reports that ran out, looks at the groups that are due, goes on with escalations, and queues canaries.
2. The lanes drain the outbox in a thread of their own, rules are evaluated in two more, the dead man's switch has one.
3. A database that is away is waited for; nothing but a signal ends the notifier. Several of them are harmless.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import structlog
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from monitoring.alerts import canary, clock, confirm, deadman, flush, sweep
from monitoring.alerts.doorbell import Doorbell
from monitoring.alerts.drain import Lanes
from monitoring.alerts.escalation import advance, timeouts
from monitoring.alerts.rules import evaluate, heartbeats

POLL_S = 1.0
SHORTEST_S = 0.02
PAUSE_S = 0.5  # while the database is away
CANARIES_EVERY_S = 10.0
EVALUATORS = 2
GRACE_S = 1.5  # for the threads, once we are told to end
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
Step = Callable[[datetime], object]
_beside: dict[str, tuple[Step, float]] = {}
log = structlog.get_logger(__name__)


def go_along(name: str, step: Step, every_s: float) -> None:
    """Have another room's step done every so often, in a thread of its own; called from an AppConfig.ready."""
    _beside[name] = step, every_s


def _evaluate(now: datetime) -> None:
    heartbeats.check(now)
    evaluate.evaluate_due(now)
    confirm.ask_prometheus(now)


def _next_due() -> datetime | None:
    """When the next group or the next step of an escalation is due."""
    return min(filter(None, (flush.next_due(), advance.next_due())), default=None)


@dataclass(frozen=True, slots=True)
class Steps:
    """What is done at each turn, and what beside it; a test puts its own in their place."""

    each_turn: tuple[Step, ...] = (
        sweep.sweep,
        flush.flush_due,
        timeouts.expire_acknowledgements,
        advance.advance_due,
    )
    now_and_then: Step = canary.queue_due
    next_due: Callable[[], datetime | None] = _next_due
    evaluate: Step | None = _evaluate
    ping: Step | None = deadman.ping
    beside: Mapping[str, tuple[Step, float]] = field(default_factory=lambda: dict(_beside))
    lanes: Lanes = field(default_factory=Lanes)


def run(ending: threading.Event, steps: Steps | None = None) -> None:
    """Go on until `ending` is set; then what is on its way is written down, within three seconds."""
    steps = steps or Steps()
    threads = [_started("lanes", lambda: steps.lanes.run(ending))]
    if steps.evaluate:
        threads += [_started("rules", _repeating(steps.evaluate, POLL_S, ending)) for _ in range(EVALUATORS)]
    if steps.ping:
        threads.append(_started("deadman", _repeating(steps.ping, deadman.EVERY_S, ending)))
    threads += [_started(name, _repeating(step, every_s, ending)) for name, (step, every_s) in steps.beside.items()]
    log.info("alerts.notifier_started")
    with Doorbell() as bell:
        _Loop(steps, bell, ending).run()
    steps.lanes.ring()
    ends_at = time.monotonic() + GRACE_S
    for thread in threads:
        thread.join(max(0.0, ends_at - time.monotonic()))
    connection.close()
    log.info("alerts.notifier_stopped")


class _Loop:
    """The main thread's turns."""

    def __init__(self, steps: Steps, bell: Doorbell, ending: threading.Event) -> None:
        self._steps = steps
        self._bell = bell
        self._ending = ending
        self._is_away = False
        self._looked_at = float("-inf")

    def run(self) -> None:
        while not self._ending.is_set():
            try:
                pause_s = self._turn()
                self._note_back()
                if self._bell.wait(pause_s, self._ending):
                    self._steps.lanes.ring()
            except AWAY as error:
                self._note_away(error)
                connection.close()
                self._ending.wait(PAUSE_S)
            except Exception:
                log.exception("alerts.turn_failed")
                connection.close()
                self._ending.wait(POLL_S)

    def _turn(self) -> float:
        """All steps, each for itself; gives how long to sleep at most."""
        now = clock.now()
        ends = [_guarded(step, now) for step in self._steps.each_turn]
        if time.monotonic() - self._looked_at >= CANARIES_EVERY_S:
            self._looked_at = time.monotonic()
            _guarded(self._steps.now_and_then, now)
        due = self._steps.next_due() if all(ends) else None
        if due is None:
            return POLL_S
        return min(POLL_S, max(SHORTEST_S, (due - clock.now()).total_seconds()))

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("alerts.notifier_waits_for_database", error=type(error).__name__)
        self._is_away = True

    def _note_back(self) -> None:
        if self._is_away:
            log.info("alerts.notifier_has_database_again")
        self._is_away = False


def _guarded(step: Step, now: datetime) -> bool:
    """Whether a step came to its end: a mistake in one of them must not stop the others."""
    try:
        step(now)
    except AWAY:
        raise
    except Exception:
        log.exception("alerts.step_failed", step=getattr(step, "__qualname__", str(step)))
        connection.close()
        return False
    return True


def _repeating(step: Step, every_s: float, ending: threading.Event) -> Callable[[], None]:
    def repeat() -> None:
        while not ending.is_set():
            try:
                _guarded(step, clock.now())
            except AWAY as error:
                log.warning("alerts.thread_waits_for_database", error=type(error).__name__)
                connection.close()
            except Exception:
                log.exception("alerts.thread_failed")
                connection.close()
            if every_s > POLL_S:
                connection.close()  # not kept through a long sleep
            ending.wait(every_s)
        connection.close()

    return repeat


def _started(name: str, target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread
