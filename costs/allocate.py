"""Allocates a billing period: every live bill row to teams, idle or a named reason, deterministically and exactly.

A row of a node falls to those who held the node's GPUs while it was charged; any other row falls to the team its tags
name. Rounded once per rounding set (source, period, currency). The run names its inputs by a hash: equal inputs, equal
result; a new run replaces the draft.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from costs import bill_sources, rollup
from costs.allocate_lines import LINES_PER_COPY, Accounts, LineWriter
from costs.allocate_rows import Row, SetRows
from costs.allocate_shares import Bearing, Driver, MatchedNode, Share, at_least_a_moment, hours_of, pool_holders
from costs.allocate_tags import TagBearers, is_machine
from costs.errors import ClosedPeriodError, NothingToAllocateError
from costs.models import (
    AccountKind,
    AllocationLine,
    AllocationRun,
    DeliveryPart,
    DeliveryState,
    LedgerVersion,
    RunState,
)
from fleetledger.fleet.models import IdlePolicy, OwnershipRule, Pool
from fleetledger.fleet.ownership import Resolver
from fleetledger.fleet.pools import PoolResolver
from fleetledger.lib import money
from fleetledger.lib.buckets import DAY, Month
from monitoring.telemetry import reads as telemetry

ENGINE_VERSION = 1
NODES_AT_ONCE = 64
LONGEST_BY_DAY = 62  # days; a charge for longer (a year paid upfront) stands on its first day
UNALLOCATED = "(unallocated"
_LOCK = 4_018

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one rounding set. `is_unchanged`: its inputs were those of the draft, which was left alone."""

    source: str
    period: str
    currency: str
    row_count: int
    line_count: int
    exact: Decimal
    amount: Decimal
    inputs_hash: str
    result_hash: str
    is_unchanged: bool


def allocate(month: Month, *, on_progress: Progress | None = None) -> tuple[Outcome, ...]:
    """Allocate every rounding set of a period in one transaction. Raises NothingToAllocateError, ClosedPeriodError."""
    period = month.start.date()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, month.year * 12 + month.month])
        if AllocationRun.objects.filter(period=period, state=RunState.FINAL).exists():
            raise ClosedPeriodError(str(month))
        sets = _live_sets(period)
        if not sets:
            _drop(AllocationRun.objects.filter(period=period))
            rollup.statements(period)
            known = DeliveryPart.objects.filter(superseded_by=None).values_list("period", flat=True).distinct()
            raise NothingToAllocateError(str(month), {f"{on:%Y-%m}" for on in known})
        _drop(_gone(period, sets))
        outcomes = tuple(_allocate_set(each, on_progress) for each in sets)
        rollup.statements(period)
        if not all(outcome.is_unchanged for outcome in outcomes):
            LedgerVersion.bump()
    return outcomes


def open_periods() -> tuple[Month, ...]:
    """Periods with live rows that are not closed, the oldest first."""
    closed = AllocationRun.objects.filter(state=RunState.FINAL).values("period")
    live = DeliveryPart.objects.filter(superseded_by=None, delivery__state=DeliveryState.IMPORTED)
    return tuple(sorted({Month.of(on) for on in live.exclude(period__in=closed).values_list("period", flat=True)}))


@dataclass(frozen=True, slots=True)
class _Set:
    """A rounding set with the parts of deliveries that make it."""

    source: bill_sources.BillSource
    period: date
    currency: str
    parts: tuple[DeliveryPart, ...]


def _live_sets(period: date) -> list[_Set]:
    live = DeliveryPart.objects.filter(period=period, superseded_by=None, delivery__state=DeliveryState.IMPORTED)
    found: dict[tuple[str, str], list[DeliveryPart]] = {}
    for part in live.select_related("delivery__source").order_by("delivery__sha256"):
        found.setdefault((part.delivery.source.name, part.currency), []).append(part)
    return [
        _Set(bill_sources.checked(parts[0].delivery.source), period, currency, tuple(parts))
        for (_, currency), parts in sorted(found.items())
    ]


def _gone(period: date, sets: list[_Set]) -> list[AllocationRun]:
    kept = {(each.source.id, each.currency) for each in sets}
    return [run for run in AllocationRun.objects.filter(period=period) if (run.source_id, run.currency) not in kept]


def _drop(runs: Iterable[AllocationRun]) -> None:
    """Remove drafts with all that hangs on them."""
    for run in list(runs):
        AllocationRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
        AllocationLine.objects.filter(run_id=run.pk)._raw_delete("default")  # noqa: SLF001 no signals, no objects
        run.delete()


def _allocate_set(each: _Set, on_progress: Progress | None) -> Outcome:
    rows = SetRows(each.parts, each.source.basis)
    nodes = rows.matched_nodes()
    inputs = _inputs(each, nodes)
    inputs_hash = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    former = AllocationRun.objects.filter(source_id=each.source.id, period=each.period, currency=each.currency).first()
    if former is not None:
        if former.inputs_hash == inputs_hash:
            return _outcome(each, former, is_unchanged=True)
        _drop([former])
    run = AllocationRun.objects.create(
        source_id=each.source.id,
        period=each.period,
        currency=each.currency,
        basis=each.source.basis,
        engine_version=ENGINE_VERSION,
        part_ids=[part.pk for part in each.parts],
        inputs=inputs,
        inputs_hash=inputs_hash,
    )
    writer = LineWriter(run, Accounts())
    _divide_all(rows, nodes, writer, Month.of(each.period), on_progress)
    writer.flush()
    _finish(run, writer)
    return _outcome(each, run, is_unchanged=False)


