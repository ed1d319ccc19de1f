"""People and programs see from when until when a route tells nobody, over changes of the clocks as well."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from monitoring.alerts import reads_routing, routing
from monitoring.alerts.intervals import intervals_of, muted_by
from monitoring.alerts.mutes import DAYS, Mute, Mutes
from monitoring.alerts.tenants import PLATFORM
from tests import world as fleet
from tests.alerts import world
from tests.alerts.test_intervals import NIGHTS, berlin

WEEKENDS: dict[str, Any] = {
    "name": "weekends",
    "time_intervals": [{"weekdays": ["saturday", "sunday"], "location": "Europe/Berlin"}],
}
SMALL_HOURS: dict[str, Any] = {
    "name": "small hours",
    "time_intervals": [{"times": [{"start_time": "01:30", "end_time": "02:30"}], "location": "Europe/Berlin"}],
}


def mute(at: datetime, *intervals: dict[str, Any], **names: list[str]) -> Mute | None:
    route = routing.route_of({"receiver": "a", **names})
    return Mutes(intervals_of(intervals), at).of(route)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_stretch_that_holds_now_is_told_with_both_its_ends() -> None:
    assert mute(berlin("2026-11-28T23:10"), NIGHTS, WEEKENDS, mute_time_intervals=["weekends", "nights"]) == Mute(
        is_now=True,
        from_at=utc("2026-11-27T21:00"),  # friday's night, both days, and the night to monday
        until_at=utc("2026-11-30T06:00"),
        reason="muted by the time interval 'weekends'",
    )


def test_the_next_stretch_is_told_where_none_holds_now() -> None:
    assert mute(berlin("2026-11-24T12:00"), NIGHTS, mute_time_intervals=["nights"]) == Mute(
        is_now=False,
        from_at=utc("2026-11-24T21:00"),
        until_at=utc("2026-11-25T06:00"),
        reason="muted by the time interval 'nights'",
    )
    assert mute(berlin("2026-11-24T12:00"), WEEKENDS, active_time_intervals=["weekends"]) == Mute(
        is_now=True,
        from_at=utc("2026-11-22T23:00"),
        until_at=utc("2026-11-27T23:00"),
        reason="not within the time interval 'weekends'",
    )


def test_what_is_more_than_a_month_away_is_left_open() -> None:
    december = {"name": "december", "time_intervals": [{"months": ["12"]}]}
    always = {"name": "always", "time_intervals": [{}]}
    assert mute(utc("2026-06-01T00:00"), december, mute_time_intervals=["december"]) is None
    reason = "muted by the time interval 'always'"
    assert mute(utc("2026-06-01T00:00"), always, mute_time_intervals=["always"]) == Mute(True, None, None, reason)
    assert mute(utc("2026-06-01T00:00")) is None


@pytest.mark.parametrize(
    ("at", "stretches"),
    [
        ("2026-03-28T12:00", [("2026-03-29T00:30", "2026-03-29T01:00")]),  # 02:00 to 03:00 is not there
        ("2026-10-24T12:00", [("2026-10-24T23:30", "2026-10-25T00:30"), ("2026-10-25T01:00", "2026-10-25T01:30")]),
    ],
)
def test_stretches_end_and_begin_where_the_clocks_change(at: str, stretches: list[tuple[str, str]]) -> None:
    looked = utc(at)
    for begin, end in stretches:
        found = mute(looked, SMALL_HOURS, mute_time_intervals=["small hours"])
        assert found is not None
        assert (found.from_at, found.until_at) == (utc(begin), utc(end))
        assert found.until_at is not None
        looked = found.until_at


def test_random_stretches_are_those_that_a_look_at_each_minute_finds() -> None:
    dice = random.Random(11)
    for _ in range(12):
        known = intervals_of([_random_interval(dice, "a"), _random_interval(dice, "b")])
        names = {"mute_time_intervals": ("a",)} if dice.random() < 0.5 else {"active_time_intervals": ("b", "a")}
        route = routing.Route(path="", receiver="", **names)
        day = dice.choice([datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)])
        at = day + timedelta(minutes=dice.randrange(1440))
        found = Mutes(known, at).of(route)
        assert found == _by_minutes(known, route, at), (known, at)


def _random_interval(dice: random.Random, name: str) -> dict[str, Any]:
    return {"name": name, "time_intervals": [_random_entry(dice) for _ in range(dice.randint(1, 2))]}


def _random_entry(dice: random.Random) -> dict[str, Any]:
    start, end = sorted(dice.sample(range(0, 289, 3), 2))
    entry: dict[str, Any] = {
        "location": dice.choice(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
    }
    if dice.random() < 0.7:
        times = {
            "start_time": f"{start // 12:02d}:{start % 12 * 5:02d}",
            "end_time": f"{end // 12:02d}:{end % 12 * 5:02d}",
        }
        entry["times"] = [times]
    if dice.random() < 0.5:
        entry["weekdays"] = [dice.choice(["saturday", "sunday", "monday:wednesday"])]
    if dice.random() < 0.3:
        entry["days_of_month"] = [dice.choice(["-3:-1", "29", "20:28"])]
    return entry


def _by_minutes(known: Any, route: routing.Route, at: datetime) -> Mute | None:
    """By looking at every minute of a month on both sides."""

    def reason(moment: datetime) -> str:
        return muted_by(known, route.mute_time_intervals, route.active_time_intervals, moment)

    first = utc("2026-01-01T00:00")
    limit = (at + timedelta(days=DAYS + 2) - first) // timedelta(minutes=1)
    minute = now = (at - first) // timedelta(minutes=1)
    moments = [first + timedelta(minutes=number) for number in range(limit)]
    while minute < limit and not reason(moments[minute]):
        minute += 1
    if minute == limit:
        return None
    begin = end = minute
    while end < limit and reason(moments[end]):
        end += 1
    while begin == now or (begin < now and begin > limit - (2 * DAYS + 2) * 1440):
        if not reason(moments[begin - 1]):
            break
        begin -= 1
    words = reason(moments[minute])
    is_open = begin <= limit - (2 * DAYS + 2) * 1440
    return Mute(
        minute == now,
        None if is_open else moments[begin],
        moments[end] if end < limit else None,
        words[:1].lower() + words[1:].rstrip("."),
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("comes_in_at", "quiet"),
    [
        ("2026-03-29T00:29:50", [("2026-03-29T00:30", "2026-03-29T01:00")]),  # 02:00 to 03:00 is not there
        # from 01:30 to 02:30, an hour as always, then once more from 02:00 to 02:30
        ("2026-10-24T23:29:50", [("2026-10-24T23:30", "2026-10-25T00:30"), ("2026-10-25T01:00", "2026-10-25T01:30")]),
    ],
)
def test_a_route_is_quiet_by_the_wall_in_the_nights_when_clocks_change(
    comes_in_at: str, quiet: list[tuple[str, str]]
) -> None:
    start = world.set_clock(utc(comes_in_at))
    route = {**world.QUICK, "group_interval": "2m", "repeat_interval": "2m"}
    world.tree(
        route={**route, "routes": [{"mute_time_intervals": ["small hours"]}]},
        time_intervals=[SMALL_HOURS],
    )
    world.post("Hot", end=start + timedelta(hours=3))
    world.run_until((start + timedelta(hours=2, minutes=20) - world.START).total_seconds())
    told = [world.START + timedelta(seconds=at) for at, _, _ in world.queued()]
    ticks = [start + timedelta(seconds=2 + 120 * number) for number in range(70)]
    assert told == [tick for tick in ticks if not any(utc(begin) <= tick < utc(end) for begin, end in quiet)]


@pytest.mark.django_db
def test_the_page_and_the_endpoint_show_when_a_route_tells_nobody() -> None:
    world.set_clock(berlin("2026-11-28T23:10").astimezone(UTC))
    routes = [
        {"receiver": "default", "matchers": ["team=vision"], "mute_time_intervals": ["weekends"]},
        {"matchers": ["team=speech"], "active_time_intervals": ["weekends"]},
    ]
    world.tree(route={**world.QUICK, "routes": routes}, time_intervals=[WEEKENDS])
    found = reads_routing.routing_of(PLATFORM, berlin("2026-11-28T23:10"))
    assert [row.mute and row.mute.is_now for row in found.routes] == [None, True, False]
    assert [(hours.name, hours.is_now, hours.entries) for hours in found.time_intervals] == [
        ("weekends", True, ("saturday, sunday, Europe/Berlin",))
    ]
    client = Client()
    client.force_login(fleet.admin())
    text = client.get('/alerts/routing/?team=platform&labels=team%3D"vision"').content.decode()
    assert text.count("muted by the time interval &#x27;weekends&#x27;") == 2  # in the tree, and in the answer
    assert 'until <time datetime="2026-11-29T23:00:00Z"' in text
    headers = fleet.bearer(fleet.token(scopes=["read:alerts"]))
    (_, vision, speech) = Client().get("/api/v1/routes", headers=headers).json()["routes"]
    assert (vision["mute_time_intervals"], vision["mute"]["until_at"]) == (["weekends"], "2026-11-29T23:00:00Z")
    assert (speech["active_time_intervals"], speech["mute"]["from_at"]) == (["weekends"], "2026-11-29T23:00:00Z")
