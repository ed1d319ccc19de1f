"""What is known of each rule's past: how long its alerts lasted, what was told of them, and whether anybody acted."""

from collections import defaultdict
from dataclasses import dataclass

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.learning.asked import ACTED, SEEN, TOLD, Asked, rows
from monitoring.alerts.learning.load import NIGHT_FROM, NIGHT_UNTIL, zones_of

HOLDS_S = (60, 120, 300, 600, 900, 1800, 3600)  # by how much `for` might be longer
MIN_BURST = 5  # alerts of one rule in one minute
_PASTS = (
    SEEN,
    ACTED,
    """ SELECT a.name, t.slug AS team, count(*) AS episodes, count(*) FILTER (WHERE is_acted) AS acted,
        count(*) FILTER (WHERE is_withheld) AS withheld, count(*) FILTER (WHERE ended_at IS NULL) AS still_open,
        width_bucket(coalesce(lasted_s, 'infinity'), %(edges)s::float8[]) AS place
    FROM acted a LEFT JOIN fleet_team t ON t.id = a.team_id GROUP BY a.name, t.slug, place""",
)
_MESSAGES = (
    SEEN,
    TOLD,
    """, of_one AS (
    SELECT o.message_id, min(s.name) AS name, min(s.team_id) AS team_id,
        max(width_bucket(coalesce(s.lasted_s, 'infinity'), %(edges)s::float8[])) AS place
    FROM told o JOIN seen s ON s.id = o.episode_id GROUP BY 1 HAVING min(s.name) = max(s.name)
)
SELECT o.name, t.slug AS team, o.place, count(*) AS messages
FROM of_one o LEFT JOIN fleet_team t ON t.id = o.team_id GROUP BY 1, 2, 3""",
)
_PAGES = (
    SEEN,
    ACTED,
    """, paged AS (
    SELECT DISTINCT ON (p.id) p.id, a.name, a.team_id, a.is_acted, extract(hour FROM p.at AT TIME ZONE z.zone) AS hour
    FROM acted a JOIN alerts_runepisode m ON m.episode_id = a.id JOIN alerts_page p ON p.run_id = m.run_id
    JOIN unnest(%(people)s::bigint[], %(zones)s::text[]) AS z(person_id, zone) ON z.person_id = p.person_id
    ORDER BY p.id, a.is_acted DESC
)
SELECT p.name, t.slug AS team, count(*) AS pages,
    count(*) FILTER (WHERE hour >= %(night)s OR hour < %(morning)s) AS night_pages,
    count(*) FILTER (WHERE is_acted AND (hour >= %(night)s OR hour < %(morning)s)) AS night_acted
FROM paged p LEFT JOIN fleet_team t ON t.id = p.team_id GROUP BY 1, 2""",
)
_BURSTS = (
    SEEN,
    TOLD,
    """, bursts AS (
    SELECT name, team_id, date_trunc('minute', opened_at) AS minute, count(*) AS episodes
    FROM seen GROUP BY 1, 2, 3 HAVING count(*) >= %(burst)s
), inside AS (
    SELECT b.name, b.team_id, b.minute, s.id, s.alert_id FROM bursts b JOIN seen s ON s.name = b.name
        AND s.team_id IS NOT DISTINCT FROM b.team_id AND date_trunc('minute', s.opened_at) = b.minute
), sent AS (
    SELECT i.name, i.team_id, i.minute, m.destination_id, count(DISTINCT m.id) AS messages
    FROM inside i JOIN told o ON o.episode_id = i.id JOIN alerts_outboxmessage m ON m.id = o.message_id
    GROUP BY 1, 2, 3, 4
), saved AS (
    SELECT name, team_id, sum(messages) AS messages, sum(messages - 1) AS saved FROM sent GROUP BY 1, 2
)
SELECT b.name, t.slug AS team, count(*) AS bursts, sum(b.episodes)::bigint AS episodes,
    coalesce(max(v.messages), 0)::bigint AS messages, coalesce(max(v.saved), 0)::bigint AS saved
FROM bursts b LEFT JOIN saved v ON v.name = b.name AND v.team_id IS NOT DISTINCT FROM b.team_id
LEFT JOIN fleet_team t ON t.id = b.team_id GROUP BY 1, 2""",
)
_SAME_LABELS = (
    SEEN,
    """, bursts AS (
    SELECT s.name, s.team_id, date_trunc('minute', s.opened_at) AS minute, array_agg(s.alert_id) AS alerts
    FROM seen s WHERE s.name = ANY(%(names)s) GROUP BY 1, 2, 3 HAVING count(*) >= %(burst)s
), labels AS (
    SELECT b.name, b.team_id, l.key, count(DISTINCT l.value) AS kinds, count(*) AS times, cardinality(b.alerts) AS size
    FROM bursts b JOIN alerts_alert a ON a.id = ANY(b.alerts) CROSS JOIN jsonb_each_text(a.labels) l
    WHERE l.key <> 'alertname' GROUP BY 1, 2, b.minute, b.alerts, 3
)
SELECT l.name, t.slug AS team, l.key FROM labels l LEFT JOIN fleet_team t ON t.id = l.team_id
GROUP BY 1, 2, 3 HAVING bool_and(kinds = 1 AND times = size)
    AND count(*) = (SELECT count(*) FROM bursts b WHERE b.name = l.name
        AND b.team_id IS NOT DISTINCT FROM min(l.team_id)) ORDER BY 3""",
)


