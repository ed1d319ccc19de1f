"""Looks through Prometheus: raw samples of a plain selector, any other expression at each nominal instant."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitoring.availability.slots import Seen
from monitoring.availability.sources import endings
from monitoring.availability.sources.answers import Answer, AskError, Fact, Known, Observation, Sample
from monitoring.availability.sources.conditions import Conditions
from monitoring.availability.states import State
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.promapi import PrometheusApi
from monitoring.telemetry.sources.promql import span

MAX_SERIES = 2_000
NO_TRAFFIC = "There was no traffic."
_STRING = r'"(?:[^"\\]|\\.)*"' + "|" + r"'(?:[^'\\]|\\.)*'|`[^`]*`"
_SELECTOR = re.compile(
    rf"\s*(?:[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{{(?:{_STRING}|[^{{}}\"'`])*\}})?|\{{(?:{_STRING}|[^{{}}\"'`])*\}})\s*"
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FactTerms:
    """A fact: the value of the expression's first series, or its label as a word."""

    key: str
    expr: str
    label: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class PromqlTerms:
    """`traffic`: an expression that is 0 or absent while nothing was asked of the component."""

    expr: str
    conditions: Conditions
    traffic: str = ""
    facts: tuple[FactTerms, ...] = field(default=())

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "PromqlTerms":
        return cls(str(spec["expr"]), Conditions.of(spec), str(spec.get("traffic", "")), facts_of(spec))

    @property
    def is_plain(self) -> bool:
        """Whether it is a selector, whose samples can be read as they are, gaps included."""
        return _SELECTOR.fullmatch(self.expr) is not None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for: samples of [from, until] on the grid of `interval_us`; `is_now`: it reaches to now."""

    from_us: int
    until_us: int
    interval_us: int
    known: Sequence[Known] = ()
    is_now: bool = True


def facts_of(spec: Mapping[str, Any]) -> tuple[FactTerms, ...]:
    """The facts of a spec: {KEY: EXPRESSION} or {KEY: {expr, label, unit}}."""
    found = []
    for key, value in (spec.get("facts") or {}).items():
        given = {"expr": value} if isinstance(value, str) else value
        found.append(FactTerms(key, str(given["expr"]), str(given.get("label", "")), str(given.get("unit", ""))))
    return tuple(found)


def ask(api: PrometheusApi, terms: PromqlTerms, wanted: Stretch) -> Answer:
    """The states of every series of the expression; raises AskError where Prometheus gives no whole answer."""
    expression = terms.expr if terms.is_plain else f"({terms.expr})"
    rows = _range(api, expression, wanted, raw=terms.is_plain)
    if len(rows) > MAX_SERIES:
        raise AskError(f"The expression gives {len(rows):,} series, more than {MAX_SERIES:,}. Let it aggregate them.")
    before = replace(wanted, from_us=wanted.from_us - wanted.interval_us)
    traffic = _range(api, f"({terms.traffic})", before, raw=False) if terms.traffic else None
    found = tuple(_observation(row, wanted, terms.conditions, traffic) for row in rows)
    ended = endings.ended(api, terms.expr, rows, wanted.known, wanted.until_us) if _can_end(terms, wanted) else ()
    facts = tuple(_facts(api, terms.facts, wanted.until_us)) if wanted.is_now else ()
    seen = tuple(item for item in found if item.samples)
    detail = f"{len(seen)} series." if seen else "The expression gives nothing."
    return Answer(seen, facts, ended, detail)


def rows_at(api: PrometheusApi, expression: str, at_us: int) -> list[Any]:
    """The rows of an instant query; raises AskError."""
    try:
        answer = api.query(expression, at_us)
    except SourceError as error:
        raise AskError(str(error)) from error
    if answer.partial:
        raise AskError(f"The answer is not whole: {answer.partial}.")
    if answer.kind == "scalar":
        return [{"metric": {}, "value": answer.rows}]
    return answer.rows


def _range(api: PrometheusApi, expression: str, wanted: Stretch, *, raw: bool) -> list[Row]:
    """A subquery gives instants that are multiples of its step; the width makes either reading of ranges whole."""
    width_us = wanted.until_us - wanted.from_us
    step = "" if raw else f":{wanted.interval_us // 1000}ms]"
    query = f"{expression}{span(width_us)}"
    return rows_at(api, query if raw else query.removesuffix("]") + step, wanted.until_us)


def _can_end(terms: PromqlTerms, wanted: Stretch) -> bool:
    return terms.is_plain and wanted.is_now


def _observation(row: Row, wanted: Stretch, conditions: Conditions, traffic: Sequence[Row] | None) -> Observation:
    labels = {name: value for name, value in row["metric"].items() if name != "__name__"}
    is_idle = _idleness(labels, wanted, traffic)
    samples = []
    for at, text in row.get("values", ()):
        at_us = round(at * 1000) * 1000
        seen = conditions.judge(float(text)) if wanted.from_us <= at_us <= wanted.until_us else None
        if seen is not None:
            samples.append(Sample(at_us, Seen(State.IDLE, NO_TRAFFIC) if is_idle(at_us) else seen))
    return Observation(labels, tuple(samples))


def _idleness(labels: Mapping[str, str], wanted: Stretch, traffic: Sequence[Row] | None) -> Callable[[int], bool]:
    """Whether nothing was asked of a series at an instant; its traffic has the same values of the labels they share."""
    if traffic is None:
        return lambda _: False
    busy: set[int] = set()
    for row in traffic:
        shared = {name: value for name, value in row["metric"].items() if name in labels}
        if all(labels[name] == value for name, value in shared.items()):
            busy |= {_slot(round(at * 1_000_000), wanted) for at, text in row.get("values", ()) if float(text) > 0}
    return lambda at_us: _slot(at_us, wanted) not in busy


def _slot(at_us: int, wanted: Stretch) -> int:
    """Traffic is known at multiples of the interval, so a sample has that of the multiple before it."""
    return at_us // wanted.interval_us


def _facts(api: PrometheusApi, wanted: Sequence[FactTerms], at_us: int) -> list[Fact]:
    """What of the facts can be had: one that fails hides none of the others."""
    found = []
    for item in wanted:
        try:
            rows = rows_at(api, item.expr, at_us)
        except AskError:
            continue
        if rows:
            value = float(rows[0]["value"][1]) if "value" in rows[0] else None
            text = str(rows[0]["metric"].get(item.label, "")) if item.label else ""
            found.append(Fact(item.key, value, text, item.unit))
    return found
