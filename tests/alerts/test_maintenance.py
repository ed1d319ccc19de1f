"""Maintenance windows are planned, changed and ended; what was in force stays known."""

from typing import Any

import pytest

from monitoring.alerts import clock, maintenance
from monitoring.alerts.errors import ConflictError, NotFoundError
from monitoring.alerts.maintenance import MaintenanceError, Window
from monitoring.alerts.models import Maintenance
from monitoring.alerts.silences import Status
from monitoring.alerts.tenants import PLATFORM, of_team
from tests import world as fleet
from tests.alerts import world
from tests.alerts.world import START, after

pytestmark = pytest.mark.django_db
NODE = {"name": "node", "value": "gpu-1", "isRegex": False, "isEqual": True}


@pytest.fixture(autouse=True)
def _stopped_clock() -> None:
    world.set_clock()


def window(name: str = "rack move", since: float = 0, until: float = 3600, **fields: Any) -> Window:
    return Window(name=name, **{"matchers": [NODE], **fields}, starts_at=after(since), ends_at=after(until))


def test_a_window_is_planned_and_in_force_from_its_start_to_its_end() -> None:
    made = maintenance.plan(PLATFORM, window(since=600, comment="rows A to C"), "mira")
    assert (made.name, made.created_by, made.comment, made.matchers) == ("rack move", "mira", "rows A to C", [NODE])
    found = [maintenance.status(made, after(seconds)) for seconds in (0, 600, 3599, 3600)]
    assert found == [Status.PENDING, Status.ACTIVE, Status.ACTIVE, Status.EXPIRED]


def test_a_past_start_becomes_now() -> None:
    assert maintenance.plan(PLATFORM, window(since=-60), "mira").starts_at == START


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "needs a name of at most 200"),
        ({"name": "x" * 201}, "needs a name of at most 200"),
        ({"comment": "\x00"}, "needs a name"),
        ({"until": 0}, "Give a later end"),
        ({"since": -60, "until": -1}, "Give a later end"),
        ({"since": 60, "until": 60}, "Give a later end"),
        ({"matchers": []}, "A maintenance needs a list of matchers"),
        ({"matchers": [NODE | {"value": ""}]}, "or the maintenance would hide everything"),
    ],
)
def test_a_window_that_cannot_be_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MaintenanceError, match=sentence):
        maintenance.plan(PLATFORM, window(**wrong), "mira")
    assert not Maintenance.objects.exists()


def test_the_start_of_a_window_in_force_stays() -> None:
    made = maintenance.plan(PLATFORM, window(), "mira")
    world.advance(60)
    changed = maintenance.change(PLATFORM, made.id, window("longer", since=1800, until=7200))
    assert (changed.id, changed.name, changed.starts_at, changed.ends_at) == (made.id, "longer", START, after(7200))


def test_a_window_to_come_may_move() -> None:
    made = maintenance.plan(PLATFORM, window(since=600), "mira")
    assert maintenance.change(PLATFORM, str(made.id), window(since=1200)).starts_at == after(1200)


def test_a_window_that_has_ended_is_history() -> None:
    made = maintenance.plan(PLATFORM, window(), "mira")
    world.advance(60)
    maintenance.end(PLATFORM, made.id)
    world.advance(60)
    maintenance.end(PLATFORM, made.id)
    assert maintenance.one(PLATFORM, made.id).ends_at == after(60)
    with pytest.raises(ConflictError, match="has ended"):
        maintenance.change(PLATFORM, made.id, window())


def test_a_window_that_never_began_is_gone() -> None:
    maintenance.end(PLATFORM, maintenance.plan(PLATFORM, window(since=600), "mira").id)
    assert not Maintenance.objects.exists()


def test_the_list_puts_what_ended_last_and_forgets_it_after_five_days() -> None:
    for name, since, until in [("over", 0, 10), ("later", 600, 700), ("now", 0, 3600)]:
        maintenance.plan(PLATFORM, window(name, since, until), "mira")
    world.advance(20)
    assert [row.name for row in maintenance.listed(PLATFORM)] == ["now", "later", "over"]
    world.advance(6 * 86_400)
    assert maintenance.listed(PLATFORM) == ()


@pytest.mark.parametrize("unknown", ["nope", "8b1f0b1e-0000-0000-0000-000000000000"])
def test_an_unknown_window_is_not_found(unknown: str) -> None:
    with pytest.raises(NotFoundError, match="No maintenance has the id"):
        maintenance.end(PLATFORM, unknown)


def test_another_tenants_window_does_not_exist() -> None:
    acme = of_team(fleet.team("acme"))
    made = maintenance.plan(acme, window(), "mira")
    assert maintenance.listed(PLATFORM) == ()
    for act in (maintenance.one, maintenance.end):
        with pytest.raises(NotFoundError):
            act(PLATFORM, made.id)
    with pytest.raises(NotFoundError):
        maintenance.change(PLATFORM, made.id, window("stolen"))
    assert maintenance.status(maintenance.one(acme, made.id), clock.now()) == Status.ACTIVE
