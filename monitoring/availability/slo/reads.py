"""What pages and programs see of objectives: each as it stands now, with its budget and its pairs of windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import models

from fleetledger.fleet.access import TeamScope
from monitoring.availability.models import Slo, SloState, SloVerdict
from monitoring.availability.slo import sentences
from monitoring.availability.slo.budget import Budget, budget, lasts_s
from monitoring.availability.slo.burn import (
    HOUR_S,
    Counted,
    Guard,
    Outcome,
    Pair,
    Severity,
    Terms,
    Unit,
    pairs,
    rate,
    span_text,
)
from monitoring.availability.slo.counting import terms
from monitoring.availability.slo.stored import counted_of, long_of, month_of, short_of

STALE_AFTER = 2.5
"""Intervals without an evaluation after which nothing is known any more."""
GRACE_S = 30
"""The timetable looks for what is due so often, twice."""


class Health(models.TextChoices):
    """How an objective is, what somebody should look at first in front."""

    BURNING = "burning", "Burning"
    EXHAUSTED = "exhausted", "Budget used up"
    UNKNOWN = "unknown", "Unknown"
    NO_VERDICT = "no_verdict", "No verdict"
    OK = "ok", "OK"


@dataclass(frozen=True, slots=True)
class BurnRow:
    """One pair of windows. A rate of 1 uses up the budget in exactly its period; None: nothing was counted.

    `sentence`: what the pair says. `fires` may go on through a gap, while `outcome` is no verdict.
    """

    severity: Severity
    factor: Fraction
    long_s: int
    short_s: int
    outcome: Outcome | None
    sentence: str
    fires: bool
    fired_at: datetime | None
    long: Counted
    short: Counted
    long_rate: Fraction | None
    short_rate: Fraction | None

    @property
    def name(self) -> str:
        """The long window: 1h, 6h, 1d or 3d."""
        return span_text(self.long_s)


@dataclass(frozen=True, slots=True)
class SloRow:
    """An objective as it is now. `sentence` says why it is in its state.

    `budget` is over the rolling window of `period_days`, `month` over this calendar month in UTC so far; both are of
    the last evaluation at `evaluated_at`. `since_at`: from when on anything was seen. `burn_now`: by the last hour.
    `lasts_s`: for how long what is left lasts at that rate; None: it does not run out. `team` None: the platform's.
    """

    id: int
    name: str
    title: str
    team: str | None
    component: str | None
    component_title: str
    kind: Unit
    objective: Decimal
    period_days: int
    source: str | None
    health: Health
    sentence: str
    budget: Budget
    month: Budget
    burn_now: Fraction | None
    lasts_s: Fraction | None
    burns: tuple[BurnRow, ...]
    evaluated_at: datetime | None
    since_at: datetime | None
    is_behind: bool
    failure: str
    is_alerting: bool

    @property
    def firing(self) -> tuple[BurnRow, ...]:
        return tuple(row for row in self.burns if row.fires)


@dataclass(frozen=True, slots=True)
class Definition:
    """How an objective is counted: `expr` gives the good events, or with `counts_bad` the bad ones."""

    description: str
    expr: str
    counts_bad: bool
    total: str
    guard: Guard
    interval_s: int
    scrape_interval_s: int | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    runbook_url: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objectives a list is of."""

    health: str = ""
    team: str = ""
    component: str = ""
    kind: str = ""


def slos(wanted: Wanted, *, teams: TeamScope, at: datetime) -> tuple[SloRow, ...]:
    """What needs somebody first, then by name."""
    rows = visible(teams).select_related("team", "component", "source", "state").prefetch_related("verdicts")
    found = [_row(row, at) for row in rows]
    order = list(Health)
    return tuple(
        sorted((row for row in found if _fits(row, wanted)), key=lambda row: (order.index(row.health), row.name))
    )


def slo(name: str, *, teams: TeamScope, at: datetime) -> tuple[SloRow, Definition] | None:
    """One, or None where the reader may not see such."""
    rows = visible(teams).select_related("team", "component", "source", "state").prefetch_related("verdicts")
    row = rows.filter(name=name).first()
    return None if row is None else (_row(row, at), _definition(row))


def visible(teams: TeamScope) -> "models.QuerySet[Slo]":
    """The objectives that somebody may see: their teams'; what has no team is for those who see the whole fleet."""
    rows = Slo.objects.filter(removed_at=None)
    return rows if teams.fleet else rows.filter(team_id__in=teams.team_ids)


