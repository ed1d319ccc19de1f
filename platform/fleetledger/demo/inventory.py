"""What the simulated company owns and rents: five teams, three clusters and 200 GPUs, the same for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from fleetledger.demo.dice import mix

SLICES = 7


class Habit(StrEnum):
    """How a lane of GPUs is used."""

    TRAINING = "training"
    BATCH = "batch"
    SERVING = "serving"
    INTERACTIVE = "interactive"
    SPARE = "spare"  # a MIG slice that nobody asks for


@dataclass(frozen=True, slots=True)
class Board:
    """A GPU model. Power is linear in activity: `idle_mw` + `slope_mw` per permille and slice."""

    model: str
    memory_mib: int
    reserved_mib: int
    idle_mw: int
    slope_mw: int
    sm_mhz: int
    memory_mhz: int


H100 = Board("NVIDIA H100 80GB HBM3", 81559, 530, 70_000, 90, 1980, 2619)
A100 = Board("NVIDIA A100-SXM4-80GB", 81920, 557, 60_000, 48, 1410, 1593)
L40S = Board("NVIDIA L40S", 46068, 499, 35_000, 45, 2520, 9001)


@dataclass(frozen=True, slots=True)
class Unit:
    """A GPU, or one of its MIG slices: what a pod can hold."""

    gpu: int
    gi_id: int | None = None
    profile: str = ""
    slices: int = SLICES


@dataclass(frozen=True, slots=True)
class Lane:
    """Units of one node that are always given out together, with the teams that ask for them (by weight)."""

    habit: Habit
    units: tuple[Unit, ...]
    teams: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class Node:
    """A machine with its GPUs. `profiled`: its exporter has DCGM's profiling fields."""

    index: int
    name: str
    cluster: str
    zone: str
    provider_id: str
    board: Board
    lanes: tuple[Lane, ...]
    profiled: bool = True

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        return tuple(sorted((u for lane in self.lanes for u in lane.units), key=lambda u: (u.gpu, u.gi_id or 0)))

    @cached_property
    def lane_of(self) -> dict[Unit, int]:
        return {unit: at for at, lane in enumerate(self.lanes) for unit in lane.units}

    @cached_property
    def gpus(self) -> tuple[tuple[Unit, ...], ...]:
        """The units of each GPU, by index."""
        count = 1 + max(unit.gpu for unit in self.units)
        return tuple(tuple(u for u in self.units if u.gpu == at) for at in range(count))

    @property
    def resource_id(self) -> str:
        """The machine's own name at its provider: the last segment of `provider_id`."""
        return self.provider_id.rsplit("/", 1)[1]

    @property
    def address(self) -> str:
        return f"10.{40 + self.index // 16}.{self.index % 16}.{20 + self.index}"

    def uuid(self, gpu: int) -> str:
        high, low = mix(41, self.index, gpu), mix(42, self.index, gpu)
        text = f"{high:016x}{low:016x}"
        return f"GPU-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True)
class Cluster:
    name: str
    provider: str
    region: str
    utc_offset_h: int
    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}


@dataclass(frozen=True, slots=True)
class Team:
    slug: str
    name: str
    cost_center: str
    parent: str
    models: tuple[str, ...]
    services: tuple[str, ...]
    people: tuple[str, ...]


TEAMS = {
    team.slug: team
    for team in (
        Team("vision", "Vision Research", "4410", "research", ("vit-huge", "sam-tiles", "depth-any"),
             ("ocr-api", "tagging"), ("mira", "jonas", "aiko", "teo")),
        Team("speech", "Speech and Audio", "4420", "research", ("asr-conformer", "tts-flow", "diarize"),
             ("asr-live", "tts-edge"), ("lena", "samir", "noor")),
        Team("robotics", "Robotics", "4430", "research", ("grasp-policy", "sim2real", "nav-rl"),
             ("pose-stream",), ("ivo", "hanna", "pavel")),
        Team("ranking", "Search and Ranking", "5210", "", ("ranker-xl", "embed-catalog", "ctr-mix"),
             ("ranker", "embeddings", "reranker"), ("priya", "olu", "dario")),
        Team("platform-ml", "ML Platform", "6100", "", ("base-7b", "distill-3b", "eval-suite"),
             ("llm-gateway", "guardrail"), ("tomas", "wren", "kofi")),
    )
}  # fmt: skip
PARENT = ("research", "Research", "4400")
NOBODY = "sandbox"  # a namespace that no ownership rule knows


def clusters() -> tuple[Cluster, ...]:
    """An on-demand cloud, a reserved one and a hall of rented bare metal: 80 + 64 + 56 GPUs."""
    return (
        Cluster("aws-use1", "aws", "us-east-1", -5, tuple(_on_demand())),
        Cluster("aws-usw2", "aws", "us-west-2", -8, tuple(_reserved())),
        Cluster("borealis-osl", "borealis", "oslo", 1, tuple(_bare_metal())),
    )


def gpu_count(cluster: Cluster) -> int:
    return sum(len(node.gpus) for node in cluster.nodes)


def _whole(first: int, count: int) -> tuple[Unit, ...]:
    return tuple(Unit(gpu) for gpu in range(first, first + count))


