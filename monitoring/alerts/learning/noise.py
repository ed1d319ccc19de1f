"""The noisiest rules, and the alerts on which nobody acted."""

from dataclasses import dataclass
from datetime import datetime

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.learning.asked import ACTED, IS_ACT, SEEN, TOLD, Asked, rows
from monitoring.alerts.learning.times import MEASURES, Times, times_of

MOST_RULES = 5000
# Of each rule: delivered messages, persons paged, and how often its alerts began to flap.
BESIDE = """, sent AS (
    SELECT s.name, s.team_id, count(DISTINCT o.message_id) AS messages
    FROM told o JOIN seen s ON s.id = o.episode_id GROUP BY 1, 2
), paged AS (
    SELECT s.name, s.team_id, count(DISTINCT p.id) AS pages
    FROM seen s JOIN alerts_runepisode m ON m.episode_id = s.id JOIN alerts_page p ON p.run_id = m.run_id
    WHERE p.told_at IS NOT NULL GROUP BY 1, 2
), flapped AS (
    SELECT a.name, a.team_id, count(*) AS times FROM alerts_event v JOIN alerts_alert a ON a.id = v.alert_id
    WHERE v.kind = 'flapping' AND v.at >= %(start)s AND v.at < %(end)s
        AND (%(severity)s = '' OR a.severity = %(severity)s) GROUP BY 1, 2
)"""
_RULES = (
    SEEN,
    ACTED,
    TOLD,
    BESIDE,
    """, counted AS (
    SELECT name, team_id, sum(count(*)) OVER ()::bigint AS of_all, count(*) OVER () AS all_rules,
        sum(count(*) FILTER (WHERE NOT is_acted AND ended_at IS NOT NULL)) OVER ()::bigint AS all_unattended,
        count(*) FILTER (WHERE NOT is_acted AND ended_at IS NOT NULL) AS unattended,
    """,
    MEASURES,
    """ FROM acted GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT %(most)s
)
SELECT c.*, t.slug, coalesce(n.messages, 0) AS messages, coalesce(p.pages, 0) AS pages, coalesce(f.times, 0) AS flapping
FROM counted c LEFT JOIN fleet_team t ON t.id = c.team_id
LEFT JOIN sent n ON n.name = c.name AND n.team_id IS NOT DISTINCT FROM c.team_id
LEFT JOIN paged p ON p.name = c.name AND p.team_id IS NOT DISTINCT FROM c.team_id
LEFT JOIN flapped f ON f.name = c.name AND f.team_id IS NOT DISTINCT FROM c.team_id
ORDER BY c.episodes DESC, c.name, t.slug""",
)
_UNATTENDED = f""" SELECT s.id, s.alert_id, s.name, s.severity, t.slug AS team, s.opened_at, s.ended_at, s.lasted_s,
        s.told_at
    FROM seen s LEFT JOIN fleet_team t ON t.id = s.team_id
    WHERE s.had_at IS NULL AND s.assigned_to_id IS NULL AND s.ended_at IS NOT NULL AND s.ended_by <> 'person'
        AND NOT EXISTS (SELECT FROM alerts_event v WHERE v.episode_id = s.id AND {IS_ACT})"""  # noqa: S608 our own text
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
