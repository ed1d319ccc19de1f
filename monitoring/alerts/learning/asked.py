"""Runs a report's SQL over the episodes of its range, within the reader's teams."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from monitoring.alerts.tenants import PLATFORM_SLUG

Row = dict[str, Any]
SEEN = """
WITH seen AS (
    SELECT e.id, e.alert_id, e.number, e.started_at, e.opened_at, e.ended_at, e.ended_by, e.told_at,
        e.first_acknowledged_at AS had_at, e.assigned_to_id, a.name, a.severity, a.team_id,
        e.is_withheld, e.is_withheld AND e.told_at IS NULL AS is_unheard_of,
        CASE WHEN e.first_acknowledged_at >= e.told_at
            THEN extract(epoch FROM e.first_acknowledged_at - e.told_at)::float8 END AS taken_s,
        CASE WHEN e.ended_at >= e.opened_at AND NOT (e.is_withheld AND e.told_at IS NULL)
            THEN extract(epoch FROM e.ended_at - e.opened_at)::float8 END AS resolved_s,
        extract(epoch FROM e.ended_at - e.started_at)::float8 AS lasted_s
    FROM alerts_episode e JOIN alerts_alert a ON a.id = e.alert_id
    WHERE e.opened_at >= %(start)s AND e.opened_at < %(end)s
        AND (%(fleet)s OR a.team_id = ANY(%(teams)s))
        AND (%(severity)s = '' OR a.severity = %(severity)s)
        AND (%(team)s = '' OR a.team_id = (SELECT id FROM fleet_team WHERE slug = %(team)s)
            OR (%(team)s = %(platform)s AND a.team_id IS NULL))
)"""
# a silence says its number in the note of the event, as monitoring.alerts.suppression words it
IS_ACT = "(v.kind IN ('acknowledged', 'assigned', 'commented') OR v.kind = 'withheld' AND v.note LIKE '%%silence %%')"
ACTED = f""", touched AS (
    SELECT DISTINCT v.episode_id FROM alerts_event v
    WHERE v.at >= %(start)s AND {IS_ACT} AND v.episode_id IS NOT NULL
), acted AS (
    SELECT s.*, s.had_at IS NOT NULL OR s.assigned_to_id IS NOT NULL OR s.ended_by = 'person'
        OR t.episode_id IS NOT NULL AS is_acted
    FROM seen s LEFT JOIN touched t ON t.episode_id = s.id
)"""  # noqa: S608 our own text
TOLD = """, told AS (
    SELECT DISTINCT t.message_id, s.id AS episode_id
    FROM seen s JOIN alerts_attempt_episodes x ON x.episode_id = s.id JOIN alerts_attempt t ON t.id = x.attempt_id
    JOIN alerts_outboxmessage m ON m.id = t.message_id
    WHERE t.is_delivered AND m.page_id IS NULL
)"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Episodes of which we heard within `window`; an empty severity or team filters nothing."""

    window: Window
    severity: str = ""
    team: str = ""

    @property
    def before(self) -> "Asked":
        """The same of the range of the same length just before."""
        start = self.window.start
        return replace(self, window=Window(start - self.window.duration, start))


def rows(
    asked: Asked, parts: tuple[str, ...], values: Mapping[str, Any] | None = None, *, teams: TeamScope
) -> list[Row]:
    """What `parts`, put together to one statement, give."""
    with connection.cursor() as cursor:
        cursor.execute("".join(parts), given(asked, teams) | dict(values or {}))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def given(asked: Asked, teams: TeamScope) -> Row:
    """The values that SEEN needs."""
    return {
        "start": asked.window.start,
        "end": asked.window.end,
        "fleet": teams.fleet,
        "teams": sorted(teams.team_ids),
        "severity": asked.severity,
        "team": asked.team,
        "platform": PLATFORM_SLUG,
    }
