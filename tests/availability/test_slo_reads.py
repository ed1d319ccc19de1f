"""What pages and programs see of objectives, and that nobody sees another team's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Team
from fleetledger.lib.buckets import HOUR, Month, Window
from monitoring.availability.models import Slo, SloBurn, SloPoint, SloState, SloVerdict
from monitoring.availability.slo import evaluate, reads, reads_history, reads_report
from monitoring.availability.slo.reads import Health, SloRow, Wanted
from monitoring.availability.slo.reads_history import Step
from tests import world as fleet
from tests.alerts.world import set_clock
from tests.availability.slo_world import DAY, T0, after, component_of_time, slo

pytestmark = pytest.mark.django_db
ALL = TeamScope.everything()


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock(T0)


@pytest.fixture
def uptime() -> Slo:
    """99.9 % of a component's time; ten days are known, with 648 s of outage two days ago. Ten days, so 75 % used."""
    return counted("uptime")


def counted(name: str, *, team: Team | None = None, down: tuple[float, float] = (-2 * DAY, -2 * DAY + 648)) -> Slo:
    of = component_of_time(-10 * DAY, 0, down=(down,), name=f"{name}-part", team=team)
    made = slo(name, kind="time", component=of, team=team)
    assert evaluate.at_instant(made, T0)
    return made


def row(name: str = "uptime", at: datetime = T0) -> SloRow:
    found = reads.slo(name, teams=ALL, at=at)
    assert found is not None
    return found[0]


def get(client: Client, path: str, secret: str) -> Any:
    return client.get(f"/api/v1/{path}", headers=fleet.bearer(secret))


def test_an_objective_is_shown_with_its_budget_its_bounds_and_its_burn_rates(uptime: Slo) -> None:
    found = row()
    assert (found.health, found.sentence) == (Health.OK, "25.0 % of the error budget is left.")
    assert (found.budget.left, found.budget.coverage) == (Fraction(1, 4), Fraction(1))
    assert (found.budget.attained, found.budget.lower, found.budget.upper) == (Fraction(3997, 4000),) * 3
    assert (found.month.left, found.month.counted.total) == (Fraction(1), Fraction(DAY + DAY // 2))
    assert (found.burn_now, found.lasts_s, found.evaluated_at) == (Fraction(0), None, T0)
    assert [(one.name, one.outcome, one.fires) for one in found.burns] == [
        ("1h", "quiet", False),
        ("6h", "quiet", False),
        ("1d", "quiet", False),
        ("3d", "quiet", False),
    ]
    three_days = found.burns[3]
    assert (three_days.long.bad, three_days.long_rate) == (Fraction(648), Fraction(5, 2))
    assert three_days.short_rate == 0


def test_what_burns_says_by_which_pair() -> None:
    counted("uptime", down=(-60, 0))
    assert (row().health, [one.name for one in row().firing]) == (Health.BURNING, ["1h"])
    assert row().sentence.startswith("1.67 % failed in 1h and 20.00 % in 5m")
    assert row().lasts_s == Fraction(1 - Fraction(60, 864)) * 30 * DAY / Fraction(60, 3600) / 1000


def test_a_budget_that_is_used_up_says_how_much_failed_and_may() -> None:
    counted("uptime", down=(-5 * DAY, -5 * DAY + 1728))
    assert row().health is Health.EXHAUSTED
    assert row().sentence == "The error budget is used up: 1,728 s failed in 30 days, 864 s may."
    assert row().budget.left == -1


def test_nothing_counted_is_no_verdict() -> None:
    of = slo("empty", kind="time", component=component_of_time(-DAY, -DAY + 12))
    SloState.objects.filter(slo=of).update(evaluated_at=T0)
    assert (row("empty").health, row("empty").sentence) == (
        Health.NO_VERDICT,
        "No verdict: nothing was counted in 30 days.",
    )
    assert (row("empty").budget.attained, row("empty").budget.left) == (None, None)


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        ({"evaluated_at": None}, T0, "It has not been evaluated yet."),
        ({}, after(seconds=180), "25.0 % of the error budget is left."),
        ({}, after(seconds=181), "It has not been evaluated since 2026-11-02 12:00:00Z."),
        ({"failure": "http://p cannot be reached."}, T0, "http://p cannot be reached."),
        (
            {"is_behind": True, "counted_until": T0 - timedelta(days=1)},
            T0,
            "25.0 % of the error budget is left. Its past is still being counted, up to 2026-11-01 12:00Z for now.",
        ),
    ],
)
def test_what_is_not_known_lately_is_unknown_and_says_why(
    uptime: Slo, changes: dict[str, Any], at: datetime, said: str
) -> None:
    SloState.objects.filter(slo=uptime).update(**changes)
    found = row(at=at)
    assert (found.sentence, found.health) == (said, Health.OK if "is left" in said else Health.UNKNOWN)


