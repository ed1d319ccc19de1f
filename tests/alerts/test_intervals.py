"""Time intervals hold when Alertmanager's do, and a route that one mutes tells nobody until it is over."""

import calendar
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitoring.alerts import clock
from monitoring.alerts.intervals import IntervalError, intervals_of, muted_by
from tests.alerts import world

NIGHTS: dict[str, Any] = {
    "name": "nights",
    "time_intervals": [
        {
            "times": [{"start_time": "00:00", "end_time": "07:00"}, {"start_time": "22:00", "end_time": "24:00"}],
            "location": "Europe/Berlin",
        }
    ],
}
WEEKDAYS = list(calendar.day_name)


def one(**entry: Any) -> Any:
    return intervals_of([{"name": "one", "time_intervals": [entry]}])[0]


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ({"weekdays": ["monday:friday"]}, "2026-11-27T12:00", "2026-11-28T12:00"),
        ({"weekdays": ["Sunday"]}, "2026-11-29T00:00", "2026-11-30T00:00"),
        ({"days_of_month": ["-1"]}, "2028-02-29T12:00", "2028-02-28T12:00"),
        ({"days_of_month": ["-3:-1"]}, "2026-02-26T12:00", "2026-02-25T12:00"),
        ({"days_of_month": ["30:31"]}, "2026-04-30T12:00", "2026-02-28T12:00"),
        ({"days_of_month": [15]}, "2026-04-15T12:00", "2026-04-16T12:00"),
        ({"months": ["december", "1:2"]}, "2026-02-01T00:00", "2026-03-01T00:00"),
        ({"years": ["2026:2027", 2030]}, "2030-01-01T00:00", "2028-01-01T00:00"),
        ({"times": [{"start_time": "09:00", "end_time": "17:00"}]}, "2026-01-01T09:00", "2026-01-01T17:00"),
        ({"times": [{"start_time": "22:00", "end_time": "24:00"}]}, "2026-01-01T23:59", "2026-01-02T00:00"),
        ({}, "2026-01-01T00:00", ""),
    ],
)
def test_an_entry_holds_where_all_that_it_names_holds(entry: Mapping[str, Any], inside: str, outside: str) -> None:
    interval = one(**entry)
    assert interval.contains(datetime.fromisoformat(inside).replace(tzinfo=UTC))
    assert not outside or not interval.contains(datetime.fromisoformat(outside).replace(tzinfo=UTC))


def test_times_are_those_of_the_wall_clock_when_clocks_change() -> None:
    interval = one(times=[{"start_time": "02:00", "end_time": "03:00"}], location="Europe/Berlin")
    spring = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    minutes = [timedelta(minutes=minute) for minute in range(240)]
    assert sum(interval.contains(spring + minute) for minute in minutes) == 0  # 02:00 to 03:00 does not exist
    assert sum(interval.contains(autumn + minute) for minute in minutes) == 120  # and is there twice


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"times": [{"start_time": "22:00", "end_time": "07:00"}]}, "A time over midnight is written as two"),
        ({"weekdays": ["friday:monday"]}, "ends before it starts"),
        ({"weekdays": ["freitag"]}, "'freitag' is none of sunday"),
        ({"days_of_month": ["0"]}, "names no days of a month"),
        ({"days_of_month": ["-1:1"]}, "Write it as two ranges"),
        ({"days_of_month": ["20:10"]}, "ends before it starts"),
        ({"months": ["13"]}, "is none of january"),
        ({"years": ["soon"]}, "is no number"),
        ({"location": "Berlin"}, "There is no time zone 'Berlin'"),
    ],
)
def test_what_no_calendar_has_is_refused_in_words(entry: Mapping[str, Any], words: str) -> None:
    with pytest.raises(IntervalError, match=words):
        one(**entry)


def test_ten_thousand_instants_agree_with_a_calendar_read_day_by_day() -> None:
    dice = random.Random(26)
    for _ in range(100):
        entry = _random_entry(dice)
        interval = one(**entry)
        for _ in range(100):
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(3 * 366 * 1440))
            assert interval.contains(at) == _slowly(entry, at), (entry, at)


