"""Whom pages reached, and when on their own clock: by day, evening, night and weekend."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fleetledger.fleet.access import Capability, Principal, TeamScope, can, teams_visible_to
from fleetledger.fleet.models import User
from monitoring.alerts.learning.asked import Asked, Row, rows
from monitoring.alerts.tenants import AREA

PEOPLE_SHOWN = 500
HOURS, DAYS = 24, 7
NIGHT_FROM, NIGHT_UNTIL, EVENING_FROM = 22, 7, 18  # hours on the person's own clock
SATURDAY = 6  # as PostgreSQL's isodow counts
_ZONES = """
SELECT DISTINCT u.id, u.time_zone FROM fleet_user u WHERE u.id IN (
    SELECT p.person_id FROM alerts_page p WHERE p.at >= %(start)s)"""
_PAGES = """
WITH zones AS (
    SELECT * FROM unnest(%(people)s::bigint[], %(zones)s::text[]) AS z(person_id, zone)
), reached AS (
    SELECT o.page_id, min(o.finished_at) AS at FROM alerts_outboxmessage o
    JOIN alerts_page p ON p.id = o.page_id
    WHERE o.state = 'sent' AND p.at >= %(start)s AND p.at < %(end)s GROUP BY 1
), had AS (
    SELECT m.run_id FROM alerts_runepisode m
    JOIN alerts_run r ON r.id = m.run_id JOIN alerts_episode e ON e.id = m.episode_id
    WHERE e.first_acknowledged_at IS NOT NULL AND r.changed_at >= %(start)s GROUP BY 1
), paged AS (
    SELECT p.person_id, d.at IS NOT NULL AS is_reached, h.run_id IS NULL AS is_unacknowledged,
        d.at AT TIME ZONE z.zone AS local
    FROM alerts_page p JOIN alerts_run r ON r.id = p.run_id JOIN zones z ON z.person_id = p.person_id
    LEFT JOIN reached d ON d.page_id = p.id LEFT JOIN had h ON h.run_id = p.run_id
    WHERE p.at >= %(start)s AND p.at < %(end)s
        AND (p.person_id = %(me)s OR (%(names)s AND (%(fleet)s OR r.team_id = ANY(%(teams)s))))
        AND (%(team)s = '' OR r.team_id = (SELECT id FROM fleet_team WHERE slug = %(team)s)
            OR (%(team)s = %(platform)s AND r.team_id IS NULL))
        AND (%(severity)s = '' OR EXISTS (
            SELECT FROM alerts_runepisode m JOIN alerts_episode e ON e.id = m.episode_id
            JOIN alerts_alert a ON a.id = e.alert_id WHERE m.run_id = p.run_id AND a.severity = %(severity)s))
), timed AS (
    SELECT *, extract(hour FROM local) AS hour, extract(isodow FROM local) AS day,
        extract(hour FROM local) >= %(night)s OR extract(hour FROM local) < %(morning)s AS is_night
    FROM paged
)"""
_PEOPLE = """
SELECT t.person_id, u.username, coalesce(nullif(u.first_name, ''), u.username) AS name, z.zone AS time_zone,
    count(*) FILTER (WHERE is_reached) AS pages,
    count(*) FILTER (WHERE NOT is_night AND day < %(saturday)s AND hour < %(evening)s) AS by_day,
    count(*) FILTER (WHERE NOT is_night AND day < %(saturday)s AND hour >= %(evening)s) AS in_the_evening,
    count(*) FILTER (WHERE is_night) AS at_night,
    count(*) FILTER (WHERE NOT is_night AND day >= %(saturday)s) AS at_weekends,
    count(DISTINCT (local - make_interval(hours => %(morning)s))::date) FILTER (WHERE is_night) AS interrupted_nights,
    count(*) FILTER (WHERE is_reached AND is_unacknowledged) AS unacknowledged,
    count(*) FILTER (WHERE NOT is_reached) AS not_delivered
FROM timed t JOIN fleet_user u ON u.id = t.person_id JOIN zones z ON z.person_id = t.person_id
GROUP BY 1, 2, 3, 4 ORDER BY pages DESC, username LIMIT %(most)s"""
_HOURS = """
SELECT day::int, hour::int, count(*) AS pages FROM timed WHERE is_reached GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose pages may be named: those of `teams` where `sees_names`, and the reader's own, whoever's team it was."""

    teams: TeamScope
    sees_names: bool
    user_id: int | None


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """Delivered pages of one person, by when they came on the clock of `time_zone`; each counts in one column only.

    Night is from 22:00 to 07:00 on any day, weekend the rest of Saturday and Sunday, evening from 18:00.
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
    unacknowledged: int
    not_delivered: int


def reader(principal: Principal) -> Reader:
    """SREs and admins see everybody's, members those of their teams, everybody else their own alone."""
    teams = teams_visible_to(principal)
    sees = not teams.fleet or can(principal, Capability.HANDLE_ALERTS, area=AREA)
    return Reader(teams, sees, principal.pk if isinstance(principal, User) else None)


def people(asked: Asked, by: Reader) -> tuple[PersonLoad, ...]:
    """The most pages first; at most PEOPLE_SHOWN."""
    found = rows(asked, (_PAGES, _PEOPLE), _values(asked, by) | {"most": PEOPLE_SHOWN}, teams=by.teams)
    return tuple(PersonLoad(**{name: value for name, value in row.items() if name != "person_id"}) for row in found)


def hours(asked: Asked, by: Reader) -> tuple[tuple[int, ...], ...]:
    """Delivered pages by weekday (Monday first) and hour on the clock of whoever was paged."""
    counted = {
        (row["day"], row["hour"]): row["pages"]
        for row in rows(asked, (_PAGES, _HOURS), _values(asked, by), teams=by.teams)
    }
    return tuple(tuple(counted.get((day, hour), 0) for hour in range(HOURS)) for day in range(1, DAYS + 1))


def zone_or_utc(name: str) -> str:
    """A zone that the database knows too."""
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        return "UTC"


def zones_of(asked: Asked, teams: TeamScope) -> Row:
    """`people` who were paged since the range began, and their `zones`, as the statements here take them."""
    found = rows(asked, (_ZONES,), teams=teams)
    return {
        "people": [row["id"] for row in found],
        "zones": [zone_or_utc(row["time_zone"]) for row in found],
    }


def _values(asked: Asked, by: Reader) -> Row:
    return {
        **zones_of(asked, by.teams),
        "names": by.sees_names,
        "me": by.user_id,
        "night": NIGHT_FROM,
        "morning": NIGHT_UNTIL,
        "evening": EVENING_FROM,
        "saturday": SATURDAY,
    }
