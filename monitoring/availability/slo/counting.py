"""Makes an objective's row into a call that counts, with secrets read and connections open: the call knows no ORM."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from fleetledger.fleet.models import Source, SourceKind
from monitoring.availability.models import Slo
from monitoring.availability.slo import component_time, expressions, promql
from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import Guard, Terms, Unit
from monitoring.availability.slo.errors import SloError
from monitoring.availability.slo.promql import EventTerms
from monitoring.availability.tree import Tree
from monitoring.telemetry.opening import open_api, scrape_interval
from monitoring.telemetry.sources.errors import SourceError

READ_SECONDS = 20.0
TRIES = 1
Count = Callable[[], Answers]


def terms(slo: Slo) -> Terms:
    guard = Guard(slo.min_events, slo.min_errors)
    return Terms(Decimal(slo.objective), slo.period_days, guard, Unit(slo.kind))


def of_events(slo: Slo, asks: Sequence[Ask]) -> Count:
    """The call; raises SloError here where it cannot be asked at all, and then SourceError or SloError."""
    source = _prometheus(slo.source)
    wanted = EventTerms(
        expressions.parse(slo.expr),
        expressions.parse(slo.total),
        slo.counts_bad,
        slo.scrape_interval_s or scrape_interval(source).total_seconds(),
    )
    try:
        api = open_api(source, read_seconds=READ_SECONDS, tries=TRIES)
    except SourceError as error:
        raise SloError(str(error)) from error

    def count() -> Answers:
        try:
            return promql.count(api, wanted, asks)
        finally:
            api.close()

    return count


def of_time(slo: Slo, asks: Sequence[Ask], tree: Tree, now: datetime) -> Answers:
    if slo.component_id is None:
        raise SloError("It counts the time of a component and names none. Name one under 'component'.")
    return component_time.count(tree, slo.component_id, asks, now)


def _prometheus(source: Source | None) -> Source:
    if source is None or source.kind != SourceKind.PROMETHEUS:
        raise SloError("It needs a source of kind prometheus. Name one under 'source'.")
    if not source.enabled:
        raise SloError(f"The source '{source.name}' is switched off. Set its 'enabled' to true.")
    return source
