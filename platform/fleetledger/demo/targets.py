"""The services that the simulated company runs beside its GPUs: every process that is scraped, and when it fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from fleetledger.demo.dice import Dice, key
from fleetledger.demo.outages import CYCLE_S, ORIGIN, SCRIPT, Fault, Trouble, cycle_of
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S

SEED = 4102
CYCLE_DAYS = CYCLE_S // DAY_S
CLUSTERS = ("aws-use1", "aws-usw2", "borealis-osl")


class Habit(StrEnum):
    """How a process fails outside of the script."""

    STEADY = "steady"  # never
    UPGRADED = "upgraded"  # once in a cycle, for a minute or some
    FRAGILE = "fragile"  # several times a day, for minutes
    TURNS = "turns"  # its replicas restart one after the other, each once a day
    NIGHTS_OFF = "nights off"  # nobody asks it anything at night


@dataclass(frozen=True, slots=True)
class Target:
    """A process; `number` tells it from others of its job."""

    cluster: str
    job: str
    number: int
    zone: str
    namespace: str
    port: int
    habit: Habit

    @property
    def pod(self) -> str:
        return f"{self.job}-{self.number}"

    @property
    def labels(self) -> dict[str, str]:
        """What Prometheus adds about the scraped pod."""
        address = f"10.60.{key(self.job) % 200}.{20 + self.number}:{self.port}"
        labels = {
            "cluster": self.cluster,
            "instance": address,
            "job": self.job,
            "namespace": self.namespace,
            "pod": self.pod,
            "zone": self.zone,
        }
        return {name: value for name, value in labels.items() if value}


def troubles(target: Target, start: int, end: int) -> list[Trouble]:
    """Those that touch [start, end), in order and apart."""
    cycles = range(cycle_of(start), cycle_of(end - 1) + 1)
    return [one for cycle in cycles for one in _of_cycle(target, cycle) if one.start < end and one.end > start]


def fault_at(target: Target, at: int) -> Fault | None:
    return next((one.fault for one in troubles(target, at, at + 1)), None)


@lru_cache(maxsize=512)
def _of_cycle(target: Target, cycle: int) -> tuple[Trouble, ...]:
    """The script goes first: what would touch it is left out. Nothing reaches from one cycle into the next."""
    begins = ORIGIN + cycle * CYCLE_S
    kept = [
        one
        for written in SCRIPT
        if written.hits(target.job, target.pod, target.zone)
        for one in written.within(begins, begins + CYCLE_S)
    ]
    for one in _HABITS[target.habit](target, begins):
        if all(one.end < other.start or one.start > other.end for other in kept):
            kept.append(one)
    return tuple(sorted(kept))


def _steady(target: Target, begins: int) -> Iterator[Trouble]:
    del target, begins
    return iter(())


def _upgraded(target: Target, begins: int) -> Iterator[Trouble]:
    """In the evening of a day of its own: no two of a job are down together."""
    dice = Dice(SEED, 1, key(target.cluster), key(target.pod), begins)
    start = begins + (1 + 4 * target.number) % CYCLE_DAYS * DAY_S + 20 * HOUR_S + dice.between(0, 240) * GRID_S
    yield Trouble(start, start + dice.span(1, 4), Fault.DOWN)


def _fragile(target: Target, begins: int) -> Iterator[Trouble]:
    """By day, when the others are well: it runs out of memory."""
    dice = Dice(SEED, 2, key(target.pod), begins)
    for day in range(CYCLE_DAYS):
        for _ in range(dice.between(1, 4)):
            start = begins + day * DAY_S + dice.between(8 * 120, 19 * 120) * GRID_S
            yield Trouble(start, start + dice.span(1, 9), Fault.DOWN)


def _turns(target: Target, begins: int) -> Iterator[Trouble]:
    """43 minutes a day: three hundredths of its time."""
    for day in range(CYCLE_DAYS):
        start = begins + day * DAY_S + (6 + 6 * target.number) * HOUR_S
        yield Trouble(start, start + 43 * 60, Fault.DOWN)


def _nights_off(target: Target, begins: int) -> Iterator[Trouble]:
    del target
    for day in range(CYCLE_DAYS):
        yield Trouble(begins + day * DAY_S, begins + day * DAY_S + 5 * HOUR_S, Fault.IDLE)


_HABITS: dict[Habit, Callable[[Target, int], Iterator[Trouble]]] = {
    Habit.STEADY: _steady,
    Habit.UPGRADED: _upgraded,
    Habit.FRAGILE: _fragile,
    Habit.TURNS: _turns,
    Habit.NIGHTS_OFF: _nights_off,
}


def _several(cluster: str, job: str, zones: str, namespace: str, port: int, *habits: Habit) -> tuple[Target, ...]:
    """One in each of the zones, with the habits one after the other and the last for all that follow."""
    return tuple(
        Target(cluster, job, at, zone, namespace, port, habits[min(at, len(habits) - 1)])
        for at, zone in enumerate(zones.split())
    )


_U = Habit.UPGRADED
CHAT = _several(
    "aws-use1", "llm-gateway", "us-east-1a us-east-1b us-east-1c us-east-1a us-east-1b us-east-1c",
    "platform-ml-serve", 8000, _U, _U, _U, _U, Habit.FRAGILE, _U,
)  # fmt: skip
EMBEDDINGS = _several("aws-use1", "embeddings", "us-east-1a us-east-1b us-east-1c", "ranking-serve", 8000, Habit.TURNS)
GUARDRAIL = _several("borealis-osl", "guardrail", "hall-1 hall-2", "platform-ml-serve", 8000, Habit.NIGHTS_OFF)
RANKER = _several("aws-usw2", "ranker", "us-west-2a us-west-2b us-west-2a us-west-2b", "ranking-serve", 8002, _U)
INGRESS = _several("aws-use1", "ingress", "us-east-1a", "ingress", 10254, Habit.STEADY)
ETCD = _several("aws-use1", "etcd", "us-east-1a us-east-1b us-east-1c", "kube-system", 2381, _U)
FEATURE_DB = _several("aws-usw2", "feature-db", "us-west-2a us-west-2b", "ranking-data", 9187, _U)
REGISTRY_DB = _several("borealis-osl", "registry-db", "hall-1", "platform-data", 9187, _U)
BACKUPS = (
    Target("aws-usw2", "feature-db-backup", 0, "", "ranking-data", 9854, Habit.STEADY),
    Target("borealis-osl", "registry-db-backup", 0, "", "platform-data", 9854, Habit.STEADY),
)
API_SERVERS = tuple(Target(name, "apiserver", 0, "", "kube-system", 6443, _U) for name in CLUSTERS)
TARGETS = (*CHAT, *EMBEDDINGS, *GUARDRAIL, *RANKER, *INGRESS, *ETCD, *FEATURE_DB, *REGISTRY_DB, *BACKUPS, *API_SERVERS)
