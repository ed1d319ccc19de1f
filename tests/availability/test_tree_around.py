"""What one component's page loads of the tree: all below it and all above it, and the same tiles as from all."""

import pytest

from monitoring.availability import judging, loading
from monitoring.availability.models import MaintenanceWindow
from monitoring.availability.states import State
from tests.availability import world
from tests.availability.world import after, every, see

pytestmark = pytest.mark.django_db
NOW = 3600


def test_a_part_of_the_tree_says_the_same_as_the_whole_one() -> None:
    site = world.component("site")
    api = world.component("api", parent=site, needs=1)
    one, two = (world.component(name, parent=api) for name in ("one", "two"))
    beside = world.component("beside", parent=site)
    gone = world.component("gone", parent=api, removed_at=after(0))
    see(world.probe(one), every(30, 0, NOW))
    see(world.probe(two), every(30, 0, NOW, State.DOWN))
    see(world.probe(beside), every(30, 0, NOW, State.DOWN))
    found = loading.tree_around([api.pk])
    assert set(found.nodes) == {site.pk, api.pk, one.pk, two.pk}
    assert gone.pk not in found.nodes
    _, every_tile = judging.now_of_all(after(NOW))
    _, tiles = judging.now_of([api.pk], after(NOW))
    assert tiles == {pk: every_tile[pk] for pk in (api.pk, one.pk, two.pk)}


def test_planned_work_above_it_counts() -> None:
    site = world.component("site")
    api = world.component("api", parent=site)
    see(world.probe(api), every(30, 0, NOW))
    MaintenanceWindow.objects.create(
        component=site, from_at=after(NOW - 60), until_at=after(NOW + 60), created_by="Mira", created_at=after(0)
    )
    _, tiles = judging.now_of([api.pk], after(NOW))
    assert tiles[api.pk].state is State.MAINTENANCE
