"""How long it took until somebody had an alert, and until it was over: all of them, by part, and over time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.learning.asked import SEEN, Asked, Row, rows

WEEKS_FROM = timedelta(days=45)
MEASURES = """
    count(*) AS episodes, count(told_at) AS told, count(had_at) AS acknowledged, count(ended_at) AS ended,
    count(*) FILTER (WHERE had_at IS NOT NULL AND taken_s IS NULL) AS acknowledged_untold,
    count(taken_s) AS taken_n, avg(taken_s) AS taken_mean,
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY taken_s) AS taken_p,
    avg(lasted_s) AS lasted_mean, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY lasted_s) AS lasted_p
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

    What is in neither stands here too: `acknowledged_untold` had somebody before, or without, a delivered message.
    """

    episodes: int
    told: int
    never_told: int
    acknowledged: int
    never_acknowledged: int
    acknowledged_untold: int
    still_open: int
    to_acknowledge: Spread
    to_resolve: Spread


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
    """By day, or by week where the range is long; days without an alert are left out."""
    found = rows(asked, _STEPS, {"step": step_of(asked)}, teams=teams)
    return tuple(Step(row["at"], times_of(row)) for row in found)


def step_of(asked: Asked) -> str:
    return "week" if asked.window.duration > WEEKS_FROM else "day"


def times_of(row: Row) -> Times:
    """From a row of MEASURES."""
    taken, lasted = row["taken_p"] or (None, None), row["lasted_p"] or (None, None)
    return Times(
        episodes=row["episodes"],
        told=row["told"],
        never_told=row["episodes"] - row["told"],
        acknowledged=row["acknowledged"],
        never_acknowledged=row["episodes"] - row["acknowledged"],
        acknowledged_untold=row["acknowledged_untold"],
        still_open=row["episodes"] - row["ended"],
        to_acknowledge=Spread(row["taken_n"], taken[0], row["taken_mean"], taken[1]),
        to_resolve=Spread(row["ended"], lasted[0], row["lasted_mean"], lasted[1]),
    )


def _whole(found: list[Row]) -> Times:
    return next(times_of(row) for row in found if row["no_severity"] and row["no_team"])