def _row(row: Slo, at: datetime) -> SloRow:
    promised, state = terms(row), row.state
    whole = budget(counted_of(state), promised.allowed)
    burns = _burns(row, promised)
    burn_now = next((one.long_rate for one in burns if one.long_s == HOUR_S), None)
    health, sentence = _health(row, state, whole, burns, at)
    return SloRow(
        id=row.pk,
        name=row.name,
        title=row.title,
        team=row.team.slug if row.team else None,
        component=row.component.name if row.component else None,
        component_title=row.component.title if row.component else "",
        kind=promised.unit,
        objective=row.objective,
        period_days=row.period_days,
        source=row.source.name if row.source else None,
        health=health,
        sentence=sentence,
        budget=whole,
        month=budget(month_of(state), promised.allowed),
        burn_now=burn_now,
        lasts_s=lasts_s(whole.left, burn_now, promised) if whole.left is not None and burn_now is not None else None,
        burns=burns,
        evaluated_at=state.evaluated_at,
        since_at=state.since_at,
        is_behind=state.is_behind,
        failure=state.failure,
        is_alerting=row.is_alerting,
    )


def _burns(row: Slo, promised: Terms) -> tuple[BurnRow, ...]:
    stored = {verdict.long_s: verdict for verdict in row.verdicts.all()}
    return tuple(_burn(pair, stored.get(pair.long_s), promised) for pair in pairs(row.period_days))


def _burn(pair: Pair, row: SloVerdict | None, promised: Terms) -> BurnRow:
    long, short = (long_of(row), short_of(row)) if row is not None else (Counted(), Counted())
    return BurnRow(
        severity=pair.severity,
        factor=pair.factor,
        long_s=pair.long_s,
        short_s=pair.short_s,
        outcome=Outcome(row.outcome) if row is not None else None,
        sentence=row.why if row is not None else "",
        fires=row is not None and row.fires,
        fired_at=row.fired_at if row is not None else None,
        long=long,
        short=short,
        long_rate=rate(long, promised),
        short_rate=rate(short, promised),
    )


def _health(row: Slo, state: SloState, whole: Budget, burns: Sequence[BurnRow], at: datetime) -> tuple[Health, str]:
    """1. What is not known lately is unknown. 2. Burning. 3. Used up. 4. Nothing to judge. 5. All is well."""
    unknown = _unknown(row, state, at)
    if unknown:
        return Health.UNKNOWN, unknown
    firing = next((one for one in burns if one.fires), None)
    if firing is not None:
        return Health.BURNING, firing.sentence
    if whole.is_exhausted:
        return Health.EXHAUSTED, _used_up(row, whole)
    if whole.left is None:
        return Health.NO_VERDICT, f"No verdict: nothing was counted in {row.period_days} days."
    if not any(one.outcome is not None and one.outcome.is_verdict for one in burns):
        return Health.NO_VERDICT, next((one.sentence for one in burns if one.sentence), "No verdict yet.")
    return Health.OK, _well(state, whole)


def _unknown(row: Slo, state: SloState, at: datetime) -> str:
    if state.failure:
        return state.failure
    if state.evaluated_at is None:
        return "It has not been evaluated yet."
    if at - state.evaluated_at > timedelta(seconds=STALE_AFTER * row.interval_s + GRACE_S):
        return f"It has not been evaluated since {state.evaluated_at:%Y-%m-%d %H:%M:%S}Z."
    return ""


def _used_up(row: Slo, whole: Budget) -> str:
    unit = Unit(row.kind)
    failed, allowed = sentences.amount(whole.counted.bad, unit), sentences.amount(whole.allowed_bad, unit)
    return f"The error budget is used up: {failed} failed in {row.period_days} days, {allowed} may."


def _well(state: SloState, whole: Budget) -> str:
    left = f"{sentences.budget_left(whole.left or Fraction(0))} of the error budget is left."
    if state.is_behind and state.counted_until is not None:
        return f"{left} Its past is still being counted, up to {state.counted_until:%Y-%m-%d %H:%M}Z for now."
    return left


def _definition(row: Slo) -> Definition:
    return Definition(
        description=row.description,
        expr=row.expr,
        counts_bad=row.counts_bad,
        total=row.total,
        guard=Guard(row.min_events, row.min_errors),
        interval_s=row.interval_s,
        scrape_interval_s=row.scrape_interval_s,
        labels=row.labels,
        annotations=row.annotations,
        runbook_url=row.annotations.get("runbook_url") or (row.component.runbook_url if row.component else ""),
    )


def _fits(row: SloRow, wanted: Wanted) -> bool:
    known: dict[str, Any] = {"health": row.health.value, "component": row.component, "kind": row.kind.value}
    fits = all(getattr(wanted, key) in ("", value) for key, value in known.items())
    return fits and wanted.team in ("", row.team or "platform")
