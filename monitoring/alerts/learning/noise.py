"""The noisiest rules, and the alerts on which nobody acted."""

from dataclasses import dataclass
from datetime import datetime

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.learning.asked import ACTED, SEEN, TOLD, Asked, rows
from monitoring.alerts.learning.times import MEASURES, Times, times_of

RULES_SHOWN = 500
_RULES = (
    SEEN,
    ACTED,
    TOLD,
    """, sent AS (
    SELECT s.name, s.team_id, count(DISTINCT o.message_id) AS messages
    FROM told o JOIN seen s ON s.id = o.episode_id GROUP BY 1, 2
), paged AS (
    SELECT s.name, s.team_id, count(DISTINCT p.id) AS pages
    FROM seen s JOIN alerts_runepisode m ON m.episode_id = s.id JOIN alerts_page p ON p.run_id = m.run_id
    GROUP BY 1, 2
), counted AS (
    SELECT name, team_id, sum(count(*)) OVER () AS of_all,
        count(*) FILTER (WHERE NOT is_acted AND ended_at IS NOT NULL) AS unattended,
    """,
    MEASURES,
    """ FROM acted GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT %(most)s
)
SELECT c.*, t.slug, coalesce(n.messages, 0) AS messages, coalesce(p.pages, 0) AS pages
FROM counted c LEFT JOIN fleet_team t ON t.id = c.team_id
LEFT JOIN sent n ON n.name = c.name AND n.team_id IS NOT DISTINCT FROM c.team_id
LEFT JOIN paged p ON p.name = c.name AND p.team_id IS NOT DISTINCT FROM c.team_id
ORDER BY c.episodes DESC, c.name, t.slug""",
)
_UNATTENDED = """ SELECT s.id, s.alert_id, s.name, s.severity, t.slug AS team, s.opened_at, s.ended_at, s.lasted_s
    FROM seen s LEFT JOIN fleet_team t ON t.id = s.team_id
    WHERE s.had_at IS NULL AND s.assigned_to_id IS NULL AND s.ended_at IS NOT NULL AND s.ended_by <> 'person'
        AND NOT EXISTS (SELECT FROM alerts_event v WHERE v.episode_id = s.id
            AND v.kind IN ('acknowledged', 'assigned', 'commented'))"""
_NEWEST_FIRST = " AND (%(edge)s::bigint IS NULL OR s.id < %(edge)s) ORDER BY s.id DESC LIMIT %(most)s"
_BACKWARDS = " AND s.id > %(edge)s ORDER BY s.id LIMIT %(most)s"


@dataclass(frozen=True, slots=True)
class RuleNoise:
    """What one rule's name brought to one team. Shares are of 1.

    `messages`: delivered ones that told of it; `pages`: of persons by escalations. `unattended`: ended by themselves
    before anybody acknowledged, was assigned, or commented.
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
    times: Times


@dataclass(frozen=True, slots=True)
class Unattended:
    """One time that an alert fired and ended by itself, and nobody did anything about it."""

    id: int
    alert_id: int
    name: str
    severity: str
    team: str | None
    opened_at: datetime
    ended_at: datetime
    lasted_s: float


def noisiest(asked: Asked, *, teams: TeamScope, most: int = RULES_SHOWN) -> tuple[RuleNoise, ...]:
    """By rule and team, the most episodes first; at most RULES_SHOWN."""
    found = rows(asked, _RULES, {"most": most}, teams=teams)
    return tuple(
        RuleNoise(
            name=row["name"],
            team=row["slug"],
            episodes=row["episodes"],
            share=row["episodes"] / int(row["of_all"]),
            messages=row["messages"],
            pages=row["pages"],
            acknowledged_share=row["acknowledged"] / row["episodes"],
            unattended=row["unattended"],
            unattended_share=row["unattended"] / row["episodes"],
            times=times_of(row),
        )
        for row in found
    )


def unattended(asked: Asked, cut: Cut, number: int | None, *, teams: TeamScope) -> list[Unattended]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    parts = (SEEN, _UNATTENDED, _BACKWARDS if cut.backwards and number is not None else _NEWEST_FIRST)
    values = {"edge": number, "most": cut.limit + 1}
    return [Unattended(**row) for row in rows(asked, parts, values, teams=teams)]