def test_the_list_begins_with_what_needs_somebody_and_can_be_narrowed(uptime: Slo) -> None:
    counted("burning", down=(-60, 0), team=fleet.team("vision"))
    slo("waiting")
    assert [(one.name, one.health) for one in reads.slos(Wanted(), teams=ALL, at=T0)] == [
        ("burning", "burning"),
        ("waiting", "unknown"),
        ("uptime", "ok"),
    ]
    for wanted, names in (
        (Wanted(health="ok"), ["uptime"]),
        (Wanted(team="vision"), ["burning"]),
        (Wanted(team="platform"), ["waiting", "uptime"]),
        (Wanted(kind="events"), ["waiting"]),
        (Wanted(component="uptime-part"), ["uptime"]),
    ):
        assert [one.name for one in reads.slos(wanted, teams=ALL, at=T0)] == names


def test_history_shows_the_budget_go_and_come_back_with_the_window(uptime: Slo) -> None:
    window = Window(after(days=-2, hours=-1), after(days=-2, hours=2))
    found = reads_history.points("uptime", window, Step.HOUR, teams=ALL)
    assert found is not None
    assert [(point.at, point.counted.bad, point.left) for point in found] == [
        (after(days=-2, hours=-1), Fraction(0), Fraction(1)),
        (after(days=-2), Fraction(648), 1 - Fraction(648_000, 8 * DAY + 3600)),
        (after(days=-2, hours=1), Fraction(0), 1 - Fraction(648_000, 8 * DAY + 7200)),
    ]
    SloPoint.objects.create(
        slo=uptime, at=after(days=31), until_at=after(days=31, hours=1), objective=Decimal("99.9"),
        bad=0, total=3600, covered_s=3600, expected_s=3600,
    )  # fmt: skip
    later = reads_history.points("uptime", Window(after(days=30), after(days=32)), Step.HOUR, teams=ALL)
    assert later is not None
    assert [point.left for point in later] == [1]