def _random_entry(dice: random.Random) -> dict[str, Any]:
    def pair(low: int, high: int) -> tuple[int, int]:
        first, last = sorted((dice.randint(low, high), dice.randint(low, high)))
        return first, last

    entry: dict[str, Any] = {"location": dice.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])}
    if dice.random() < 0.5:
        start, end = pair(0, 1439)
        entry["times"] = [{"start_time": _clock(start), "end_time": _clock(end + 1)}]
    if dice.random() < 0.5:
        first, last = pair(0, 6)
        names = ["sunday", *(name.lower() for name in WEEKDAYS[:6])]
        entry["weekdays"] = [f"{names[first]}:{names[last]}"]
    if dice.random() < 0.5:
        first, last = pair(1, 31)
        entry["days_of_month"] = [f"{first}:{last}" if dice.random() < 0.5 else f"{-last}:{-first}"]
    if dice.random() < 0.5:
        first, last = pair(1, 12)
        entry["months"] = [f"{first}:{last}"]
    return entry


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _slowly(entry: Mapping[str, Any], at: datetime) -> bool:
    """By listing every day and minute that the entry names."""
    local = at.astimezone(ZoneInfo(entry["location"]))
    last_day = max(day for day in range(28, 32) if _is_day(local.year, local.month, day))
    for key, value in entry.items():
        if key == "times":
            inside = any(item["start_time"] <= f"{local:%H:%M}" < item["end_time"] for item in value)
        elif key == "weekdays":
            first, last = value[0].split(":")
            week = ["sunday", *(name.lower() for name in WEEKDAYS[:6])]
            inside = f"{local:%A}".lower() in week[week.index(first) : week.index(last) + 1]
        elif key == "days_of_month":
            first, last = map(int, value[0].split(":"))
            named = range(first, last + 1) if first > 0 else [last_day + 1 + day for day in range(first, last + 1)]
            inside = local.day in named
        elif key == "months":
            first, last = map(int, value[0].split(":"))
            inside = local.month in range(first, last + 1)
        else:
            inside = True
        if not inside:
            return False
    return True


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def test_a_route_is_muted_within_one_interval_or_outside_of_all_its_active_ones() -> None:
    known = intervals_of([NIGHTS, {"name": "december", "time_intervals": [{"months": ["12"]}]}])
    night, noon = berlin("2026-11-27T23:00"), berlin("2026-11-27T12:00")
    assert muted_by(known, ["nights"], [], night) == "Muted by the time interval 'nights'."
    assert muted_by(known, ["nights"], [], noon) == ""
    assert muted_by(known, [], ["nights", "december"], noon) == "Not within the time intervals 'nights', 'december'."
    assert muted_by(known, [], ["nights", "december"], night) == ""


@pytest.mark.django_db
def test_a_muted_route_tells_at_the_first_tick_after_it_and_ends_are_told_throughout() -> None:
    morning = world.set_clock(berlin("2026-11-27T06:59:40").astimezone(UTC))
    route = {**world.QUICK, "receiver": "default", "routes": [{"mute_time_intervals": ["nights"]}]}
    world.tree(route=route, time_intervals=[NIGHTS])
    world.post("Hot")
    looked = _look_until(morning + timedelta(seconds=40))
    assert looked == [(berlin("2026-11-27T07:00:02").astimezone(UTC), "firing", ["firing:Hot"])]


@pytest.mark.django_db
def test_what_was_told_before_the_mute_is_told_as_ended_within_it() -> None:
    evening = world.set_clock(berlin("2026-11-27T21:59:50").astimezone(UTC))
    route = {**world.QUICK, "routes": [{"mute_time_intervals": ["nights"]}]}
    world.tree(route=route, time_intervals=[NIGHTS])
    world.post("Hot")
    assert [kind for _, kind, _ in _look_until(evening + timedelta(seconds=40))] == ["firing"]
    world.resolve("Hot")
    told = _look_until(clock.now() + timedelta(seconds=10))
    assert [(kind, lines) for _, kind, lines in told] == [("firing", ["firing:Hot"]), ("resolved", ["resolved:Hot"])]


def _look_until(end: datetime) -> list[tuple[datetime, str, list[str]]]:
    world.run_until((end - world.START).total_seconds())
    return [(world.START + timedelta(seconds=at), kind, lines) for at, kind, lines in world.queued()]
