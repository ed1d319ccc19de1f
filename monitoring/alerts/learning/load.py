"""Whom pages reached, and when on their own clock: by day, evening, night and weekend."""

from dataclasses import dataclass

from fleetledger.fleet.access import Capability, Principal, TeamScope, can, teams_visible_to
from fleetledger.fleet.models import User
from monitoring.alerts.learning import zones
from monitoring.alerts.learning.asked import Asked, Row, rows
from monitoring.alerts.tenants import AREA

PEOPLE_SHOWN = 500
HOURS, DAYS = 24, 7
NIGHT_FROM, NIGHT_UNTIL, EVENING_FROM = 22, 7, 18  # hours on the person's own clock
SATURDAY = 6  # as PostgreSQL's isodow counts
IS_NIGHT = f"(hour >= {NIGHT_FROM} OR hour < {NIGHT_UNTIL})"
_ZONES = """
SELECT u.id, u.time_zone FROM fleet_user u WHERE u.id IN (
    SELECT p.person_id FROM alerts_page p WHERE p.at >= %(start)s AND p.at < %(end)s)"""
_PAGES = f"""
WITH wanted AS (
    SELECT p.id, p.person_id, p.run_id, p.told_at FROM alerts_page p JOIN alerts_run r ON r.id = p.run_id
    WHERE p.at >= %(start)s AND p.at < %(end)s
        AND (p.person_id = %(me)s OR (%(names)s AND (%(fleet)s OR r.team_id = ANY(%(teams)s))))
        AND (%(team)s = '' OR r.team_id = (SELECT id FROM fleet_team WHERE slug = %(team)s)
            OR (%(team)s = %(platform)s AND r.team_id IS NULL))
        AND (%(severity)s = '' OR EXISTS (
            SELECT FROM alerts_runepisode m JOIN alerts_episode e ON e.id = m.episode_id
            JOIN alerts_alert a ON a.id = e.alert_id WHERE m.run_id = p.run_id AND a.severity = %(severity)s))
), had AS (
    SELECT DISTINCT m.run_id FROM alerts_runepisode m JOIN alerts_episode e ON e.id = m.episode_id
    WHERE e.first_acknowledged_at IS NOT NULL AND m.run_id IN (SELECT run_id FROM wanted)
), reached AS (
    SELECT p.person_id, h.run_id IS NULL AS is_unacknowledged, p.told_at AT TIME ZONE 'UTC' + w.away AS local
    FROM wanted p JOIN {zones.WALLS} ON z.person_id = p.person_id AND p.told_at >= w.from_at AND p.told_at < w.until_at
    LEFT JOIN had h ON h.run_id = p.run_id
), timed AS (
    SELECT *, extract(hour FROM local) AS hour, extract(isodow FROM local) AS day FROM reached
)"""  # noqa: S608 our own text
_PEOPLE = f""", counted AS (
    SELECT person_id, count(*) AS pages, count(*) FILTER (WHERE is_unacknowledged) AS unacknowledged,
        count(*) FILTER (WHERE NOT {IS_NIGHT} AND day < {SATURDAY} AND hour < {EVENING_FROM}) AS by_day,
        count(*) FILTER (WHERE NOT {IS_NIGHT} AND day < {SATURDAY} AND hour >= {EVENING_FROM}) AS in_the_evening,
        count(*) FILTER (WHERE {IS_NIGHT}) AS at_night,
        count(*) FILTER (WHERE NOT {IS_NIGHT} AND day >= {SATURDAY}) AS at_weekends
    FROM timed GROUP BY 1
), nights AS (
    SELECT DISTINCT person_id, (local - interval '{NIGHT_UNTIL} hours')::date AS night FROM timed WHERE {IS_NIGHT}
), rows_of_nights AS (
    SELECT person_id, count(*) AS nights FROM (
        SELECT *, night - row_number() OVER (PARTITION BY person_id ORDER BY night)::int AS began FROM nights) numbered
    GROUP BY person_id, began
), sleepless AS (
    SELECT person_id, sum(nights)::bigint AS nights, max(nights) AS longest FROM rows_of_nights GROUP BY 1
), missed AS (
    SELECT person_id, count(*) AS pages FROM wanted WHERE told_at IS NULL GROUP BY 1
)
SELECT u.id AS person_id, u.username, coalesce(nullif(u.first_name, ''), u.username) AS name,
    coalesce(c.pages, 0) AS pages, coalesce(c.by_day, 0) AS by_day, coalesce(c.in_the_evening, 0) AS in_the_evening,
    coalesce(c.at_night, 0) AS at_night, coalesce(c.at_weekends, 0) AS at_weekends,
    coalesce(s.nights, 0) AS interrupted_nights, coalesce(s.longest, 0) AS longest_sleepless,
    coalesce(c.unacknowledged, 0) AS unacknowledged, coalesce(x.pages, 0) AS not_delivered
FROM counted c FULL JOIN missed x USING (person_id) LEFT JOIN sleepless s USING (person_id)
JOIN fleet_user u ON u.id = person_id
ORDER BY pages DESC, u.username LIMIT %(most)s"""  # noqa: S608 our own text
_HOURS = " SELECT day::int, hour::int, count(*) AS pages FROM timed GROUP BY 1, 2"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose pages may be named: those of `teams` where `sees_names`, and the reader's own, whoever's team it was."""

    teams: TeamScope
    sees_names: bool
    user_id: int | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """Delivered pages of one person, by when they came on the clock of `time_zone`; each counts in one column only.

    Night is from 22:00 to 07:00 on any day, weekend the rest of Saturday and Sunday, evening from 18:00. A night with
    a page is interrupted, and `longest_sleepless` is how many of them followed each other. `unacknowledged`: nobody
    ever acknowledged what the page was about. `not_delivered`: withheld, refused, waiting, or without a way.
    """

    username: str
    name: str
    time_zone: str
    pages: int
    by_day: int
    in_the_evening: int
    at_night: int
    at_weekends: int
    interrupted_nights: int
    longest_sleepless: int
    unacknowledged: int
    not_delivered: int


def reader(principal: Principal) -> Reader:
    """SREs and admins see everybody's, members those of their teams, everybody else their own alone."""
    teams = teams_visible_to(principal)
    sees = not teams.fleet or can(principal, Capability.HANDLE_ALERTS, area=AREA)
    return Reader(teams, sees, principal.pk if isinstance(principal, User) else None)


