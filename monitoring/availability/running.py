"""Asks the probes that are due, many side by side, and takes in what they give. Several at once are harmless.

1. Claim a batch. 2. Ask, outside of any transaction, in threads that know no database. 3. Whenever some have answered,
write their slots and give their probes back. 4. Go on while any is due and there is time.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from monitoring.alerts import clock
from monitoring.availability import claims, ingest, rollup
from monitoring.availability.asking import Ask, Part, asker
from monitoring.availability.claims import LEASE, Claim, Done
from monitoring.availability.ingest import Found, Kept
from monitoring.availability.sources.answers import AskError

BATCH = 64
THREADS = 16
BUDGET_S = 20.0
"""How long one run goes on claiming, and one probe reading its past."""
GATHER_S = 0.5
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Asked:
    """What one probe gave, until it was through, failed or ran out of time."""

    claim: Claim
    parts: list[Part] = field(default_factory=list)
    failure: str = ""
    is_behind: bool = False

    @property
    def done(self) -> Done:
        until = max((part.until for part in self.parts if part.until), default=None)
        detail = self.parts[-1].answer.detail if self.parts else ""
        return Done(self.claim, self.failure, detail, until, self.is_behind and not self.failure)


def run_due(now: datetime | None = None) -> str:
    """Ask every probe that is due."""
    started = time.monotonic()
    asked = failed = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="probe") as pool:
        while time.monotonic() - started < BUDGET_S:
            at = now or clock.now()
            taken = claims.take(at, BATCH)
            if not taken:
                break
            for some in _answered(pool, taken, at):
                _keep(some, at, at + LEASE)
                asked, failed = asked + len(some), failed + sum(bool(item.failure) for item in some)
    return f"Asked {asked} probes, {failed} of them could not be asked."


def _answered(pool: ThreadPoolExecutor, taken: Sequence[Claim], at: datetime) -> Iterator[list[Asked]]:
    """Those that are through, a few at a time."""
    running: set[Future[Asked]] = set()
    refused: list[Asked] = []
    for claim in taken:
        try:
            running.add(pool.submit(_ask, claim, asker(claim, at)))
        except AskError as error:
            refused.append(Asked(claim, failure=str(error)))
    if refused:
        yield refused
    while running:
        wait(running, timeout=GATHER_S, return_when=FIRST_COMPLETED)
        time.sleep(0.02 if len(running) > 1 else 0)  # those that end together are written together
        ready = {future for future in running if future.done()}
        running -= ready
        if ready:
            yield [future.result() for future in ready]


def _ask(claim: Claim, ask: Ask) -> Asked:
    """Never raises: what goes wrong is a sentence on the probe."""
    found = Asked(claim)
    ends_at = time.monotonic() + BUDGET_S
    try:
        for part in ask():
            found.parts.append(part)
            if time.monotonic() >= ends_at:
                found.is_behind = True
                break
    except AskError as error:
        found.failure = str(error)
    except Exception as error:
        log.exception("mistake in a probe", probe=str(claim.probe))
        found.failure = f"A mistake of ours ({type(error).__name__}). See the worker's log."
    return found


def _keep(asked: Sequence[Asked], at: datetime, lease: datetime) -> None:
    """Part by part, for a later part of a probe goes on from the series of the one before."""
    kept = Kept()
    for place in range(max(len(item.parts) for item in asked)):
        some = [Found(item.claim.probe.pk, item.parts[place].answer) for item in asked if place < len(item.parts)]
        kept += ingest.keep(some, at)
    rollup.follow(kept, at)
    claims.release([item.done for item in asked], at, lease)
