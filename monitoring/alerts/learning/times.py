"""How long it took until somebody had an alert, and until it was over: all of them, by part, and over time."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import DAY, floor
from monitoring.alerts.learning.asked import SEEN, Asked, Row, rows

WEEKS_FROM = timedelta(days=45)
MEASURES = """
    count(*) AS episodes, count(told_at) AS told, count(had_at) AS acknowledged,
    count(*) FILTER (WHERE had_at IS NOT NULL AND taken_s IS NULL) AS acknowledged_untold,
    count(*) FILTER (WHERE had_at IS NULL AND told_at IS NOT NULL AND ended_at IS NOT NULL) AS ended_unacknowledged,
    count(*) FILTER (WHERE had_at IS NULL AND told_at IS NOT NULL AND ended_at IS NULL) AS open_unacknowledged,
    count(*) FILTER (WHERE had_at IS NULL AND is_unheard_of) AS withheld,
    count(*) FILTER (WHERE had_at IS NULL AND told_at IS NULL AND NOT is_withheld) AS never_told,
    count(*) FILTER (WHERE ended_at IS NULL) AS still_open,
    count(*) FILTER (WHERE ended_at IS NOT NULL AND is_unheard_of) AS ended_withheld,
    count(*) FILTER (WHERE ended_at < opened_at AND NOT is_unheard_of) AS ended_before_heard,
    count(taken_s) AS taken_n, avg(taken_s) AS taken_mean,
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY taken_s) AS taken_p,
    count(resolved_s) AS resolved_n, avg(resolved_s) AS resolved_mean,
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY resolved_s) AS resolved_p
"""
_PARTS = (
    SEEN,
    " SELECT grouping(s.severity) AS no_severity, grouping(t.slug) AS no_team, s.severity, t.slug,",
    MEASURES,
    """FROM seen s LEFT JOIN fleet_team t ON t.id = s.team_id
    GROUP BY GROUPING SETS ((), (s.severity), (t.slug)) ORDER BY count(*) DESC, s.severity, t.slug""",
)
_STEPS = (
    SEEN,
    " SELECT date_trunc(%(step)s, opened_at, 'UTC') AS at,",
    MEASURES,
    "FROM seen GROUP BY 1 ORDER BY 1",
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `measured` durations, in seconds. None where there is nothing to measure, never 0."""

    measured: int
    median_s: float | None
    mean_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """`to_acknowledge`: from the first delivered message to the first acknowledgement; `to_resolve`: to the end.

    What is not measured stands here too, and with the measured ones makes up all episodes. Of acknowledging:
    `acknowledged_untold` (before, or without, a delivered message), `ended_unacknowledged` and `open_unacknowledged`
    (somebody was told), `withheld` and `never_told` (nobody was, and nobody acknowledged). Of resolving: `still_open`,
    `ended_withheld` (nobody was told), and `ended_before_heard` (over before we heard of it).
    """

    episodes: int
    told: int
    acknowledged: int
    acknowledged_untold: int
    ended_unacknowledged: int
    open_unacknowledged: int
    withheld: int
    never_told: int
    still_open: int
    ended_withheld: int
    ended_before_heard: int
    to_acknowledge: Spread
    to_resolve: Spread


COUNTS = tuple(item.name for item in fields(Times) if item.type is int)
NOTHING = Times(
    **dict.fromkeys(COUNTS, 0), to_acknowledge=Spread(0, None, None, None), to_resolve=Spread(0, None, None, None)
)


@dataclass(frozen=True, slots=True)
class Part:
    """Those of one severity, or of one team ("platform" has none)."""

    name: str
    times: Times


@dataclass(frozen=True, slots=True)
class Step:
    """Those of which we heard in the day or week that begins at `at`."""

    at: datetime
    times: Times


@dataclass(frozen=True, slots=True)
class Summary:
    """`before`: of the range of the same length just before."""

    now: Times
    before: Times
    severities: tuple[Part, ...]
    teams: tuple[Part, ...]


def summary(asked: Asked, *, teams: TeamScope) -> Summary:
    found = rows(asked, _PARTS, teams=teams)
    return Summary(
        now=_whole(found),
        before=_whole(rows(asked.before, _PARTS, teams=teams)),
        severities=tuple(Part(row["severity"], times_of(row)) for row in found if not row["no_severity"]),
        teams=tuple(Part(row["slug"] or "platform", times_of(row)) for row in found if not row["no_team"]),
    )


def over_time(asked: Asked, *, teams: TeamScope) -> tuple[Step, ...]:
    """Every day, or every week where the range is long; one in which nothing fired has no episodes."""
    found = {row["at"]: times_of(row) for row in rows(asked, _STEPS, {"step": step_of(asked)}, teams=teams)}
    return tuple(Step(at, found.get(at, NOTHING)) for at in _steps(asked))


def step_of(asked: Asked) -> str:
    return "week" if asked.window.duration > WEEKS_FROM else "day"


def times_of(row: Row) -> Times:
    """From a row of MEASURES."""
    return Times(
        **{name: row[name] for name in COUNTS},
        to_acknowledge=_spread(row, "taken"),
        to_resolve=_spread(row, "resolved"),
    )


def _spread(row: Row, name: str) -> Spread:
    median_s, p90_s = row[f"{name}_p"] or (None, None)
    return Spread(row[f"{name}_n"], median_s, row[f"{name}_mean"], p90_s)


def _steps(asked: Asked) -> Iterator[datetime]:
    """Days in UTC, or its weeks from Monday."""
    at = floor(asked.window.start, DAY)
    length = DAY
    if step_of(asked) == "week":
        at, length = at - timedelta(days=at.weekday()), timedelta(weeks=1)
    while at < asked.window.end:
        yield at
        at += length


def _whole(found: list[Row]) -> Times:
    return next(times_of(row) for row in found if row["no_severity"] and row["no_team"])
