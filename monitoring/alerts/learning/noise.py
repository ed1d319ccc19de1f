"""The noisiest rules, and the alerts on which nobody acted."""

from dataclasses import dataclass
from datetime import datetime

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.learning.asked import ACTED, IS_ACT, SEEN, TELLING, TOLD, Asked, rows
from monitoring.alerts.learning.times import MEASURES, Times, times_of

MOST_RULES = 5000
# Of each rule: delivered messages, persons paged, and how often its alerts began to flap.
BESIDE = f""", sent AS (
    SELECT rule, count(*) AS messages FROM (
        SELECT DISTINCT s.rule, o.message_id FROM acted s JOIN {TOLD} o ON o.episode_id = s.id) once GROUP BY 1
), paged AS (
    SELECT s.rule, count(DISTINCT p.id) AS pages
    FROM acted s JOIN alerts_runepisode m ON m.episode_id = s.id JOIN alerts_page p ON p.run_id = m.run_id
    WHERE p.told_at IS NOT NULL GROUP BY 1
), flapped AS (
    SELECT r.rule, count(*) AS times FROM alerts_event v JOIN ruled r USING (alert_id)
    WHERE v.kind = 'flapping' AND {TELLING} AND v.at >= %(start)s AND v.at < %(end)s GROUP BY 1
)"""  # noqa: S608 our own text
_RULES = (
    SEEN,
    ACTED,
    BESIDE,
    """, counted AS (
    SELECT rule, sum(count(*)) OVER ()::bigint AS of_all, count(*) OVER () AS all_rules,
        sum(count(*) FILTER (WHERE NOT is_acted AND ended_at IS NOT NULL)) OVER ()::bigint AS all_unattended,
        count(*) FILTER (WHERE NOT is_acted AND ended_at IS NOT NULL) AS unattended,
    """,
    MEASURES,
    """ FROM acted GROUP BY 1
)
SELECT c.*, a.name, t.slug, coalesce(n.messages, 0) AS messages, coalesce(p.pages, 0) AS pages,
    coalesce(f.times, 0) AS flapping
FROM counted c JOIN alerts_alert a ON a.id = c.rule LEFT JOIN fleet_team t ON t.id = a.team_id
LEFT JOIN sent n USING (rule) LEFT JOIN paged p USING (rule) LEFT JOIN flapped f USING (rule)
ORDER BY c.episodes DESC, a.name, t.slug LIMIT %(most)s""",
)
_UNATTENDED = f""" SELECT s.id, s.alert_id, s.name, s.severity, t.slug AS team, s.opened_at, s.ended_at,
        extract(epoch FROM s.ended_at - e.started_at)::float8 AS lasted_s, s.told_at
    FROM seen s JOIN alerts_episode e ON e.id = s.id LEFT JOIN fleet_team t ON t.id = s.team_id
    WHERE s.had_at IS NULL AND s.assigned_to_id IS NULL AND s.ended_at IS NOT NULL AND s.ended_by <> 'person'
        AND NOT EXISTS (SELECT FROM alerts_event v WHERE v.episode_id = s.id AND {TELLING} AND {IS_ACT})"""  # noqa: S608 our own text
_NEWEST_FIRST = " AND (%(edge)s::bigint IS NULL OR s.id < %(edge)s) ORDER BY s.id DESC LIMIT %(most)s"
_BACKWARDS = " AND s.id > %(edge)s ORDER BY s.id LIMIT %(most)s"


@dataclass(frozen=True, slots=True)
class RuleNoise:
    """What one rule's name brought to one team. Shares are of 1.

    `messages`: delivered ones to receivers that told of it; `pages`: of persons who were reached. `unattended`: ended
    by themselves before anybody acknowledged, was assigned, commented, or silenced. `flapping`: how often one of its
    alerts began to flap.
    """

    name: str
    team: str | None
    episodes: int
    share: float
    messages: int
    pages: int
    acknowledged_share: float
    unattended: int
    unattended_share: float
    flapping: int
    times: Times


@dataclass(frozen=True, slots=True)
class Noise:
    """The noisiest `rules` of `all_rules`; `unattended` counts those of all."""

    rules: tuple[RuleNoise, ...]
    all_rules: int
    unattended: int


@dataclass(frozen=True, slots=True)
class Unattended:
    """One time that an alert fired and ended by itself, and nobody did anything about it.

    `told_at`: when somebody was told of it, None where nobody was.
    """

    id: int
    alert_id: int
    name: str
    severity: str
    team: str | None
    opened_at: datetime
    ended_at: datetime
    lasted_s: float
    told_at: datetime | None


def noisiest(asked: Asked, *, teams: TeamScope, most: int = MOST_RULES) -> Noise:
    """By rule and team, the most episodes first."""
    found = rows(asked, _RULES, {"most": most}, teams=teams)
    counted = tuple(
        RuleNoise(
            name=row["name"],
            team=row["slug"],
            episodes=row["episodes"],
            share=row["episodes"] / row["of_all"],
            messages=row["messages"],
            pages=row["pages"],
            acknowledged_share=row["acknowledged"] / row["episodes"],
            unattended=row["unattended"],
            unattended_share=row["unattended"] / row["episodes"],
            flapping=row["flapping"],
            times=times_of(row),
        )
        for row in found
    )
    return Noise(counted, found[0]["all_rules"], found[0]["all_unattended"]) if found else Noise((), 0, 0)


def unattended(asked: Asked, cut: Cut, number: int | None, *, teams: TeamScope) -> list[Unattended]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    parts = (SEEN, _UNATTENDED, _BACKWARDS if cut.backwards and number is not None else _NEWEST_FIRST)
    values = {"edge": number, "most": cut.limit + 1}
    return [Unattended(**row) for row in rows(asked, parts, values, teams=teams)]
