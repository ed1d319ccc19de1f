"""Evaluates objectives at an instant: budget, verdicts and alerts. One that cannot be counted changes nothing.

1. Claim a batch that is due. 2. Count, outside of any transaction: events in threads that know no database.
3. For each, in one transaction and only if the claim still holds: write the hours, add them up, judge the pairs and
tell alerting. 4. It is due again at the next instant of its grid, at once while its past is still to be counted.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import structlog
from django.db import InterfaceError, OperationalError, transaction

from fleetledger.lib.buckets import to_us
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError
from monitoring.availability import loading
from monitoring.availability.models import Slo, SloState
from monitoring.availability.slo import alerts, claims, counting, points, verdicts
from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import Pair, Unit
from monitoring.availability.slo.claims import Claim
from monitoring.availability.slo.counting import Count
from monitoring.availability.slo.errors import SloError
from monitoring.availability.slo.points import Hour
from monitoring.availability.slots import SECOND_US
from monitoring.availability.tree import Tree
from monitoring.telemetry.sources.errors import SourceError

BATCH = 32
THREADS = 8
BUDGET_S = 40.0
"""How long one run goes on claiming."""
Down = dict[int, str]
"""Sources that did not answer, with what they said: asked once per run, so that one dead source delays nobody."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What an objective is to be asked for."""

    claim: Claim
    pairs: Sequence[Pair]
    hours: Sequence[Hour]
    is_behind: bool
    asks: Sequence[Ask]


class Trees:
    """The tree of components, read once and only if somebody counts time."""

    @cached_property
    def tree(self) -> Tree:
        return loading.tree()


def evaluate_due(now: datetime | None = None, limit: int = 10_000) -> str:
    """Evaluate what is due. Several at once are harmless."""
    started = time.monotonic()
    known: set[int] = set()
    failed: set[int] = set()
    down: Down = {}
    trees = Trees()
    while len(known) < limit and time.monotonic() - started < BUDGET_S:
        at = now or clock.now()
        batch = claims.take(at, at.replace(microsecond=0), BATCH)
        if not batch:
            break
        kept = list(_evaluated(batch, down, trees))
        known |= {claim.slo.pk for claim in batch}
        failed |= {claim.slo.pk for claim, is_kept in zip(batch, kept, strict=True) if not is_kept}
    count = f"{len(known)} objective" if len(known) == 1 else f"{len(known)} objectives"
    return f"Evaluated {count}, {len(failed)} of which could not be counted."


def at_instant(slo: Slo, at: datetime) -> bool:
    """Evaluate one at an instant of the past or of now, due or not, with all that it has to catch up; False: failed."""
    while True:
        (is_kept,) = _evaluated([claims.take_one(slo, at)], {}, Trees())
        if not is_kept or not SloState.objects.filter(slo=slo, is_behind=True).exists():
            return is_kept


def _evaluated(batch: Sequence[Claim], down: Down, trees: Trees) -> Iterator[bool]:
    work = [_work(claim) for claim in batch]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="slo") as pool:
        running: Mapping[int, Future[Answers] | Exception] = {
            item.claim.slo.pk: _started(item, down, pool) for item in work if item.claim.slo.kind == Unit.EVENTS
        }
        for item in work:
            yield _finish(item, running.get(item.claim.slo.pk), down, trees)


def _work(claim: Claim) -> Work:
    hours, is_behind = points.due(claim.slo, claim.state, claim.at)
    before = None if claim.is_whole else claim.state.evaluated_at
    pairs = verdicts.due(counting.terms(claim.slo), before, claim.at)
    asks = [*verdicts.asks(pairs, _until(claim.at)), *points.asks(hours)]
    return Work(claim, pairs, hours, is_behind, list(dict.fromkeys(asks)))


def _started(work: Work, down: Down, pool: ThreadPoolExecutor) -> "Future[Answers] | Exception":
    slo = work.claim.slo
    try:
        return pool.submit(_unless_down, counting.of_events(slo, work.asks), slo.source_id, down)
    except SloError as error:
        return error


def _unless_down(count: Count, source_id: int | None, down: Down) -> Answers:
    if source_id in down:
        raise SloError(down[source_id])
    return count()


def _finish(work: Work, running: "Future[Answers] | Exception | None", down: Down, trees: Trees) -> bool:
    """Take one in; whatever goes wrong is its own trouble."""
    claim = work.claim
    try:
        _keep(work, _answers(work, running, trees))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out by itself
    except (SloError, SourceError, AlertsError) as error:
        if isinstance(error, SourceError) and error.transient and claim.slo.source_id is not None:
            down[claim.slo.source_id] = str(error)
        log.warning("objective not counted", slo=claim.slo.name, error=str(error))
        claims.fail(claim, str(error))
    except Exception as error:
        log.exception("mistake in an objective", slo=claim.slo.name)
        claims.fail(claim, f"A mistake of ours ({type(error).__name__}). See the worker's log.")
    else:
        return True
    return False


def _answers(work: Work, running: "Future[Answers] | Exception | None", trees: Trees) -> Answers:
    if isinstance(running, Exception):
        raise running
    if running is not None:
        return running.result()
    return counting.of_time(work.claim.slo, work.asks, trees.tree, work.claim.at)


@transaction.atomic
def _keep(work: Work, answers: Answers) -> None:
    claim, slo = work.claim, work.claim.slo
    state = claims.held(claim)
    if state is None:
        return
    terms = counting.terms(slo)
    points.keep(slo, state, work.hours, answers)
    points.add_up(slo, state, claim.at)
    judged = verdicts.judged(work.pairs, answers, _until(claim.at), terms)
    rows = verdicts.keep(slo, judged, terms, claim.at)
    alerts.report(slo, state, rows, terms)
    state.evaluated_at, state.failure, state.lease_until = claim.at, "", None
    state.is_behind = work.is_behind
    if not work.is_behind:
        state.due_at = claims.following(claim)
    state.save()


def _until(at: datetime) -> int:
    return to_us(at) // SECOND_US