def test_history_by_day_adds_its_hours_up(uptime: Slo) -> None:
    found = reads_history.points("uptime", Window(after(days=-3), T0), Step.DAY, teams=ALL)
    assert found is not None
    assert [(point.at, point.until, point.counted.bad, point.counted.total) for point in found] == [
        (datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC), Fraction(0), Fraction(DAY // 2)),
        (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), Fraction(648), Fraction(DAY)),
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC), Fraction(0), Fraction(DAY)),
        (datetime(2026, 11, 2, tzinfo=UTC), T0, Fraction(0), Fraction(DAY // 2)),
    ]
    assert found[-1].left == row().budget.left


def test_a_past_hour_keeps_the_objective_that_it_had(uptime: Slo) -> None:
    Slo.objects.filter(pk=uptime.pk).update(objective=Decimal(99))
    evaluate.at_instant(Slo.objects.get(pk=uptime.pk), after(minutes=1))
    found = reads_history.points("uptime", Window(after(hours=-1), after(hours=1)), Step.HOUR, teams=ALL)
    assert found is not None
    assert [float(point.objective) for point in found] == [99.9, 99.0]


def test_the_month_says_what_was_attained_how_often_it_burned_and_its_worst_day(uptime: Slo) -> None:
    october = datetime(2026, 10, 31, 12, tzinfo=UTC)
    for severity, long_s in (("page", 3600), ("page", 21_600), ("ticket", 86_400)):
        SloBurn.objects.create(slo=uptime, severity=severity, long_s=long_s, from_at=october, until_at=october + HOUR)
    (found,) = reads_report.month(Month(2026, 10), teams=ALL, at=T0)
    known = 8 * DAY + DAY // 2
    assert (found.budget.counted.bad, found.budget.counted.total) == (Fraction(648), Fraction(known))
    assert (found.budget.used, found.is_met) == (Fraction(648_000, known), True)
    assert (found.pages, found.tickets, found.is_complete, found.is_removed) == (2, 1, True, False)
    assert found.worst_day is not None
    assert (found.worst_day.day, found.worst_day.budget.counted.bad) == (date(2026, 10, 31), Fraction(648))
    assert found.worst_day.share_of_budget == Fraction(648_000, known)
    assert (len(found.days), found.days[0].day) == (9, date(2026, 10, 23))
    (now,) = reads_report.month(Month(2026, 11), teams=ALL, at=T0)
    assert (now.is_complete, now.worst_day, now.budget.used) == (False, None, Fraction(0))
    (before,) = reads_report.month(Month(2026, 9), teams=ALL, at=T0)
    assert (before.is_met, before.budget.attained, before.days) == (None, None, ())


def test_a_removed_objective_stays_in_the_months_in_which_it_was_counted(uptime: Slo) -> None:
    Slo.objects.filter(pk=uptime.pk).update(removed_at=T0)
    assert [one.is_removed for one in reads_report.month(Month(2026, 10), teams=ALL, at=T0)] == [True]
    assert reads_report.month(Month(2026, 9), teams=ALL, at=T0) == ()
    assert reads.slos(Wanted(), teams=ALL, at=T0) == ()


def test_programs_read_lists_one_its_history_and_its_months(client: Client, uptime: Slo) -> None:
    secret = fleet.token()
    (one,) = get(client, "slos", secret).json()["results"]
    assert {
        key: one[key] for key in ("name", "objective", "state", "attained", "coverage", "budget_left", "firing")
    } == {
        "name": "uptime",
        "objective": 99.9,
        "state": "ok",
        "attained": 99.925,
        "coverage": 100.0,
        "budget_left": 25.0,
        "firing": [],
    }
    detail = get(client, "slos/uptime", secret).json()
    assert detail["slo"] == one
    assert [pair["factor"] for pair in detail["pairs"]] == [14.4, 6.0, 3.0, 1.0]
    assert detail["pairs"][3]["long"] == {
        "window_seconds": 259_200,
        "bad": 648.0,
        "total": 259_200.0,
        "error_ratio": 0.25,
        "coverage": 100.0,
        "burn_rate": 2.5,
    }
    history = get(client, "slos/uptime/history?step=day&limit=2", secret).json()
    assert [point["at"] for point in history["results"]] == ["2026-10-23T00:00:00Z", "2026-10-24T00:00:00Z"]
    assert history["next"] is not None
    report = get(client, "slos/uptime/report?month=2026-10", secret).json()
    assert (report["summary"]["worst_day"], len(report["rows"])) == ("2026-10-31", 9)
    lines = get(client, "slo-reports?month=2026-10&format=csv", secret).content.decode().splitlines()
    assert lines[0].startswith("name,title,team,component,month,objective,attained,coverage,lower,upper,is_met,")
    assert lines[1].startswith("uptime,Uptime,,uptime-part,2026-10,99.9,99.911765,100.0,99.911765,99.911765,true,")


@pytest.mark.parametrize("path", ["slos/uptime", "slos/uptime/history", "slos/uptime/report"])
def test_a_stranger_sees_no_objective_of_another_team(client: Client, path: str) -> None:
    vision, audio = fleet.team("vision"), fleet.team("audio")
    counted("uptime", team=vision)
    mine, other = fleet.token("mine", team=vision), fleet.token("other", team=audio)
    assert get(client, path, mine).status_code == 200
    answer = get(client, path, other)
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "No objective is called 'uptime', or none that you may see.",
    )
    for listing in ("slos", "slo-reports"):
        assert [len(get(client, listing, secret).json()["results"]) for secret in (mine, other)] == [1, 0]
    assert get(client, path.replace("uptime", "nothing"), mine).status_code == 404


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("slos?state=fine", "state"),
        ("slos?kind=x", "kind"),
        ("slos?nothing=1", "nothing"),
        ("slos/uptime/history?step=minute", "step"),
        ("slos/uptime/history?from=2020-01-01T00:00:00Z", "to"),
        ("slos/uptime/report?month=2026-13", "month"),
        ("slo-reports?month=x", "month"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(client: Client, uptime: Slo, path: str, parameter: str) -> None:
    answer = get(client, path, fleet.token())
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)


def test_the_list_costs_as_many_questions_for_many_as_for_few(uptime: Slo, django_assert_num_queries: Any) -> None:
    for number in range(20):
        SloVerdict.objects.create(
            slo=slo(f"slo-{number}", team=fleet.team()),
            long_s=3600,
            short_s=300,
            severity="page",
            outcome="quiet",
            at=T0,
        )
    with django_assert_num_queries(2):
        assert len(reads.slos(Wanted(), teams=ALL, at=T0)) == 21
