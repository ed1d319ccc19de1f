"""Where many alerts of one rule began at once, and what grouping them would have spared."""

from dataclasses import dataclass

from monitoring.alerts.learning.asked import TOLD, Row

MIN_BURST = 5  # alerts of one rule within a minute
# A burst begins after a minute without an alert of the rule, and lasts a minute. Most rules never have so many within a
# minute, so only the others are looked at closely.
BURSTS = f""", dense AS (
    SELECT DISTINCT rule FROM (
        SELECT rule, opened_at - lag(opened_at, {MIN_BURST - 1}) OVER (PARTITION BY rule ORDER BY opened_at)
            <= interval '1 minute' AS is_dense FROM placed WHERE is_in) near WHERE is_dense
), apart AS (
    SELECT id, alert_id, rule, opened_at,
        opened_at - lag(opened_at) OVER one_rule > interval '1 minute' IS NOT FALSE AS begins
    FROM placed WHERE is_in AND rule IN (SELECT rule FROM dense)
    WINDOW one_rule AS (PARTITION BY rule ORDER BY opened_at, id)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (ORDER BY rule, opened_at, id) AS number FROM apart
), timed AS (
    SELECT *, min(opened_at) OVER (PARTITION BY number) AS began_at FROM numbered
), inside AS (
    SELECT * FROM timed WHERE opened_at <= began_at + interval '1 minute'
), bursts AS (
    SELECT rule, number, count(*) AS episodes, array_agg(DISTINCT alert_id) AS alerts FROM inside
    GROUP BY 1, 2 HAVING count(DISTINCT alert_id) >= {MIN_BURST}
), burst_messages AS (
    SELECT i.rule, i.number, m.destination_id, count(DISTINCT m.id) AS messages
    FROM bursts b JOIN inside i USING (rule, number) JOIN {TOLD} o ON o.episode_id = i.id
    JOIN alerts_outboxmessage m ON m.id = o.message_id GROUP BY 1, 2, 3
), spared AS (
    SELECT rule, sum(messages)::bigint AS messages, sum(messages - 1)::bigint AS saved FROM burst_messages GROUP BY 1
), burst_labels AS (
    SELECT b.rule, l.key, count(DISTINCT l.value) = 1 AND count(*) = cardinality(b.alerts) AS is_same
    FROM bursts b JOIN spared USING (rule) JOIN alerts_alert a ON a.id = ANY(b.alerts)
    CROSS JOIN jsonb_each_text(a.labels) l WHERE saved > 0 AND l.key <> 'alertname' GROUP BY 1, b.number, b.alerts, 2
), burst_counts AS (
    SELECT rule, count(*) AS bursts, sum(episodes)::bigint AS episodes FROM bursts GROUP BY 1
), same_labels AS (
    SELECT l.rule, array_agg(l.key ORDER BY l.key) AS keys FROM (
        SELECT rule, key, count(*) AS times FROM burst_labels GROUP BY 1, 2 HAVING bool_and(is_same)) l
    JOIN burst_counts c ON c.rule = l.rule AND c.bursts = l.times GROUP BY 1
), bunched AS (
    SELECT c.rule, c.bursts, c.episodes AS burst_episodes, coalesce(s.messages, 0) AS burst_messages,
        coalesce(s.saved, 0) AS burst_saved, coalesce(l.keys, '{{}}') AS same_labels
    FROM burst_counts c LEFT JOIN spared s USING (rule) LEFT JOIN same_labels l USING (rule)
)"""  # noqa: S608 our own text


@dataclass(frozen=True, slots=True)
class Bursts:
    """`saved`: messages beyond one for each burst and destination. `same_labels`: equal throughout every burst."""

    bursts: int
    episodes: int
    messages: int
    saved: int
    same_labels: tuple[str, ...]


def bursts_of(row: Row) -> Bursts | None:
    """From a row of `bunched`; None where there were none."""
    if row["bursts"] is None:
        return None
    return Bursts(
        row["bursts"], row["burst_episodes"], row["burst_messages"], row["burst_saved"], tuple(row["same_labels"])
    )
