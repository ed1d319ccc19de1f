"""Counts events in a Prometheus: many stretches of time by one query, each at an instant of its own."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import Counted
from monitoring.availability.slo.errors import SloError
from monitoring.availability.slo.expressions import Expression
from monitoring.telemetry.sources.promapi import Answer, PrometheusApi

MOST_ASKS = 24
MOST_CHARACTERS = 60_000
"""Of one query, roughly."""
LOOKS = 360
"""Coverage is looked at at so many instants of a window."""
FRESH = 2.5
"""Scrape intervals for which a sample stands for its series."""
FINEST = 10**6
PART = "part"
SECOND_US = 1_000_000
Rows = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class EventTerms:
    """`expr` gives the bad events, or the good ones; `scrape_s`: how often there is a sample."""

    expr: Expression
    total: Expression
    counts_bad: bool
    scrape_s: float


def count(api: PrometheusApi, terms: EventTerms, asks: Sequence[Ask]) -> Answers:
    """Every ask with what was counted; raises SourceError and SloError where there is no whole answer."""
    size = len(terms.expr.text) + 2 * len(terms.total.text) + 400
    found: dict[Ask, Counted] = {}
    for some in _batched(asks, max(1, min(MOST_ASKS, MOST_CHARACTERS // size))):
        query = " or ".join(part for place, ask in enumerate(some) for part in _parts(place, ask, terms))
        rows = _rows(api.query(query, max(ask.until for ask in some) * SECOND_US)) if query else {}
        found |= {ask: _counted(place, ask, rows, terms) for place, ask in enumerate(some)}
    return found


def _parts(place: int, ask: Ask, terms: EventTerms) -> Iterator[str]:
    if ask.counts_s:
        yield _named(f"{place} some", terms.expr.over(ask.counts_s, ask.until))
        yield _named(f"{place} all", terms.total.over(ask.counts_s, ask.until))
    if ask.coverage_s:
        step = max(math.ceil(terms.scrape_s), math.ceil(ask.coverage_s / LOOKS))
        fresh = math.ceil(FRESH * terms.scrape_s)
        looks = f"[{ask.coverage_s}s:{step}s] @ {ask.until}"
        seen = f"group(present_over_time({terms.total.selector}[{fresh}s]))"
        yield _named(f"{place} seen", f"count_over_time({seen}{looks})")
        yield _named(f"{place} looks", f"count_over_time(vector(1){looks})")


def _named(name: str, expression: str) -> str:
    return f'label_replace({expression}, "{PART}", "{name}", "", "")'


def _rows(answer: Answer) -> Rows:
    if answer.partial:
        raise SloError(f"The answer is not whole: {answer.partial}.")
    found = {}
    for row in answer.rows:
        value = _number(row)
        if value is not None:
            found[str(row["metric"].get(PART, ""))] = value
    return found


def _number(row: Mapping[str, Any]) -> Fraction | None:
    """To a millionth; None for what is no number, as 0 / 0 is."""
    if "value" not in row:
        raise SloError("The expression gives histograms. Count them, as histogram_count() does.")
    value = float(row["value"][1])
    return Fraction(round(value * FINEST), FINEST) if math.isfinite(value) else None


def _counted(place: int, ask: Ask, rows: Rows, terms: EventTerms) -> Counted:
    total = max(rows.get(f"{place} all", Fraction(0)), Fraction(0))
    some = min(max(rows.get(f"{place} some", Fraction(0)), Fraction(0)), total)
    looks = rows.get(f"{place} looks", Fraction(0))
    seen = min(rows.get(f"{place} seen", Fraction(0)) / looks, Fraction(1)) if looks else Fraction(0)
    bad = some if terms.counts_bad else total - some
    return Counted(bad, total, seen * ask.coverage_s, Fraction(ask.coverage_s))


def _batched(asks: Sequence[Ask], size: int) -> Iterator[Sequence[Ask]]:
    for start in range(0, len(asks), size):
        yield asks[start : start + size]
