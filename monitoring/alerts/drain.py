"""Empties the outbox: a lane for each destination, so that one that hangs holds up nobody else.

One thread asks the database for what is due, claims it and writes down what became of it; each send has a thread of its
own, which touches no database. Several drains at once are harmless: what one has claimed, the others leave alone.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog
from django.db import connection
from django.db.utils import InterfaceError, OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from monitoring.alerts import clock, fallback
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.claims import Candidate, Claim, claim, due
from monitoring.alerts.dispatch import dispatch
from monitoring.alerts.settling import settle
from monitoring.alerts.suppression import Suppressors, suppressors

IN_ALL = 32
PER_DESTINATION = 4
SICK_AT = 2  # failures in a row
SICK_IN_ALL = IN_ALL // 2
POLL_S = 1.0
OVERDUE_EVERY_S = 2.0
LAST_S = 1.0  # for what is on its way when we are told to end
Send = Callable[[Claim], Outcome]
log = structlog.get_logger(__name__)


def drain_due(send: Send = dispatch) -> int:
    """Send everything that is due now, one after the other, in this thread; gives how many tries that were."""
    tries = 0
    while candidates := due(clock.now(), per_destination=1):
        claims = [found for candidate in candidates if (found := claim(candidate.message_id, suppressors(clock.now())))]
        for found in claims:
            settle(found, send(found))
        tries += len(claims)
        if not claims and due(clock.now(), per_destination=1) == candidates:
            break
    return tries


class Lanes:
    """The drain of one notifier, for a thread of its own."""

    def __init__(self, send: Send = dispatch) -> None:
        self._send = send
        self._sent: SimpleQueue[_Sent] = SimpleQueue()
        self._unsettled: list[_Sent] = []
        self._in_flight: Counter[int] = Counter()
        self._sick: Counter[int] = Counter()
        self._bell = threading.Event()
        self._looked_for_overdue_at = float("-inf")

    @property
    def in_flight(self) -> int:
        return self._in_flight.total()

    def ring(self) -> None:
        """Look at once."""
        self._bell.set()

    def run(self, ending: threading.Event) -> None:
        """Drain until told to end; a database that is away is waited for."""
        while not ending.is_set():
            self._bell.clear()
            try:
                self.turn()
            except (OperationalError, InterfaceError) as error:
                log.warning("alerts.drain_waits_for_database", error=type(error).__name__)
                connection.close()
                ending.wait(POLL_S / 2)
            except Exception:
                log.exception("alerts.drain_failed")
                connection.close()
                ending.wait(POLL_S)
            self._bell.wait(POLL_S)
        with suppress(OperationalError, InterfaceError):
            self.finish(LAST_S)
        connection.close()

    def finish(self, seconds: float) -> None:
        """Write down what is still on its way, for so long; the rest is due again when its lease ends."""
        ends_at = time.monotonic() + seconds
        while self.in_flight and (left := ends_at - time.monotonic()) > 0:
            self._collect(left)
        self._settle()

    def turn(self) -> int:
        """Write down what was sent, then send what is due and has a free place; gives how many were begun."""
        self._settle()
        self._see_to_overdue()
        now = clock.now()
        of_tenant = suppressors(now)
        begun = 0
        for candidate in due(now):
            if self._has_place(candidate) and (taken := _claimed(candidate, of_tenant)):
                self._begin(candidate, taken)
                begun += 1
        return begun

    def _has_place(self, candidate: Candidate) -> bool:
        """Those that failed lately get one place each, and half of all: they take the longest."""
        if self.in_flight >= IN_ALL:
            return False
        if candidate.failures < SICK_AT:
            return self._in_flight[candidate.destination_id] < PER_DESTINATION
        return self._in_flight[candidate.destination_id] < 1 and self._sick.total() < SICK_IN_ALL

    def _begin(self, candidate: Candidate, taken: Claim) -> None:
        is_sick = candidate.failures >= SICK_AT
        self._in_flight[candidate.destination_id] += 1
        self._sick[candidate.destination_id] += is_sick
        threading.Thread(
            target=self._send_one, args=(taken, candidate.destination_id), name="send", daemon=True
        ).start()

    def _send_one(self, taken: Claim, destination_id: int) -> None:
        try:
            outcome = self._send(taken)
        except Exception as error:  # noqa: BLE001 a mistake of ours must not lose the message
            log.error("alerts.send_broke", error=type(error).__name__)  # noqa: TRY400 its words may hold secrets
            outcome = Outcome(Verdict.RETRY, answer=f"Sending broke ({type(error).__name__}).")
        self._sent.put(_Sent(taken, destination_id, outcome))
        self._bell.set()

    def _settle(self) -> None:
        """Write down what came back; kept while the database is away."""
        self._collect(0)
        while self._unsettled:
            sent = self._unsettled[0]
            try:
                settle(sent.claim, sent.outcome)
            except (OperationalError, InterfaceError):
                raise
            except Exception:  # one that cannot be written down must not stop the others: its lease ends
                log.exception("alerts.not_settled", message=sent.claim.message_id)
            self._unsettled.pop(0)

    def _collect(self, seconds: float) -> bool:
        """Take over what came back; waits for the first of it, at most so long. Whether anything came."""
        try:
            self._take_over(self._sent.get(timeout=seconds) if seconds else self._sent.get_nowait())
            while True:
                self._take_over(self._sent.get_nowait())
        except Empty:
            return bool(self._unsettled)

    def _take_over(self, sent: "_Sent") -> None:
        self._unsettled.append(sent)
        for counter in (self._in_flight, self._sick):
            counter[sent.destination_id] -= 1
            if counter[sent.destination_id] <= 0:
                del counter[sent.destination_id]

    def _see_to_overdue(self) -> None:
        if time.monotonic() - self._looked_for_overdue_at >= OVERDUE_EVERY_S:
            self._looked_for_overdue_at = time.monotonic()
            fallback.tell_overdue()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A try that has come back."""

    claim: Claim
    destination_id: int
    outcome: Outcome


def _claimed(candidate: Candidate, of_tenant: Suppressors) -> Claim | None:
    """None too where somebody holds an episode for long: it is asked for again in a moment."""
    try:
        return claim(candidate.message_id, of_tenant)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return None
        raise
    except InterfaceError:
        raise
    except Exception:  # one that cannot be read must not hold up those behind it
        log.exception("alerts.claim_broke", message=candidate.message_id)
        connection.close()
        return None