def _divide_all(
    rows: SetRows, nodes: dict[str, MatchedNode], writer: LineWriter, month: Month, on_progress: Progress | None
) -> None:
    pools = PoolResolver.load()
    by_id = {node.id: node for node in nodes.values()}
    holders = _holders(by_id, pools, month)
    segments = sorted(nodes, key=lambda segment: nodes[segment].id)
    for start in range(0, len(segments), NODES_AT_ONCE):
        group = {segment: nodes[segment] for segment in segments[start : start + NODES_AT_ONCE]}
        driver = _driver(rows, group, pools)
        driver.share_idle(holders)
        for row in rows.of_segments(list(group)):
            shares = driver.shares(group[row.segment].id, at_least_a_moment(row.start, row.end))
            writer.divide(row.id, row.name, row.amount, shares)
            writer.flush(at_least=LINES_PER_COPY)
    bearers = TagBearers(Resolver.load())
    for row in rows.of_no_node(segments):
        writer.divide(row.id, row.name, row.amount, list(_tag_shares(row, bearers)))
        writer.flush(at_least=LINES_PER_COPY)
        if on_progress is not None and writer.row_count % LINES_PER_COPY == 0:
            on_progress(writer.row_count, rows.row_count)


def _driver(rows: SetRows, group: dict[str, MatchedNode], pools: PoolResolver) -> Driver:
    driver = Driver(list(group.values()), pools)
    span = rows.span(list(group))
    if span is not None:
        for hour in telemetry.held_hours(hours_of(*span), node_ids=[node.id for node in group.values()]):
            driver.add(hour)
    return driver


def _holders(nodes: dict[int, MatchedNode], pools: PoolResolver, month: Month) -> dict[str, dict[int, int]]:
    if not nodes or not Pool.objects.filter(idle=IdlePolicy.SHARE).exists():
        return {}
    return pool_holders(telemetry.held_hours(month.window, node_ids=list(nodes)), nodes, pools)


def _tag_shares(row: Row, bearers: TagBearers) -> Iterator[Share]:
    """A row without a node falls to its tags' team, day by day where it lasts several days."""
    window = at_least_a_moment(row.start, row.end)
    days = list(window.steps(DAY)) if window.duration <= LONGEST_BY_DAY * DAY else []
    is_instance = is_machine(row.resource_type, row.segment)
    if len(days) <= 1:
        bearer = bearers.bearer(row.tags, is_instance=is_instance, day=row.start.date())
        yield Share(_bearing(bearer.team_id, bearer.reason, row.start.date()), 1, 0)
        return
    for day in days:
        on = day.start.date()
        part = day.cut(window)
        bearer = bearers.bearer(row.tags, is_instance=is_instance, day=on)
        yield Share(_bearing(bearer.team_id, bearer.reason, on), part.duration_us if part else 0, 0)


def _bearing(team_id: int | None, reason: str, day: date) -> Bearing:
    kind = AccountKind.TEAM if team_id else AccountKind.UNALLOCATED
    return Bearing(kind, team_id or 0, reason, day, "", 0)


def _finish(run: AllocationRun, writer: LineWriter) -> None:
    minor = _round_once(writer.exact, writer.keys, run.currency)
    rollup.post(run, writer.exact, minor)
    rollup.cost_days(run)
    run.state = RunState.DRAFT
    run.result_hash = writer.digest
    run.row_count, run.line_count = writer.row_count, writer.line_count
    run.exact = money.total(list(writer.exact.values()))
    run.amount_minor = sum(minor.values())
    run.finished_at = timezone.now()
    run.save()


def _round_once(exact: Mapping[int, Decimal], keys: Mapping[int, str], currency: str) -> dict[int, int]:
    """Minor units per account of a rounding set. What is unallocated counts as one, whose cents its reasons then share:
    telling reasons apart more finely must not move a team's cent.
    """
    lumps: dict[str, dict[int, money.Share]] = {}
    for account, amount in exact.items():
        lump = UNALLOCATED if keys[account].startswith(UNALLOCATED) else keys[account]
        lumps.setdefault(lump, {})[account] = money.Share(amount, keys[account])
    whole = {
        lump: money.Share(money.total([share.exact for share in shares.values()]), lump)
        for lump, shares in lumps.items()
    }
    rounded = money.round_to_minor(whole, currency)
    minor: dict[int, int] = {}
    for lump, shares in lumps.items():
        minor |= money.round_to_minor(shares, currency, rounded[lump])
    return minor


def _inputs(each: _Set, nodes: dict[str, MatchedNode]) -> dict[str, object]:
    """Everything the result depends on, by names that mean the same in any database."""
    rules = OwnershipRule.objects.select_related("team")
    pools = Pool.objects.select_related("owner")
    return {
        "engine": ENGINE_VERSION,
        "basis": str(each.source.basis),
        "deliveries": [part.delivery.sha256 for part in each.parts],
        "rules": [
            [rule.team.slug, str(rule.valid_from or ""), str(rule.valid_until or ""), rule.match] for rule in rules
        ],
        "pools": [
            [pool.name, pool.match, pool.idle, pool.share, pool.owner.slug if pool.owner else ""] for pool in pools
        ],
        "nodes": [[segment, node.cluster, node.name, node.gpus] for segment, node in sorted(nodes.items())],
        "telemetry": telemetry.version() if nodes else 0,
    }


def _outcome(each: _Set, run: AllocationRun, *, is_unchanged: bool) -> Outcome:
    return Outcome(
        source=each.source.name,
        period=f"{each.period:%Y-%m}",
        currency=each.currency,
        row_count=run.row_count,
        line_count=run.line_count,
        exact=run.exact,
        amount=money.from_minor(run.amount_minor, run.currency),
        inputs_hash=run.inputs_hash,
        result_hash=run.result_hash,
        is_unchanged=is_unchanged,
    )
