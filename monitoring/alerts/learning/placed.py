"""Puts the episodes of two ranges with one end into one statement: each by its rule, its length, and its pause.

`is_in`: of the range that is asked for; `is_long`: since %(long)s.
"""

from monitoring.alerts.learning.asked import IS_ACT, OURS, RULED, TELLING

HOLDS_S = (60, 120, 300, 600, 900, 1800, 3600)  # by how much `for` or `keep_firing_for` might be longer
NEVER = len(HOLDS_S)  # the place of what is longer than all of them, or has no end


def within(field: str, where: str) -> str:
    """How many of `n` have `field`, a place among HOLDS_S, at most at each of them."""
    counts = (f"coalesce(sum(n) FILTER (WHERE {where} AND {field} <= {place}), 0)" for place in range(NEVER))
    return f"ARRAY[{', '.join(counts)}]::bigint[]"


def many(where: str) -> str:
    return f"coalesce(sum(n) FILTER (WHERE {where}), 0)::bigint"


# `place` and `back` say below which of HOLDS_S an alert's length lies, and the pause since it last ended.
PLACED = f"""{OURS}{RULED}, edges AS (
    SELECT ARRAY{[f"{hold} seconds" for hold in HOLDS_S]}::interval[] AS holds
), touched AS (
    SELECT DISTINCT v.episode_id FROM alerts_event v
    WHERE v.at >= least(%(start)s, %(long)s) AND {TELLING} AND {IS_ACT} AND v.episode_id IS NOT NULL
), placed AS MATERIALIZED (
    SELECT e.id, e.alert_id, e.opened_at, a.rule, e.is_withheld, e.ended_at IS NULL AS is_open,
        e.opened_at >= %(start)s AS is_in, e.opened_at >= %(long)s AS is_long,
        width_bucket(coalesce(e.ended_at - e.started_at, '1 year'), holds)::smallint AS place,
        width_bucket(coalesce(e.started_at - b.ended_at, '1 year'), holds)::smallint AS back,
        e.first_acknowledged_at IS NOT NULL OR e.assigned_to_id IS NOT NULL OR e.ended_by = 'person'
            OR t.episode_id IS NOT NULL AS is_acted
    FROM alerts_episode e JOIN ruled a ON a.alert_id = e.alert_id CROSS JOIN edges
    LEFT JOIN alerts_episode b ON b.alert_id = e.alert_id AND b.number = e.number - 1
    LEFT JOIN touched t ON t.episode_id = e.id
    WHERE e.opened_at >= least(%(start)s, %(long)s) AND e.opened_at < %(end)s
), kinds AS (
    SELECT rule, place, back, is_in, is_long, is_acted, is_withheld, is_open, count(*) AS n FROM placed
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), counted AS (
    SELECT rule, {many("is_in")} AS episodes, {many("is_in AND is_acted")} AS acted,
        {many("is_in AND is_withheld")} AS withheld, {many("is_long")} AS long_episodes,
        {many("is_long AND is_acted")} AS long_acted, {many("is_long AND is_open")} AS long_open,
        {within("place", "is_in")} AS over_within, {within("place", "is_in AND is_acted")} AS acted_within,
        {within("back", "is_in")} AS back_within
    FROM kinds GROUP BY 1
), flapped AS (
    SELECT r.rule, count(*) AS times FROM alerts_event v JOIN ruled r USING (alert_id)
    WHERE v.kind = 'flapping' AND {TELLING} AND v.at >= %(start)s AND v.at < %(end)s GROUP BY 1
)"""  # noqa: S608 our own text
