"""The status wall: what is green and what is not, who sees what, filters in the address, and the file."""

import pytest

from fleetledger.fleet.models import Role, Team, User
from monitoring.availability import rollup
from monitoring.availability.models import Component, ComponentKind
from monitoring.availability.states import State
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.pages import page
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db
NASTY = '<script>alert("x")</script>'
NOW = 3600


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock(after(NOW))


@pytest.fixture
def admin() -> User:
    return fleet.user("ada", role=Role.ADMIN)


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision", name="Vision Research")


def looked_at(
    name: str, state: State = State.UP, *, until: float = NOW, detail: str = "", **fields: object
) -> Component:
    """A component with a probe that was up for an hour and says `state` last."""
    made = world.component(name, **fields)
    line = [*every(30, 0, until - 60), (until - 60, state), (until - 30, state)]
    see(world.probe(made), line, detail=detail)
    return made


def test_all_up_is_green_and_says_so(admin: User) -> None:
    looked_at("api")
    html = page(admin, "/availability/")
    assert "Everything that is looked at is up." in html
    assert 'class="headline card tone-up"' in html


def test_what_was_not_seen_lately_is_unknown_and_nothing_on_top_is_green(admin: User) -> None:
    looked_at("api")
    looked_at("gone", until=1800)
    html = page(admin, "/availability/")
    assert "Unknown: Gone." in html
    assert 'class="headline card tone-unknown"' in html
    assert "last seen" in html


def test_one_unknown_replica_below_a_service_that_is_up_takes_the_green_away(admin: User) -> None:
    api = world.component("api", needs=1)
    looked_at("one", parent=api)
    looked_at("two", parent=api, until=1800)
    html = page(admin, "/availability/")
    assert "Everything at the top is up, but below it there is something else: 1 unknown." in html
    assert 'class="headline card tone-unknown"' in html
    assert "1 of 2" not in html.split('id="group-api"')[0]


def test_a_tile_says_why_and_how_many_are_healthy(admin: User) -> None:
    api = world.component("api", needs=2, parent=world.component("site"))
    looked_at("one", parent=api)
    looked_at("two", State.DOWN, parent=api, detail="Connection refused.")
    html = page(admin, "/availability/")
    assert "1 of 2 healthy, 2 needed" in html
    assert "Connection refused." in html
    assert "Connection refused." in page(admin, "/availability/?state=down")


def test_bounds_stand_beside_a_figure_that_too_little_was_seen_of(admin: User) -> None:
    api = world.component()
    see(world.probe(api), [*every(30, 0, 1800), *every(30, 2400, NOW)])
    rollup.roll_up(world.TODAY, after(NOW))
    assert '<span class="num">100 %</span> <span class="bounds num"' in page(admin, "/availability/")


def test_filters_stand_in_the_address(admin: User, vision: Team) -> None:
    looked_at("api", team=vision)
    looked_at("base", kind=ComponentKind.DATABASE)
    for query, seen, hidden in (
        ("team=vision", "/availability/api/", "/availability/base/"),
        ("team=platform", "/availability/base/", "/availability/api/"),
        ("kind=database", "/availability/base/", "/availability/api/"),
        ("q=ba", "/availability/base/", "/availability/api/"),
    ):
        html = page(admin, f"/availability/?{query}")
        assert (seen in html, hidden in html) == (True, False), query
    assert "No component matches" in page(admin, "/availability/?state=down")


def test_the_file_has_every_component_with_its_bounds(admin: User, vision: Team) -> None:
    looked_at("api", title="=1+1", team=vision)
    head, row = page(admin, "/availability/?format=csv").splitlines()
    assert head.startswith(
        "name,title,kind,team,parent,zone,state,why,since,seen_at,healthy,members,needs,availability,"
    )
    assert row.startswith("api,'=1+1,service,vision,,,up,,")


def test_an_empty_wall_names_the_section_and_the_command(admin: User) -> None:
    html = page(admin, "/availability/")
    assert "components:" in html
    assert "fleetledger apply" in html.replace('<span class="nowrap">', "").replace("</span>", "")


def test_a_stranger_meets_no_trace_of_another_teams_component(vision: Team) -> None:
    looked_at("secret", team=vision)
    looked_at("platforms")
    stranger = fleet.member(fleet.team("other"), role=Role.LEAD)
    for query in ("", "?state=up", "?q=secret", "?parent=secret", "?format=csv"):
        html = page(stranger, f"/availability/{query}")
        assert "secret/" not in html
        assert "platforms" not in html


def test_a_parent_of_another_team_stays_out_of_the_file_and_the_page(vision: Team) -> None:
    secret = looked_at("secret", team=vision)
    other = fleet.team("other")
    looked_at("mine", team=other, parent=secret)
    member = fleet.member(other)
    assert "secret" not in page(member, "/availability/") + page(member, "/availability/?format=csv")


def test_our_own_parts_are_a_section_for_those_who_see_the_fleet(admin: User, vision: Team) -> None:
    looked_at("fleetledger-web", kind=ComponentKind.OWN)
    looked_at("api", team=vision)
    assert "Fleetledger itself" in page(admin, "/availability/")
    assert "Fleetledger itself" not in page(fleet.member(vision), "/availability/")


def test_the_search_finds_components_of_ones_teams(admin: User, vision: Team) -> None:
    looked_at("ranker", team=vision)
    assert 'href="/availability/ranker/"' in page(admin, "/search/?q=rank")
    assert "/availability/ranker/" not in page(fleet.member(fleet.team("other")), "/search/?q=rank")


def test_the_headline_reads_right_for_names_of_one_thing_and_of_many(admin: User) -> None:
    looked_at("api", State.DOWN, title="Inference API")
    looked_at("dcgm", until=1800, title="DCGM exporters")
    assert "<strong>Down: Inference API. Unknown: DCGM exporters.</strong>" in page(admin, "/availability/")


def test_keys_find_heads_of_groups_and_tiles(admin: User) -> None:
    looked_at("one", parent=world.component("api", needs=1))
    html = page(admin, "/availability/")
    assert [part.split('"')[0] for part in html.split('data-component="')[1:]] == ["api", "one"]
    assert html.count(" data-open ") == 2


def test_names_are_escaped(admin: User) -> None:
    looked_at("api", State.DOWN, title=NASTY, detail=NASTY)
    html = page(admin, "/availability/")
    assert NASTY not in html
    assert "&lt;script&gt;" in html


def test_no_address_breaks_the_page(admin: User) -> None:
    looked_at("api")
    for query in ("page=99999999999999999999", "days=7", "state=odd&kind=odd&team=%00", "q=%00", "refresh=odd&page=-1"):
        page(admin, f"/availability/?{query}")
