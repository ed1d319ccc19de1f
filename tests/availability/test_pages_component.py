"""One component's page: its state in words, its past, its series, planned work, and who may do what."""

import pytest

from fleetledger.fleet.models import Role, Team, User
from monitoring.availability import judging, rollup
from monitoring.availability.models import Component, Evidence, MaintenanceWindow, ProbeKind, Series
from monitoring.availability.states import State
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import incident
from tests.availability.pages import page, send
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db
NASTY = '<script>alert("x")</script>'
NOW = 3600
AT = "/availability/api/"


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock(after(NOW))


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision", name="Vision Research")


@pytest.fixture
def lead(vision: Team) -> User:
    return fleet.member(vision, role=Role.LEAD, username="ada")


@pytest.fixture
def api(vision: Team) -> Component:
    """Up for 55 minutes, down since five."""
    made = world.component("api", team=vision, runbook_url="https://runbooks.example.org/api")
    line = [*every(30, 0, 3300), *every(30, 3300, NOW, State.DOWN)]
    see(world.probe(made), line, {"instance": "api-0"}, detail="It said 503.")
    judging.judge(after(NOW - 10))
    rollup.roll_up(world.TODAY, after(NOW))
    return made


def test_it_says_its_state_why_since_when_and_how_available_it_was(api: Component, lead: User) -> None:
    html = page(lead, f"{AT}?from=now-24h&to=now")
    for said in (
        "It said 503.",
        "91.667 %",
        "exactly: all of it was seen",
        "Unknown to down",
        'href="https://runbooks.example.org/api"',
        'class="s-down"',
        "<b>instance</b>api-0",
    ):
        assert said in html, said
    assert api.name in html


def test_what_was_not_seen_is_said_with_its_bounds(vision: Team, lead: User) -> None:
    made = world.component("api", team=vision)
    see(world.probe(made), [*every(30, 0, 1800), *every(30, 2700, NOW)])
    html = page(lead, f"{AT}?from=now-24h&to=now")
    assert "the truth lies in 75.000 % \N{EN DASH} 100 %" in html
    assert "15 min without a sample" in html


def test_what_is_below_it_stands_with_n_of_m_and_its_zones(vision: Team, lead: User) -> None:
    above = world.component("api", team=vision, needs=2)
    for name, zone in (("one", "a"), ("two", "a"), ("three", "b")):
        see(world.probe(world.component(name, team=vision, parent=above, zone=zone)), every(30, 0, NOW))
    judging.judge(after(NOW - 600))
    html = page(lead, AT)
    assert "for 10 min" in html
    assert "3 of 3 healthy, 2 needed" in html
    assert "It does not survive the loss of its largest zone." in html
    assert "Without a 1 would be left, 2 needed." in html


def test_facts_that_are_old_are_grey(api: Component, lead: User) -> None:
    for key, value, unit, age in (("replication_lag_s", 0.25, "s", 10), ("backup_age_s", 7200, "s", 600)):
        Evidence.objects.create(component=api, key=key, value=value, unit=unit, at=after(NOW - age), interval_s=30)
    html = page(lead, AT)
    fresh, stale = html.index("Replication lag"), html.index("Backup age")
    assert "250 ms" in html
    assert 'class="stale"' in html[stale - 40 : stale]
    assert 'class="stale"' not in html[fresh - 40 : fresh]


def test_a_probe_that_cannot_be_asked_says_why(vision: Team, lead: User) -> None:
    made = world.component("api", team=vision)
    world.probe(made, failure="Prometheus prom1 did not answer within 5 s.")
    html = page(lead, AT)
    assert "cannot be asked" in html
    assert "Prometheus prom1 did not answer within 5 s." in html


def test_a_heartbeats_address_is_for_those_who_may_act(vision: Team, lead: User) -> None:
    made = world.component("api", team=vision)
    token = world.probe(made, kind=ProbeKind.HEARTBEAT, spec={"every_s": 60}).token
    assert f"/probe/{token}" in page(lead, AT)
    assert token not in page(fleet.member(vision), AT)


