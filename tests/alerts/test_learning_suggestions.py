"""What the reports suggest to change, with the evidence and what it would have saved."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fleetledger.lib.buckets import Window
from monitoring.alerts.learning import suggestions, zones
from monitoring.alerts.models import Event, EventKind, Rule
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.learning_world import ALL, WEEK, ended, minute, paged, told
from tests.alerts.world import START, set_clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


def test_a_longer_for_is_suggested_with_what_it_spares_and_delays() -> None:
    to = pages_world.destination()
    for place in range(10):
        told(ended(at=minute(place), minutes=1.5 if place < 8 else 40, node=f"n{place}"), to=to)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.title, one.saved_messages, one.delayed, one.delay_s) == (
        "raise_for", "Raise its “for” by 2 min", 8, 2, 120,
    )  # fmt: skip
    assert one.evidence == (
        "80% of its 10 alerts ended by themselves within 2 min, without an act. "
        "The other 2 would have come 2 min later."
    )


def test_a_longer_for_is_not_suggested_where_somebody_needed_to_know() -> None:
    to = pages_world.destination()
    for place in range(10):
        acknowledged: dict[str, Any] = {} if place else {"first_acknowledged": 1}
        told(ended(at=minute(place), minutes=1.5, node=f"n{place}", **acknowledged), to=to)
    assert suggestions.suggestions(WEEK, teams=ALL).found == ()


def test_bursts_suggest_grouping_by_the_labels_that_stay_the_same() -> None:
    to = pages_world.destination()
    for burst in range(3):
        for node in range(5):
            told(ended(at=minute(60 * burst), minutes=90, node=f"n{node}", first_acknowledged=1), to=to)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.title, one.saved_messages) == ("group", "Group it: group_by: [alertname, severity]", 12)
    assert one.evidence == (
        "3 times at least 5 of its alerts began within one minute, 15 in all; they came as 15 messages where 3 do."
    )


def test_a_rule_on_which_nobody_acted_in_ninety_days_may_go() -> None:
    for place in range(20):
        ended(at=minute(0) - timedelta(days=3 * place), minutes=200, node=f"n{place}")
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.episodes, one.evidence) == (
        "delete", 20, "Nobody acted on any of its 20 alerts in 90 days; all ended by themselves.",
    )  # fmt: skip


def test_night_pages_on_which_nobody_acted_can_wait() -> None:
    tom = world.user("tom", time_zone="America/New_York")
    for place in range(10):
        paged(tom, START - timedelta(days=1, hours=6, minutes=place))  # 01:00 in New York
    found = {str(one.kind): one.saved_pages for one in suggestions.suggestions(WEEK, teams=ALL).found}
    assert found["route_lower"] == 10


def test_what_is_always_withheld_is_told() -> None:
    for place in range(10):
        ended(at=minute(place), minutes=200, node=f"n{place}").episodes.update(is_withheld=True)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert one.kind == "silence"


def test_too_few_is_said_and_not_guessed_from() -> None:
    ended(at=minute(0))
    found = suggestions.suggestions(WEEK, teams=ALL)
    assert (found.found, found.too_few, found.rules) == ((), 1, 1)


def test_what_our_own_rule_waits_now_is_said_and_pages_are_saved_too() -> None:
    Rule.objects.create(name="Hot", kind="fact", fact="idle_gpus", for_s=300, due_at=START)
    tom, escalation = world.user("tom"), escalation_world.escalation()
    for place in range(10):
        run = escalation_world.run(escalation, ended(at=minute(60 * place), minutes=0.5, node=f"n{place}"))
        escalation_world.page(escalation_world.step(run), tom, minute(60 * place))
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.title, one.saved_messages, one.saved_pages) == ("Raise its “for” from 5 min to 6 min", 0, 10)


def test_a_rule_that_flaps_should_keep_firing_for_longer() -> None:
    to = pages_world.destination()
    first = ended(at=minute(0), minutes=30.5, first_acknowledged=1)
    told(first, to=to)
    for place in range(1, 13):
        began_at = minute(32 * place)  # two minutes after the last one's end, but for the last ones
        first.episodes.create(
            number=place + 1, started_at=began_at, opened_at=began_at, ended_at=began_at + timedelta(minutes=30.5),
            ended_by="sender", first_acknowledged_at=began_at,
        )  # fmt: skip
    for place in range(3):
        Event.objects.create(alert=first, at=minute(place), kind=EventKind.FLAPPING)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.title) == ("keep_firing_for", "Raise its “keep_firing_for” by 2 min")
    assert one.evidence == (
        "It began to flap 3 times: 12 of its 13 alerts were back within 2 min. Ends would be told 2 min later."
    )


def test_a_burst_over_the_edge_of_a_minute_is_one() -> None:
    to = pages_world.destination()
    for burst in range(3):
        for node in range(6):
            at = minute(60 * burst) + timedelta(seconds=50 + 4 * node)
            told(ended(at=at, minutes=90, node=f"n{node}", first_acknowledged=1), to=to)
    (one,) = suggestions.suggestions(WEEK, teams=ALL).found
    assert (one.kind, one.saved_messages) == ("group", 15)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])
def test_walls_agree_with_the_zone_at_every_hour_of_a_year(name: str) -> None:
    window = Window(datetime(2026, 1, 1, 0, 17, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    found = list(zones.walls(name, window))
    assert (found[0].from_at, found[-1].until_at) == (window.start, window.end)
    assert all(one.until_at == other.from_at for one, other in itertools.pairwise(found))
    for wall in found:
        at = wall.from_at
        while at < wall.until_at:
            assert at.astimezone(ZoneInfo(name)).utcoffset() == wall.away, at
            at += timedelta(hours=1)
        last = wall.until_at - timedelta(seconds=1)
        assert last.astimezone(ZoneInfo(name)).utcoffset() == wall.away
