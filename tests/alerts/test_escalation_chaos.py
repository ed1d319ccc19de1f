"""Notifiers that are killed between the steps of escalations: no step is lost, and nobody is paged twice for one."""

import os
import random
import signal
import time

import pytest

from fleetledger.embedded.state import StateDir
from tests.alerts.receiver import receiving
from tests.alerts.test_chaos import Site, servers, site
from tests.embedded.running import wait_until

pytestmark = pytest.mark.realtime
__all__ = ["servers"]
ALERTS, STEPS, NOTIFIERS, KILLS = 20, 6, 2, 14


def test_each_step_pages_once_whoever_is_killed(servers: tuple[StateDir, dict[str, str]]) -> None:
    with receiving() as server, site(servers) as here:
        here.do("escalate", url=server.url, alerts=ALERTS, steps=STEPS)
        _kill_again_and_again(here)
        here.do("pass_time", seconds=31)  # the leases of the killed
        wait_until(lambda: len(here.do("tell_pages")["pages"]) >= ALERTS * STEPS, 90)
        here.do("pass_time", seconds=60)  # the pause before a run is over
        wait_until(lambda: _is_over(here), 60)
        end = here.do("tell_pages")
        wanted = {
            f"{run}:0.{step * 2}" for run in {page.split(":")[0] for page in end["pages"]} for step in range(STEPS)
        }
    print(f"{len(end['pages'])} pages, {KILLS} SIGKILLs, {len(server.told)} requests")
    assert end["runs"] == ALERTS
    assert sorted(end["pages"]) == sorted(wanted)
    assert len(end["pages"]) == ALERTS * STEPS
    assert set(server.keys) == set(end["keys"])
    assert len(set(end["keys"])) == ALERTS * STEPS


def _kill_again_and_again(here: Site) -> None:
    chance = random.Random(5)
    alive = [int(here.do("start")["pid"]) for _ in range(NOTIFIERS)]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 0.7))
        os.kill(alive.pop(chance.randrange(len(alive))), signal.SIGKILL)
        alive.append(int(here.do("start")["pid"]))


def _is_over(here: Site) -> bool:
    now = here.do("tell_pages")
    return bool(now["going"] == now["waiting"] == 0)
