"""Rotations: exact hand-overs over changes of the clocks, layers, windows and overrides, against a slow reference."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from fleetledger.fleet.models import User
from monitoring.alerts.models import Override, Schedule
from monitoring.alerts.oncall.documents import DocumentError, rotation, zone_named
from monitoring.alerts.oncall.now import OnCall, OnCallPerson, on_call
from monitoring.alerts.oncall.plans import Change, Plan
from monitoring.alerts.oncall.stretches import Stretch
from tests import world
from tests.alerts import slow_schedules
from tests.alerts.slow_schedules import SlowSchedule

START = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=2 * 365)
MICROSECOND = timedelta(microseconds=1)
WEEKLY: dict[str, Any] = {"name": "main", "people": ["mira", "tom"], "every": "week", "start": "2026-03-02 09:00"}
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}
NIGHT = {"days": ["fri", "sat"], "from": "22:30", "until": "06:30"}
SCHEDULES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "weekly in Berlin": ("Europe/Berlin", [WEEKLY | {"start": "2025-11-03 09:00"}]),
    "hand-over in the hour that clocks skip and repeat": (
        "Europe/Berlin",
        [{"name": "daily", "people": ["mira", ["tom", "ana"], "li"], "every": "day", "start": "2025-06-01 02:30"}],
    ),
    "every 90 minutes, where clocks move by half an hour": (
        "Australia/Lord_Howe",
        [{"name": "quick", "people": ["mira", "tom", "li"], "every": "90m", "start": "2026-01-07T00:15"}],
    ),
    "every hour, where clocks move by two": (
        "Antarctica/Troll",
        [{"name": "hourly", "people": ["mira", "tom", "li"], "every": "1h", "start": "2026-01-07 00:30"}],
    ),
    "follow the sun over a base": (
        "UTC",
        [
            WEEKLY | {"name": "base", "start": "2026-02-02 00:00", "until": "2027-10-01 12:00"},
            {
                "name": "berlin",
                "people": ["ana", "li"],
                "every": "3d",
                "start": "2026-01-01 09:00",
                "time_zone": "Europe/Berlin",
                "active": [OFFICE],
            },
            {
                "name": "new york",
                "people": [["bo", "cy"], "di"],
                "every": "12h",
                "start": "2026-01-05 18:00",
                "time_zone": "America/New_York",
                "active": [OFFICE, NIGHT],
            },
        ],
    ),
    "nights over a change of the clocks": (
        "America/New_York",
        [
            {
                "name": "nights",
                "people": ["mira", "tom"],
                "every": "2w",
                "start": "2026-01-05 12:00",
                "active": [{"from": "23:00", "until": "02:30"}, {"days": ["sun"], "from": "01:30", "until": "01:30"}],
            }
        ],
    ),
}


def plan(time_zone: str, layers: Sequence[Mapping[str, Any]], changes: Sequence[slow_schedules.Change] = ()) -> Plan:
    zone = zone_named(time_zone)
    made = tuple(Change(number, one.from_at, one.until_at, one.person) for number, one in enumerate(changes))
    return Plan(tuple(rotation(layer, zone) for layer in layers), made)


def instants(chance: random.Random, slow: SlowSchedule, count: int) -> list[datetime]:
    """Anywhere within two years; every fifth right at an edge, or a moment before it."""
    edges = [slow_schedules.EPOCH + timedelta(microseconds=int(at)) for one in slow.hand_overs.values() for at in one]
    edges += [change.from_at for change in slow.changes] + [change.until_at for change in slow.changes]
    edges = [edge for edge in edges if START <= edge < START + YEARS]
    found = [START + timedelta(microseconds=chance.randrange(YEARS // MICROSECOND)) for _ in range(count)]
    found[::5] = [chance.choice(edges) - chance.choice([timedelta(), MICROSECOND]) for _ in found[::5]]
    return found


def overrides(chance: random.Random, count: int) -> list[slow_schedules.Change]:
    found = []
    for number in range(count):
        begin = START + timedelta(minutes=chance.randrange(YEARS // timedelta(minutes=1)))
        found.append(slow_schedules.Change(begin, begin + timedelta(minutes=chance.randrange(1, 20_000)), f"o{number}"))
    return found


@pytest.mark.parametrize("name", SCHEDULES)
def test_ten_thousand_instants_agree_with_a_slow_reference(name: str) -> None:
    chance = random.Random(name)
    time_zone, layers = SCHEDULES[name]
    changes = overrides(chance, 40)
    slow, quick = SlowSchedule(time_zone, layers, changes), plan(time_zone, layers, changes)
    slow.walk()
    different = []
    for at in instants(chance, slow, 10_000):
        found = quick.at(at)
        if (found.people, found.source) != slow.at(at):
            different.append((at, found, slow.at(at)))
    assert different == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_shifts_of_two_years_cover_them_and_agree_with_the_reference(name: str) -> None:
    chance = random.Random(name)
    time_zone, layers = SCHEDULES[name]
    changes = overrides(chance, 40)
    slow = SlowSchedule(time_zone, layers, changes)
    shifts = plan(time_zone, layers, changes).shifts(START, START + YEARS)
    check_cover(shifts, START, START + YEARS)
    for shift in chance.sample(shifts, min(len(shifts), 1000)):
        said = (shift.people, shift.source)
        assert slow.at(shift.from_at) == slow.at(shift.until_at - MICROSECOND) == said
        assert shift.until_at == START + YEARS or slow.at(shift.until_at) != said


def check_cover(shifts: Sequence[Stretch], from_at: datetime, until_at: datetime) -> None:
    """Without holes or overlap, nothing empty, and no two neighbours that are one."""
    edges = [shift.from_at for shift in shifts] + [until_at]
    assert edges[0] == from_at
    assert [shift.until_at for shift in shifts] == edges[1:]
    assert all(shift.from_at < shift.until_at for shift in shifts)
    assert not any((one.people, one.source) == (two.people, two.source) for one, two in pairwise(shifts))


def test_a_week_over_a_change_of_the_clocks_has_an_hour_less_or_more() -> None:
    shifts = plan("Europe/Berlin", [WEEKLY]).shifts(
        datetime(2026, 3, 16, 8, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC)
    )
    hours = {shift.from_at: (shift.until_at - shift.from_at) / timedelta(hours=1) for shift in shifts}
    assert hours[datetime(2026, 3, 23, 8, tzinfo=UTC)] == 167
    assert hours[datetime(2026, 10, 19, 7, tzinfo=UTC)] == 169
    assert sorted(set(hours.values())) == [167, 168, 169]


def test_a_hand_over_that_clocks_skip_comes_with_the_offset_before_and_a_double_one_the_first_time() -> None:
    daily = rotation(WEEKLY | {"every": "day", "start": "2026-03-28 02:30"}, zone_named("Europe/Berlin"))
    assert [daily.hand_over_at(number) for number in (0, 1, 2, 211)] == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("zone", "start", "every"),
    [("Pacific/Apia", "2011-12-28 06:00", "12h"), ("Antarctica/Troll", "2026-03-28 00:30", "1h")],
)
def test_where_clocks_skip_several_turns_the_last_one_that_began_counts(zone: str, start: str, every: str) -> None:
    layer = {"name": "skips", "people": ["a", "b", "c", "d", "e"], "every": every, "start": start}
    slow, quick = SlowSchedule(zone, [layer]), plan(zone, [layer])
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC) - timedelta(days=1)
    shifts = quick.shifts(begin, begin + timedelta(days=5))
    check_cover(shifts, begin, begin + timedelta(days=5))
    for minutes in range(0, 5 * 1440, 30):
        at = begin + timedelta(minutes=minutes)
        shift = next(one for one in shifts if one.from_at <= at < one.until_at)
        assert shift.people == quick.at(at).people == slow.at(at)[0]


def test_an_override_splits_a_shift_and_the_later_made_one_counts() -> None:
    def at(day: int, hour: int = 8) -> datetime:
        return datetime(2026, 3, day, hour, tzinfo=UTC)

    changes = [
        slow_schedules.Change(at(3), at(5), "ana"),
        slow_schedules.Change(at(4), at(6), "li"),
        slow_schedules.Change(at(8), at(8, 9), "ana"),
    ]
    assert plan("Europe/Berlin", [WEEKLY], changes).shifts(at(1), at(9)) == (
        Stretch(at(1), at(2), (), "gap"),
        Stretch(at(2), at(3), ("mira",), "layer main"),
        Stretch(at(3), at(4), ("ana",), "override"),
        Stretch(at(4), at(6), ("li",), "override"),
        Stretch(at(6), at(8), ("mira",), "layer main"),
        Stretch(at(8), at(8, 9), ("ana",), "override"),
        Stretch(at(8, 9), at(9), ("mira",), "layer main"),
    )


def test_an_instant_costs_the_same_however_old_the_rotation() -> None:
    old = plan("Europe/Berlin", [WEEKLY | {"every": "1h", "start": "1971-01-01 00:00"}])
    assert old.layers[0].stretches(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=UTC)) != []
    begin = perf_counter()
    for hours in range(1000):
        old.at(START + timedelta(hours=hours))
    assert perf_counter() - begin < 5  # half a million hand-overs each would take minutes


every = st.sampled_from(["1h", "90m", "8h", "12h", "day", "3d", "week"])
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
starts = st.integers(0, 450 * 1440).map(lambda minute: f"{START + timedelta(minutes=minute):%Y-%m-%d %H:%M}")
clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30]))
windows = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(slow_schedules.DAY_NAMES), min_size=1, unique=True),
            "from": clock_times,
            "until": clock_times,
        }
    ),
    max_size=2,
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[SlowSchedule, Plan]:
    layers = []
    for number in range(draw(st.integers(0, 3))):
        people = [f"{number}{letter}" for letter in "abc"[: draw(st.integers(1, 3))]]
        layer: dict[str, Any] = {"name": str(number), "people": people, "every": draw(every), "start": draw(starts)}
        active = draw(windows)
        layers.append(layer | ({"active": active} if active else {}) | {"time_zone": draw(zones)})
    changes = []
    for number in range(draw(st.integers(0, 4))):
        begin = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 300 * 1440)))
        changes.append(
            slow_schedules.Change(begin, begin + timedelta(minutes=draw(st.integers(1, 9000))), f"o{number}")
        )
    return SlowSchedule("UTC", layers, changes), plan("UTC", layers, changes)


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(0, 300 * 1440), st.integers(1, 21 * 1440), st.lists(st.floats(0, 0.999999), max_size=20))
def test_shifts_cover_any_range_and_agree_with_who_is_on_call(
    both: tuple[SlowSchedule, Plan], from_minute: int, minutes: int, parts: list[float]
) -> None:
    slow, quick = both
    begin = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=from_minute)
    end = begin + timedelta(minutes=minutes)
    shifts = quick.shifts(begin, end)
    check_cover(shifts, begin, end)
    for at in [begin, end - MICROSECOND, *(begin + (end - begin) * part for part in parts)]:
        shift = next(one for one in shifts if one.from_at <= at < one.until_at)
        moment = quick.at(at)
        assert (shift.people, shift.source) == (moment.people, moment.source) == slow.at(at)


@pytest.mark.parametrize(
    ("layer", "sentence", "key"),
    [
        ({"every": "30m"}, "A turn lasts whole minutes, and one hour at least.", ("every",)),
        ({"every": "1h30s"}, "A turn lasts whole minutes, and one hour at least.", ("every",)),
        ({"every": "month"}, "'month' is no length of a turn. Write day, week, 12h, 3d or 2w.", ("every",)),
        ({"start": "soon"}, "'soon' is no wall time. Write it as 2026-03-02 09:00.", ("start",)),
        (
            {"start": "0001-01-01 00:00"},
            "'0001-01-01 00:00' is no wall time. Write it as 2026-03-02 09:00.",
            ("start",),
        ),
        (
            {"until": "2026-02-30 09:00"},
            "'2026-02-30 09:00' is no wall time. Write it as 2026-03-02 09:00.",
            ("until",),
        ),
        (
            {"until": "2026-03-02 09:00"},
            "This layer ends before it starts. Let until be later than start.",
            ("until",),
        ),
        (
            {"time_zone": "Berlin"},
            "No time zone is called 'Berlin'. Write it as Europe/Berlin, America/New_York or UTC.",
            ("time_zone",),
        ),
        (
            {"time_zone": "../../etc/passwd"},
            "No time zone is called '../../etc/passwd'. Write it as Europe/Berlin, America/New_York or UTC.",
            ("time_zone",),
        ),
        ({"active": [{}, {"from": "9:00"}]}, "'9:00' is no time of the day. Write it as 09:00.", ("active", 1, "from")),
        ({"active": [{"until": "24:30"}]}, "'24:30' is no time of the day. Write it as 09:00.", ("active", 0, "until")),
        (
            {"active": [{"days": ["monday"]}]},
            "'monday' is no day. Write mon, tue, wed, thu, fri, sat, sun.",
            ("active", 0, "days"),
        ),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(
    layer: dict[str, Any], sentence: str, key: tuple[str | int, ...]
) -> None:
    with pytest.raises(DocumentError) as caught:
        rotation(WEEKLY | layer, zone_named("Europe/Berlin"))
    assert (str(caught.value), caught.value.key) == (sentence, key)


@pytest.mark.django_db
class TestStored:
    @pytest.fixture
    def schedule(self) -> Schedule:
        for username in ("mira", "tom"):
            world.user(username, first_name=username.title(), last_name="Example")
        return Schedule.objects.create(
            name="primary", time_zone="Europe/Berlin", layers=[WEEKLY], created_at=START, changed_at=START
        )

    def person(self, username: str) -> OnCallPerson:
        return OnCallPerson(User.objects.get(username=username).pk, username, f"{username.title()} Example")

    def at(self, day: int, hour: int = 8) -> datetime:
        return datetime(2026, 3, day, hour, tzinfo=UTC)

    def override(self, schedule: Schedule, username: str, begin: datetime, end: datetime, **fields: Any) -> None:
        Override.objects.create(
            schedule=schedule,
            person=User.objects.get(username=username),
            from_at=begin,
            until_at=end,
            created_by="mira",
            created_at=START,
            **fields,
        )

    def test_the_person_on_call_is_that_of_layers_and_overrides(self, schedule: Schedule) -> None:
        self.override(schedule, "tom", self.at(4), self.at(5))
        self.override(schedule, "tom", self.at(6), self.at(7), cancelled_at=START)
        mira, tom = self.person("mira"), self.person("tom")
        assert [on_call(schedule, self.at(day)) for day in (1, 2, 4, 5, 9)] == [
            OnCall((), "gap", self.at(2)),
            OnCall((mira,), "layer main", self.at(4)),
            OnCall((tom,), "override", self.at(5)),
            OnCall((mira,), "layer main", self.at(9)),
            OnCall((tom,), "layer main", self.at(16)),
        ]

    def test_who_is_gone_is_not_on_call(self, schedule: Schedule) -> None:
        User.objects.filter(username="tom").update(is_active=False)
        assert on_call(schedule, self.at(9)) == OnCall((), "gap", self.at(16))
        schedule.layers = [WEEKLY | {"people": [["mira", "tom"], "nobody"]}]
        assert on_call(schedule, self.at(2)).people == (self.person("mira"),)
        assert on_call(schedule, self.at(9)) == OnCall((), "gap", self.at(16))

    def test_an_answer_takes_two_statements(
        self, schedule: Schedule, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        self.override(schedule, "tom", self.at(4), self.at(5))
        with django_assert_num_queries(2):
            on_call(schedule, self.at(4))

    def test_what_never_changes_has_no_end(self, schedule: Schedule) -> None:
        schedule.layers = [WEEKLY | {"people": ["mira"]}]
        assert on_call(schedule, self.at(9)) == OnCall((self.person("mira"),), "layer main", None)
        schedule.layers = []
        assert on_call(schedule, self.at(9)) == OnCall((), "gap", None)
