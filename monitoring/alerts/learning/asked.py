"""Runs a report's SQL over the episodes of its range, within the reader's teams."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from monitoring.alerts.tenants import PLATFORM_SLUG

Row = dict[str, Any]
OURS = """
WITH ours AS (
    SELECT a.id, a.name, a.severity, a.team_id FROM alerts_alert a
    WHERE (%(fleet)s OR a.team_id = ANY(%(teams)s))
        AND (%(severity)s = '' OR a.severity = %(severity)s)
        AND (%(team)s = '' OR a.team_id = (SELECT id FROM fleet_team WHERE slug = %(team)s)
            OR (%(team)s = %(platform)s AND a.team_id IS NULL))
)"""
# `rule` stands for a name and tenant: the lowest number of their alerts. To sort and group by names costs three times
# as much.
RULED = """, ruled AS (
    SELECT id AS alert_id, min(id) OVER (PARTITION BY name, team_id) AS rule FROM ours
)"""
SEEN = f"""{OURS}, seen AS (
    SELECT e.id, e.alert_id, e.opened_at, e.ended_at, e.ended_by, e.told_at, e.first_acknowledged_at AS had_at,
        e.assigned_to_id, a.name, a.severity, a.team_id,
        e.is_withheld, e.is_withheld AND e.told_at IS NULL AS is_unheard_of,
        CASE WHEN e.first_acknowledged_at >= e.told_at
            THEN extract(epoch FROM e.first_acknowledged_at - e.told_at)::float8 END AS taken_s,
        CASE WHEN e.ended_at >= e.opened_at AND NOT (e.is_withheld AND e.told_at IS NULL)
            THEN extract(epoch FROM e.ended_at - e.opened_at)::float8 END AS resolved_s
    FROM alerts_episode e JOIN ours a ON a.id = e.alert_id
    WHERE e.opened_at >= %(start)s AND e.opened_at < %(end)s
)"""  # noqa: S608 our own text
TELLING = (
    "v.kind IN ('assigned', 'commented', 'withheld', 'flapping')"  # word for word as the index alerts_event_telling
)
# Acknowledging stands with the episode. A silence says its number in the note, as monitoring.alerts.suppression has it.
IS_ACT = "(v.kind IN ('assigned', 'commented') OR v.kind = 'withheld' AND v.note LIKE '%%silence %%')"
ACTED = f"""{RULED}, touched AS (
    SELECT DISTINCT v.episode_id FROM alerts_event v
    WHERE v.at >= %(start)s AND {TELLING} AND {IS_ACT} AND v.episode_id IS NOT NULL
), acted AS (
    SELECT s.*, r.rule, s.had_at IS NOT NULL OR s.assigned_to_id IS NOT NULL OR s.ended_by = 'person'
        OR t.episode_id IS NOT NULL AS is_acted
    FROM seen s JOIN ruled r USING (alert_id) LEFT JOIN touched t ON t.episode_id = s.id
)"""  # noqa: S608 our own text
# Which delivered messages told of which episodes, pages of persons left out; what two tries brought comes twice.
TOLD = """(SELECT t.message_id, x.episode_id FROM alerts_attempt t JOIN alerts_attempt_episodes x ON x.attempt_id = t.id
    WHERE t.is_delivered AND t.message_id NOT IN (SELECT id FROM alerts_outboxmessage WHERE page_id IS NOT NULL))"""


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