@dataclass(frozen=True, slots=True)
class RuleId:
    """A rule as its alerts name it, of one tenant; `team` None is the platform's."""

    name: str
    team: str | None


@dataclass(frozen=True, slots=True)
class RulePast:
    """`by_place` counts alerts that ended within each of HOLDS_S (and later), `acted_by_place` those acted on.

    `messages_by_place`: delivered messages about this rule alone, by the longest of their alerts.
    """

    rule: RuleId
    episodes: int
    acted: int
    withheld: int
    still_open: int
    by_place: tuple[int, ...]
    acted_by_place: tuple[int, ...]
    messages_by_place: tuple[int, ...]
    pages: int
    night_pages: int
    night_acted: int

    @property
    def messages(self) -> int:
        return sum(self.messages_by_place)

    def spared(self, place: int) -> tuple[int, int]:
        """Alerts that were over within HOLDS_S[place]; and how many of them somebody acted on."""
        return sum(self.by_place[: place + 1]), sum(self.acted_by_place[: place + 1])

    def spared_messages(self, place: int) -> int:
        return sum(self.messages_by_place[: place + 1])


@dataclass(frozen=True, slots=True)
class Burst:
    """`saved`: messages beyond one for each burst and destination. `same_labels`: equal throughout every burst."""

    bursts: int
    episodes: int
    messages: int
    saved: int
    same_labels: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    """A rule's past while its rows are read."""

    episodes: int = 0
    acted: int = 0
    withheld: int = 0
    still_open: int = 0


def pasts(asked: Asked, *, teams: TeamScope) -> tuple[RulePast, ...]:
    """Of every rule that fired in the range."""
    places = len(HOLDS_S) + 1
    values = {"edges": [float(edge) for edge in HOLDS_S]}
    sums: dict[RuleId, _Sums] = defaultdict(_Sums)
    counted: dict[RuleId, list[int]] = defaultdict(lambda: [0] * places)
    acted: dict[RuleId, list[int]] = defaultdict(lambda: [0] * places)
    told: dict[RuleId, list[int]] = defaultdict(lambda: [0] * places)
    for row in rows(asked, _PASTS, values, teams=teams):
        rule = RuleId(row["name"], row["team"])
        counted[rule][row["place"]] += row["episodes"]
        acted[rule][row["place"]] += row["acted"]
        for name in ("episodes", "acted", "withheld", "still_open"):
            setattr(sums[rule], name, getattr(sums[rule], name) + row[name])
    for row in rows(asked, _MESSAGES, values, teams=teams):
        told[RuleId(row["name"], row["team"])][row["place"]] += row["messages"]
    pages = _pages(asked, teams)
    return tuple(
        RulePast(
            rule, one.episodes, one.acted, one.withheld, one.still_open,
            tuple(counted[rule]), tuple(acted[rule]), tuple(told[rule]), *pages.get(rule, (0, 0, 0)),
        )
        for rule, one in sums.items()
    )  # fmt: skip


def bursts(asked: Asked, *, teams: TeamScope) -> dict[RuleId, Burst]:
    """Where at least MIN_BURST alerts of a rule began within one minute."""
    found = rows(asked, _BURSTS, {"burst": MIN_BURST}, teams=teams)
    names = sorted({row["name"] for row in found if row["saved"]})
    same: dict[RuleId, list[str]] = defaultdict(list)
    if names:
        for row in rows(asked, _SAME_LABELS, {"burst": MIN_BURST, "names": names}, teams=teams):
            same[RuleId(row["name"], row["team"])].append(row["key"])
    return {
        (rule := RuleId(row["name"], row["team"])): Burst(
            row["bursts"], row["episodes"], row["messages"], row["saved"], tuple(same[rule])
        )
        for row in found
    }


def _pages(asked: Asked, teams: TeamScope) -> dict[RuleId, tuple[int, int, int]]:
    values = {"night": NIGHT_FROM, "morning": NIGHT_UNTIL, **zones_of(asked, teams)}
    return {
        RuleId(row["name"], row["team"]): (row["pages"], row["night_pages"], row["night_acted"])
        for row in rows(asked, _PAGES, values, teams=teams)
    }
