"""The simulated fleet for tests: one world, and a server whose clock stands still."""

import threading
from collections.abc import Iterator

import pytest

from fleetledger.demo.server import DemoServer
from fleetledger.demo.world import World

NOW = 1_795_395_600  # 2026-11-22T21:00Z


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def demo_server(world: World) -> Iterator[DemoServer]:
    with DemoServer("127.0.0.1", 0, world=world, now=lambda: NOW) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
