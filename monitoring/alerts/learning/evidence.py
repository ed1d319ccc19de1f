"""What is known of each rule's past: how long its alerts lasted, what was told of them, and whether anybody acted."""

from collections import defaultdict
from dataclasses import dataclass

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.learning import zones
from monitoring.alerts.learning.asked import ACTED, SEEN, TOLD, Asked, Row, rows
from monitoring.alerts.learning.load import IS_NIGHT, clocks

HOLDS_S = (60, 120, 300, 600, 900, 1800, 3600)  # by how much `for` or `keep_firing_for` might be longer


def _within(field: str) -> str:
    """How many rows have `field`, a place among HOLDS_S, at most at each of them."""
    counts = (f"count(*) FILTER (WHERE {field} <= {place})" for place in range(len(HOLDS_S)))
    return f"ARRAY[{', '.join(counts)}]"


# `place` and `back` say below which of HOLDS_S an alert's length lies, and the pause since it last ended.
_PLACED = f""", paused AS (
    SELECT *, extract(epoch FROM started_at - lag(ended_at) OVER (PARTITION BY alert_id ORDER BY number))::float8
        AS pause_s FROM acted
), placed AS (
    SELECT *, width_bucket(coalesce(lasted_s, 'infinity'), edges) AS place,
        width_bucket(coalesce(pause_s, 'infinity'), edges) AS back
    FROM paused CROSS JOIN (SELECT ARRAY{list(HOLDS_S)}::float8[] AS edges) e
)"""  # noqa: S608 our own text
_PASTS = (
    SEEN,
    ACTED,
    _PLACED,
    f""", flapped AS (
    SELECT a.name, a.team_id, count(*) AS times FROM alerts_event v JOIN alerts_alert a ON a.id = v.alert_id
    WHERE v.kind = 'flapping' AND v.at >= %(start)s AND v.at < %(end)s GROUP BY 1, 2
), counted AS (
    SELECT name, team_id, count(*) AS episodes, count(*) FILTER (WHERE is_acted) AS acted,
        count(*) FILTER (WHERE is_withheld) AS withheld, count(*) FILTER (WHERE ended_at IS NULL) AS still_open,
        {_within("place")} AS over_within, {_within("CASE WHEN is_acted THEN place END")} AS acted_within,
        {_within("back")} AS back_within
    FROM placed GROUP BY 1, 2
)
SELECT c.*, t.slug AS team, coalesce(f.times, 0) AS flapping FROM counted c
LEFT JOIN fleet_team t ON t.id = c.team_id
LEFT JOIN flapped f ON f.name = c.name AND f.team_id IS NOT DISTINCT FROM c.team_id""",  # noqa: S608 our own text
)
# Only what told of one rule alone would not have been sent without it; and only if all of its alerts are spared.
_MESSAGES = (
    SEEN,
    ACTED,
    _PLACED,
    TOLD,
    f""", of_one AS (
    SELECT o.message_id, min(p.name) AS name, min(p.team_id) AS team_id, max(p.place) AS place, max(p.back) AS back
    FROM told o JOIN placed p ON p.id = o.episode_id GROUP BY 1 HAVING min(p.name) = max(p.name)
)
SELECT o.name, t.slug AS team, count(*) AS told, {_within("place")} AS over_within, {_within("back")} AS back_within
FROM of_one o LEFT JOIN fleet_team t ON t.id = o.team_id GROUP BY 1, 2""",  # noqa: S608 our own text
)
_PAGES = (
    SEEN,
    ACTED,
    _PLACED,
    f""", of_one AS (
    SELECT m.run_id, min(p.name) AS name, min(p.team_id) AS team_id, max(p.place) AS place, max(p.back) AS back,
        bool_or(p.is_acted) AS is_acted
    FROM placed p JOIN alerts_runepisode m ON m.episode_id = p.id GROUP BY 1 HAVING min(p.name) = max(p.name)
), paged AS (
    SELECT o.*, extract(hour FROM p.told_at AT TIME ZONE 'UTC' + w.away) AS hour
    FROM of_one o JOIN alerts_page p ON p.run_id = o.run_id
    JOIN {zones.WALLS} ON z.person_id = p.person_id AND p.told_at >= w.from_at AND p.told_at < w.until_at
)
SELECT p.name, t.slug AS team, count(*) AS told, {_within("place")} AS over_within, {_within("back")} AS back_within,
    count(*) FILTER (WHERE {IS_NIGHT}) AS at_night, count(*) FILTER (WHERE is_acted AND {IS_NIGHT}) AS night_acted
FROM paged p LEFT JOIN fleet_team t ON t.id = p.team_id GROUP BY 1, 2""",  # noqa: S608 our own text
)


@dataclass(frozen=True, slots=True)
class RuleId:
    """A rule as its alerts name it, of one tenant; `team` None is the platform's."""

    name: str
    team: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """How often somebody was told of this rule alone, and how often of nothing but alerts that each of HOLDS_S spares.

    `over_within`: by a longer `for`; `back_within`: by a longer `keep_firing_for`.
    """

    told: int = 0
    over_within: tuple[int, ...] = (0,) * len(HOLDS_S)
    back_within: tuple[int, ...] = (0,) * len(HOLDS_S)
    at_night: int = 0
    night_acted: int = 0


@dataclass(frozen=True, slots=True)
class RulePast:
    """`over_within`: alerts that were over within each of HOLDS_S; `acted_within`: those of them on which people acted.

    `back_within`: alerts that fired again so soon after they had ended. `messages`: to receivers; `pages`: of persons.
    """

    rule: RuleId
    episodes: int
    acted: int
    withheld: int
    still_open: int
    flapping: int
    over_within: tuple[int, ...]
    acted_within: tuple[int, ...]
    back_within: tuple[int, ...]
    messages: Told
    pages: Told


def pasts(asked: Asked, *, teams: TeamScope) -> tuple[RulePast, ...]:
    """Of every rule that fired in the range."""
    messages = _told(rows(asked, _MESSAGES, teams=teams))
    pages = _told(rows(asked, _PAGES, clocks(asked, teams), teams=teams))
    return tuple(_past(row, messages, pages) for row in rows(asked, _PASTS, teams=teams))


def rule_of(row: Row) -> RuleId:
    return RuleId(row["name"], row["team"])


def _past(row: Row, messages: dict[RuleId, Told], pages: dict[RuleId, Told]) -> RulePast:
    rule = rule_of(row)
    return RulePast(
        rule=rule,
        episodes=row["episodes"],
        acted=row["acted"],
        withheld=row["withheld"],
        still_open=row["still_open"],
        flapping=row["flapping"],
        over_within=tuple(row["over_within"]),
        acted_within=tuple(row["acted_within"]),
        back_within=tuple(row["back_within"]),
        messages=messages[rule],
        pages=pages[rule],
    )


def _told(found: list[Row]) -> dict[RuleId, Told]:
    told: dict[RuleId, Told] = defaultdict(Told)
    for row in found:
        told[rule_of(row)] = Told(
            row["told"],
            tuple(row["over_within"]),
            tuple(row["back_within"]),
            row.get("at_night", 0),
            row.get("night_acted", 0),
        )
    return told
