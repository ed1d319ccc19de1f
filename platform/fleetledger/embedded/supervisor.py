"""Brings the whole product up in order, watches it, and takes it down in order.

1. the lock `up` of the state directory: a second start is refused before it touches anything;
2. PostgreSQL and Redis, each under its keeper (see keeper), unless DATABASE_URL or REDIS_URL name real ones;
3. `prepare`: migrations, then the one-time set-up link where there are no users;
4. web; `Ready: ...` when it has served its first page;
5. workers, beat, notifier and, on demand, the demo's simulated fleet;
6. on Ctrl-C or SIGTERM: the parts, then the servers.
"""

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fleetledger.embedded import parts, ports, probe, python, redis_server, session
from fleetledger.embedded import state as places
from fleetledger.embedded.console import Console
from fleetledger.embedded.crew import Child, Crew, Part, StopSteps
from fleetledger.embedded.errors import AlreadyRunningError, PartFailedError
from fleetledger.embedded.locks import opened
from fleetledger.embedded.product import Product

FIRST_PAGE_S = 180.0
TOO_MANY_DEATHS = 3
DEMO_PORT = 9464
SET_UP_MARK = "set-up-path "
_WEB: StopSteps = (
    (signal.SIGTERM, 3.0),
    (signal.SIGTERM, 4.0),
    (signal.SIGKILL, 2.0),
)  # the first one may come too early
_TASKS: StopSteps = (
    (signal.SIGTERM, 8.0),
    (signal.SIGQUIT, 3.0),
    (signal.SIGKILL, 2.0),
)  # finish, then hand back, then end
_PLAIN: StopSteps = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `up` was asked for."""

    state_dir: str | None = None
    host: str = parts.DEFAULT_HOST
    port: int = parts.DEFAULT_PORT
    with_demo: bool = False

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def run(wishes: Wishes, product: Product | None = None) -> int:
    """Run the product until it is told to end; gives the exit status."""
    state = places.resolve(wishes.state_dir)
    places.prepare(state)
    console = Console()
    crew = Crew(console)
    with _only_one(state), _signals(crew):
        ports.require_free(wishes.host, wishes.port)
        with session.environment(state, need_redis=True) as settings:
            if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
                console.say(f"PostgreSQL and Redis keep their data and logs in {state.root}")
            if not os.environ.get("REDIS_URL"):
                redis_server.requeue_unfinished(state)
            try:
                return _Supervisor(
                    wishes,
                    settings,
                    console=console,
                    crew=crew,
                    product=product or Product(),
                    demo_port_file=state.root / "demo-port",
                ).run()
            finally:
                crew.end()
                console.say("Stopped.")


class _Supervisor:
    def __init__(
        self,
        wishes: Wishes,
        settings: dict[str, str],
        *,
        console: Console,
        crew: Crew,
        product: Product,
        demo_port_file: Path,
    ) -> None:
        self._wishes = wishes
        self._product = product
        self._demo_port_file = demo_port_file
        self._console = console
        self._crew = crew
        self._instance = secrets.token_hex(12)
        self._set_up_path = ""
        ours = {"FLEETLEDGER_INSTANCE": self._instance}
        ours |= {name: value for name, value in self._usual().items() if name not in os.environ}
        self._environment = python.environment(settings | ours)

    def run(self) -> int:
        if self._crew.wait_for(self._crew.start(self._part("prepare", self._product.prepare(), _PLAIN, once=True))):
            self._give_up("prepare", "failed")
            return 0
        web = self._crew.start(self._part("web", self._product.web(self._wishes.host, self._wishes.port), _WEB))
        if not self._wait_for_first_page(web):
            return 0
        self._console.say(f"Ready: {self._wishes.address}")
        if self._set_up_path and not self._wishes.with_demo:  # the demo brings its own users
            self._console.say(
                f"First visit: {self._wishes.address}{self._set_up_path} (makes the first user; works once)"
            )
        self._start_the_rest()
        while not self._crew.is_ending:
            self._crew.step(3600)
        self._console.say("Stopping.")
        return 0

    def _start_the_rest(self) -> None:
        if self._wishes.with_demo:
            port = ports.remembered(self._demo_port_file, DEMO_PORT)
            self._crew.start(replace(self._part("world", self._product.demo_world(port), _PLAIN), ends_last=True))
            self._crew.start(self._part("demo", self._product.demo_seed(port), _PLAIN, once=True))
        for name, command in self._product.workers().items():
            self._crew.start(self._part(name, command, _TASKS))
        self._crew.start(self._part("beat", self._product.beat(), _PLAIN))
        self._crew.start(self._part("notifier", self._product.notifier(), _PLAIN))
        if self._wishes.with_demo:
            self._crew.start(self._part("alerts", self._product.demo_alerts(), _PLAIN))

    def _wait_for_first_page(self, web: Child) -> bool:
        """True once a page came; False when we were told to end before that."""
        deadline = time.monotonic() + FIRST_PAGE_S
        while not self._crew.is_ending:
            if probe.is_ours(self._wishes.host, self._wishes.port, self._instance) and probe.serves_a_page(
                self._wishes.host, self._wishes.port
            ):
                return True
            if web.deaths >= TOO_MANY_DEATHS:
                self._give_up("web", f"ended {web.deaths} times before it served a page")
            if time.monotonic() > deadline:
                self._give_up("web", f"served no page within {FIRST_PAGE_S:.0f} s")
            self._crew.step(0.1)
        return False

    def _give_up(self, name: str, reason: str) -> None:
        """End with a sentence, unless we were told to end anyway."""
        if not self._crew.is_ending:
            raise PartFailedError(name, reason)

    def _part(self, name: str, command: list[str], steps: StopSteps, *, once: bool = False) -> Part:
        return Part(
            name=name,
            command=command,
            environment=self._environment,
            stop_steps=steps,
            is_one_shot=once,
            listen=self._hear if once else None,
        )

    def _hear(self, line: str) -> bool:
        if not line.startswith(SET_UP_MARK):
            return False
        self._set_up_path = line.removeprefix(SET_UP_MARK)
        return True

    def _usual(self) -> dict[str, str]:
        usual = {"FLEETLEDGER_BASE_URL": self._wishes.address, "FLEETLEDGER_LOG": "console"}
        if self._wishes.with_demo:  # its people are told by the simulated fleet, on this machine
            usual["FLEETLEDGER_NOTIFY_ALLOW"] = "127.0.0.1"
        return usual


@contextmanager
def _only_one(state: places.StateDir) -> Iterator[None]:
    with opened(state.locks / "up") as lock:
        if not lock.try_exclusive():
            raise AlreadyRunningError(state.root, lock.read_note())
        lock.note(str(os.getpid()))
        yield


@contextmanager
def _signals(crew: Crew) -> Iterator[None]:
    def end(*_signal: object) -> None:
        crew.request_end()

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in watched}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
