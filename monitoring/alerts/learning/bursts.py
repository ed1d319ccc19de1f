"""Where many alerts of one rule began at once, and what grouping them would have spared."""

from collections import defaultdict
from dataclasses import dataclass

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.learning.asked import SEEN, TOLD, Asked, rows
from monitoring.alerts.learning.evidence import RuleId, rule_of

MIN_BURST = 5  # alerts of one rule within a minute
# A burst begins after a minute without an alert of the rule, and lasts a minute.
_FOUND = """, apart AS (
    SELECT s.id, s.alert_id, s.name, s.team_id, s.opened_at,
        opened_at - lag(opened_at) OVER one_rule > interval '1 minute' IS NOT FALSE AS begins
    FROM seen s WINDOW one_rule AS (PARTITION BY name, team_id ORDER BY opened_at, id)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY name, team_id ORDER BY opened_at, id) AS number
    FROM apart
), timed AS (
    SELECT *, min(opened_at) OVER (PARTITION BY name, team_id, number) AS began_at FROM numbered
), inside AS (
    SELECT * FROM timed WHERE opened_at <= began_at + interval '1 minute'
), bursts AS (
    SELECT name, team_id, number, count(*) AS episodes, array_agg(alert_id) AS alerts FROM inside
    GROUP BY 1, 2, 3 HAVING count(DISTINCT alert_id) >= %(burst)s
)"""
_BURSTS = (
    SEEN,
    _FOUND,
    TOLD,
    """, sent AS (
    SELECT i.name, i.team_id, i.number, m.destination_id, count(DISTINCT m.id) AS messages
    FROM bursts b JOIN inside i ON i.name = b.name AND i.team_id IS NOT DISTINCT FROM b.team_id AND i.number = b.number
    JOIN told o ON o.episode_id = i.id JOIN alerts_outboxmessage m ON m.id = o.message_id
    GROUP BY 1, 2, 3, 4
), saved AS (
    SELECT name, team_id, sum(messages)::bigint AS messages, sum(messages - 1)::bigint AS saved FROM sent GROUP BY 1, 2
)
SELECT b.name, t.slug AS team, count(*) AS bursts, sum(b.episodes)::bigint AS episodes,
    coalesce(max(v.messages), 0) AS messages, coalesce(max(v.saved), 0) AS saved
FROM bursts b LEFT JOIN saved v ON v.name = b.name AND v.team_id IS NOT DISTINCT FROM b.team_id
LEFT JOIN fleet_team t ON t.id = b.team_id GROUP BY 1, 2""",
)
_SAME_LABELS = (
    SEEN,
    _FOUND,
    """, labels AS (
    SELECT b.name, b.team_id, l.key, count(DISTINCT l.value) AS kinds, count(*) AS times,
        (SELECT count(DISTINCT one) FROM unnest(b.alerts) one) AS size
    FROM bursts b JOIN alerts_alert a ON a.id = ANY(b.alerts) CROSS JOIN jsonb_each_text(a.labels) l
    WHERE b.name = ANY(%(names)s) AND l.key <> 'alertname' GROUP BY 1, 2, b.number, b.alerts, 3
)
SELECT l.name, t.slug AS team, l.key FROM labels l LEFT JOIN fleet_team t ON t.id = l.team_id
GROUP BY 1, 2, 3 HAVING bool_and(kinds = 1 AND times = size)
    AND count(*) = (SELECT count(*) FROM bursts b WHERE b.name = l.name
        AND b.team_id IS NOT DISTINCT FROM min(l.team_id)) ORDER BY 3""",
)


@dataclass(frozen=True, slots=True)
class Bursts:
    """`saved`: messages beyond one for each burst and destination. `same_labels`: equal throughout every burst."""

    bursts: int
    episodes: int
    messages: int
    saved: int
    same_labels: tuple[str, ...]


def bursts(asked: Asked, *, teams: TeamScope) -> dict[RuleId, Bursts]:
    """Of the rules of which at least MIN_BURST alerts began within one minute."""
    found = rows(asked, _BURSTS, {"burst": MIN_BURST}, teams=teams)
    same = _same_labels(asked, sorted({row["name"] for row in found if row["saved"]}), teams)
    return {
        rule_of(row): Bursts(row["bursts"], row["episodes"], row["messages"], row["saved"], tuple(same[rule_of(row)]))
        for row in found
    }


def _same_labels(asked: Asked, names: list[str], teams: TeamScope) -> dict[RuleId, list[str]]:
    same: dict[RuleId, list[str]] = defaultdict(list)
    if names:
        for row in rows(asked, _SAME_LABELS, {"burst": MIN_BURST, "names": names}, teams=teams):
            same[rule_of(row)].append(row["key"])
    return same
