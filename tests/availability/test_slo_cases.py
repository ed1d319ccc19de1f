"""The worked cases of burn rates and budgets, from samples in a real Prometheus."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from fleetledger.fleet.models import Source
from monitoring.alerts.models import Alert
from monitoring.availability.models import SloBurn, SloPoint, SloState
from monitoring.availability.slo import counting, evaluate, sentences
from monitoring.availability.slo.budget import budget
from monitoring.availability.slo.burn import Counted, Outcome
from monitoring.availability.slo.stored import counted_of
from tests.alerts.world import set_clock
from tests.availability.slo_world import (
    BAD,
    T0,
    TOTAL,
    after,
    component_of_time,
    counter,
    failing,
    filled,
    fires,
    firing,
    slo,
    source,
    traffic,
    verdict,
)

pytestmark = [pytest.mark.django_db, pytest.mark.realtime]
HOUR, SIX_HOURS, DAY, THREE_DAYS = 3600, 21_600, 86_400, 259_200


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock(T0)


@pytest.fixture(scope="module")
def burning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """1.45 % of the requests fail from T0 on, and none did before."""
    with filled(tmp_path_factory.mktemp("burning"), traffic(failing(0.0145, 0), -4 * DAY, 2 * HOUR)) as url:
        yield url


@pytest.fixture(scope="module")
def smouldering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """1.43 % of the requests fail from T0 on, and none did before."""
    with filled(tmp_path_factory.mktemp("smouldering"), traffic(failing(0.0143, 0), -4 * DAY, 4 * HOUR)) as url:
        yield url


def test_1_45_percent_for_an_hour_pages_after_both_windows_exceed(burning: str) -> None:
    source(burning)
    of = slo()
    evaluate.at_instant(of, after(minutes=30))
    assert fires(of) == []
    evaluate.at_instant(of, after(minutes=59))
    assert verdict(of, HOUR).why == "1.43 % of 360,000 events failed in 1h; it fires above 1.44 %."
    assert (fires(of), firing()) == ([], [])
    evaluate.at_instant(of, after(minutes=60))
    assert fires(of) == [HOUR]
    assert firing() == [{"alertname": "SloBurnRate", "slo": "checkout", "severity": "critical", "window": "1h"}]
    alert = Alert.objects.get(name="SloBurnRate")
    assert alert.annotations["summary"] == "Checkout uses up its error budget 14.5 times as fast as it may."
    assert alert.annotations["description"] == (
        "1.45 % failed in 1h and 1.45 % in 5m, both more than 1.44 %: 14.4 times what is allowed."
    )


def test_1_43_percent_fires_on_the_six_hours_alone_after_2_h_31_min(smouldering: str) -> None:
    source(smouldering)
    of = slo()
    for minutes in (60.0, 90.0, 120.0, 150.0, 151.0):  # 1.43 % x 151 / 360 is 0.5998 %, not yet 0.6 %
        evaluate.at_instant(of, after(minutes=minutes))
        assert fires(of) == [], minutes
    evaluate.at_instant(of, after(minutes=151.5))
    assert fires(of) == [SIX_HOURS]
    assert verdict(of, SIX_HOURS).fired_at == after(minutes=151.5)
    assert verdict(of, HOUR).outcome == Outcome.QUIET
    evaluate.at_instant(of, after(hours=4))
    assert HOUR not in fires(of)


def test_one_error_in_three_requests_does_not_fire(tmp_path: Path) -> None:
    good = counter("200", lambda at: 1000 + (at >= -3000) + (at >= -170), -4 * DAY, 0)
    bad = counter("500", lambda at: 7 + (at >= -160), -4 * DAY, 0)
    with filled(tmp_path, chain(good, bad)) as url:
        source(url)
        of, unguarded = slo(), slo("unguarded", min_events=0, min_errors=0)
        for one in (of, unguarded):
            evaluate.at_instant(one, T0)
    assert fires(of) == []
    assert verdict(of, HOUR).outcome == Outcome.FEW_EVENTS
    assert verdict(of, HOUR).why == "No verdict: only 3 events in 1h, and 100 events are needed."
    assert fires(unguarded) == [HOUR, SIX_HOURS, DAY, THREE_DAYS]


def test_ten_point_eight_minutes_of_full_outage_leave_three_quarters_of_the_budget(tmp_path: Path) -> None:
    start = -10 * DAY - 7 * HOUR
    lines = traffic(failing(1, start, start + 648), -30 * DAY - 300, 0)
    with filled(tmp_path, lines) as url:
        source(url)
        of = slo()
        assert evaluate.at_instant(of, T0)
    of.state.refresh_from_db()
    found = budget(counted_of(of.state), counting.terms(of).allowed)
    assert found.left is not None
    assert sentences.budget_left(found.left) == "75.0 %"
    assert abs(float(found.left) - 0.75) < 0.0005
    assert (found.coverage, found.needs_bounds) == (Fraction(1), False)
    assert SloPoint.objects.filter(slo=of).count() >= 720


def test_the_same_outage_of_a_component_leaves_the_same(tmp_path: Path) -> None:
    """648 s are 54 slots of 12 s."""
    of = slo("uptime", kind="time", component=component_of_time(-30 * DAY, 0, down=((-9 * DAY, -9 * DAY + 648),)))
    assert evaluate.at_instant(of, T0)
    of.state.refresh_from_db()
    found = budget(counted_of(of.state), counting.terms(of).allowed)
    assert (found.left, found.coverage) == (Fraction(3, 4), Fraction(1))
    assert counted_of(of.state) == Counted(Fraction(648), *[Fraction(30 * DAY)] * 3)


def test_a_component_that_is_down_pages(tmp_path: Path) -> None:
    of = slo("uptime", kind="time", component=component_of_time(-4 * DAY, 0, down=((-60, 0),)))
    evaluate.at_instant(of, T0)
    assert fires(of) == [HOUR]
    assert firing() == [
        {"alertname": "SloBurnRate", "slo": "uptime", "component": "api", "severity": "critical", "window": "1h"}
    ]
    assert verdict(of, HOUR).why.startswith("1.67 % failed in 1h and 20.00 % in 5m, both more than 1.44 %")


def test_a_window_of_which_too_little_was_seen_does_not_fire_but_says_so(tmp_path: Path) -> None:
    lines = traffic(failing(0.5, -4 * DAY), -4 * DAY, 0, but=((-3000, -2400),))
    with filled(tmp_path, lines) as url:
        source(url)
        of = slo()
        evaluate.at_instant(of, T0)
    assert fires(of) == [SIX_HOURS, DAY, THREE_DAYS]
    hour = verdict(of, HOUR)
    assert hour.outcome == Outcome.GAP
    assert hour.why == "No verdict: 85.1 % of the last 1h was seen, and 90 % is needed."


def test_what_fires_goes_on_through_a_gap_and_ends_where_things_are_well(tmp_path: Path) -> None:
    """An hour of errors; then Prometheus sees nothing for half an hour, and all is well from 1:30 on."""
    lines = traffic(failing(0.5, 0, 5400), -4 * DAY, 4 * HOUR, but=((3600, 5400),))
    with filled(tmp_path, lines) as url:
        source(url)
        of = slo()
        evaluate.at_instant(of, after(minutes=55))
        assert HOUR in fires(of)
        evaluate.at_instant(of, after(minutes=92))
        assert verdict(of, HOUR).outcome == Outcome.GAP
        assert HOUR in fires(of)
        evaluate.at_instant(of, after(minutes=160))
        assert HOUR not in fires(of)
    assert [labels["window"] for labels in firing()] == ["1d", "3d"]
    burn = SloBurn.objects.get(slo=of, long_s=HOUR)
    assert (burn.from_at, burn.until_at) == (after(minutes=55), after(minutes=160))


def test_a_prometheus_that_is_away_gives_no_verdict_and_ends_no_alert(burning: str) -> None:
    where = source(burning)
    of = slo()
    evaluate.at_instant(of, after(minutes=60))
    before = (SloState.objects.get(slo=of).bad, firing())
    where.config |= {"url": "http://127.0.0.1:9"}
    where.save()
    assert not evaluate.at_instant(of, after(minutes=61))
    state = SloState.objects.get(slo=of)
    assert state.failure.startswith("http://127.0.0.1:9 cannot be reached")
    assert (state.evaluated_at, state.due_at) == (after(minutes=60), after(minutes=62))
    assert (state.bad, firing()) == before
    where.config |= {"url": burning}
    where.save()
    assert evaluate.at_instant(of, after(minutes=90))
    assert SloState.objects.get(slo=of).failure == ""
    assert [labels["window"] for labels in firing()] == ["1h"]


def test_hours_add_up_to_what_the_counter_says(burning: str) -> None:
    source(burning)
    of = slo()
    evaluate.at_instant(of, after(minutes=47))
    evaluate.at_instant(of, after(minutes=120))
    rows = SloPoint.objects.filter(slo=of, at__gte=after(hours=-1)).order_by("at")
    assert [(row.at, row.until_at, round(row.bad), round(row.total), row.covered_s) for row in rows] == [
        (after(hours=-1), T0, 0, 360_000, 3600.0),
        (T0, after(hours=1), 5220, 360_000, 3600.0),
        (after(hours=1), after(hours=2), 5220, 360_000, 3600.0),
    ]
    assert SloPoint.objects.filter(slo=of).count() == 4 * 24 + 3


def test_only_what_is_due_is_evaluated_and_each_once(burning: str) -> None:
    source(burning)
    slo(), slo("other", interval_s=300)
    assert evaluate.evaluate_due(after(seconds=10)) == "Evaluated 2 objectives, 0 of which could not be counted."
    assert evaluate.evaluate_due(after(seconds=20)) == "Evaluated 0 objectives, 0 of which could not be counted."
    assert evaluate.evaluate_due(after(seconds=70)) == "Evaluated 1 objective, 0 of which could not be counted."
    assert sorted(SloState.objects.values_list("due_at", flat=True)) == [after(seconds=120), after(seconds=300)]


def test_a_source_that_does_not_answer_is_told_of_for_each_and_delays_nobody(burning: str) -> None:
    source(burning, "alive")
    dead = source()
    slo("one", source=dead), slo("two", source=dead), slo("three", source=Source.objects.get(name="alive"))
    evaluate.evaluate_due(after(minutes=1))
    failures = list(SloState.objects.order_by("slo__name").values_list("failure", flat=True))
    assert [bool(failure) for failure in failures] == [True, False, True]


@pytest.mark.parametrize("form", ["selector", "rate", "increase", "good"])
def test_every_form_of_expression_counts_the_same(burning: str, form: str) -> None:
    source(burning)
    forms: dict[str, dict[str, Any]] = {
        "selector": {},
        "rate": {"expr": f"sum(rate({BAD}[$window]))", "total": f"sum(rate({TOTAL}[$window]))"},
        "increase": {"expr": f"sum by (code) (increase({BAD}[$window]))", "total": f"increase({TOTAL}[$window])"},
        "good": {"expr": f'{TOTAL}{{code="200"}}', "counts_bad": False},
    }
    of = slo(**forms[form])
    evaluate.at_instant(of, after(minutes=60))
    row = verdict(of, HOUR)
    assert (round(row.long_bad), round(row.long_total)) == (5220, 360_000)


def test_an_expression_that_prometheus_refuses_is_told_in_its_words(burning: str) -> None:
    source(burning)
    of = slo(expr='sum(rate(http_requests_total{code=~"("}[$window]))')
    assert not evaluate.at_instant(of, T0)
    assert "refused the query (HTTP 400)" in SloState.objects.get(slo=of).failure