def _teams(**weights: int) -> tuple[tuple[str, int], ...]:
    return tuple((name.replace("_", "-"), weight) for name, weight in weights.items())


def _on_demand() -> Iterator[Node]:
    for at in range(8):
        yield Node(at, f"h100-use1-{at + 1:02d}", "aws-use1", f"us-east-1{'ab'[at % 2]}",
                   f"aws:///us-east-1{'ab'[at % 2]}/i-0{mix(7, at):016x}", H100, tuple(_h100_lanes(at)))  # fmt: skip
    for at in range(4):
        yield Node(8 + at, f"l40s-use1-{at + 1:02d}", "aws-use1", "us-east-1c",
                   f"aws:///us-east-1c/i-0{mix(8, at):016x}", L40S, tuple(_l40s_lanes(4, at)))  # fmt: skip


def _reserved() -> Iterator[Node]:
    for at in range(8):
        lanes = _mig_lanes(at) if at >= 6 else _a100_lanes(at)  # noqa: PLR2004 the last two nodes are partitioned
        yield Node(12 + at, f"a100-usw2-{at + 1:02d}", "aws-usw2", f"us-west-2{'ab'[at % 2]}",
                   f"aws:///us-west-2{'ab'[at % 2]}/i-0{mix(9, at):016x}", A100, tuple(lanes))  # fmt: skip


def _bare_metal() -> Iterator[Node]:
    for at in range(4):
        yield Node(20 + at, f"bm-h100-{at + 1:02d}", "borealis-osl", f"hall-{at % 2 + 1}",
                   f"borealis://osl/bm-{4101 + at}", H100, tuple(_h100_lanes(at + 3)))  # fmt: skip
    for at in range(3):
        yield Node(24 + at, f"bm-l40s-{at + 1:02d}", "borealis-osl", "hall-2",
                   f"borealis://osl/bm-{5201 + at}", L40S, tuple(_l40s_lanes(8, at)), profiled=False)  # fmt: skip


def _h100_lanes(at: int) -> Iterator[Lane]:
    trainers = (
        _teams(platform_ml=5, vision=3),
        _teams(vision=6, speech=2),
        _teams(ranking=5, platform_ml=2),
        _teams(robotics=4, vision=3),
    )[at % 4]
    if at % 4 in (0, 1):
        yield Lane(Habit.TRAINING, _whole(0, 8), trainers)
        return
    yield Lane(Habit.TRAINING, _whole(0, 4), trainers)
    yield Lane(Habit.BATCH, _whole(4, 2), _teams(speech=3, ranking=3, robotics=2, vision=2))
    yield Lane(Habit.SERVING, _whole(6, 1), _teams(platform_ml=1))
    yield Lane(Habit.SERVING, _whole(7, 1), _teams(ranking=1))


def _a100_lanes(at: int) -> Iterator[Lane]:
    if at % 3 == 0:
        yield Lane(Habit.TRAINING, _whole(0, 8), _teams(speech=5, robotics=4, vision=2))
        return
    yield Lane(Habit.TRAINING, _whole(0, 4), _teams(vision=4, speech=3, robotics=3))
    yield Lane(Habit.BATCH, _whole(4, 2), _teams(ranking=4, speech=2, platform_ml=2, sandbox=1))
    for gpu in (6, 7):
        yield Lane(Habit.INTERACTIVE, _whole(gpu, 1), _teams(vision=3, robotics=3, speech=2, sandbox=1))


def _l40s_lanes(count: int, at: int) -> Iterator[Lane]:
    servers = ("ranking", "platform-ml", "speech", "vision")
    for gpu in range(count):
        if gpu % 4 == 3:  # noqa: PLR2004 one GPU in four is for people
            yield Lane(Habit.INTERACTIVE, _whole(gpu, 1), _teams(robotics=3, vision=2, speech=2, ranking=1))
        elif gpu % 4 == 2 and at % 2:  # noqa: PLR2004 and some of the machines run jobs
            yield Lane(Habit.BATCH, _whole(gpu, 1), _teams(vision=3, ranking=3, robotics=2))
        else:
            yield Lane(Habit.SERVING, _whole(gpu, 1), ((servers[(gpu + at) % 4], 1),))


def _mig_lanes(at: int) -> Iterator[Lane]:
    """Three layouts: 1g + 1g + 3g with two slices never made; 1g + 2g + 3g; seven 1g."""
    layouts = (
        (("3g.40gb", 1), ("1g.10gb", 7), ("1g.10gb", 8)),
        (("3g.40gb", 2), ("2g.20gb", 3), ("1g.10gb", 9)),
        tuple(("1g.10gb", gi) for gi in range(7, 14)),
    )
    for gpu in range(8):
        for profile, gi_id in layouts[(gpu + at) % 3]:
            slices = int(profile[0])
            habit = Habit.SERVING if slices == 3 else Habit.SPARE if gi_id == 13 else Habit.INTERACTIVE  # noqa: PLR2004
            teams = _teams(ranking=2, speech=1) if slices == 3 else _teams(robotics=3, vision=3, speech=3, ranking=2)  # noqa: PLR2004
            yield Lane(habit, (Unit(gpu, gi_id, profile, slices),), teams)