def people(asked: Asked, by: Reader) -> tuple[PersonLoad, ...]:
    """The most pages first; at most PEOPLE_SHOWN."""
    zone_of = _zones(asked, by.teams)
    found = rows(asked, (_PAGES, _PEOPLE), _values(asked, by, zone_of) | {"most": PEOPLE_SHOWN}, teams=by.teams)
    return tuple(PersonLoad(time_zone=zone_of[row.pop("person_id")], **row) for row in found)


def hours(asked: Asked, by: Reader) -> tuple[tuple[int, ...], ...]:
    """Delivered pages by weekday (Monday first) and hour on the clock of whoever was paged."""
    found = rows(asked, (_PAGES, _HOURS), _values(asked, by, _zones(asked, by.teams)), teams=by.teams)
    counted = {(row["day"], row["hour"]): row["pages"] for row in found}
    return tuple(tuple(counted.get((day, hour), 0) for hour in range(HOURS)) for day in range(1, DAYS + 1))


def clocks(asked: Asked, teams: TeamScope) -> Row:
    """What zones.WALLS needs of everybody who was paged in the range."""
    return zones.values(_zones(asked, teams), asked.window)


def _zones(asked: Asked, teams: TeamScope) -> dict[int, str]:
    return {row["id"]: zones.zone_or_utc(row["time_zone"]) for row in rows(asked, (_ZONES,), teams=teams)}


def _values(asked: Asked, by: Reader, zone_of: dict[int, str]) -> Row:
    return {**zones.values(zone_of, asked.window), "names": by.sees_names, "me": by.user_id}
