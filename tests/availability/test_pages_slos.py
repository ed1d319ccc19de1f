"""The pages about objectives: verdicts and their want, budgets, months, and who sees what."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from fleetledger.fleet.models import Role, Team, User
from monitoring.availability.models import Slo, SloBurn, SloPoint, SloState, SloVerdict
from monitoring.availability.views_slos import MONTH_HEADER
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import slo_world as world
from tests.availability.pages import page

pytestmark = pytest.mark.django_db
NASTY = '<script>alert("x")</script>'
AT = "/availability/slos/checkout/"


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock(world.T0)


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision", name="Vision Research")


@pytest.fixture
def viewer(vision: Team) -> User:
    return fleet.member(vision)


def counted(of: Slo, *, bad: float = 250, total: float = 1_000_000, covered: float = 1.0) -> None:
    """As if it had been evaluated now: so many events over its period, all of them in the last hour."""
    hour = world.T0.replace(minute=0) - timedelta(hours=1)
    spans = {"covered_s": 3600 * covered, "expected_s": 3600}
    SloPoint.objects.create(
        slo=of, at=hour, until_at=hour + timedelta(hours=1), objective=of.objective, bad=bad, total=total, **spans
    )
    month = {f"month_{name}": value for name, value in {"bad": bad, "total": total, **spans}.items()}
    SloState.objects.filter(slo=of).update(evaluated_at=world.T0, since_at=hour, bad=bad, total=total, **spans, **month)


def judged(of: Slo, outcome: str, why: str, **fields: Any) -> None:
    values = {"long_bad": 250, "long_total": 10_000, "long_covered_s": 3600, "long_expected_s": 3600, **fields}
    SloVerdict.objects.create(
        slo=of, long_s=3600, short_s=300, severity="page", outcome=outcome, why=why, at=world.T0, **values
    )


def test_a_list_says_what_is_left_and_how_fast_it_goes(vision: Team, viewer: User) -> None:
    made = world.slo(team=vision)
    counted(made)
    judged(made, "quiet", "2.50 % failed.")
    html = page(viewer, "/availability/slos/")
    for said in ("Checkout", "99.9 % over 30 days", "75.0 %", "99.975 %", "25\N{MULTIPLICATION SIGN}", "OK"):
        assert said in html, said


def test_no_verdict_is_grey_with_its_reason_and_its_bar_too(vision: Team, viewer: User) -> None:
    made = world.slo(team=vision)
    counted(made, covered=0.71)
    judged(made, "gap", "No verdict: 71.0 % of the last 1h was seen, and 90 % is needed.")
    html = page(viewer, "/availability/slos/")
    assert "No verdict: 71.0 % of the last 1h was seen, and 90 % is needed." in html
    assert "fill-idle" in html
    assert "fill-good" not in html
    assert "70.982\N{EN DASH}99.982 %" in html


def test_one_that_was_not_evaluated_lately_is_unknown(vision: Team, viewer: User) -> None:
    made = world.slo(team=vision)
    counted(made)
    alerts.set_clock(world.after(hours=1))
    html = page(viewer, AT)
    assert "It has not been evaluated since 2026-11-02 12:00:00Z." in html
    assert '<span class="badge unknown">' in html


def test_one_in_full_says_its_pairs_its_guard_and_how_it_is_counted(vision: Team, viewer: User) -> None:
    made = world.slo(team=vision)
    counted(made)
    judged(made, "fires", "2.50 % failed in 1h.", fires=True, fired_at=world.T0)
    SloBurn.objects.create(slo=made, long_s=3600, severity="page", from_at=world.after(hours=-2))
    html = page(viewer, AT)
    for said in (
        "Burning",
        "2.50 % failed in 1h.",
        "No verdict under 100 events or 5 errors",
        "14.4\N{MULTIPLICATION SIGN}",
        "250 failed, 1,000 may",
        "it still burns",
        "November 2026",
        "http_requests_total{code=~&quot;5..&quot;}",
    ):
        assert said in html, said


def test_the_chart_is_what_was_left_at_each_hour(vision: Team, viewer: User) -> None:
    counted(world.slo(team=vision))
    figure = orjson.loads(page(viewer, f"{AT}budget.json?from=now-24h&to=now"))
    assert (figure["data"][0]["x"], figure["data"][0]["y"]) == (["2026-11-02T12:00:00"], [75.0])
    assert page(viewer, f"{AT}budget.json?from=now-24h&to=now&format=csv").splitlines() == [
        "at,Budget left",
        "2026-11-02T12:00:00,75.0",
    ]


def test_a_month_is_a_report_and_a_file(vision: Team, viewer: User) -> None:
    counted(world.slo(team=vision))
    html = page(viewer, "/availability/slos/?month=2026-11")
    assert "Met so far" in html
    assert page(viewer, "/availability/slos/?month=2026-11&format=csv").splitlines() == [
        ",".join(MONTH_HEADER),
        "2026-11,checkout,Checkout,vision,,99.900000,99.975,100.0,99.975,99.975,75.0,true,0,0,2026-11-02,false",
    ]
    assert "nothing was counted" in page(viewer, "/availability/slos/?month=2026-10")


def test_a_month_that_was_not_seen_enough_of_is_not_green(vision: Team, viewer: User) -> None:
    counted(world.slo(team=vision), covered=0.71)
    html = page(viewer, "/availability/slos/?month=2026-11")
    assert "Met, in what was seen" in html
    assert 'class="badge good"' not in html


def test_the_list_is_a_file_too(vision: Team, viewer: User) -> None:
    counted(world.slo(team=vision))
    head, row = page(viewer, "/availability/slos/?format=csv").splitlines()
    assert head.startswith("name,title,team,component,objective,period_days,state,sentence,attained,")
    assert row.startswith("checkout,Checkout,vision,,99.900000,30,no_verdict,")


def test_an_empty_list_names_the_section(viewer: User) -> None:
    assert "slos:" in page(viewer, "/availability/slos/")


def test_a_stranger_meets_no_trace_of_another_teams_objective(vision: Team) -> None:
    counted(world.slo("secret", team=vision))
    world.slo("platforms")
    stranger = fleet.member(fleet.team("other"), role=Role.LEAD)
    for query in ("", "?format=csv", "?month=2026-11", "?month=2026-11&format=csv"):
        html = page(stranger, f"/availability/slos/{query}")
        assert "secret" not in html.lower()
        assert "platforms" not in html
    for rest in ("", "budget.json", "budget.json?format=csv"):
        page(stranger, f"/availability/slos/secret/{rest}", 404)


def test_names_are_escaped_and_no_address_breaks_the_page(vision: Team, viewer: User) -> None:
    world.slo(team=vision, title=NASTY, description=NASTY)
    for query in ("", "?month=odd", "?month=2026-13", "?state=odd&team=%00", "?month=0001-01"):
        assert NASTY not in page(viewer, f"/availability/slos/{query}")
    for query in ("", "?from=odd", "?from=2001-01-01&to=now", "?from=now-90d&to=now"):
        assert NASTY not in page(viewer, f"{AT}{query}")
        page(viewer, f"{AT}budget.json{query}")
