"""Notifiers that are killed, a database that crashes, a broker that forgets, receivers that fail: nothing is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from fleetledger.embedded import python, session
from fleetledger.embedded import state as places
from fleetledger.embedded.state import StateDir
from tests.alerts import nursery as nursery_program
from tests.alerts.delivery_world import hook
from tests.alerts.receiver import CLOSE, HANG, Receiver, Reply, Told, receiving
from tests.embedded.running import forget_what_lies_apart, wait_until

pytestmark = pytest.mark.realtime
NOTIFICATIONS = 400
NOTIFIERS = 3
KILL_AFTER_S = (0.3, 0.9)
KILLS = 38


@dataclass(frozen=True, slots=True)
class Site:
    """A product of its own: its servers, and a nursery of notifiers."""

    state: StateDir
    redis_url: str
    nursery: "subprocess.Popen[str]"

    def do(self, act: str, **values: Any) -> dict[str, Any]:
        """Have the nursery do something, again where the database was away."""
        deadline = time.monotonic() + 60
        while True:
            assert self.nursery.stdin is not None
            assert self.nursery.stdout is not None
            self.nursery.stdin.write(json.dumps({"do": act, **values}) + "\n")
            self.nursery.stdin.flush()
            answer: dict[str, Any] = json.loads(self.nursery.stdout.readline())
            if "error" not in answer:
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[StateDir, dict[str, str]]]:
    """PostgreSQL and Redis in a state directory of their own, with the product's tables."""
    kept = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    with ExitStack() as opened:
        opened.callback(os.environ.update, kept)
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="fl-chaos-")))
        folder.chmod(0o711)
        opened.callback(forget_what_lies_apart, folder)
        state = places.resolve(str(folder / "state"))
        settings = opened.enter_context(session.environment(state, need_redis=True))
        settings = settings | {"DJANGO_SETTINGS_MODULE": "fleetledger.settings", "SECRET_KEY": "x" * 50}
        subprocess.run(python.command("prepare"), env=python.environment(settings), check=True, capture_output=True)
        yield state, settings


@contextmanager
def site(servers: tuple[StateDir, dict[str, str]]) -> Iterator[Site]:
    state, settings = servers
    root = str(Path(__file__).resolve().parents[2])
    environment = python.environment(settings | {"FLEETLEDGER_LOG_LEVEL": "CRITICAL"})
    nursery = subprocess.Popen(
        [sys.executable, "-P", nursery_program.__file__ or ""],
        env=environment | {"PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], root])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Site(state, settings["REDIS_URL"], nursery)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(nursery.pid, signal.SIGKILL)  # the notifiers too
        nursery.communicate()


class Moody:
    """Answers 8 of 100 with 503, and takes 4 of 100 without an answer."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self.taken: list[str] = []

    def __call__(self, told: Told) -> Reply:
        with self._lock:
            luck = self._chance.random()
            if luck < 0.08:
                return Reply(503, body="busy")
            self.taken.append(told.key)
            return Reply(CLOSE) if luck < 0.12 else Reply()


def test_nothing_is_lost_and_every_repeat_has_its_key(servers: tuple[StateDir, dict[str, str]]) -> None:
    moody, keys = Moody(7), list[str]()
    with receiving(decide=moody) as server, site(servers) as here, site(servers) as filler:
        here.do("configure", receivers=[hook(server.url, "moody")])
        filling = threading.Thread(target=_fill, args=(filler, keys))
        filling.start()
        _kill_again_and_again(here)
        filling.join(60)
        here.do("pass_time", seconds=31)  # the leases of the killed
        wait_until(lambda: here.do("tell")["waiting"] == 0, 45)
        end = here.do("tell")
    taken = Counter(moody.taken)
    print(
        f"{len(keys)} notifications, {KILLS} SIGKILLs, {len(server.told)} requests, {end['attempts']} attempts, "
        f"{taken.total() - len(taken)} repeats, {len(set(keys) - set(taken))} lost"
    )
    assert len(set(keys)) == NOTIFICATIONS
    assert set(end["states"]) == {"sent"}
    assert set(taken) == set(keys) == set(end["keys"])  # none lost; each repeat has a key that was seen
    assert end["delivered"] == NOTIFICATIONS


def test_a_receiver_that_hangs_does_not_delay_the_others(
    servers: tuple[StateDir, dict[str, str]],
) -> None:
    names = [f"well{number}" for number in range(4)]
    with receiving(Reply(HANG)) as hanging, receiving() as server, site(servers) as here:
        here.do("configure", receivers=[hook(hanging.url, "hanging"), *(hook(server.url, name) for name in names)])
        here.do("start")
        queued_at: dict[str, float] = {}
        for number in range(15):
            here.do("fill", receiver="hanging", first=1000 + number, count=1)
            for name in names:
                (key,) = here.do("fill", receiver=name, first=1000 + number, count=1)["keys"]
                queued_at[key] = time.time()
        wait_until(lambda: len(server.told) >= len(queued_at), 30)
    delays = sorted(told.at - queued_at[told.key] for told in server.told)
    print(f"p95 {delays[int(len(delays) * 0.95)]:.3f} s, longest {delays[-1]:.3f} s; {len(hanging.told)} hang")
    assert delays[int(len(delays) * 0.95)] < 10


def test_a_404_is_tried_once_and_retry_after_is_kept(servers: tuple[StateDir, dict[str, str]]) -> None:
    with _three() as (gone, busy, other), site(servers) as here:
        receivers = [hook(gone.url, "gone", fallback="other"), hook(busy.url, "busy"), hook(other.url, "other")]
        here.do("configure", receivers=receivers)
        for _ in range(2):
            here.do("start")
        here.do("fill", receiver="gone", first=2000, count=1)
        (key,) = here.do("fill", receiver="busy", first=2000, count=1)["keys"]
        wait_until(lambda: len(other.told) == 1 and len(busy.told) == 2, 30)
    assert len(gone.told) == 1
    assert "could not be told by webhook. It refused: 404" in other.told[0].document["note"]
    assert busy.keys == [key, key]
    assert busy.told[1].at - busy.told[0].at >= 3


@contextmanager
def _three() -> Iterator[tuple[Receiver, Receiver, Receiver]]:
    with (
        receiving(Reply(404)) as gone,
        receiving(Reply(429, {"Retry-After": "3"}), Reply()) as busy,
        receiving() as other,
    ):
        yield gone, busy, other


def _fill(filler: Site, keys: list[str]) -> None:
    for first in range(0, NOTIFICATIONS, 10):
        keys += filler.do("fill", receiver="moody", first=first, count=10)["keys"]


def _kill_again_and_again(here: Site) -> None:
    """One notifier after the other; halfway the database crashes, and the broker forgets everything."""
    chance = random.Random(11)
    alive, crashed = [int(here.do("start")["pid"]) for _ in range(NOTIFIERS)], 0
    for kill in range(KILLS):
        time.sleep(chance.uniform(*KILL_AFTER_S))
        os.kill(alive.pop(chance.randrange(len(alive))), signal.SIGKILL)
        alive.append(int(here.do("start")["pid"]))
        if kill == KILLS // 2:
            crashed = _crash_database(here)
            redis.Redis.from_url(here.redis_url).flushall()
    assert _database_pid(here) != crashed


def _crash_database(here: Site) -> int:
    """Kill the server's first process, whose pid it gives; its keeper starts it again, and it recovers."""
    pid = _database_pid(here)
    os.kill(pid, signal.SIGKILL)
    return pid


def _database_pid(here: Site) -> int:
    return int(json.loads((here.state.locks / "postgres.ready").read_text())["server_pid"])