def test_a_lead_plans_work_ends_it_and_says_what_is_gone(api: Component, lead: User) -> None:
    send(lead, f"{AT}maintenance/", until_at="2026-11-02T02:00", reason="Move")
    work = MaintenanceWindow.objects.get()
    assert (work.from_at, work.until_at, work.reason, work.created_by) == (after(NOW), after(7200), "Move", "ada")
    assert "Move" in page(lead, AT)
    alerts.set_clock(after(NOW + 60))
    send(lead, f"{AT}maintenance/{work.pk}/end/")
    work.refresh_from_db()
    assert work.until_at == after(NOW + 60)
    series = Series.objects.get()
    send(lead, f"{AT}series/{series.pk}/end/", reason="Scaled down")
    series.refresh_from_db()
    assert (series.ended_at, series.end_reason) == (after(NOW), "ada: Scaled down")
    assert api.name


def test_what_cannot_be_done_is_said_on_top(api: Component, lead: User) -> None:
    send(lead, f"{AT}maintenance/", until_at="2026-11-01T02:00")
    send(lead, f"{AT}maintenance/", until_at="soon")
    send(lead, f"{AT}maintenance/77/end/")
    send(lead, f"{AT}series/{Series.objects.get().pk}/end/", reason="a\x00b")
    assert (MaintenanceWindow.objects.count(), Series.objects.filter(ended_at=None).count()) == (0, 1)
    assert api.name


def test_alerts_and_incidents_about_it_are_linked(api: Component, vision: Team, lead: User) -> None:
    alerts.post("ComponentDown", team=vision, component="api", annotations={"summary": "API is down"})
    found = incident("The API hurts", team=vision, components=["api"])
    html = page(lead, AT)
    assert "API is down" in html
    assert f"/incidents/{found.pk}/" in html
    assert api.name


def test_its_tables_are_files_too(api: Component, lead: User) -> None:
    ask = f"{AT}?from=now-24h&to=now&format=csv&table="
    assert page(lead, f"{ask}days").splitlines() == [
        "day,up_seconds,degraded_seconds,down_seconds,unknown_seconds,maintenance_seconds,idle_seconds,availability",
        "2026-11-02,3300.0,0.0,300.0,0.0,0.0,0.0,91.666667",
    ]
    assert page(lead, f"{ask}states").splitlines() == [
        "from,until,state,why",
        "2026-11-02T00:00:00Z,2026-11-02T00:55:00Z,up,It said 503.",
        "2026-11-02T00:55:00Z,2026-11-02T01:00:00Z,down,It said 503.",
    ]
    assert len(page(lead, f"{ask}series").splitlines()) == 2
    assert page(lead, f"{ask}changes").splitlines()[1] == "2026-11-02T00:59:50Z,unknown,down,It said 503."
    assert api.name


def test_a_stranger_gets_a_404_and_a_viewer_looks_only(api: Component, vision: Team) -> None:
    stranger = fleet.member(fleet.team("other"), role=Role.LEAD)
    viewer = fleet.member(vision)
    page(stranger, AT, 404)
    page(stranger, f"{AT}?format=csv", 404)
    assert "Plan work" not in page(viewer, AT)
    series = Series.objects.get()
    for rest in ("maintenance/", "maintenance/1/end/", f"series/{series.pk}/end/"):
        send(stranger, f"{AT}{rest}", 404, reason="x", until_at="2026-11-02T02:00")
        send(viewer, f"{AT}{rest}", 403, reason="x", until_at="2026-11-02T02:00")
    series.refresh_from_db()
    assert (series.ended_at, api.maintenance.count()) == (None, 0)


def test_a_series_of_another_component_is_not_ended_through_this_one(api: Component, vision: Team, lead: User) -> None:
    other = world.component("other", team=fleet.team("other"))
    see(world.probe(other), every(30, 0, NOW))
    theirs = Series.objects.get(probe__component=other)
    send(lead, f"{AT}series/{theirs.pk}/end/", reason="x")
    theirs.refresh_from_db()
    assert theirs.ended_at is None
    assert api.team == vision


def test_names_and_reasons_are_escaped(vision: Team, lead: User) -> None:
    made = world.component("api", team=vision, title=NASTY, description=NASTY)
    see(world.probe(made), every(30, 0, NOW, State.DOWN), {"instance": NASTY}, detail=NASTY)
    judging.judge(after(NOW))
    html = page(lead, f"{AT}?from=now-24h&to=now")
    assert NASTY not in html


def test_no_address_breaks_the_page(api: Component, lead: User) -> None:
    for query in ("from=odd", "from=2001-01-01&to=now", "from=now-1m", "format=csv&table=odd", "from=9999-12-31"):
        page(lead, f"{AT}?{query}")
    page(lead, f"/availability/{'x' * 200}/", 404)
    send(lead, f"{AT}series/{10**30}/end/", reason="x")
    assert api.name
