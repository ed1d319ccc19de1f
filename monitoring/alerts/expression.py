"""The course of the expression behind an alert, asked of its source, bounded in points, series and time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import Window, to_us
from monitoring.alerts.models import Alert, Rule, RuleInstance, RuleKind
from monitoring.telemetry.opening import open_api
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.promapi import PrometheusApi

POINTS = 120
SHORTEST_STEP_S = 15
BEFORE = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
MAX_SERIES, MAX_FOUND = 10, 500
READ_SECONDS = 5.0
_COMPARED = re.compile(
    r"(?P<left>.+?)\s*(?:==|!=|>=|<=|>|<)\s*(?P<limit>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", re.DOTALL
)
_SET_WORDS = re.compile(r"\b(and|or|unless)\b", re.IGNORECASE)


class NoGraphError(Exception):
    """Why there is nothing to draw, in one sentence for the reader."""


@dataclass(frozen=True, slots=True)
class Question:
    """An expression and the source to ask. `is_ours`: from our own rules, not from what somebody sent."""

    source: Source
    expr: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Course:
    """Series over time on one grid; `limit` is what the expression compares with, where that can be told."""

    window: Window
    times: tuple[datetime, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    expr: str
    source: str
    limit: float | None


def question_of(alert: Alert, *, teams: TeamScope) -> Question:
    """What to ask whom; raises NoGraphError.

    What a sender named as its expression is asked for those only who see the whole fleet: it may be any expression.
    """
    own = _own_rule(alert)
    if own is not None:
        return own
    expr = _sent_expression(alert.generator_url)
    if not expr:
        raise NoGraphError("Its sender names no expression, so there is nothing to draw.")
    if not teams.fleet:
        raise NoGraphError("The sender's own expression is drawn for those who see the whole fleet.")
    source = _source_at(alert.generator_url) or _source_of_cluster(alert.labels.get("cluster", ""))
    if source is None:
        raise NoGraphError(f"No source of ours is the Prometheus at {_origin(alert.generator_url)}.")
    return Question(source, expr, is_ours=False)


def course(question: Question, alert: Alert, at: datetime, *, teams: TeamScope) -> Course:
    """The values around the alert; raises NoGraphError where the source does not answer or answers too much."""
    window, step_s = _window(alert, at)
    left, limit = _without_limit(question.expr)
    try:
        api = open_api(question.source, read_seconds=READ_SECONDS, tries=1)
        try:
            rows = _asked(api, left, window, step_s)
        finally:
            api.close()
    except SourceError as error:
        raise NoGraphError(str(error)) from error
    times = _grid(window, step_s)
    found = [(row["metric"], _on_grid(row.get("values", ()), times)) for row in rows if "metric" in row]
    fitting = _fitting(found, alert.labels, strictly=not teams.fleet)
    if not fitting:
        raise NoGraphError("The expression has no series of this alert in this time.")
    named = tuple((_name(metric, alert.labels), values) for metric, values in fitting[:MAX_SERIES])
    return Course(window, times, named, left, question.source.name, limit)


def _own_rule(alert: Alert) -> Question | None:
    """Our rule that raised it; once its instance is gone, the rule of the alert's name."""
    instances = RuleInstance.objects.filter(fingerprint=alert.fingerprint, team=alert.team_id)
    found = instances.filter(rule__kind=RuleKind.PROMQL).select_related("rule__source").first()
    named = Rule.objects.filter(team=alert.team_id, name=alert.name, kind=RuleKind.PROMQL).select_related("source")
    rule = found.rule if found else None if alert.generator_url else named.first()
    return None if rule is None or rule.source is None else Question(rule.source, rule.expr, is_ours=True)


def _sent_expression(generator_url: str) -> str:
    """Prometheus links to its own graph: /graph?g0.expr=..."""
    try:
        return parse_qs(urlsplit(generator_url).query).get("g0.expr", [""])[0]
    except ValueError:
        return ""


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return ""


def _source_at(generator_url: str) -> Source | None:
    known = Source.objects.filter(kind=SourceKind.PROMETHEUS, enabled=True)
    wanted = _origin(generator_url)
    return next((source for source in known if _origin(str(source.config.get("url", ""))) == wanted), None)


def _source_of_cluster(cluster: str) -> Source | None:
    """The one Prometheus of the alert's cluster: senders often know themselves under another name."""
    found = list(Source.objects.filter(kind=SourceKind.PROMETHEUS, enabled=True, cluster__name=cluster)[:2])
    return found[0] if len(found) == 1 else None


def _window(alert: Alert, at: datetime) -> tuple[Window, int]:
    end = min(at, alert.ended_at + BEFORE) if alert.ended_at else at
    start = max(min(alert.starts_at, end) - BEFORE, end - LONGEST)
    step_s = max(SHORTEST_STEP_S, -(-int((end - start).total_seconds()) // POINTS))
    last = int(end.timestamp()) // step_s * step_s
    first = -(-int(start.timestamp()) // step_s) * step_s
    return Window(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(max(last, first + step_s), UTC)), step_s


def _without_limit(expr: str) -> tuple[str, float | None]:
    """`x > 5` draws x with a line at 5: the comparison alone would leave out all that was fine."""
    found = _COMPARED.fullmatch(expr.strip())
    if found is None:
        return expr, None
    left = found["left"]
    is_whole = left.count("(") == left.count(")") and not _SET_WORDS.search(left)
    return (left, float(found["limit"])) if is_whole and '"' not in found["limit"] else (expr, None)


def _asked(api: PrometheusApi, expr: str, window: Window, step_s: int) -> list[Any]:
    """A subquery is a range query that the instant interface answers; it is counted first, so that none is huge."""
    end_us = to_us(window.end)
    counted = api.query(f"count(\n{expr}\n)", end_us).rows
    many = float(counted[0]["value"][1]) if counted and isinstance(counted[0], dict) else 0.0
    if many > MAX_FOUND:
        raise NoGraphError(f"The expression has {many:,.0f} series, too many to draw. Let it aggregate them.")
    length_s = int(window.duration.total_seconds())
    return api.query(f"(\n{expr}\n)[{length_s + step_s}s:{step_s}s]", end_us).rows


def _grid(window: Window, step_s: int) -> tuple[datetime, ...]:
    count = int(window.duration.total_seconds()) // step_s
    return tuple(window.start + timedelta(seconds=place * step_s) for place in range(count + 1))


def _on_grid(values: Sequence[Sequence[Any]], times: Sequence[datetime]) -> tuple[float | None, ...]:
    by_second = {int(at): _number(text) for at, text in values}
    return tuple(by_second.get(int(time.timestamp())) for time in times)


def _number(text: Any) -> float | None:
    value = float(text)
    return value if abs(value) < float("inf") else None  # NaN compares false too


def _fitting(
    found: Sequence[tuple[Mapping[str, str], tuple[float | None, ...]]], labels: Mapping[str, str], *, strictly: bool
) -> list[tuple[Mapping[str, str], tuple[float | None, ...]]]:
    """The alert's own series: those whose labels it has. Where none is, those that contradict none of its labels."""
    own = [one for one in found if all(labels.get(name) == value for name, value in _told(one[0]))]
    if own or strictly:
        return own
    return [one for one in found if all(labels.get(name, value) == value for name, value in _told(one[0]))]


def _told(metric: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in metric.items() if name != "__name__"]


def _name(metric: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """What tells a series from the alert's other ones, else the metric's name."""
    apart = [f"{name}={value}" for name, value in _told(metric) if labels.get(name) != value]
    return ", ".join(apart) or metric.get("__name__", "value")
