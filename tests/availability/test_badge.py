"""The navigation says how many components are down: of those that one may see, and only while that is known."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role, Team, User
from monitoring.availability import judging, reads
from monitoring.availability.models import Component
from monitoring.availability.states import State
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.pages import page
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db
NOW = 600
BADGE = '<span class="count bad"><span class="sr-only">down: </span>{}</span>'
FLEET = TeamScope.everything()


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock(after(NOW))


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


@pytest.fixture
def admin() -> User:
    return fleet.user("ada", role=Role.ADMIN)


def looked_at(name: str, state: State, **fields: object) -> Component:
    made = world.component(name, **fields)
    see(world.probe(made), every(30, 0, NOW, state))
    return made


def test_what_is_down_is_counted_with_what_stands_above_it(admin: User, vision: Team) -> None:
    site = world.component("site", team=vision)
    looked_at("api", State.DOWN, team=vision, parent=looked_at("gate", State.UP, team=vision, parent=site))
    looked_at("alone", State.DOWN)
    looked_at("fine", State.UP)
    judging.judge(after(NOW))
    assert BADGE.format(4) in page(admin, "/help/")
    assert BADGE.format(3) in page(fleet.member(vision), "/help/")
    assert ">down: <" not in page(fleet.member(fleet.team("other")), "/help/")


def test_what_is_up_degraded_or_planned_is_not_down(admin: User) -> None:
    api = world.component("api", needs=1)
    looked_at("one", State.UP, parent=api)
    looked_at("two", State.DEGRADED, parent=api)
    moved = looked_at("moved", State.DOWN)
    moved.maintenance.create(from_at=after(0), until_at=after(900), created_by="x", created_at=after(0))
    judging.judge(after(NOW))
    assert ">down: <" not in page(admin, "/help/")


def test_what_was_not_seen_lately_is_not_called_down() -> None:
    looked_at("api", State.DOWN)
    judging.judge(after(NOW))
    assert reads.count_of_down(teams=FLEET) == 1
    alerts.set_clock(after(NOW + 40))
    assert reads.count_of_down(teams=FLEET) == 1
    alerts.set_clock(after(NOW + 50))
    assert reads.count_of_down(teams=FLEET) == 0


def test_it_is_one_question_however_many_there_are() -> None:
    for number in range(20):
        looked_at(f"api-{number}", State.DOWN)
    judging.judge(after(NOW))
    with CaptureQueriesContext(connection) as asked:
        assert reads.count_of_down(teams=FLEET) == 20
    assert len(asked) == 1
