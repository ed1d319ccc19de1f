"""A receiver that several tests of delivery tell."""

from collections.abc import Iterator

import pytest

from tests.alerts import world
from tests.alerts.delivery_world import hook
from tests.alerts.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything, and a stopped clock; group wait 2 s, interval 5 s, repeat 20 s."""
    world.set_clock()
    with receiving() as server:
        world.tree(receivers=[hook(server.url)])
        yield server
