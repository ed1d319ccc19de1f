"""Samples become slots and slots become intervals: in any order, as often as they come, from several at once."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.availability import ingest, rollup, upkeep
from monitoring.availability.figures import Tally
from monitoring.availability.models import ComponentDay, Evidence, FactChange, Series, StateInterval
from monitoring.availability.sources.answers import Answer, Ended, Fact
from monitoring.availability.states import State
from tests.availability import world
from tests.availability.world import after, every, intervals, see

UP, DOWN, DEGRADED, IDLE = State.UP, State.DOWN, State.DEGRADED, State.IDLE


@pytest.mark.django_db
def test_equal_slots_are_one_interval() -> None:
    probe = world.probe(world.component())
    see(probe, every(30, 5, 305))
    see(probe, [(305, DOWN), (335, DOWN)])
    see(probe, every(30, 365, 425))
    assert intervals(probe) == [(5, 305, "up"), (305, 365, "down"), (365, 425, "up")]


@pytest.mark.django_db
def test_a_missing_slot_is_a_gap_and_a_sample_belongs_to_the_nearest_instant() -> None:
    probe = world.probe(world.component())
    see(probe, [(0, UP), (31.2, UP), (89, UP), (121, UP)])
    assert intervals(probe) == [(0, 60, "up"), (90, 150, "up")]


@pytest.mark.django_db
def test_of_two_samples_in_one_slot_the_worse_counts_whenever_they_come() -> None:
    probe = world.probe(world.component())
    see(probe, [(0, UP), (30, DOWN), (33, UP), (60, UP)])
    see(probe, [(62, DEGRADED), (1, UP)])
    assert intervals(probe) == [(0, 30, "up"), (30, 60, "down"), (60, 90, "degraded")]


@pytest.mark.django_db
def test_late_samples_fill_a_gap_and_earlier_ones_move_the_beginning() -> None:
    probe = world.probe(world.component())
    see(probe, [(300, UP), (390, UP)])
    see(probe, [(330, UP), (360, UP)])
    see(probe, [(240, DOWN)])
    assert intervals(probe) == [(240, 270, "down"), (300, 420, "up")]
    row = Series.objects.get()
    assert (row.first_at, row.last_at, row.state) == (after(240), after(390), "up")


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_any_repetition_give_the_same(seed: int) -> None:
    dice = random.Random(seed)
    states = (UP, DOWN, DEGRADED, IDLE)
    line = [
        (number * 30 + dice.uniform(-10, 10), dice.choice(states)) for number in range(1, 60) if dice.random() < 0.8
    ]
    whole = world.probe(world.component("whole"))
    see(whole, [(0, UP), *line])
    torn = world.probe(world.component("torn"))
    see(torn, [(0, UP)])
    for _ in range(2):
        parts = [line[place::7] for place in range(7)]
        dice.shuffle(parts)
        for part in parts:
            see(torn, dice.sample(part, len(part)))
    assert intervals(torn) == intervals(whole)


@pytest.mark.django_db
def test_what_comes_back_after_its_end_is_a_new_series_and_is_not_missed_in_between() -> None:
    component = world.component()
    probe = world.probe(component)
    see(probe, every(30, 0, 300))
    ended = Answer(ended=(Ended({}, "The target is gone."),))
    ingest.keep([ingest.Found(probe.pk, ended)], after(400))
    see(probe, every(30, 607, 907, DOWN))
    rows = Series.objects.order_by("first_at").values_list("first_at", "ended_at", "end_reason")
    assert list(rows) == [(after(0), after(300), "The target is gone."), (after(607), None, "")]
    assert world.tally(component, 0, 907) == Tally(up_s=300, down_s=300)
    see(probe, every(30, 0, 300, DOWN))
    assert world.tally(component, 0, 907) == Tally(down_s=600)


@pytest.mark.django_db
def test_another_interval_begins_another_series() -> None:
    probe = world.probe(world.component())
    see(probe, every(30, 0, 90))
    probe.interval_s = 10
    probe.save()
    see(probe, every(10, 95, 125))
    assert intervals(probe) == [(0, 90, "up"), (95, 125, "up")]
    assert list(Series.objects.order_by("first_at").values_list("interval_s", flat=True)) == [30, 10]


@pytest.mark.django_db
def test_a_sample_of_a_clock_that_runs_ahead_is_left_out() -> None:
    probe = world.probe(world.component())
    answer = Answer((world.observation([(0, UP), (9_000, UP)]),))
    ingest.keep([ingest.Found(probe.pk, answer)], after(60))
    assert intervals(probe) == [(0, 30, "up")]


@pytest.mark.django_db
def test_many_series_and_slots_take_few_statements() -> None:
    probe = world.probe(world.component())
    observations = [world.observation(every(30, 0, 300), {"instance": str(number)}) for number in range(200)]
    ingest.keep([ingest.Found(probe.pk, Answer(tuple(observations)))], after(400))
    again = [world.observation(every(30, 300, 600), {"instance": str(number)}) for number in range(200)]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        ingest.keep([ingest.Found(probe.pk, Answer(tuple(again)))], after(700))
    assert len(asked) <= 8
    assert StateInterval.objects.count() == 200


@pytest.mark.django_db
def test_facts_are_kept_once_and_the_last_one_counts() -> None:
    component = world.component()
    probe = world.probe(component)
    for ready in (2.0, 3.0):
        answer = Answer(facts=(Fact("replicas_ready", ready), Fact("leader", text="etcd-1")))
        ingest.keep([ingest.Found(probe.pk, answer)], after(ready))
    rows = Evidence.objects.order_by("key").values_list("key", "value", "text", "at")
    assert list(rows) == [("leader", None, "etcd-1", after(3)), ("replicas_ready", 3.0, "", after(3))]


@pytest.mark.django_db(transaction=True)
def test_several_at_once_lose_nothing_and_count_nothing_twice() -> None:
    component = world.component()
    probe = world.probe(component, interval_s=1)
    see(probe, [(0, UP)])
    line = [(float(at), DOWN if at % 7 == 0 else UP) for at in range(1, 400)]

    def take(place: int) -> None:
        try:
            for start in range(0, len(line), 40):
                see(probe, line[start + place : start + 40 : 3])
                see(probe, line[start : start + 20])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, [0, 1, 2, 0]))
    assert world.tally(component, 0, 400) == Tally(up_s=343, down_s=57)
    assert Series.objects.count() == 1


@pytest.mark.django_db
def test_a_day_is_counted_again_when_samples_come_late() -> None:
    component = world.component()
    probe = world.probe(component)
    see(probe, [*every(30, 0, 43_200), (86_400, UP)])
    now = after(86_430)
    rollup.roll_up_recent(now)
    first = rollup.tally_of(ComponentDay.objects.get(day=world.TODAY))
    kept = see(probe, every(30, 43_200, 86_400, DOWN))
    rollup.follow(kept, now)
    second = rollup.tally_of(ComponentDay.objects.get(day=world.TODAY))
    assert first == Tally(up_s=Fraction(43_200), unknown_s=Fraction(43_200))
    assert second == Tally(up_s=Fraction(43_200), down_s=Fraction(43_200))
    assert world.tally(component, 0, 86_400, now=86_430) == second


@pytest.mark.django_db
def test_a_days_sum_of_a_service_is_that_of_its_replicas_together() -> None:
    service = world.component("service", needs=1)
    for place in range(3):
        replica = world.component(f"r{place}", parent=service)
        line = every(60, 0, 86_400)
        line = [(at, DOWN if place * 10_000 <= at < place * 10_000 + 2_592 else state) for at, state in line]
        see(world.probe(replica, interval_s=60), line)
    now = world.START + timedelta(days=1)
    rollup.roll_up(world.TODAY, now)
    found = {row.component.name: rollup.tally_of(row) for row in ComponentDay.objects.select_related("component")}
    assert found["service"] == Tally(up_s=Fraction(86_400))
    assert {found[f"r{place}"].down_s for place in range(3)} == {2_640, 2_580}


@pytest.mark.django_db
def test_a_fact_in_words_that_becomes_another_is_noted() -> None:
    probe = world.probe(world.component())
    for at, name in enumerate(("etcd-0", "etcd-0", "etcd-2", "etcd-1")):
        ingest.keep([ingest.Found(probe.pk, Answer(facts=(Fact("leader", 1.0, name),)))], after(at))
    rows = FactChange.objects.order_by("at").values_list("key", "at", "before", "after")
    assert list(rows) == [("leader", after(2), "etcd-0", "etcd-2"), ("leader", after(3), "etcd-2", "etcd-1")]


@pytest.mark.django_db
def test_what_is_older_than_a_year_is_forgotten_and_its_days_stay() -> None:
    component = world.component()
    probe = world.probe(component)
    see(probe, [(0, UP), (30, DOWN), (90, UP)])
    rollup.roll_up(world.TODAY, after(120))
    said = upkeep.forget_old(after(60) + upkeep.KEPT + timedelta(seconds=1))
    assert said == "Forgot 2 intervals and 0 other rows from before 2026-11-02."
    assert intervals(probe) == [(90, 120, "up")]
    assert ComponentDay.objects.count() == 1
