"""What is counted hour by hour: which hours, once or again, and what samples that are gone leave behind."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from fleetledger.lib.buckets import HOUR
from monitoring.availability.models import Slo, SloBurn, SloPoint, SloState, SloVerdict
from monitoring.availability.slo import claims, evaluate, points
from monitoring.availability.slo.asks import Ask
from monitoring.availability.slo.burn import Counted
from monitoring.availability.slo.claims import LEASE
from monitoring.availability.slo.points import Hour
from monitoring.availability.tasks import evaluate_objectives, forget_points
from tests.alerts.world import set_clock
from tests.availability.slo_world import DAY, T0, after, component_of_time, firing, slo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock(T0)


def hours_due(of: Slo, at: float) -> tuple[int, float, float]:
    """(how many, first, last) in hours after T0."""
    found, _ = points.due(of, SloState.objects.get(slo=of), after(hours=at))
    return len(found), (found[0].at - T0) / HOUR, (found[-1].until - T0) / HOUR


def keep(of: Slo, hours: Sequence[Hour], *, covered_s: float, bad: float = 0, total: float = 100) -> None:
    """Take in that each of these hours had so much, up to its end."""
    state = SloState.objects.get(slo=of)
    answers = {ask: _answer(ask, covered_s, bad, total) for ask in points.asks(hours)}
    points.keep(of, state, hours, answers)
    state.save()


def _answer(ask: Ask, covered_s: float, bad: float, total: float) -> Counted:
    share = Fraction(ask.counts_s, 3600)
    return Counted(Fraction(bad) * share, Fraction(total) * share, Fraction(covered_s), Fraction(ask.coverage_s))


def stored(of: Slo) -> list[tuple[float, float, float, float, float]]:
    """(hour, until, bad, total, seen) of every hour, the first two in hours after T0."""
    rows = SloPoint.objects.filter(slo=of).order_by("at")
    return [((row.at - T0) / HOUR, (row.until_at - T0) / HOUR, row.bad, row.total, row.covered_s) for row in rows]


def test_a_new_objective_counts_its_window_four_days_at_a_time() -> None:
    assert hours_due(slo(), 0) == (96, -720, -624)
    assert points.due(slo("week", period_days=7), SloState.objects.get(slo__name="week"), T0)[1]


def test_then_it_counts_the_running_hour_and_each_hour_once_more() -> None:
    of = slo()
    SloState.objects.filter(slo=of).update(counted_until=after(minutes=20))
    assert hours_due(of, 0.5) == (1, 0, 0.5)
    SloState.objects.filter(slo=of).update(counted_until=after(minutes=59))
    assert hours_due(of, 61 / 60) == (3, -1, 61 / 60)
    SloState.objects.filter(slo=of).update(counted_until=after(hours=1, minutes=2))
    assert hours_due(of, 63 / 60) == (2, 0, 63 / 60)  # the hour before has not settled yet
    SloState.objects.filter(slo=of).update(counted_until=after(hours=1, minutes=6))
    assert hours_due(of, 67 / 60) == (1, 1, 67 / 60)


def test_hours_are_the_differences_of_what_the_day_had() -> None:
    of = slo()
    hours = [Hour(after(hours=number), after(hours=number + 1)) for number in range(2)]
    assert [(ask.counts_s // 3600, ask.coverage_s) for ask in points.asks(hours)] == [(12, 0), (13, 3600), (14, 3600)]
    keep(of, hours, covered_s=3600, bad=1)
    assert stored(of) == [(0, 1, 1, 100, 3600), (1, 2, 1, 100, 3600)]


def test_nothing_is_kept_of_hours_before_anything_was_seen() -> None:
    of = slo()
    keep(of, [Hour(after(hours=0), after(hours=1))], covered_s=0, total=0)
    assert (stored(of), SloState.objects.get(slo=of).since_at) == ([], None)
    keep(of, [Hour(after(hours=1), after(hours=2))], covered_s=60)
    keep(of, [Hour(after(hours=2), after(hours=2.1))], covered_s=0, total=0)
    keep(of, [Hour(after(hours=2), after(hours=3))], covered_s=0, total=0)
    assert stored(of) == [(1, 2, 0, 100, 60), (2, 3, 0, 0, 0)]
    assert SloState.objects.get(slo=of).since_at == after(hours=1)


def test_an_hour_whose_samples_are_gone_keeps_what_was_counted_of_it() -> None:
    of = slo()
    hour = [Hour(after(hours=0), after(hours=1))]
    keep(of, hour, covered_s=3600, bad=5)
    keep(of, hour, covered_s=0, total=0)
    assert stored(of) == [(0, 1, 5, 100, 3600)]


def test_the_sums_are_of_the_window_and_of_this_month() -> None:
    of = slo()
    for hours in (-721, -720, -24 * 2, -1):  # 30 days before T0 is 3 October
        keep(of, [Hour(after(hours=hours), after(hours=hours + 1))], covered_s=3600, bad=1)
    state = SloState.objects.get(slo=of)
    points.add_up(of, state, T0)
    assert (state.bad, state.total, state.covered_s, state.expected_s) == (3, 300, 10_800, 10_800)
    assert (state.month_bad, state.month_total) == (1, 100)


def test_beginning_anew_leaves_the_months_before_the_window() -> None:
    of = slo()
    for hours in (-1000, -3):
        keep(of, [Hour(after(hours=hours), after(hours=hours + 1))], covered_s=3600)
    points.start_anew(of, T0)
    assert [hour for hour, *_ in stored(of)] == [-1000]
    assert SloState.objects.values_list("since_at", "counted_until").get(slo=of) == (None, None)


def test_who_was_overtaken_writes_nothing() -> None:
    of = slo("uptime", kind="time", component=component_of_time(-DAY, 0))
    SloState.objects.filter(slo=of).update(lease_until=T0 + LEASE)
    assert evaluate.evaluate_due(T0).startswith("Evaluated 0 ")
    assert evaluate.evaluate_due(T0 + LEASE).startswith("Evaluated 1 ")
    claim = claims.take_one(of, T0)
    SloState.objects.filter(slo=of).update(lease_until=None)
    assert claims.held(claim) is None
    claims.fail(claim, "late")
    assert SloState.objects.get(slo=of).failure == ""


def test_the_tasks_say_what_they_did() -> None:
    of = slo("uptime", kind="time", component=component_of_time(-DAY, 0))
    assert evaluate_objectives() == "Evaluated 1 objective, 0 of which could not be counted."
    assert SloState.objects.get(slo=of).evaluated_at == T0
    SloPoint.objects.create(
        slo=of, at=T0 - points.KEPT - HOUR, until_at=T0 - points.KEPT, objective=Decimal(99), bad=0, total=1,
        covered_s=1, expected_s=1,
    )  # fmt: skip
    assert forget_points() == "Forgot 1 hours."
    assert timedelta(days=400) < points.KEPT


def test_pairs_of_days_are_looked_at_every_five_minutes() -> None:
    of = slo("uptime", kind="time", component=component_of_time(-DAY, DAY))
    looked = []
    for minutes in (0, 1, 4, 5, 6):
        SloState.objects.filter(slo=of).update(due_at=after(minutes=minutes))
        evaluate.evaluate_due(after(minutes=minutes))
        rows = SloVerdict.objects.filter(slo=of, at=after(minutes=minutes)).order_by("long_s")
        looked.append((minutes, [row.long_s // 3600 for row in rows]))
    assert looked == [(0, [1, 6, 24, 72]), (1, [1, 6]), (4, [1, 6]), (5, [1, 6, 24, 72]), (6, [1, 6])]


def test_what_burns_by_days_burns_on_while_only_hours_are_looked_at() -> None:
    down = ((-DAY / 2, -DAY / 2 + 4000), (-600, 0))
    of = slo("uptime", kind="time", component=component_of_time(-4 * DAY, 0, down=down))
    evaluate.at_instant(of, T0)
    assert [labels["window"] for labels in firing()] == ["1h", "6h", "1d", "3d"]
    SloState.objects.filter(slo=of).update(due_at=after(minutes=1))
    evaluate.evaluate_due(after(minutes=1))
    assert [labels["window"] for labels in firing()] == ["1h", "6h", "1d", "3d"]
    assert SloBurn.objects.filter(slo=of, until_at=None).count() == 4
