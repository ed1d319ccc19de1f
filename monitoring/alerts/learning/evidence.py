"""What is known of each rule's past: how long its alerts lasted, what was told of them, and whether anybody acted."""

from dataclasses import dataclass, replace
from datetime import datetime

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from monitoring.alerts.learning import zones
from monitoring.alerts.learning.asked import TOLD, Asked, Row, rows
from monitoring.alerts.learning.bursts import BURSTS, Bursts, bursts_of
from monitoring.alerts.learning.load import IS_NIGHT, clocks
from monitoring.alerts.learning.placed import HOLDS_S, PLACED, many, within

_IN, _LONG = "last_at >= %(start)s", "last_at >= %(long)s"
# Only what told of one rule alone would not have been sent without it; and only if all of its alerts are spared.
_MESSAGES = f""", told_of AS (
    SELECT min(p.rule) AS rule, max(p.place) AS place, max(p.back) AS back, max(p.opened_at) AS last_at
    FROM placed p JOIN {TOLD} o ON o.episode_id = p.id GROUP BY o.message_id HAVING min(p.rule) = max(p.rule)
), told_kinds AS (
    SELECT rule, place, back, {_IN} AS is_in, {_LONG} AS is_long, count(*) AS n FROM told_of GROUP BY 1, 2, 3, 4, 5
), sent AS (
    SELECT rule, {many("is_in")} AS told, {many("is_long")} AS long_told, {within("place", "is_in")} AS over_within,
        {within("back", "is_in")} AS back_within FROM told_kinds GROUP BY 1
)"""  # noqa: S608 our own text
_PAGES = f""", run_of AS (
    SELECT m.run_id, min(p.rule) AS rule, max(p.place) AS place, max(p.back) AS back, max(p.opened_at) AS last_at,
        bool_or(p.is_acted) AS is_acted
    FROM placed p JOIN alerts_runepisode m ON m.episode_id = p.id GROUP BY 1 HAVING min(p.rule) = max(p.rule)
), page_hours AS (
    SELECT r.*, extract(hour FROM p.told_at AT TIME ZONE 'UTC' + w.away) AS hour
    FROM run_of r JOIN alerts_page p ON p.run_id = r.run_id
    JOIN {zones.WALLS} ON z.person_id = p.person_id AND p.told_at >= w.from_at AND p.told_at < w.until_at
), page_kinds AS (
    SELECT rule, place, back, {_IN} AS is_in, {_LONG} AS is_long, is_acted, {IS_NIGHT} AS is_night, count(*) AS n
    FROM page_hours GROUP BY 1, 2, 3, 4, 5, 6, 7
), paged AS (
    SELECT rule, {many("is_in")} AS told, {many("is_long")} AS long_told, {within("place", "is_in")} AS over_within,
        {within("back", "is_in")} AS back_within, {many("is_in AND is_night")} AS at_night,
        {many("is_in AND is_night AND is_acted")} AS night_acted FROM page_kinds GROUP BY 1
)"""  # noqa: S608 our own text
_PASTS = (
    PLACED,
    _MESSAGES,
    _PAGES,
    BURSTS,
    """
SELECT c.*, a.name, t.slug AS team, coalesce(f.times, 0) AS flapping,
    u.bursts, u.burst_episodes, u.burst_messages, u.burst_saved, u.same_labels,
    s.told, s.long_told, s.over_within AS told_over, s.back_within AS told_back,
    p.told AS pages, p.long_told AS long_pages, p.over_within AS pages_over, p.back_within AS pages_back,
    p.at_night, p.night_acted
FROM counted c JOIN alerts_alert a ON a.id = c.rule LEFT JOIN fleet_team t ON t.id = a.team_id
LEFT JOIN flapped f ON f.rule = c.rule LEFT JOIN sent s ON s.rule = c.rule LEFT JOIN paged p ON p.rule = c.rule
LEFT JOIN bunched u ON u.rule = c.rule""",
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
class LongPast:
    """Of the same rule since an earlier instant: enough to say whether anybody ever needed it."""

    episodes: int
    acted: int
    still_open: int
    messages: int
    pages: int


@dataclass(frozen=True, slots=True)
class RulePast:
    """`over_within`: alerts that were over within each of HOLDS_S; `acted_within`: those of them on which people acted.

    `back_within`: alerts that fired again so soon after they had ended. `messages`: to receivers; `pages`: of persons.
    """

    rule: RuleId
    episodes: int
    acted: int
    withheld: int
    flapping: int
    over_within: tuple[int, ...]
    acted_within: tuple[int, ...]
    back_within: tuple[int, ...]
    messages: Told
    pages: Told
    bursts: Bursts | None
    long: LongPast


def pasts(asked: Asked, long_from: datetime, *, teams: TeamScope) -> tuple[RulePast, ...]:
    """Of every rule that fired in the range, or since `long_from`."""
    whole = replace(asked, window=Window(min(asked.window.start, long_from), asked.window.end))
    values = {**clocks(whole, teams), "long": long_from}
    return tuple(map(_past, rows(asked, _PASTS, values, teams=teams)))


def _past(row: Row) -> RulePast:
    return RulePast(
        rule=RuleId(row["name"], row["team"]),
        episodes=row["episodes"],
        acted=row["acted"],
        withheld=row["withheld"],
        flapping=row["flapping"],
        over_within=tuple(row["over_within"]),
        acted_within=tuple(row["acted_within"]),
        back_within=tuple(row["back_within"]),
        messages=_told(row, "told"),
        pages=_told(row, "pages"),
        bursts=bursts_of(row),
        long=LongPast(
            row["long_episodes"], row["long_acted"], row["long_open"], row["long_told"] or 0, row["long_pages"] or 0
        ),
    )


def _told(row: Row, name: str) -> Told:
    if row[name] is None:
        return Told()
    told = Told(row[name], tuple(row[f"{name}_over"]), tuple(row[f"{name}_back"]))
    return replace(told, at_night=row["at_night"], night_acted=row["night_acted"]) if name == "pages" else told
